"""Memory of one operation: allocated in all, and held at once."""

import time
from collections.abc import Awaitable, Callable, Coroutine

from msgspec import Struct

from veperf.core.options import CaseOptions
from veperf.ipc.isolated_process import run_in_fork
from veperf.measure.complete_call import complete_call
from veperf.profiling.memory.capture import Tally, capture

_TARGET_ALLOCATIONS = 100_000
"""In one recording: cheap calls are repeated until there are about as many, to average."""
_LOOPS = (1_000, 100, 10)
"""Calls that count. Few steps, so that how fast a call is hardly ever decides: the first calls of a
process may cost a few bytes more than later ones."""
_MAX_COUNTED_S = 0.5
"""Duration of them without the overhead of recording."""
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

    Bytes and allocations are means over the second half of 2 n recorded calls, so that what only
    the first ones cost does not count. A call that takes long or has very many allocations is
    recorded once. ``call`` is called four times beforehand, so that objects that it makes the first
    times and keeps do not count either. An ``async def`` is run to its end each time, on a loop of
    its own; where one is running already, as in a notebook, in a fork, as by ``profile_memory``.

    Raises:
        MeasureError: allocations can't be recorded.
        UsageError: it returns a generator.
        Whatever ``call`` does; from a fork as a MeasureError.
    """
    first_result = call()
    if isinstance(first_result, Awaitable) and _is_loop_running():
        if isinstance(first_result, Coroutine):
            first_result.close()
        # The running loop isn't there in a fork, and memray numbers threads: no thread will do.
        return run_in_fork(
            lambda: _measure(call, call(), operations, multithreaded),
            OperationMemory,
            timeout_s=CaseOptions.timeout_s,
        )
    return _measure(call, first_result, operations, multithreaded)


def _is_loop_running() -> bool:
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _measure(
    call: Callable[[], object], first_result: object, operations: int, multithreaded: bool
) -> OperationMemory:
    with complete_call(call, first_result) as work:
        lasted_s = min(_duration_s(work), _duration_s(work))
        loops, counted = 1, capture(work, 1, multithreaded=multithreaded)
        if lasted_s < _SINGLE_CALL_S and counted.allocations < _SINGLE_CALL_ALLOCATIONS:
            loops = _loops(counted, lasted_s)
            counted = capture(work, loops, multithreaded=multithreaded, uncounted=loops)
    return OperationMemory(
        peak_bytes=counted.peak_bytes / operations,
        total_bytes=counted.total_bytes / (loops * operations),
        allocations=counted.allocations / (loops * operations),
        other_bytes=counted.other_bytes / (loops * operations),
        other_threads=counted.other_threads,
    )


def _duration_s(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def _loops(single: Tally, duration_s: float) -> int:
    """Return the number of calls that are enough to count; 1 at least."""
    fast_enough = _MAX_COUNTED_S / max(duration_s, 1e-9)
    enough = min(_TARGET_ALLOCATIONS / max(single.allocations, 1), fast_enough)
    return next((loops for loops in _LOOPS if loops <= enough), 1)
