"""The intake of a pipeline: what is admitted, what never enters a block, and what is in flight.

When more is offered than the chain does, the intake sheds. It admits what the chain does in
``hold_ns``; beyond that a transaction is turned away, unless it pays more for its gas than another
that waits: that one is then evicted. One that waits for too long expires. Both have a code; what is
admitted waits for no longer than ``hold_ns`` or so.
"""

import time
from collections.abc import Callable, Container

from msgspec import Struct

from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.pipeline.admission import AdmissionLimit
from veperf.workloads.transaction.pipeline.mempool import Mempool, MempoolEntry
from veperf.workloads.transaction.pipeline.settings import PipelineSettings
from veperf.workloads.transaction.pipeline.statistics import BlockRecord, Counters

_HASHED_AT_ONCE = 1_024
_RANKED_AT_ONCE = 64
"""Transactions whose priority a full mempool looks at between two steps; others are turned away
unseen. Less than half a millisecond: else, the more is offered, the less time is left for work."""
_FIRST_BLOCKS = 3
"""Blocks of transactions in flight at most before the chain's rate is known."""


class FinishedBatch(Struct, frozen=True):
    """Finished transactions: a block, or those that never entered one."""

    tags: list[int]
    """Tags in the order of the block."""
    failed: dict[int, Code]
    """Codes of the transactions that did not end with ``Code.OK``, by tag."""
    height: int = 0
    """Height of the block; 0 for duplicates, and for what the mempool sheds."""
    root_hash: bytes = b""
    """App hash: root hash of the state after the block, 32 bytes."""
    kinds: list[str] = []
    """Kinds of the transactions of a block, where they are told; in the order of ``tags``."""


class Intake:
    """The transactions of a pipeline from the offer to the end of their block."""

    def __init__(
        self, settings: PipelineSettings, counters: Counters, clock: Callable[[], int]
    ) -> None:
        self.mempool = Mempool(settings.remembered)
        """Those that wait for verification."""
        self.pending = 0
        """Number of accepted transactions that are not finished."""
        self._settings = settings
        self._counters = counters
        self._clock = clock
        self._limit = AdmissionLimit(
            settings.capacity,
            settings.chunk_transactions,
            _FIRST_BLOCKS * settings.block_transactions,
            settings.hold_ns,
        )
        self._ranked = 0  # since the last step
        self._left: list[FinishedBatch] = []
        self._shed: dict[int, Code] = {}

    @property
    def has_left(self) -> bool:
        """Return whether there are finished transactions to take."""
        return bool(self._left or self._shed)

    def offer(self, tag: int, raw: bytes) -> bool:
        """Accept an encoded transaction, or turn it away."""
        self._counters.offered += 1
        if self.pending >= self._limit.value:
            return self._offer_when_full(tag, raw)
        self.pending += 1
        self.mempool.offer(tag, raw)
        return True

    def begin_step(self, now_ns: int) -> bool:
        """Hash what was offered, and drop what is too old; return whether there was anything."""
        self._ranked = 0
        active = self._hash_offered(now_ns, _HASHED_AT_ONCE)
        if self._settings.time_to_live_ns:
            self._expire(now_ns - self._settings.time_to_live_ns)
        return active

    def take_left(self) -> list[FinishedBatch]:
        """Return the transactions that will never enter a block, since the last call."""
        left, self._left = self._left, []
        if self._shed:
            shed, self._shed = self._shed, {}
            self._counters.codes.update(shed.values())
            left.append(FinishedBatch(list(shed), shed))
        return left

    def end_block(
        self, block: list[MempoolEntry], failed: Container[int], height: int, began_ns: int
    ) -> None:
        """Note that ``block`` is committed, without the indices ``failed``, begun ``began_ns``."""
        self.pending -= len(block)
        self.mempool.finish(block, failed)
        now = self._clock()
        self._limit.end_block(now, len(block), self.pending)
        counters = self._counters
        counters.committed += len(block)
        counters.blocks += 1
        full = len(block) >= self._settings.block_transactions
        counters.recent_blocks.append(BlockRecord(height, len(block), now - began_ns, full))

    def _offer_when_full(self, tag: int, raw: bytes) -> bool:
        evicted = None
        if self._ranked < _RANKED_AT_ONCE:
            self._ranked += 1
            # What was offered in the same burst may be worth less, too.
            self._hash_offered(self._clock())
            evicted = self.mempool.offer_when_full(tag, raw)
        if evicted is None:
            self._counters.turned_away += 1
            return False
        self._counters.evicted += 1
        self._shed[evicted] = Code.EVICTED
        return True

    def _expire(self, before_ns: int) -> None:
        expired = self.mempool.expire(before_ns)
        self._counters.expired += len(expired)
        self.pending -= len(expired)
        self._shed |= dict.fromkeys(expired, Code.EXPIRED)

    def _hash_offered(self, now_ns: int, count: int | None = None) -> bool:
        started = time.thread_time_ns()
        hashed, duplicates = self.mempool.hash_offered(now_ns, count)
        if hashed:
            self._counters.hash_ns += time.thread_time_ns() - started
        if duplicates:
            self.pending -= len(duplicates)
            self._counters.codes[Code.DUPLICATE] += len(duplicates)
            self._left.append(FinishedBatch(duplicates, dict.fromkeys(duplicates, Code.DUPLICATE)))
        return hashed > 0
