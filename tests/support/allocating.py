"""Benchmarks with an appetite that is known, and some that misbehave when memory is measured."""

import os
from pathlib import Path

import memray

from veperf.core.case import LATENCY_METRICS, Level, Metric
from veperf.core.load import Finished
from veperf.core.registry import LoadTask, Task, benchmark

ITEM_BYTES = 10_000


@benchmark(
    "hungry/eats",
    level=Level.MICRO,
    params={"items": (10, 40)},
    targets={"memory_peak": "memory/per_transaction"},
)
def eats(items: int) -> Task:
    """Holds some blocks at once."""
    return Task(lambda: [bytearray(ITEM_BYTES) for _ in range(items)], operations=items)


@benchmark("hungry/forks", level=Level.MICRO)
def forks() -> Task:
    """Has a child."""

    def call() -> None:
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)

    return Task(call)


@benchmark("hungry/tracks", level=Level.MICRO)
def tracks() -> Task:
    """Measures its own memory, which two can't do at once."""

    def call() -> None:
        path = Path("/tmp") / f"veperf-hungry-{os.getpid()}.bin"
        try:
            memray.Tracker(path).__enter__()
        finally:
            path.unlink(missing_ok=True)
        raise AssertionError("a second tracker was let in")

    return Task(call)


@benchmark("hungry/quits", level=Level.MICRO)
def quits() -> Task:
    """Ends its process."""
    return Task(lambda: os._exit(7))


@benchmark("hungry/load", level=Level.LOAD, metrics=(Metric("achieved", "1/s"), *LATENCY_METRICS))
def load() -> LoadTask:
    """Is no case for a memory pass."""
    raise NotImplementedError


@benchmark("hungry/begins", level=Level.MICRO)
def begins() -> Task:
    """Returns a generator, which does nothing by itself."""
    return Task(lambda: (bytearray(ITEM_BYTES) for _ in range(10)))


KEPT_BYTES = 3_000
_kept: list[bytearray] = []


@benchmark("hungry/keeps", level=Level.MICRO)
def keeps() -> Task:
    """Holds some at once, and leaves a block behind each time."""

    def call() -> None:
        held = [bytearray(ITEM_BYTES) for _ in range(10)]
        _kept.append(bytearray(KEPT_BYTES))
        held.clear()

    return Task(call)


class _Leaking:
    """Finishes what it is offered, and keeps so many bytes of every so many."""

    def __init__(self, kept_bytes: int, every: int = 1) -> None:
        self._kept_bytes = kept_bytes
        self._every = every
        self._kept: list[bytearray] = []
        self._done: list[int] = []

    def offer(self, tag: int) -> bool:
        if self._kept_bytes and tag % self._every == 0:
            self._kept.append(bytearray(self._kept_bytes))
        self._done.append(tag)
        return True

    def step(self) -> Finished:
        done, self._done = self._done, []
        return Finished(done)

    def costs(self) -> dict[str, float]:
        return {}

    def close(self) -> None:
        self._kept.clear()


@benchmark(
    "hungry/soaked",
    level=Level.LOAD,
    params={"rate": (500, 1_000), "kept": (0, 20_000), "every": (1, 3)},
    metrics=(Metric("achieved", "1/s"), *LATENCY_METRICS),
)
def soaked(rate: int, kept: int, every: int = 1) -> LoadTask:
    """A load that may leak."""
    return LoadTask(lambda _: _Leaking(kept, every), rate)
