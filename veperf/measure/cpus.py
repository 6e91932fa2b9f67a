"""CPUs: which are usable and calm, and keeping a process to one of them.

On shared hardware two virtual CPUs differ in speed from minute to minute. Processes that take turns
on one CPU are compared with each other; on one CPU each, it is the CPUs that are compared.
"""

import contextlib
import ctypes
import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache

# Looking at more of them would take longer than a calm one gains.
_MAX_CANDIDATES = 4
_PROBES = 5
_PROBE_LOOPS = 20_000
# CPUs that differ by less take turns.
_SAME_SPEED = 1.05


def usable_cpus() -> tuple[int, ...]:
    """Return the CPUs that this thread may run on; empty where the system doesn't tell."""
    if not hasattr(os, "sched_getaffinity"):
        return ()
    return tuple(sorted(os.sched_getaffinity(0)))


def count_cpus() -> int:
    """Return how many CPUs this thread may run on; all there are where the system doesn't tell."""
    return len(usable_cpus()) or os.cpu_count() or 1


def processes_at_once(processes: int) -> int:
    """Return how many of so many equal processes run at a time, where nothing is timed.

    At least as many as there are CPUs, and fewer than twice as many, in turns of equal size: three
    share two CPUs, as in two turns one CPU would idle.
    """
    turns = max(1, processes // count_cpus())
    return max(1, math.ceil(processes / turns))


def keep_to(process_id: int, cpus: Sequence[int]) -> None:
    """Let a process's main thread, and what it starts from now on, run on ``cpus`` only.

    Does nothing where ``cpus`` is empty, or the process has ended.
    """
    if cpus:
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(process_id, cpus)


@contextlib.contextmanager
def stay_off(cpu: int | None) -> Iterator[None]:
    """Keep this thread off ``cpu`` for the time of the block, where it has another one."""
    with _stay_on([] if cpu is None else [other for other in usable_cpus() if other != cpu]):
        yield


@contextlib.contextmanager
def stay_on(cpu: int | None) -> Iterator[None]:
    """Keep this thread to ``cpu`` for the time of the block, unless that is None."""
    with _stay_on([] if cpu is None else [cpu]):
        yield


@contextlib.contextmanager
def _stay_on(cpus: Sequence[int]) -> Iterator[None]:
    before = usable_cpus()
    keep_to(0, cpus)
    try:
        yield
    finally:
        keep_to(0, before)


def choose_cpu(
    cpus: Sequence[int], turn: int, measure: Callable[[int], float] | None = None
) -> int | None:
    """Return a calm one of ``cpus``, or None where there is none.

    Of a few candidates, which change with ``turn``, it is the first that does some fixed work about
    as quickly as the quickest does.

    Args:
        cpus: CPUs that this thread may run on.
        turn: number of the choice.
        measure: wall time in ns of some fixed work on a CPU; measured now when not given.
    """
    if not cpus:
        return None
    candidates = [cpus[(turn + i) % len(cpus)] for i in range(min(len(cpus), _MAX_CANDIDATES))]
    times = {cpu: (measure or _probe)(cpu) for cpu in candidates}
    return next(cpu for cpu in candidates if times[cpu] <= _SAME_SPEED * min(times.values()))


def _probe(cpu: int) -> float:
    """Return the mean wall time of fixed work on ``cpu`` in ns: a neighbour lengthens it."""
    with stay_on(cpu):
        began = time.perf_counter_ns()
        for _ in range(_PROBES):
            sum(range(_PROBE_LOOPS))
        return (time.perf_counter_ns() - began) / _PROBES


@cache
def _sched_getcpu() -> Callable[[], int] | None:
    try:
        return ctypes.CDLL(None).sched_getcpu  # sched_getcpu(3)
    except (AttributeError, OSError):
        return None


def current_cpu() -> int | None:
    """Return the CPU on which this thread runs; None where the system doesn't tell."""
    function = _sched_getcpu()
    return None if function is None else function()


_schedstat = threading.local()


def run_queue_delay_ns() -> int | None:
    """Return how long this thread has been ready to run and had no CPU, in ns.

    From the second field of /proc/thread-self/schedstat (Documentation/scheduler/sched-stats.rst of
    Linux), which stays open; None where there is none.
    """
    try:
        if getattr(_schedstat, "process_id", None) != os.getpid():  # not that of a fork's parent
            _schedstat.file = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
            _schedstat.process_id = os.getpid()
        return int(os.pread(_schedstat.file, 128, 0).split()[1])
    except (OSError, IndexError, ValueError):
        return None
