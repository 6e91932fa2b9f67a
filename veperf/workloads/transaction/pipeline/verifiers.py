"""Verifiers of a pipeline: threads, processes, or the pipeline's own thread.

The compiled kernels verify in threads: they run without the interpreter lock, and nothing has to be
sent, which costs as much as decoding. A thread that is ready waits for the lock until the pipeline
collects, every two milliseconds or so; that it needs it seldom, it verifies many pieces at once.
The pipeline's thread takes single pieces when it would wait. In Python's core there is a
``VerifierPool`` of processes.
"""

import time
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread

from veperf._native.core import compiled_kernels
from veperf.workloads.transaction.codec import Transaction
from veperf.workloads.transaction.pipeline.checks import (
    CheckResult,
    ChunkCheck,
    decode_transactions,
)
from veperf.workloads.transaction.pipeline.statistics import VerifyCost
from veperf.workloads.transaction.pipeline.verifier_pool import (
    VERIFIER_PATIENCE_NS,
    LookUpNumbers,
    VerifierPool,
)
from veperf.workloads.transaction.validation import verify_together

_PIECE = 32
"""Transactions that the pipeline's thread verifies at once: one to two milliseconds."""
_PIECES_AT_ONCE = 16
"""Pieces that another thread verifies at once."""
_PIECES_AHEAD = 32
"""Pieces for each thread beyond which there is no room."""


def start_verifier(
    workers: int,
    chain_id: str,
    look_up_numbers: LookUpNumbers,
    *,
    patience_ns: int = VERIFIER_PATIENCE_NS,
) -> "InlineVerifier | VerifierPool":
    """Return a verifier with ``workers`` threads or processes, as the core in use has them.

    With 0 workers everything is verified in the caller's thread. ``patience_ns`` is of processes.
    """
    if not workers:
        return InlineVerifier(chain_id, look_up_numbers)
    if compiled_kernels() is not None:
        return ThreadVerifier(workers, chain_id, look_up_numbers)
    return VerifierPool(workers, chain_id, look_up_numbers, patience_ns=patience_ns)


class InlineVerifier:
    """A ``VerifierPool`` without processes: the caller's thread verifies when it collects."""

    replaced = 0
    pids: tuple[int, ...] = ()

    def __init__(self, chain_id: str, look_up_numbers: LookUpNumbers) -> None:
        self._chain_id = chain_id
        self._look_up_numbers = look_up_numbers
        self._pieces: deque[ChunkCheck] = deque()
        """All that are not collected yet, in the order of submission."""
        self._waiting: SimpleQueue[ChunkCheck | None] = SimpleQueue()
        """Those of them that nobody verifies yet; None ends a thread."""
        self.cost = VerifyCost()
        """CPU time of verification so far."""

    @property
    def has_room(self) -> bool:
        """True if less waits than one call verifies."""
        return not self._pieces

    @property
    def has_idle_verifier(self) -> bool:
        """True if nothing waits."""
        return self._waiting.empty()

    def submit(self, raws: list[bytes]) -> None:
        """Decode transactions, and submit their signatures for verification."""
        started = time.thread_time_ns()
        decoded = decode_transactions(raws)
        decoded_ns = time.thread_time_ns()
        signers = list({t.signer.data for t in decoded if isinstance(t, Transaction)})
        numbers = dict(zip(signers, self._look_up_numbers(signers), strict=True))
        for start in range(0, len(decoded), _PIECE):
            piece = ChunkCheck(decoded[start : start + _PIECE], numbers, self._chain_id)
            self._pieces.append(piece)
            self._waiting.put(piece)
        self.cost.decode_ns += decoded_ns - started
        self.cost.verify_ns += time.thread_time_ns() - decoded_ns

    def collect(self, wait_s: float) -> list[CheckResult]:
        """Verify some waiting transactions and return their results; sleep if none waits."""
        if not self._verify_piece():
            time.sleep(wait_s)
        return self._take_results()

    def close(self) -> None:
        """Do nothing: there are no workers."""

    def _verify_piece(self) -> bool:
        """Verify the piece that has waited longest, if there is one."""
        started = time.thread_time_ns()
        try:
            piece = self._waiting.get_nowait()
        except Empty:
            return False
        assert piece is not None, "closed"
        try:
            verify_together([piece.signatures])
        except BaseException:
            self._waiting.put(piece)
            raise
        self.cost.verify_ns += time.thread_time_ns() - started
        return True

    def _take_results(self) -> list[CheckResult]:
        """Return the results of the next pieces, as far as they are verified."""
        started = time.thread_time_ns()
        results: list[CheckResult] = []
        while self._pieces and self._pieces[0].signatures.verdicts is not None:
            results += self._pieces.popleft().results()
        if results:
            self.cost.verify_ns += time.thread_time_ns() - started
        return results


class ThreadVerifier(InlineVerifier):
    """Threads that verify beside the caller, who takes a piece where it would wait."""

    def __init__(self, threads: int, chain_id: str, look_up_numbers: LookUpNumbers) -> None:
        super().__init__(chain_id, look_up_numbers)
        self._done: SimpleQueue[int | BaseException] = SimpleQueue()
        """CPU time of each call of the kernel in a thread, or its failure."""
        self._threads = [Thread(target=self._verify_waiting, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    @property
    def has_room(self) -> bool:
        """True if a thread can take another chunk."""
        return len(self._pieces) < _PIECES_AHEAD * len(self._threads)

    def collect(self, wait_s: float) -> list[CheckResult]:
        """Return the next results in order; verify a piece, or wait at most ``wait_s`` for one.

        Raises:
            MemoryError: a thread had too little memory.
        """
        time.sleep(0)  # for threads that wait for the interpreter lock
        self._account()
        results = self._take_results()
        if results or not wait_s:
            return results
        if not self._verify_piece():
            with suppress(Empty):
                self._count(self._done.get(timeout=wait_s))
        return self._take_results()

    def close(self) -> None:
        """Stop the threads. Safe to call twice."""
        threads, self._threads = self._threads, []
        for _ in threads:
            self._waiting.put(None)
        for thread in threads:
            thread.join()

    def _account(self) -> None:
        with suppress(Empty):
            while True:
                self._count(self._done.get_nowait())

    def _count(self, done: int | BaseException) -> None:
        if isinstance(done, BaseException):
            raise done
        self.cost.verify_ns += done

    def _verify_waiting(self) -> None:
        """Verify what waits, until None does, or it fails: others then have the pieces to do."""
        while (first := self._waiting.get()) is not None:
            started = time.thread_time_ns()
            pieces = [first]
            try:
                pieces += self._more()
                verify_together([piece.signatures for piece in pieces])
                self._done.put(time.thread_time_ns() - started)
            except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
                for piece in pieces:
                    self._waiting.put(piece)
                self._done.put(error)
                return

    def _more(self) -> list[ChunkCheck]:
        """Return a thread's share of what else waits."""
        share = self._waiting.qsize() // max(1, len(self._threads))
        pieces: list[ChunkCheck] = []
        with suppress(Empty):
            while len(pieces) < min(share, _PIECES_AT_ONCE - 1):
                piece = self._waiting.get_nowait()
                if piece is None:
                    self._waiting.put(None)
                    break
                pieces.append(piece)
        return pieces
