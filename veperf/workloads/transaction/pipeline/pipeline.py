"""The pipeline: mempool, verification beside it, execution in order, blocks by size or age."""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Self

from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.execution import Chain
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.pipeline.chain_head import ChainHead, Commit
from veperf.workloads.transaction.pipeline.checks import CheckResult
from veperf.workloads.transaction.pipeline.intake import FinishedBatch, Intake
from veperf.workloads.transaction.pipeline.mempool import MempoolEntry
from veperf.workloads.transaction.pipeline.settings import PipelineSettings
from veperf.workloads.transaction.pipeline.statistics import Counters, PipelineStatistics
from veperf.workloads.transaction.pipeline.verifiers import start_verifier

_STEP_NS = 2_000_000
_WAIT_S = 0.001
_EXECUTED_AT_ONCE = 32
"""Transactions between two readings of the clock: about half a millisecond."""


class Pipeline:
    """Accepts encoded transactions and commits blocks of them, in one thread.

    It works only while it is called: ``offer`` accepts a transaction, ``step`` works for a few
    milliseconds and returns the finished transactions. Signatures are verified in other threads,
    in Python's core in other processes; everything else is done in the caller's, in the order of
    the offers. A rejected transaction has a code and stops nothing. ``intake`` says what
    happens when more is offered than the chain does.

    A finished transaction is durable if ``commit`` is a durable store's; closing the pipeline, or
    a crash, drops the pending ones.
    """

    def __init__(
        self,
        tree: Tree,
        chain: Chain,
        *,
        commit: Commit = Tree.save_version,
        verifiers: int | None = None,
        settings: PipelineSettings = PipelineSettings(),  # noqa: B008  # immutable
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Start a pipeline that continues from the state in ``tree``.

        ``verifiers`` is the number of threads or processes: one less than there are cores by
        default, at least one; with 0 signatures are verified in the caller's thread. ``clock``
        tells ages, in ns since any moment.
        """
        self._settings = settings
        self._clock = clock
        self._counters = Counters()
        self._intake = Intake(settings, self._counters, clock)
        self._verifying: deque[MempoolEntry] = deque()
        self._verified: deque[tuple[MempoolEntry, CheckResult]] = deque()
        self._head = ChainHead(tree, chain, commit)
        self._block: list[MempoolEntry] = []
        self._failed: dict[int, Code] = {}  # by index in the block
        self._committing: Iterator[None] | None = None
        self._commit_started_ns = 0
        self._finished: list[FinishedBatch] = []
        self._flushing = False
        self._closed = False
        if verifiers is None:
            verifiers = max(1, _cores() - 1)
        self._verifier = start_verifier(
            verifiers,
            chain.id,
            self._head.look_up_numbers,
            patience_ns=self._settings.verifier_patience_ns,
        )

    @property
    def tree(self) -> Tree:
        """Tree of the state after the last block, with that saved version only."""
        return self._head.tree

    @property
    def pending(self) -> int:
        """Number of accepted transactions that are not finished."""
        return self._intake.pending

    @property
    def verifier_pids(self) -> tuple[int, ...]:
        """Process ids of the current verifiers that are processes."""
        return self._verifier.pids

    def offer(self, tag: int, raw: bytes) -> bool:
        """Accept an encoded transaction; False, without accepting it, if it is turned away.

        ``tag`` identifies it in the results of ``step``; no other pending one may have it. Where
        the pipeline is full, one that is worth less may be evicted for it.

        Raises:
            ValueError: the pipeline is closed.
        """
        self._check_open()
        return self._intake.offer(tag, raw)

    def step(self) -> list[FinishedBatch]:
        """Work for a few milliseconds, or wait for up to one; return the newly finished batches.

        Raises:
            WorkerCrashedError: verifier processes die or hang, one after the other.
            StorageError: the block can't be committed; another ``step`` tries again.
            ValueError: the pipeline is closed.
        """
        self._check_open()
        now = self._clock()
        active = self._intake.begin_step(now)
        self._finished += self._intake.take_left()
        self._submit(now)
        active |= self._work(now + _STEP_NS)
        self._collect(0.0 if active or self._finished else _WAIT_S)
        finished, self._finished = self._finished, []
        return finished

    def flush(self) -> list[FinishedBatch]:
        """Finish everything pending, without waiting for chunks and blocks to fill.

        Raises:
            The errors of ``step``; batches finished before are then returned by the next call.
        """
        finished: list[FinishedBatch] = []
        self._flushing = True
        try:
            while self._intake.pending or self._intake.has_left or self._finished:
                finished += self.step()
        except BaseException:
            self._finished = finished + self._finished
            raise
        finally:
            self._flushing = False
        return finished

    def statistics(self) -> PipelineStatistics:
        """Return the counters and CPU times so far."""
        return self._counters.snapshot(
            self._verifier.cost,
            reverified=self._head.reverified,
            replaced=self._verifier.replaced,
        )

    def close(self) -> None:
        """Stop the verifiers; pending transactions are dropped. Safe to call twice."""
        self._closed = True
        self._verifier.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("the pipeline is closed")

    def _submit(self, now: int) -> None:
        size, mempool = self._settings.chunk_transactions, self._intake.mempool
        while len(mempool) and self._verifier.has_room:
            late = self._flushing or now - mempool.oldest_ns >= self._settings.chunk_wait_ns
            if len(mempool) < size and not (late and self._verifier.has_idle_verifier):
                return
            entries = mempool.pop(size)
            self._verifying.extend(entries)
            self._verifier.submit([entry.raw for entry in entries])

    def _collect(self, wait_s: float) -> None:
        results = self._verifier.collect(wait_s)
        self._counters.verified += len(results)
        for result in results:
            self._verified.append((self._verifying.popleft(), result))

    def _work(self, until_ns: int) -> bool:
        """Execute and commit until ``until_ns`` or all is done; return whether there was work."""
        worked = False
        while self._do_piece():
            worked = True
            if self._clock() >= until_ns:
                break
        return worked

    def _do_piece(self) -> bool:
        if self._committing is None and self._is_due():
            self._committing = self._head.commit()
            self._commit_started_ns = self._clock()
        if self._committing is not None:
            self._advance(self._committing)
            return True
        if self._verified:
            self._execute()
            return True
        return False

    def _is_due(self) -> bool:
        size = len(self._block)
        if size >= self._settings.block_transactions:
            return True
        # A late block takes everything that is verified: the further the pipeline falls behind,
        # the larger are the blocks, and the cheaper each transaction.
        if not size or self._verified:
            return False
        if self._flushing and size == self._intake.pending:
            return True
        return self._clock() - self._block[0].received_ns >= self._settings.block_wait_ns

    def _execute(self) -> None:
        room = self._settings.block_transactions - len(self._block)
        count = min(room, _EXECUTED_AT_ONCE, len(self._verified))
        started = time.thread_time_ns()
        for _ in range(count):
            entry, check = self._verified.popleft()
            code = self._head.deliver(check)
            if code is not Code.OK:
                self._failed[len(self._block)] = code
            self._block.append(entry)
        self._counters.execute_ns += time.thread_time_ns() - started
        self._counters.executed += count

    def _advance(self, committing: Iterator[None]) -> None:
        started = time.thread_time_ns()
        try:
            if next(committing, True):
                self._end_block()
        except BaseException:
            self._committing = None
            raise
        finally:
            self._counters.commit_ns += time.thread_time_ns() - started

    def _end_block(self) -> None:
        block, failed, head, counters = self._block, self._failed, self._head, self._counters
        self._committing, self._block, self._failed = None, [], {}
        counters.codes[Code.OK] += len(block) - len(failed)
        counters.codes.update(failed.values())
        height = head.tree.version
        self._intake.end_block(block, failed.keys(), height, self._commit_started_ns)
        by_tag = {block[index].tag: code for index, code in failed.items()}
        tags = [entry.tag for entry in block]
        self._finished.append(FinishedBatch(tags, by_tag, height, head.root_hash))


def _cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
