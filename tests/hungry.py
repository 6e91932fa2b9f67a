"""Benchmarks with an appetite that is known, and some that misbehave when memory is measured."""

import os
from pathlib import Path

import memray

from veperf.model import LATENCY_METRICS, Level, Metric
from veperf.registry import LoadTask, Task, benchmark

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
