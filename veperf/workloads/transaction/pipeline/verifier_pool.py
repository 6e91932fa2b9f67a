"""Verification by processes: chunks in parallel, results in the order of submission."""

import selectors
import time
from collections import deque
from collections.abc import Callable

from veperf.core.errors import WorkerCrashedError
from veperf.workloads.transaction.pipeline.checks import CheckResult
from veperf.workloads.transaction.pipeline.protocol import (
    AccountNumbers,
    CheckChunk,
    ChunkChecked,
    GetAccountNumbers,
)
from veperf.workloads.transaction.pipeline.statistics import VerifyCost
from veperf.workloads.transaction.pipeline.verifier_process import VerifierProcess

VERIFIER_PATIENCE_NS = 10_000_000_000
"""Far more than a verifier needs to start and to verify the largest of chunks."""

LookUpNumbers = Callable[[list[bytes]], list[int]]
"""Returns the account numbers of addresses; ``NO_ACCOUNT`` for those without an account."""

_CHUNKS_EACH = 2
"""Chunks of a verifier: one in work, and one to continue with."""
_MAX_CRASHES = 5
_ABSENT_NS = 1_000_000_000
"""Time between two calls beyond which the caller has not been listening."""


class _VerifierSlot:
    """A slot for a verifier process, with the chunks that the process in it has to answer."""

    def __init__(self) -> None:
        self.process = VerifierProcess()
        self.chunks: deque[tuple[int, CheckChunk]] = deque()
        self.crashes = 0
        """Crashes since the last answer."""
        self.silent_ns = 0
        """Time it has had work without sending anything, while the caller was listening."""


class VerifierPool:
    """Verifier processes. One that dies or hangs is replaced, its chunks verified again."""

    def __init__(
        self,
        processes: int,
        chain_id: str,
        look_up_numbers: LookUpNumbers,
        *,
        patience_ns: int = VERIFIER_PATIENCE_NS,
    ) -> None:
        """Start ``processes``; one that has work and sends nothing for ``patience_ns`` hangs."""
        self._chain_id = chain_id
        self._look_up_numbers = look_up_numbers
        self._patience_ns = patience_ns
        self._last_listened_ns = time.monotonic_ns()
        self._selector = selectors.DefaultSelector()
        self._slots: list[_VerifierSlot] = []
        self._submitted = 0
        self._returned = 0
        self._out_of_order: dict[int, list[CheckResult]] = {}
        self.cost = VerifyCost()
        """CPU time of verification so far, in this process and the others."""
        self.replaced = 0
        """Number of verifier processes that died, or were killed because they hung."""
        try:
            for _ in range(processes):
                slot = _VerifierSlot()
                self._slots.append(slot)
                self._selector.register(slot.process, selectors.EVENT_READ)
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the verifiers."""
        return tuple(slot.process.pid for slot in self._slots)

    @property
    def has_room(self) -> bool:
        """True if a verifier can take another chunk."""
        return any(len(slot.chunks) < _CHUNKS_EACH for slot in self._slots)

    @property
    def has_idle_verifier(self) -> bool:
        """True if a verifier has nothing to do."""
        return any(not slot.chunks for slot in self._slots)

    def submit(self, raws: list[bytes]) -> None:
        """Submit a chunk of encoded transactions for verification.

        Raises:
            WorkerCrashedError: verifiers die or hang, one after the other.
        """
        started = time.thread_time_ns()
        slot = min(self._slots, key=lambda slot: len(slot.chunks))
        chunk = CheckChunk(self._chain_id, raws)
        slot.chunks.append((self._submitted, chunk))
        self._submitted += 1
        try:
            slot.process.send(chunk)
        except WorkerCrashedError as crash:
            self._replace(slot, crash)
        self.cost.transport_ns += time.thread_time_ns() - started

    def collect(self, wait_s: float) -> list[CheckResult]:
        """Return the next results in order; waits at most ``wait_s`` for one.

        Raises:
            WorkerCrashedError: verifiers die or hang, one after the other.
        """
        arrived = self._selector.select(wait_s)
        started = time.thread_time_ns()
        listening_ns = self._listening_time(wait_s)
        for slot in self._slots:
            self._exchange(slot, listening_ns)
        results: list[CheckResult] = []
        while self._returned in self._out_of_order:
            results += self._out_of_order.pop(self._returned)
            self._returned += 1
        if arrived:
            self.cost.transport_ns += time.thread_time_ns() - started
        return results

    def close(self) -> None:
        """Stop the processes. Safe to call twice."""
        for slot in self._slots:
            slot.process.stop()
        self._selector.close()

    def _listening_time(self, wait_s: float) -> int:
        """Return nanoseconds since the last call, as far as the caller can have been listening."""
        now = time.monotonic_ns()
        elapsed, self._last_listened_ns = now - self._last_listened_ns, now
        return min(elapsed, round(wait_s * 1e9) + _ABSENT_NS)

    def _exchange(self, slot: _VerifierSlot, listening_ns: int) -> None:
        try:
            known_bytes = slot.process.received_bytes
            slot.process.flush()
            for reply in slot.process.receive():
                match reply:
                    case GetAccountNumbers():
                        slot.process.send(AccountNumbers(self._look_up_numbers(reply.addresses)))
                    case ChunkChecked():
                        self._record(slot, reply)
            received = slot.process.received_bytes > known_bytes
            slot.silent_ns = 0 if received or not slot.chunks else slot.silent_ns + listening_ns
            if slot.silent_ns > self._patience_ns:
                raise WorkerCrashedError(f"verifier process {slot.process.pid} hangs")
        except WorkerCrashedError as crash:
            self._replace(slot, crash)

    def _record(self, slot: _VerifierSlot, checked: ChunkChecked) -> None:
        number, _ = slot.chunks.popleft()
        slot.crashes = 0
        self._out_of_order[number] = checked.results
        self.cost.decode_ns += checked.decode_ns
        self.cost.verify_ns += checked.verify_ns
        self.cost.transport_ns += checked.transport_ns

    def _replace(self, slot: _VerifierSlot, crash: WorkerCrashedError) -> None:
        while True:
            if slot.crashes == _MAX_CRASHES:
                raise WorkerCrashedError(
                    f"{_MAX_CRASHES} verifier processes in a row did not answer; their standard "
                    f"error output may have the reason ({crash})"
                ) from crash
            self.replaced += 1
            # A process that dies idle was not crashed by its work.
            slot.crashes += bool(slot.chunks)
            self._selector.unregister(slot.process)
            slot.process.stop()
            slot.process = VerifierProcess()
            slot.silent_ns = 0
            self._selector.register(slot.process, selectors.EVENT_READ)
            try:
                for _, chunk in slot.chunks:
                    slot.process.send(chunk)
            except WorkerCrashedError as again:
                crash = again
            else:
                return
