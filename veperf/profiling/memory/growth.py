"""Growth: the memory that calls leave behind, by the line that took it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, pairwise

from memray import AllocationRecord, AllocatorType
from msgspec import Struct

from veperf.profiling.memory.capture import FREES, OWN_THREAD
from veperf.profiling.memory.locations import Location, Locations

_SMALL = frozenset(
    {
        AllocatorType.PYMALLOC_MALLOC,
        AllocatorType.PYMALLOC_CALLOC,
        AllocatorType.PYMALLOC_REALLOC,
    }
)
MOST_OF_A_BLOCK = 512
"""Bytes of the largest block in Python's own allocator; larger ones are malloc's."""
_REALLOCS = frozenset({AllocatorType.REALLOC, AllocatorType.PYMALLOC_REALLOC})

_Layers = tuple[tuple[Location, int], ...]
"""Bytes of a block by the line that added them, the oldest first."""
_Levels = dict[Location, list[int]]
_FEW_CALLS = 6
_BEFORE: Location = "before the calls", "", 0


class Kept(Struct, frozen=True):
    """Memory that a line keeps of a call, on average."""

    size_bytes: float
    blocks: float = 0.0
    """Blocks of Python's own allocator; 0 if these don't become more throughout."""


def kept_by_line(
    records: Iterable[AllocationRecord | None],
    locations: Locations,
    *,
    multithreaded: bool = False,
) -> dict[Location, Kept]:
    """Return what each line keeps of a call, for lines that keep more and more.

    Judged by the memory that a line holds after each call (``kept_of_a_call``), be it in blocks of
    its own or in one that grows. Where all of them together keep more and more, but no line does,
    as where lines take turns to replace a block, it is laid to the one that grew most.

    Args:
        records: of calls after each of which garbage was collected, None between two.
        locations: names the lines.
        multithreaded: count all threads.
    """
    sizes, blocks = _levels(records, locations, multithreaded)
    kept = {
        line: Kept(kept_bytes, kept_of_a_call(blocks[line]))
        for line, levels in sizes.items()
        if (kept_bytes := kept_of_a_call(levels)) > 0
    }
    if not kept and sizes:
        together, all_blocks = (_sums(levels.values()) for levels in (sizes, blocks))
        if (kept_bytes := kept_of_a_call(together)) > 0:
            third = len(together) // 3
            line = max(sizes, key=lambda line: sizes[line][-1] - sizes[line][third])
            kept[line] = Kept(kept_bytes, kept_of_a_call(all_blocks))
    return kept


def _sums(levels: Iterable[Sequence[int]]) -> list[int]:
    return [sum(column) for column in zip(*levels, strict=True)]


def kept_of_a_call(levels: Sequence[float]) -> float:
    """Return what a call keeps, if the ``levels`` rise throughout; else 0.

    ``levels`` are the memory before the first call and after each, in bytes; at least four, or the
    result is 0. They rise if all after a third of the calls are above the first, all after two
    thirds above all of the first third, and the last ones above all of the first two thirds. What
    is filled by then, or replaced each time, does not. Of fewer than six calls, each must add some,
    and none twice as much as another; the first may add anything. The result is the mean of a call
    over the last two thirds.
    """
    calls = len(levels) - 1
    if calls < 3:
        return 0.0
    if calls < _FEW_CALLS:
        steps = [after - before for before, after in pairwise(levels[1:])]
        return sum(steps) / len(steps) if min(steps) > 0 and 2 * min(steps) > max(steps) else 0.0
    first, middle = calls // 3, 2 * calls // 3
    last = max(calls // 12, 2)
    rises = (
        min(levels[first:]) > levels[0]
        and min(levels[middle:]) > max(levels[: first + 1])
        and min(levels[-last:]) > max(levels[: middle + 1])
    )
    return (levels[-1] - levels[first]) / (calls - first) if rises else 0.0


def _levels(
    records: Iterable[AllocationRecord | None], locations: Locations, multithreaded: bool
) -> tuple[_Levels, _Levels]:
    """Return what each line holds before the first call, and after each: bytes and small blocks.

    A block is the line's that allocated it, whichever enlarged it.
    """
    held: dict[Location, int] = defaultdict(int)
    small: dict[Location, int] = defaultdict(int)
    sizes: _Levels = {}
    counts: _Levels = {}
    blocks: dict[int, tuple[_Layers, bool]] = {}
    # What a thread has just released: None if it was allocated before the calls. A block that is
    # resized is released first, and allocated right after that.
    freed: dict[int, _Layers | None] = {}
    calls = 0
    for record in chain(records, [None]):
        if record is None:
            freed.clear()
            calls += 1
            for line, size in held.items():
                sizes.setdefault(line, [0] * calls).append(size)
                counts.setdefault(line, [0] * calls).append(small[line])
        elif record.allocator in FREES:
            layers, was_small = blocks.pop(record.address, (None, False))
            freed[record.tid] = layers
            for line, size in layers or ():
                held[line] -= size
            if layers:
                small[layers[0][0]] -= was_small
        elif multithreaded or record.tid == OWN_THREAD:
            line, size = locations.of(record), record.size
            is_small = record.allocator in _SMALL and size <= MOST_OF_A_BLOCK
            is_resized = record.allocator in _REALLOCS and record.tid in freed
            before = freed.pop(record.tid, None)
            if not is_resized:
                layers = ((line, size),)
            elif before is None:
                # The size that it had is not known: it counts by what it grows from now on.
                layers = ((_BEFORE, size),)
            else:
                layers = _resized(before, size, line)
            blocks[record.address] = layers, is_small
            for line, size in layers:
                held[line] += size
            if layers:
                small[layers[0][0]] += is_small
    sizes.pop(_BEFORE, None)
    counts.pop(_BEFORE, None)
    return sizes, counts


def _resized(layers: _Layers, size: int, line: Location) -> _Layers:
    """Return the layers of a block that now has ``size``: what is new is of ``line``."""
    left: list[tuple[Location, int]] = []
    for owner, own_size in layers:
        taken = min(own_size, size)
        size -= taken
        if taken:
            left.append((owner, taken))
    if size:
        if left and left[-1][0] == line:
            size += left.pop()[1]
        left.append((line, size))
    return tuple(left)
