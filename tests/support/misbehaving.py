"""Benchmarks that misbehave, for the tests of what measures them."""

import os
import sys
import time

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark


@benchmark("unruly/well_behaved", level=Level.MICRO, params={"size": (10, 100)})
def well_behaved(size: int) -> Task:
    """Adds a few numbers up."""
    numbers = list(range(size))
    return Task(lambda: sum(numbers))


@benchmark("unruly/raises_in_a_stage", level=Level.MICRO)
def raises_in_a_stage() -> Task:
    """Works as a whole, and raises when it is taken apart."""
    return Task(lambda: None, stages={"good": lambda _: 1, "bad": lambda one: one / 0})


@benchmark("unruly/raises", level=Level.MICRO)
def raises() -> Task:
    """Raises when called."""

    def call() -> None:
        raise ValueError("planted <b>error</b>")

    return Task(call)


@benchmark("unruly/crashes", level=Level.MICRO)
def crashes() -> Task:
    """Ends its process."""

    def call() -> None:
        print("last words", file=sys.stderr, flush=True)
        os._exit(7)

    return Task(call)


@benchmark("unruly/hangs", level=Level.MICRO)
def hangs() -> Task:
    """Never comes back."""

    def call() -> None:
        while True:
            time.sleep(0.1)

    return Task(call)


@benchmark("unruly/prints", level=Level.MICRO)
def prints() -> Task:
    """Writes a lot to standard output."""
    return Task(lambda: print("noise " * 50))


@benchmark("unruly/writes_rubbish", level=Level.MICRO)
def writes_rubbish() -> Task:
    """Writes to every pipe that it finds, the one for answers among them."""

    def call() -> None:
        for descriptor in range(3, 64):
            try:
                os.write(descriptor, b"rubbish\n")
            except OSError:
                continue

    return Task(call)
