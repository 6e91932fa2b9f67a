"""Verification in the caller's own thread, a few transactions at a time."""

import time
from collections import deque

from veperf.workloads.transaction.codec import Transaction
from veperf.workloads.transaction.pipeline.check import Outcome, decode_all, verify_all
from veperf.workloads.transaction.pipeline.pool import NumbersOf
from veperf.workloads.transaction.pipeline.statistics import VerifyCost

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
