"""Verification by processes: chunks in parallel, outcomes in the order of submission."""

import selectors
import time
from collections import deque
from collections.abc import Callable

from veperf.errors import WorkerCrashedError
from veperf.workloads.transaction.pipeline.check import Outcome
from veperf.workloads.transaction.pipeline.process import VerifierProcess
from veperf.workloads.transaction.pipeline.protocol import Ask, Checked, Chunk, Numbers
from veperf.workloads.transaction.pipeline.statistics import VerifyCost

NumbersOf = Callable[[list[bytes]], list[int]]
"""The account numbers of addresses; ``check.UNKNOWN`` for those without an account."""

_CHUNKS_EACH = 2
"""One that is worked on, and one that is there when that is done."""
_MAX_CRASHES = 5


class _Seat:
    """A place for a verifier process, and the chunks that whoever sits there has to answer."""

    def __init__(self) -> None:
        self.process = VerifierProcess()
        self.chunks: deque[tuple[int, Chunk]] = deque()
        self.crashes = 0
        """Since the last answer."""


class VerifierPool:
    """Some verifier processes. One that dies is replaced, and its chunks are verified again."""

    def __init__(self, processes: int, chain_id: str, numbers_of: NumbersOf) -> None:
        self._chain_id = chain_id
        self._numbers_of = numbers_of
        self._selector = selectors.DefaultSelector()
        self._seats: list[_Seat] = []
        self._submitted = 0
        self._returned = 0
        self._early: dict[int, list[Outcome]] = {}
        self.cost = VerifyCost()
        """What verifying has cost so far, in this process and the others."""
        self.replaced = 0
        """Verifier processes that died."""
        try:
            for _ in range(processes):
                seat = _Seat()
                self._seats.append(seat)
                self._selector.register(seat.process, selectors.EVENT_READ)
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> tuple[int, ...]:
        """The verifier processes."""
        return tuple(seat.process.pid for seat in self._seats)

    @property
    def has_room(self) -> bool:
        """Whether one of them would have a chunk to go on with."""
        return any(len(seat.chunks) < _CHUNKS_EACH for seat in self._seats)

    @property
    def is_hungry(self) -> bool:
        """Whether one of them has nothing to do."""
        return any(not seat.chunks for seat in self._seats)

    def submit(self, raws: list[bytes]) -> None:
        """Have encoded transactions verified.

        Raises:
            WorkerCrashedError: verifiers die as soon as they are started.
        """
        started = time.thread_time_ns()
        seat = min(self._seats, key=lambda seat: len(seat.chunks))
        chunk = Chunk(self._chain_id, raws)
        seat.chunks.append((self._submitted, chunk))
        self._submitted += 1
        try:
            seat.process.send(chunk)
        except WorkerCrashedError as crash:
            self._replace(seat, crash)
        self.cost.transport_ns += time.thread_time_ns() - started

    def collect(self, wait_s: float) -> list[Outcome]:
        """Outcomes that are there, next in order; waits for one at most ``wait_s``.

        Raises:
            WorkerCrashedError: verifiers die as soon as they are started.
        """
        arrived = self._selector.select(wait_s)
        started = time.thread_time_ns()
        for seat in self._seats:
            self._exchange(seat)
        outcomes: list[Outcome] = []
        while self._returned in self._early:
            outcomes += self._early.pop(self._returned)
            self._returned += 1
        if arrived:
            self.cost.transport_ns += time.thread_time_ns() - started
        return outcomes

    def close(self) -> None:
        """End the processes. Safe to call twice."""
        for seat in self._seats:
            seat.process.stop()
        self._selector.close()

    def _exchange(self, seat: _Seat) -> None:
        try:
            seat.process.flush()
            for reply in seat.process.receive():
                match reply:
                    case Ask():
                        seat.process.send(Numbers(self._numbers_of(reply.addresses)))
                    case Checked():
                        self._keep(seat, reply)
        except WorkerCrashedError as crash:
            self._replace(seat, crash)

    def _keep(self, seat: _Seat, checked: Checked) -> None:
        number, _ = seat.chunks.popleft()
        seat.crashes = 0
        self._early[number] = checked.outcomes
        self.cost.decode_ns += checked.decode_ns
        self.cost.verify_ns += checked.verify_ns
        self.cost.transport_ns += checked.transport_ns

    def _replace(self, seat: _Seat, crash: WorkerCrashedError) -> None:
        while True:
            if seat.crashes == _MAX_CRASHES:
                raise WorkerCrashedError(
                    f"{_MAX_CRASHES} verifier processes in a row ended before they answered; "
                    "what they wrote to standard error says why"
                ) from crash
            self.replaced += 1
            # One that dies idle has not been brought down by its work.
            seat.crashes += bool(seat.chunks)
            self._selector.unregister(seat.process)
            seat.process.stop()
            seat.process = VerifierProcess()
            self._selector.register(seat.process, selectors.EVENT_READ)
            try:
                for _, chunk in seat.chunks:
                    seat.process.send(chunk)
            except WorkerCrashedError as again:
                crash = again
            else:
                return
