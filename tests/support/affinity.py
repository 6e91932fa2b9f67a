"""Benchmarks that fail where they may run on other CPUs than they should."""

import os

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark


def _require(number: int) -> None:
    actual = len(os.sched_getaffinity(0))
    if actual != number:
        raise AssertionError(f"{actual} CPUs instead of {number}")


@benchmark("affinity/one", level=Level.MICRO)
def one() -> Task:
    """Work of one thread."""
    return Task(lambda: _require(1))


@benchmark("affinity/all", level=Level.MICRO, multithreaded=True)
def several() -> Task:
    """Work of several threads."""
    usable = os.cpu_count() or 1
    return Task(lambda: _require(usable))
