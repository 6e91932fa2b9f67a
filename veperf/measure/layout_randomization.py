"""Random address layout for each process.

The position of objects in memory, relative to cache lines and pages, follows from everything that
a process allocated before, down to the size of its environment. It is the same in all processes of
the same code: a change that has nothing to do with a benchmark can therefore shift it by some
percent in every process (Mytkowicz and others, Producing wrong data without doing anything
obviously wrong!, 2009). An environment of random size turns that bias into noise, which statistical
tests account for.
"""

from random import Random

VARIABLE = "VEPERF_LAYOUT"
# Over the 512 bytes that Python's own allocator serves, so that all later blocks of malloc's move.
_MIN_SIZE = 512
_PAGE = 4096


def random_layout(seed: int) -> dict[str, str]:
    """Return variables to add to a process's environment; the same for the same ``seed``."""
    size = Random(seed).randrange(_MIN_SIZE, _MIN_SIZE + _PAGE)  # noqa: S311 - no secret
    return {VARIABLE: "x" * size}
