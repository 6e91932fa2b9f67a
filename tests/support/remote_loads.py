"""Benchmarks of level load whose system can be apart, for the tests of loads by several processes.

An item is its shard's number and its own, 8 bytes each: what a target got is plain to see.
"""

import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from veperf.core.case import LATENCY_METRICS, Level, Metric
from veperf.core.load import Finished
from veperf.core.registry import LoadTask, benchmark
from veperf.core.remote_load import RemoteLoad, SuppliedSystem
from veperf.workloads.transaction import example_data
from veperf.workloads.transaction.load import CAPACITY, ChainLoadFixture, ChainTarget
from veperf.workloads.transaction.load_source import TransferSource
from veperf.workloads.transaction.pipeline import Pipeline, PipelineSettings

RATES = (Metric("achieved", "1/s", "higher"), *LATENCY_METRICS)


def numbered(shard: int, _shards: int) -> Iterator[bytes]:
    """The items of a shard."""
    return (shard.to_bytes(8, "big") + number.to_bytes(8, "big") for number in count())


class Counter:
    """Commits all that it has at each step; notices what is missing, twice, or out of order."""

    def __init__(self, capacity: int = 1_000_000) -> None:
        self._capacity = capacity
        self._waiting: deque[tuple[int, bytes]] = deque()
        self._next: dict[bytes, int] = {}
        self._counted = 0

    def offer(self, tag: int, item: bytes) -> bool:
        if len(self._waiting) >= self._capacity:
            return False
        self._waiting.append((tag, item))
        return True

    def step(self) -> Finished:
        committed: list[int] = []
        failed: dict[int, str] = {}
        while self._waiting:
            tag, item = self._waiting.popleft()
            shard, number = item[:8], int.from_bytes(item[8:], "big")
            if number != self._next.get(shard, 0):
                failed[tag] = f"{number} came in place of {self._next.get(shard, 0)}"
            else:
                committed.append(tag)
            self._next[shard] = number + 1
        self._counted += len(committed)
        return Finished(committed, failed)

    def costs(self) -> dict[str, float]:
        return {"count": float(self._counted)}

    def close(self) -> None:
        self._waiting.clear()


class Dying(Counter):
    """Is killed after some items."""

    def step(self) -> Finished:
        if self._counted > 50:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().step()


class Raising(Counter):
    """Breaks after some items."""

    def step(self) -> Finished:
        if self._counted > 50:
            raise ValueError("planted error")
        return super().step()


class Hanging(Counter):
    """Commits nothing any more after some items."""

    def step(self) -> Finished:
        if self._counted > 50:
            time.sleep(0.001)
            return Finished()
        return super().step()


class Clocked(Counter):
    """Notes by its own clock when it was offered the first item of each shard, and says so."""

    def __init__(self) -> None:
        super().__init__()
        self._first_ns: dict[int, int] = {}

    def offer(self, tag: int, item: bytes) -> bool:
        shard = int.from_bytes(item[:8], "big")
        if shard not in self._first_ns:
            self._first_ns[shard] = time.perf_counter_ns()
            print(f"first item of shard {shard}", file=sys.stderr)
        return super().offer(tag, item)

    def costs(self) -> dict[str, float]:
        return {f"first_{shard}": float(at_ns) for shard, at_ns in self._first_ns.items()}


KINDS = {
    "counter": Counter,
    "dying": Dying,
    "raising": Raising,
    "hanging": Hanging,
    "clocked": Clocked,
}


@benchmark(
    "apart/load", level=Level.LOAD, params={"rate": (200,), "kind": tuple(KINDS)}, metrics=RATES
)
def load(rate: int, kind: str) -> LoadTask:
    """Counts what it is offered."""
    target = KINDS[kind]

    def system(items: int) -> "Local":
        return Local(target(), numbered(0, 1))

    return LoadTask(system, rate, remote=RemoteLoad(target, numbered, 20_000))


class Local:
    """The same in the generator's own process."""

    def __init__(self, target: Counter, source: Iterator[bytes]) -> None:
        self._target = target
        self._source = source
        self.step, self.costs, self.close = target.step, target.costs, target.close

    def offer(self, tag: int) -> bool:
        return self._target.offer(tag, next(self._source))


@benchmark("apart/broken", level=Level.LOAD, metrics=RATES)
def broken() -> LoadTask:
    """Has a target that can't be made."""

    def target() -> Counter:
        raise ValueError("planted: no target today")

    return LoadTask(
        lambda _: Local(Counter(), numbered(0, 1)), 100, remote=RemoteLoad(target, numbered, 10)
    )


@benchmark("apart/chain", level=Level.LOAD, params={"rate": (200,)}, metrics=RATES)
def chain(rate: int) -> LoadTask:
    """The chain, with few accounts."""
    fixture = ChainLoadFixture(60, "disk")
    return LoadTask(
        lambda items: SuppliedSystem(*fixture.chain(items)),
        rate,
        fixture.close,
        RemoteLoad(fixture.target, fixture.source, CAPACITY),
    )


PLACE = "VEPERF_TEST_ROOT_HASH"
"""The variable that names the file for the state's root hash."""


class Rooted(ChainTarget):
    """Cuts blocks by their size alone, and leaves the root hash of its state behind."""

    def __init__(self, feed: TransferSource) -> None:
        settings = PipelineSettings(block_transactions=50, block_wait_ns=10**18)
        self._tree = feed.genesis()
        pipeline = Pipeline(self._tree, example_data.CHAIN, verifiers=0, settings=settings)
        super().__init__(pipeline, None, next(feed))

    def close(self) -> None:
        Path(os.environ[PLACE]).write_bytes(self._tree.root_hash)
        super().close()


@benchmark("apart/blocks", level=Level.LOAD, metrics=RATES)
def blocks() -> LoadTask:
    """The chain, in blocks that do not depend on time."""

    def source(shard: int, shards: int) -> Iterator[bytes]:
        feed = TransferSource(20, shard=shard, shards=shards)
        next(feed)
        return feed

    def target() -> Rooted:
        return Rooted(TransferSource(20))

    return LoadTask(
        lambda _: SuppliedSystem(target(), source(0, 1)),
        100,
        remote=RemoteLoad(target, source, 1_000),
    )
