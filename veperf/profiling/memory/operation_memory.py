"""Memory of one operation: allocated in all, and held at once."""

import time
from collections.abc import Callable

from msgspec import Struct

from veperf.profiling.complete_call import complete_call
from veperf.profiling.memory.capture import Tally, capture

_TARGET_ALLOCATIONS = 100_000
"""In one recording: cheap calls are repeated until there are about as many, to average."""
_LOOPS = (1_000, 100, 10)
"""Calls in the shorter recording. Few steps, so that how fast a call is hardly ever decides: the
first calls of a process may cost a few bytes more than later ones."""
_MAX_SHORT_S = 0.5
"""Duration of the shorter recording without its overhead."""
_SINGLE_CALL_S = 2.0
_SINGLE_CALL_ALLOCATIONS = 200_000
"""A call that takes longer or allocates more is recorded once: one-off costs are a small part."""


class OperationMemory(Struct, frozen=True):
    """The memory of one operation."""

    peak_bytes: float
    """Peak during a call less the memory held before it, for each operation of the call: the
    median over the calls. Memory that a call leaves behind is there before the next one."""
    total_bytes: float
    """Bytes allocated, freed or not: the load of allocator and garbage collector."""
    allocations: float
    other_bytes: float = 0.0
    """Bytes that other threads allocated meanwhile, which are not counted above."""
    other_threads: int = 0
    """Number of these threads."""


def measure_operation_memory(
    call: Callable[[], object], operations: int = 1, *, multithreaded: bool = False
) -> OperationMemory:
    """Return the memory of an operation, of which one ``call`` performs ``operations``.

    Bytes and allocations are the slope between n and 2 n calls, so that one-off costs of a
    recording cancel::

        (total(2 n) - total(n)) / (n operations)

    A call that takes long or has very many allocations is recorded once: the slope between no call
    and one. ``call`` is called three times beforehand, so that objects that it makes the first
    times and keeps do not count. An ``async def`` is run to its end each time.

    Raises:
        MeasureError: allocations can't be recorded, or it returns a generator.
        Whatever ``call`` does.
    """
    with complete_call(call, call()) as work:
        lasted_s = min(_duration_s(work), _duration_s(work))
        short, long = Tally(0, 0, 0), capture(work, 1, multithreaded=multithreaded)
        loops = 1
        if lasted_s < _SINGLE_CALL_S and long.allocations < _SINGLE_CALL_ALLOCATIONS:
            loops, short = _loops(long, lasted_s), long
            if loops > 1:
                short = capture(work, loops, multithreaded=multithreaded)
            long = capture(work, 2 * loops, multithreaded=multithreaded)
    return OperationMemory(
        peak_bytes=long.peak_bytes / operations,
        total_bytes=(long.total_bytes - short.total_bytes) / (loops * operations),
        allocations=(long.allocations - short.allocations) / (loops * operations),
        other_bytes=max(0, long.other_bytes - short.other_bytes) / (loops * operations),
        other_threads=long.other_threads,
    )


def _duration_s(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _loops(single: Tally, duration_s: float) -> int:
    """Return the number of calls for a shorter recording that is long enough; 1 at least."""
    fast_enough = _MAX_SHORT_S / max(duration_s, 1e-9)
    enough = min(_TARGET_ALLOCATIONS / max(single.allocations, 1), fast_enough)
    return next((loops for loops in _LOOPS if loops <= enough), 1)
