"""Verification by processes: chunks in parallel, outcomes in the order of submission."""

import selectors
import time
from collections import deque
from collections.abc import Callable

from veperf.core.errors import WorkerCrashedError
from veperf.workloads.transaction.codec import Transaction
from veperf.workloads.transaction.pipeline.protocol import Ask, Checked, Chunk, Numbers
from veperf.workloads.transaction.pipeline.settings import VERIFIER_PATIENCE_NS
from veperf.workloads.transaction.pipeline.statistics import VerifyCost
from veperf.workloads.transaction.pipeline.verification import Outcome, decode_all, verify_all
from veperf.workloads.transaction.pipeline.verifier_process import VerifierProcess

NumbersOf = Callable[[list[bytes]], list[int]]
"""The account numbers of addresses; ``check.UNKNOWN`` for those without an account."""

_CHUNKS_EACH = 2
"""One that is worked on, and one that is there when that is done."""
_MAX_CRASHES = 5
_ABSENT_NS = 1_000_000_000
"""A caller who stays away for longer has not been listening."""


class _Seat:
    """A place for a verifier process, and the chunks that whoever sits there has to answer."""

    def __init__(self) -> None:
        self.process = VerifierProcess()
        self.chunks: deque[tuple[int, Chunk]] = deque()
        self.crashes = 0
        """Since the last answer."""
        self.silent_ns = 0
        """For how long it has had work and said nothing, while the caller was listening."""


class VerifierPool:
    """Some verifier processes. One that dies or hangs is replaced, its chunks verified again."""

    def __init__(
        self,
        processes: int,
        chain_id: str,
        numbers_of: NumbersOf,
        *,
        patience_ns: int = VERIFIER_PATIENCE_NS,
    ) -> None:
        """One that has work and says nothing for ``patience_ns`` hangs."""
        self._chain_id = chain_id
        self._numbers_of = numbers_of
        self._patience_ns = patience_ns
        self._listened_ns = time.monotonic_ns()
        self._selector = selectors.DefaultSelector()
        self._seats: list[_Seat] = []
        self._submitted = 0
        self._returned = 0
        self._early: dict[int, list[Outcome]] = {}
        self.cost = VerifyCost()
        """What verifying has cost so far, in this process and the others."""
        self.replaced = 0
        """Verifier processes that died, or were ended because they hung."""
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
            WorkerCrashedError: verifiers die or hang, one after the other.
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
            WorkerCrashedError: verifiers die or hang, one after the other.
        """
        arrived = self._selector.select(wait_s)
        started = time.thread_time_ns()
        listened_ns = self._listened(wait_s)
        for seat in self._seats:
            self._exchange(seat, listened_ns)
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

    def _listened(self, wait_s: float) -> int:
        """Nanoseconds since the last call, as far as the caller can have been listening."""
        now = time.monotonic_ns()
        since, self._listened_ns = now - self._listened_ns, now
        return min(since, round(wait_s * 1e9) + _ABSENT_NS)

    def _exchange(self, seat: _Seat, listened_ns: int) -> None:
        try:
            known_bytes = seat.process.received_bytes
            seat.process.flush()
            for reply in seat.process.receive():
                match reply:
                    case Ask():
                        seat.process.send(Numbers(self._numbers_of(reply.addresses)))
                    case Checked():
                        self._keep(seat, reply)
            heard = seat.process.received_bytes > known_bytes
            seat.silent_ns = 0 if heard or not seat.chunks else seat.silent_ns + listened_ns
            if seat.silent_ns > self._patience_ns:
                raise WorkerCrashedError(f"verifier process {seat.process.pid} hangs")
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
                    f"{_MAX_CRASHES} verifier processes in a row did not answer; what they wrote "
                    f"to standard error may say why ({crash})"
                ) from crash
            self.replaced += 1
            # One that dies idle has not been brought down by its work.
            seat.crashes += bool(seat.chunks)
            self._selector.unregister(seat.process)
            seat.process.stop()
            seat.process = VerifierProcess()
            seat.silent_ns = 0
            self._selector.register(seat.process, selectors.EVENT_READ)
            try:
                for _, chunk in seat.chunks:
                    seat.process.send(chunk)
            except WorkerCrashedError as again:
                crash = again
            else:
                return


_PIECE = 32
"""Transactions at a time: about 2 ms."""


class InlineVerifier:
    """Stands in for a ``VerifierPool`` without processes: small states, small machines, tests."""

    replaced = 0
    pids: tuple[int, ...] = ()

    def __init__(self, chain_id: str, numbers_of: NumbersOf) -> None:
        self._chain_id = chain_id
        self._numbers_of = numbers_of
        self._waiting: deque[bytes] = deque()
        self.cost = VerifyCost()
        """What verifying has cost so far."""

    @property
    def has_room(self) -> bool:
        """Whether there is less to do than a piece of work."""
        return len(self._waiting) < _PIECE

    @property
    def is_hungry(self) -> bool:
        """Whether there is nothing to do."""
        return not self._waiting

    def submit(self, raws: list[bytes]) -> None:
        """Have encoded transactions verified."""
        self._waiting.extend(raws)

    def collect(self, wait_s: float) -> list[Outcome]:
        """Verify some of what waits and return their outcomes; with nothing to do, sleep."""
        if not self._waiting:
            time.sleep(wait_s)
            return []
        started = time.thread_time_ns()
        waiting = self._waiting
        decoded = decode_all([waiting.popleft() for _ in range(min(_PIECE, len(waiting)))])
        decoded_by = time.thread_time_ns()
        signers = list({t.signer.data for t in decoded if isinstance(t, Transaction)})
        numbers = dict(zip(signers, self._numbers_of(signers), strict=True))
        outcomes = verify_all(decoded, numbers, self._chain_id)
        self.cost.decode_ns += decoded_by - started
        self.cost.verify_ns += time.thread_time_ns() - decoded_by
        return outcomes

    def close(self) -> None:
        """Nothing is held."""
