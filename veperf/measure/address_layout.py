"""A memory layout of its own for every process.

Where things lie in memory, relative to cache lines and pages, follows from all that a process
allocated before them, down to the size of its environment. That is the same in all processes of
the same code: so a change that has nothing to do with a benchmark can move it by some percent,
in every process, for good (Mytkowicz and others, Producing wrong data without doing anything
obviously wrong!, 2009). An environment of random size makes chance of that, which tests know.
"""

from random import Random

VARIABLE = "VEPERF_LAYOUT"
# Over the 512 bytes that Python's own allocator serves, so that all later blocks of malloc's move.
_LEAST = 512
_PAGE = 4096


def drawn(seed: int) -> dict[str, str]:
    """What to add to the environment of a process; the same for the same ``seed``."""
    size = Random(seed).randrange(_LEAST, _LEAST + _PAGE)  # noqa: S311 - no secret
    return {VARIABLE: "x" * size}
