"""A benchmark that can be made slower from outside, for tests of what must notice."""

import os

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark


@benchmark("planted/work", level=Level.MICRO)
def work() -> Task:
    """Adds up as many numbers as $PLANTED_SIZE says."""
    numbers = list(range(int(os.environ.get("PLANTED_SIZE", "1000"))))
    return Task(lambda: sum(numbers))
