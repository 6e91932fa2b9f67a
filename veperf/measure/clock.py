"""The timing loop: the one place where a clock is read."""

import gc
import resource
import time
from collections.abc import Callable
from itertools import repeat

from veperf.core.run import Sample

# Per-thread usage is Linux's; elsewhere the process's is the nearest there is.
_USAGE_OF_THREAD = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)


def take_sample(call: Callable[[], object], loops: int, *, multithreaded: bool = False) -> Sample:
    """Time ``loops`` calls of ``call`` as one stretch.

    The garbage collector stays on, since collecting what the work allocates is part of its cost,
    but starts every sample from the same state. The loop costs one iteration of a C iterator and
    one call; nothing is subtracted.
    """
    who = resource.RUSAGE_SELF if multithreaded else _USAGE_OF_THREAD
    cpu_clock = time.process_time_ns if multithreaded else time.thread_time_ns
    wall_clock = time.perf_counter_ns
    gc.collect()
    before = resource.getrusage(who)
    rounds = repeat(None, loops)
    cpu = cpu_clock()
    wall = wall_clock()
    for _ in rounds:
        call()
    wall = wall_clock() - wall
    cpu = cpu_clock() - cpu
    after = resource.getrusage(who)
    return Sample(wall, cpu, after.ru_nivcsw - before.ru_nivcsw, after.ru_nvcsw - before.ru_nvcsw)


def calibrate(
    call: Callable[[], object], min_sample_ns: int, *, multithreaded: bool = False
) -> int:
    """The number of calls that makes a sample last at least ``min_sample_ns``.

    Grows until a sample is long enough, then rounds up to 1, 2 or 5 times a power of ten, so
    that two calibrations of the same code nearly always agree. Judged by CPU time where the work
    is mostly that or never waits, so that a moment without the CPU does not pass for a long call.
    """
    loops = 1
    while True:
        sample = take_sample(call, loops, multithreaded=multithreaded)
        busy_ns = sample.cpu_ns or 0
        is_busy = sample.waits == 0 or 2 * busy_ns > sample.wall_ns
        lasted_ns = busy_ns if is_busy else sample.wall_ns
        if lasted_ns >= min_sample_ns:
            return loops
        needed = loops * min_sample_ns / max(lasted_ns, 1)
        loops = _round_up(min(max(needed, loops + 1), loops * 10))


def _round_up(number: float) -> int:
    magnitude = 1
    while True:
        for leading in (1, 2, 5):
            if leading * magnitude >= number:
                return leading * magnitude
        magnitude *= 10
