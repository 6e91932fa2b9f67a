"""A fixed piece of work that belongs to no suite: what the machine itself is worth right now.

When code is slower than its baseline and the yardstick is too, it was the machine. It mixes what
the suites consist of: interpreted Python, small allocations and a C library's inner loop. Change
it and every recorded baseline loses its yardstick, so don't.
"""

from hashlib import sha256

from veperf.measure.clock import take_sample

_SAMPLES = 12
_LOWEST = 3


def measure_yardstick() -> float:
    """CPU nanoseconds of the work: the mean of the lowest of a few samples."""
    times = sorted(take_sample(_work, 1).cpu_ns or 0 for _ in range(_SAMPLES))
    return sum(times[:_LOWEST]) / _LOWEST


def _work() -> int:
    table: dict[bytes, int] = {}
    digest = b"yardstick"
    total = 0
    for i in range(600):
        digest = sha256(digest * 8).digest()
        table[digest] = i
        total = (total * 31 + table[digest]) % 1_000_003
    return total
