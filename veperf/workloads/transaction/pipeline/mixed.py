"""A pipeline for transactions of all kinds, on the stores of the modules, in one thread.

Everything is done in the caller's thread, in the order of the offers: the signatures, too, which
are a seventh of the work of such a transaction, where they are over half of a plain transfer's. A
block is executed as its transactions come, and committed in one piece.
"""

import re
import time
from collections.abc import Callable, Mapping

from veperf.workloads.transaction.cache import Cache
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.execution import Chain
from veperf.workloads.transaction.modules.ante import run_ante_handler
from veperf.workloads.transaction.modules.blocks import (
    end_block,
    open_caches,
    run_messages,
    write_caches,
)
from veperf.workloads.transaction.modules.context import BlockContext
from veperf.workloads.transaction.modules.gas import GasMeter
from veperf.workloads.transaction.modules.transactions import SignedTransaction, decode_signed
from veperf.workloads.transaction.multistore import MultiStore
from veperf.workloads.transaction.pipeline.intake import FinishedBatch, Intake
from veperf.workloads.transaction.pipeline.mempool import MempoolEntry
from veperf.workloads.transaction.pipeline.settings import PipelineSettings
from veperf.workloads.transaction.pipeline.statistics import Counters

MIXED_SETTINGS = PipelineSettings(chunk_transactions=64, block_transactions=200)
_STEP_NS = 2_000_000
_WAIT_S = 0.001
_GENESIS_TIME_S = 1_767_225_600  # 2026-01-01; a block is a second
_NO_KIND = "unknown"


def kind_of(transaction: SignedTransaction) -> str:
    """Return the kind of a transaction: the name of its first message, as ``create_bid``."""
    name = type(transaction.messages[0]).__name__
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class MixedPipeline:
    """Accepts encoded transactions of any kind and commits blocks of them, in one thread.

    As ``Pipeline`` it works only while it is called; a rejected transaction stops nothing.
    """

    def __init__(
        self,
        stores: MultiStore,
        chain: Chain,
        *,
        commit: Callable[[], tuple[bytes, int]] | None = None,
        settings: PipelineSettings = MIXED_SETTINGS,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Start a pipeline that continues from ``stores``, whose working version is committed.

        ``commit`` commits the stores; by default in memory, with the last version alone.
        """
        self._stores = stores
        self._chain = chain
        self._commit = commit or self._commit_in_memory
        self._settings = settings
        self._clock = clock
        self._counters = Counters()
        self._intake = Intake(settings, self._counters, clock)
        self._check_ns = 0
        self._caches: dict[str, Cache] = {}
        self._block: list[MempoolEntry] = []
        self._kinds: list[str] = []
        self._failed: dict[int, Code] = {}  # by index in the block

    @property
    def pending(self) -> int:
        """Number of accepted transactions that are not finished."""
        return self._intake.pending

    def offer(self, tag: int, raw: bytes) -> bool:
        """Accept an encoded transaction; False if it is turned away, as by ``Pipeline.offer``."""
        return self._intake.offer(tag, raw)

    def step(self) -> list[FinishedBatch]:
        """Work for a few milliseconds, or wait for one; return the newly finished batches.

        Raises:
            StorageError: the block can't be committed.
        """
        now = self._clock()
        active = self._intake.begin_step(now)
        finished = self._intake.take_left()
        while self._execute_next():
            active = True
            if self._clock() >= now + _STEP_NS:
                break
        if self._is_due():
            finished.append(self._end_block())
        elif not active:
            time.sleep(_WAIT_S)
        return finished

    def costs(self) -> Mapping[str, float]:
        """Return CPU time by stage in ns for each committed transaction; {} before the first."""
        counters = self._counters
        totals = {
            "hash": counters.hash_ns,
            "decode": counters.decode_ns,
            "check": self._check_ns,
            "execute": counters.execute_ns,
            "commit": counters.commit_ns,
        }
        count = counters.committed
        return {stage: total / count for stage, total in totals.items()} if count else {}

    def _execute_next(self) -> bool:
        """Execute the transaction that has waited longest; return whether there was one."""
        if len(self._block) >= self._settings.block_transactions:
            return False
        entries = self._intake.mempool.pop(1)
        if not entries:
            return False
        if not self._block:
            self._caches = open_caches(self._stores)
        code, kind = self._deliver(entries[0].raw)
        if code is not Code.OK:
            self._failed[len(self._block)] = code
        self._block += entries
        self._kinds.append(kind)
        return True

    def _deliver(self, raw: bytes) -> tuple[Code, str]:
        """Decode, check and execute a transaction, as ``blocks.deliver_signed``."""
        counters, block = self._counters, self._context
        started = time.thread_time_ns()
        try:
            transaction = decode_signed(raw)
        except TransactionRefused as refused:
            return refused.code, _NO_KIND
        finally:
            decoded = time.thread_time_ns()
            counters.decode_ns += decoded - started
        meter = GasMeter(transaction.fee.gas_limit)
        code, _ = run_ante_handler(self._caches, transaction, block, meter)
        checked = time.thread_time_ns()
        self._check_ns += checked - decoded
        if code is Code.OK:
            code, _ = run_messages(self._caches, transaction, block, meter)
            counters.execute_ns += time.thread_time_ns() - checked
        return code, kind_of(transaction)

    @property
    def _context(self) -> BlockContext:
        height = self._stores.version + 1
        return BlockContext(self._chain, height, _GENESIS_TIME_S + height)

    def _is_due(self) -> bool:
        if not self._block:
            return False
        if len(self._block) >= self._settings.block_transactions:
            return True
        # A late block takes everything that waits, as that of ``Pipeline``.
        age = self._clock() - self._block[0].received_ns
        return not len(self._intake.mempool) and age >= self._settings.block_wait_ns

    def _end_block(self) -> FinishedBatch:
        began, started = self._clock(), time.thread_time_ns()
        end_block(self._caches, self._context)
        write_caches(self._caches)
        app_hash, height = self._commit()
        self._counters.commit_ns += time.thread_time_ns() - started
        block, kinds, failed = self._block, self._kinds, self._failed
        self._block, self._kinds, self._failed = [], [], {}
        self._intake.end_block(block, failed.keys(), height, began)
        return FinishedBatch(
            [entry.tag for entry in block],
            {block[index].tag: code for index, code in failed.items()},
            height,
            app_hash,
            kinds,
        )

    def _commit_in_memory(self) -> tuple[bytes, int]:
        committed = self._stores.commit()
        if self._stores.version > 1:
            for tree in self._stores.trees.values():
                tree.prune(self._stores.version - 1)
        return committed
