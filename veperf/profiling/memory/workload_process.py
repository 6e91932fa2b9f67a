"""What a process holds in which every suite is loaded: idle, and at work round after round."""

import gc
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

from msgspec import Struct

from veperf.core import registry
from veperf.core.case import Case
from veperf.core.errors import MeasureError, UnknownBenchmarkError
from veperf.profiling.memory.leak import LeakVerdict, judge_leak
from veperf.profiling.memory.probes import RssReader
from veperf.profiling.memory.profiler import MemoryProfiler
from veperf.profiling.memory.stats import MemoryStats

_SAMPLING_S = 0.02


class Idle(Struct, frozen=True):
    """A process that has loaded everything and done nothing."""

    rss_bytes: int
    blocks: int


class Rounds(Struct, frozen=True):
    """A process that did its work over and over."""

    stats: MemoryStats
    leak: LeakVerdict
    """Of resident memory after each round, when garbage is collected."""


def look_idle(modules: Sequence[str]) -> Idle:
    """Load ``modules`` and see what that takes.

    Raises:
        UsageError: a module can't be imported.
    """
    registry.load(modules)
    gc.collect()
    rss = RssReader()
    try:
        return Idle(rss.read_bytes(), sys.getallocatedblocks())
    finally:
        rss.close()


def work_rounds(modules: Sequence[str], cases: Iterable[str], rounds: int) -> Rounds:
    """Load ``modules``, set ``cases`` up, and call each once in each of ``rounds``.

    Raises:
        UsageError: a module can't be imported, or there is no such case.
        MeasureError: one of them is a load.
        Whatever the benchmarks do.
    """
    known = registry.load(modules)
    with ExitStack() as stack:
        tasks = [set_up(known, name, stack)[1] for name in cases]
        heap: list[float] = []
        with MemoryProfiler(_SAMPLING_S) as profiler:
            for _ in range(rounds):
                for task in tasks:
                    task.call()
                _, after = profiler.force_gc()
                heap.append(after.rss_bytes)
        return Rounds(profiler.stats(), judge_leak(range(rounds), heap))


def set_up(
    known: registry.Registry, name: str, stack: ExitStack
) -> tuple[registry.Benchmark, registry.Task]:
    """Set the case ``name`` up, until ``stack`` is closed; what that made is no garbage.

    Raises:
        UnknownBenchmarkError: there is no such case.
        MeasureError: it is a load.
        Whatever the benchmark does.
    """
    case = find_case(known, name)
    benchmark = known.benchmarks[case.benchmark]
    task = benchmark.setup(**case.params)
    if not isinstance(task, registry.Task):
        raise MeasureError(f"{name} sets up nothing that can be called")
    if task.close is not None:
        stack.callback(task.close)
    gc.collect()
    gc.freeze()
    return benchmark, task


def find_case(known: registry.Registry, name: str) -> Case:
    """The case with the id ``name``.

    Raises:
        UnknownBenchmarkError: there is none.
    """
    cases = registry.select(known, [name])
    for case in cases:
        if case.id == name:
            return case
    names = " or ".join(case.id for case in cases[:3])
    raise UnknownBenchmarkError(f"{name!r} is not one benchmark; did you mean {names}?")
