"""Timing loop, calibration of its loops, and the calibration run that shows machine speed."""

import gc
import resource
import time
from collections.abc import Callable
from hashlib import sha256
from itertools import repeat

from veperf.core.run import Sample
from veperf.measure.complete_call import require_done
from veperf.measure.cpus import current_cpu, run_queue_delay_ns

# Usage per thread exists on Linux only; elsewhere that of the process comes nearest.
_USAGE_OF_THREAD = getattr(resource, "RUSAGE_THREAD", resource.RUSAGE_SELF)

LONG_CALL_NS = 100_000_000
"""A call that takes longer needs few samples, each of one call."""


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
    cpu_before = current_cpu()
    cpu_around, wall_around = cpu_clock(), wall_clock()
    delay_before = None if multithreaded else run_queue_delay_ns()
    before = resource.getrusage(who)
    rounds = repeat(None, loops)
    cpu = cpu_clock()
    wall = wall_clock()
    for _ in rounds:
        call()
    wall = wall_clock() - wall
    cpu = cpu_clock() - cpu
    after = resource.getrusage(who)
    delay_after = None if multithreaded else run_queue_delay_ns()
    cpu_around, wall_around = cpu_clock() - cpu_around, wall_clock() - wall_around
    cpu_after = current_cpu()
    delay_ns: int | None = None
    if delay_before is not None and delay_after is not None:
        # Around the clocks system calls are made, where a thread is apt to lose its CPU: what it
        # waited there is not the sample's.
        outside_ns = max(0, (wall_around - wall) - (cpu_around - cpu))
        delay_ns = max(0, min(delay_after - delay_before - outside_ns, wall - cpu))
    return Sample(
        wall,
        cpu,
        after.ru_nivcsw - before.ru_nivcsw,
        after.ru_nvcsw - before.ru_nvcsw,
        cpu_after,
        migrated=cpu_after != cpu_before,
        delay_ns=delay_ns,
    )


def checked(call: Callable[[], object]) -> Callable[[], None]:
    """Return ``call`` with a check that it does all of its work, which takes some 0.1 µs.

    What the work returns is freed within, as if it were called alone.
    """

    def checked_call() -> None:
        require_done(call())

    return checked_call


def work_ns(sample: Sample) -> int:
    """Return how long the work of ``sample`` lasted.

    That is CPU time where the work is mostly that or never waits, so that a moment without the CPU
    does not pass for a long call; else wall time, as others work for it meanwhile.
    """
    return (sample.cpu_ns or 0) if is_busy(sample) else sample.wall_ns


def is_busy(sample: Sample) -> bool:
    """Return whether the work of ``sample`` is mostly CPU time of its own, or never waits."""
    return sample.waits == 0 or 2 * (sample.cpu_ns or 0) > sample.wall_ns


def calibrate(
    call: Callable[[], object], min_sample_ns: int, *, multithreaded: bool = False
) -> tuple[int, Sample]:
    """Return the number of calls that makes a sample last at least ``min_sample_ns``, and that one.

    Grows until a sample is long enough, then rounds up to 1, 2 or 5 times a power of ten, so that
    two calibrations of the same code nearly always agree. Goes by ``work_ns``. The first call may
    have made what later ones only use, so it decides alone only if it is a long one. The sample has
    as many calls as those to come: it is a warm-up, too.

    Raises:
        UsageError: the first call leaves its work to be done by somebody else, as ``require_done``.
        Whatever ``call`` does.
    """
    loops = 1
    is_first = True
    while True:
        work = checked(call) if is_first else call
        sample = take_sample(work, loops, multithreaded=multithreaded)
        lasted_ns = work_ns(sample)
        was_first, is_first = is_first, False
        if lasted_ns >= min_sample_ns:
            if was_first and lasted_ns < LONG_CALL_NS:
                continue
            return loops, sample
        needed = loops * min_sample_ns / max(lasted_ns, 1)
        loops = _round_up(min(max(needed, loops + 1), loops * 10))


def calibrate_loops(
    call: Callable[[], object], min_sample_ns: int, *, multithreaded: bool = False
) -> int:
    """Return the number of calls of ``calibrate``."""
    return calibrate(call, min_sample_ns, multithreaded=multithreaded)[0]


def _round_up(number: float) -> int:
    magnitude = 1
    while True:
        for leading in (1, 2, 5):
            if leading * magnitude >= number:
                return leading * magnitude
        magnitude *= 10


_CALIBRATION_SAMPLES = 12
_LOWEST_SAMPLES = 3


def measure_calibration_run() -> float:
    """Return the CPU time of a fixed piece of work, in ns: how fast the machine is at the moment.

    Where code is slower than its baseline and the calibration run is too, the machine got slower.
    The work belongs to no suite and mixes what the suites consist of: interpreted Python, small
    allocations and a C library's inner loop. The value is the mean of the lowest 3 of 12 samples.
    """
    times = sorted(take_sample(_fixed_work, 1).cpu_ns or 0 for _ in range(_CALIBRATION_SAMPLES))
    return sum(times[:_LOWEST_SAMPLES]) / _LOWEST_SAMPLES


def _fixed_work() -> int:
    # Never change this: recorded baselines hold its times.
    table: dict[bytes, int] = {}
    digest = b"yardstick"
    total = 0
    for i in range(600):
        digest = sha256(digest * 8).digest()
        table[digest] = i
        total = (total * 31 + table[digest]) % 1_000_003
    return total
