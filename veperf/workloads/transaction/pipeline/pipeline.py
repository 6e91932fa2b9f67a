"""The pipeline: mempool, verification in processes, execution in order, blocks by size or age."""

import os
import time
from collections import deque
from collections.abc import Iterator
from typing import Self

from msgspec import Struct

from veperf.workloads.transaction.errors import Code
from veperf.workloads.transaction.execution import Chain
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.pipeline.block import ChainHead, Commit
from veperf.workloads.transaction.pipeline.mempool import Entry, Mempool
from veperf.workloads.transaction.pipeline.settings import Settings
from veperf.workloads.transaction.pipeline.statistics import BlockRecord, Counters, Statistics
from veperf.workloads.transaction.pipeline.verification import Outcome
from veperf.workloads.transaction.pipeline.verifier_pool import InlineVerifier, VerifierPool

_STEP_NS = 2_000_000
_WAIT_S = 0.001
_HASHED_AT_ONCE = 1_024
_EXECUTED_AT_ONCE = 32
"""Transactions between two looks at the clock: about half a millisecond."""


class Batch(Struct, frozen=True):
    """Transactions that are through: a block of them, or some that were refused at the door."""

    tags: list[int]
    """In the order of the block."""
    failed: dict[int, Code]
    """Those of them that did not end with ``Code.OK``, and how they did."""
    height: int = 0
    """Of the block; 0 at the door."""
    root_hash: bytes = b""
    """Of the state after the block, 32 bytes."""


class Pipeline:
    """Takes encoded transactions and commits blocks of them, in one thread.

    It works only while it is called: ``offer`` gives it a transaction, ``step`` does what can be
    done in a few milliseconds and tells which transactions are through. Signatures are verified
    in processes of their own; the rest is done here, in the order of the offers. All that is
    refused has a code and stops nothing.

    A transaction that is through is durable if ``commit`` is a durable store's; closing, or
    ending otherwise, drops those that are still on their way.
    """

    def __init__(
        self,
        tree: Tree,
        chain: Chain,
        *,
        commit: Commit = Tree.save_version,
        verifiers: int | None = None,
        settings: Settings = Settings(),  # noqa: B008  # immutable
    ) -> None:
        """A pipeline that goes on from the state in ``tree``.

        ``verifiers`` is the number of processes: one less than there are cores by default, at
        least one; with 0 signatures are verified in the caller's thread.
        """
        self._settings = settings
        self._mempool = Mempool(settings.remembered)
        self._verifying: deque[Entry] = deque()
        self._verified: deque[tuple[Entry, Outcome]] = deque()
        self._head = ChainHead(tree, chain, commit)
        self._block: list[Entry] = []
        self._failed: dict[int, Code] = {}  # by place in the block
        self._committing: Iterator[None] | None = None
        self._commit_started_ns = 0
        self._through: list[Batch] = []
        self._counters = Counters()
        self._pending = 0
        self._flushing = False
        self._closed = False
        if verifiers is None:
            verifiers = max(1, _cores() - 1)
        self._verifier = (
            VerifierPool(
                verifiers,
                chain.id,
                self._head.numbers_of,
                patience_ns=self._settings.verifier_patience_ns,
            )
            if verifiers
            else InlineVerifier(chain.id, self._head.numbers_of)
        )

    @property
    def tree(self) -> Tree:
        """The state after the last block; it keeps that version only."""
        return self._head.tree

    @property
    def pending(self) -> int:
        """How many transactions were taken and are not through."""
        return self._pending

    @property
    def verifier_pids(self) -> tuple[int, ...]:
        """The verifier processes as they are now."""
        return self._verifier.pids

    def offer(self, tag: int, raw: bytes) -> bool:
        """Take an encoded transaction; False, and it is not taken, while the pipeline is full.

        ``tag`` is what ``step`` will call it; no other that is pending may have it.

        Raises:
            ValueError: the pipeline is closed.
        """
        self._check_open()
        self._counters.offered += 1
        if self._pending >= self._settings.capacity:
            self._counters.turned_away += 1
            return False
        self._pending += 1
        self._mempool.offer(tag, raw)
        return True

    def step(self) -> list[Batch]:
        """Do a few milliseconds' work, or wait for up to one, and say what is through since.

        Raises:
            WorkerCrashedError: verifier processes die or hang, one after the other.
            StorageError: the block can't be committed; another ``step`` tries it again.
            ValueError: the pipeline is closed.
        """
        self._check_open()
        now = time.monotonic_ns()
        active = self._take_in(now)
        self._submit(now)
        active |= self._work(now + _STEP_NS)
        self._collect(0.0 if active or self._through else _WAIT_S)
        through, self._through = self._through, []
        return through

    def flush(self) -> list[Batch]:
        """Finish all that is pending, without waiting for chunks and blocks to fill.

        Raises:
            Whatever ``step`` does; what was through before is then returned by the next call.
        """
        through: list[Batch] = []
        self._flushing = True
        try:
            while self._pending or self._through:
                through += self.step()
        except BaseException:
            self._through = through + self._through
            raise
        finally:
            self._flushing = False
        return through

    def statistics(self) -> Statistics:
        """What was done so far and what it cost."""
        return self._counters.snapshot(
            self._verifier.cost,
            reverified=self._head.reverified,
            replaced=self._verifier.replaced,
        )

    def close(self) -> None:
        """End the verifiers; what is pending is dropped. Safe to call twice."""
        self._closed = True
        self._verifier.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("the pipeline is closed")

    def _take_in(self, now: int) -> bool:
        started = time.thread_time_ns()
        taken, duplicates = self._mempool.take_in(_HASHED_AT_ONCE, now)
        if taken:
            self._counters.hash_ns += time.thread_time_ns() - started
        if duplicates:
            self._pending -= len(duplicates)
            self._counters.codes[Code.DUPLICATE] += len(duplicates)
            self._through.append(Batch(duplicates, dict.fromkeys(duplicates, Code.DUPLICATE)))
        return taken > 0

    def _submit(self, now: int) -> None:
        size = self._settings.chunk_transactions
        while len(self._mempool) and self._verifier.has_room:
            late = self._flushing or now - self._mempool.since_ns >= self._settings.chunk_wait_ns
            if len(self._mempool) < size and not (late and self._verifier.is_hungry):
                return
            entries = self._mempool.take_out(size)
            self._verifying.extend(entries)
            self._verifier.submit([entry.raw for entry in entries])

    def _collect(self, wait_s: float) -> None:
        outcomes = self._verifier.collect(wait_s)
        self._counters.verified += len(outcomes)
        for outcome in outcomes:
            self._verified.append((self._verifying.popleft(), outcome))

    def _work(self, until_ns: int) -> bool:
        """Execute and commit until that time, or nothing is left to do; whether there was any."""
        worked = False
        while self._do_piece():
            worked = True
            if time.monotonic_ns() >= until_ns:
                break
        return worked

    def _do_piece(self) -> bool:
        if self._committing is None and self._is_due():
            self._committing = self._head.commit()
            self._commit_started_ns = time.monotonic_ns()
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
        # A block that is late takes in all that is ready: the more fall behind, the larger are
        # the blocks, and the cheaper each transaction.
        if not size or self._verified:
            return False
        if self._flushing and size == self._pending:
            return True
        return time.monotonic_ns() - self._block[0].since_ns >= self._settings.block_wait_ns

    def _execute(self) -> None:
        room = self._settings.block_transactions - len(self._block)
        count = min(room, _EXECUTED_AT_ONCE, len(self._verified))
        started = time.thread_time_ns()
        for _ in range(count):
            entry, outcome = self._verified.popleft()
            code = self._head.deliver(outcome)
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
        self._pending -= len(block)
        self._mempool.settle(block, failed.keys())
        counters.committed += len(block)
        counters.blocks += 1
        counters.codes[Code.OK] += len(block) - len(failed)
        counters.codes.update(failed.values())
        height = head.tree.version
        full = len(block) >= self._settings.block_transactions
        took_ns = time.monotonic_ns() - self._commit_started_ns
        counters.recent_blocks.append(BlockRecord(height, len(block), took_ns, full))
        by_tag = {block[place].tag: code for place, code in failed.items()}
        tags = [entry.tag for entry in block]
        self._through.append(Batch(tags, by_tag, height, head.root_hash))


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
