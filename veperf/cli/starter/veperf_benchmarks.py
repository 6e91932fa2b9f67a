"""Benchmarks of this project: an example, to be replaced by work of your own."""

from hashlib import sha256

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark


@benchmark(
    "mine/digest",
    level=Level.MICRO,
    params={"size": (1_024, 64, 65_536)},
    targets={"time": "mine/digest"},
)
def digest(size: int) -> Task:
    """SHA-256 of one message."""
    message = b"x" * size
    return Task(lambda: sha256(message).digest())
