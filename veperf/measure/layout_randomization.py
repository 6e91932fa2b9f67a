"""Random memory layout for each process and each sample.

The position of objects in memory, relative to cache lines and pages, follows from everything that
a process allocated before, down to the size of its environment. It is the same in all processes of
the same code: a change that has nothing to do with a benchmark can therefore shift it by some
percent in every process (Mytkowicz and others, Producing wrong data without doing anything
obviously wrong!, 2009). Drawn at random, that bias becomes noise, which statistical tests account
for (Curtsinger and Berger, Stabilizer, 2013).

The stack and the start of malloc's heap move with the size of the environment
(``random_layout``). Python's own allocator serves blocks of up to 512 bytes from pools, one size
class each, and they don't move with it: ``LayoutRandomizer`` shuffles the free blocks of every
class, and some of malloc's larger ones.

Memory is measured in processes with one fixed layout, as counts of allocations must repeat exactly.

Workers of all commits run this file as it stands here before they import anything (see
``worker_client``), so it may import built-in modules only.
"""

from _random import Random

VARIABLE = "VEPERF_LAYOUT"
# Over the 512 bytes that Python's own allocator serves, so that all later blocks of malloc's move.
_MIN_SIZE = 512
_PAGE = 4096

# Objects/obmalloc.c: blocks of up to 512 bytes, in classes of multiples of 16.
_SIZE_CLASSES = range(16, _MIN_SIZE + 1, 16)
_MALLOC_SIZES = (600, 900, 1_400, 2_100, 3_200, 4_800, 9_000, 18_000, 36_000)
_BYTES_OVERHEAD = b"".__sizeof__()

BLOCKS_OF_PROCESS = 400
"""Most blocks of a size class before modules are imported and before a set-up: takes 3 ms."""
BLOCKS_OF_SAMPLE = 100
"""Most blocks of a size class before a sample: takes 0.4 ms, and touches 0.5 MB."""


def random_layout(seed: int) -> dict[str, str]:
    """Return variables to add to a process's environment; the same for the same ``seed``."""
    size = _MIN_SIZE + int(Random(seed).random() * _PAGE)
    return {VARIABLE: "x" * size}


class LayoutRandomizer:
    """Blocks of memory that decide where the next objects come to lie."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed).random
        self._blocks: list[object] = []

    def draw(self, most: int) -> None:
        """Draw another layout, from at most ``most`` blocks of each size class.

        Of each class, a random number of blocks is allocated, a random half of them is freed in
        random order, and the others stay until the next draw.
        """
        blocks: list[object] = []
        for size in _SIZE_CLASSES:
            blocks += self._keep_half(size, int(self._random() * (most + 1)))
        for size in _MALLOC_SIZES:
            blocks += self._keep_half(size, int(self._random() * (most // 25 + 1)))
        # The earlier blocks go last: freed first, the new ones would take their places.
        self._blocks = blocks

    def _keep_half(self, size: int, number: int) -> list[object]:
        blocks = [_allocate(size) for _ in range(number)]
        keys = [self._random() for _ in range(number)]
        order = sorted(range(number), key=keys.__getitem__)
        kept = [blocks[i] for i in order[: number // 2]]
        freed = [blocks[i] for i in order[number // 2 :]]
        del blocks
        while freed:
            freed.pop()
        return kept


def _allocate(size: int) -> object:
    """Return an object that takes a block of ``size`` bytes, and that no free list keeps."""
    if size == 16:
        return object()
    if size == 32:
        return complex(0.0, size)
    return bytes(size - _BYTES_OVERHEAD)
