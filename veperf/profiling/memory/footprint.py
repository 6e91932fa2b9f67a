"""Memory of one operation: what it allocates in all, and what it holds at once."""

import time
from collections.abc import Callable

from msgspec import Struct

from veperf.profiling.memory.capture import Tally, capture

_ENOUGH_ALLOCATIONS = 100_000
"""In a stretch: cheap calls are repeated until there are about as many, to average."""
_MOST_LOOPS = 1_000
_LONGEST_S = 0.2
"""Of the shorter stretch, if it were not recorded: up to ten times as long when it is."""
_ONLY_ONCE_S = 2.0
_ONLY_ONCE_ALLOCATIONS = 200_000
"""A call that lasts longer, or has more, is recorded once: what comes once is little of it."""


class Footprint(Struct, frozen=True):
    """The memory of one operation."""

    peak_bytes: float
    """How much higher the most that is held during a call is than what was held before it, for
    each operation of the call: the median over the calls. What a call leaves behind is there
    before the next one."""
    total_bytes: float
    """Allocated, freed or not: what keeps allocator and garbage collector busy."""
    allocations: float


def measure_footprint(
    call: Callable[[], object], operations: int = 1, *, multithreaded: bool = False
) -> Footprint:
    """The memory of an operation, of which one ``call`` performs ``operations``.

    Bytes and allocations are the slope between n and 2 n calls, so that whatever happens once in
    a stretch cancels::

        (total(2 n) - total(n)) / (n operations)

    A call that lasts long or has very many allocations is recorded once: the slope between none
    and one. ``call`` is called once beforehand, so that what it makes the first time and keeps does
    not count.

    While memray looks on, each Python call makes an object of its frame, as it otherwise does only
    on demand: about 150 bytes and one allocation more, so that all figures are upper bounds.

    Raises:
        MeasureError: allocations can't be recorded.
        Whatever ``call`` does.
    """
    started = time.perf_counter()
    call()
    lasted_s = time.perf_counter() - started
    short, long = Tally(0, 0, 0), capture(call, 1, multithreaded=multithreaded)
    loops = 1
    if lasted_s < _ONLY_ONCE_S and long.allocations < _ONLY_ONCE_ALLOCATIONS:
        loops, short = _loops(long, lasted_s), long
        if loops > 1:
            short = capture(call, loops, multithreaded=multithreaded)
        long = capture(call, 2 * loops, multithreaded=multithreaded)
    return Footprint(
        peak_bytes=long.peak_bytes / operations,
        total_bytes=(long.total_bytes - short.total_bytes) / (loops * operations),
        allocations=(long.allocations - short.allocations) / (loops * operations),
    )


def _loops(one: Tally, lasted_s: float) -> int:
    """As many as make the shorter stretch long enough, and not too long; 1 at least."""
    enough = _ENOUGH_ALLOCATIONS / max(one.allocations, 1)
    return max(1, int(min(_MOST_LOOPS, enough, _LONGEST_S / max(lasted_s, 1e-9))))
