"""Requests to a fresh process that measures memory, and their execution there."""

import gc
import sys
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from veperf.core import registry
from veperf.core.errors import MeasureError
from veperf.profiling.memory.background_profiler import MemoryProfiler
from veperf.profiling.memory.concurrent_work import watch_concurrent_work
from veperf.profiling.memory.leak_rule import LeakVerdict, judge_leak
from veperf.profiling.memory.operation_memory import OperationMemory, measure_operation_memory
from veperf.profiling.memory.process_probes import RssReader, count_objects
from veperf.profiling.memory.profile_callable import CallableProfile, profile_after_fork_check
from veperf.profiling.memory.snapshot_stats import MemoryStats

_SAMPLING_S = 0.02


class ProfileCase(Struct, frozen=True, tag="profile"):
    """Set a case up and profile its memory; answered by ``CallableProfile``."""

    modules: tuple[str, ...]
    case: str
    flamegraph: str
    """The file to write; empty for none."""
    native: bool = False
    """Whether native stacks are recorded."""


class MeasureOperationMemory(Struct, frozen=True, tag="footprint"):
    """Set a case up and measure the memory of an operation, as ``OperationMemory``."""

    modules: tuple[str, ...]
    case: str


class MeasureIdle(Struct, frozen=True, tag="idle"):
    """Load modules and do nothing; answered by ``IdleProcess``."""

    modules: tuple[str, ...]


class RunRounds(Struct, frozen=True, tag="rounds"):
    """Call each of some cases in every round; answered by ``RoundsResult``."""

    modules: tuple[str, ...]
    cases: tuple[str, ...]
    rounds: int


class RunConcurrently(Struct, frozen=True, tag="concurrent"):
    """Do work that is concurrent, and count; answered by ``MemoryStats``."""

    modules: tuple[str, ...]
    load: str
    """Id of a load benchmark, whose system starts processes, with its default parameters."""
    items: int
    """Number of items that are offered to it."""
    threads: str
    """A case that works in threads."""
    tasks: str
    """A case that is called once in each task."""
    task_count: int


MemoryRequest = ProfileCase | MeasureOperationMemory | MeasureIdle | RunRounds | RunConcurrently


class IdleProcess(Struct, frozen=True):
    """The memory of a process that has loaded everything and done nothing."""

    rss_bytes: int
    blocks: int
    objects: int
    """Objects that the garbage collector tracks."""


class RoundsResult(Struct, frozen=True):
    """The memory of a process that did its work over and over."""

    stats: MemoryStats
    leak: LeakVerdict
    """Judged by resident memory after each round, when garbage is collected."""


def execute_request(
    request: MemoryRequest,
) -> CallableProfile | OperationMemory | IdleProcess | RoundsResult | MemoryStats:
    """Do what ``request`` asks for, in this process.

    Raises:
        UsageError: a module can't be imported, or there is no such case.
        MeasureError: allocations can't be recorded, or a case is a load.
        StorageError: the flamegraph can't be written.
        Whatever the benchmarks do.
    """
    match request:
        case MeasureIdle():
            return measure_idle(request.modules)
        case RunRounds():
            return run_rounds(request.modules, request.cases, request.rounds)
        case RunConcurrently():
            return run_concurrently(request)
    with ExitStack() as stack:
        registered = registry.load_registry(request.modules)
        benchmark, task = set_up_case(registered, request.case, stack)
        call, operations, multithreaded = task.call, task.operations, benchmark.multithreaded
        # Frozen, the objects of the set-up are in no collection that is recorded.
        gc.collect()
        gc.freeze()
        if isinstance(request, MeasureOperationMemory):
            return measure_operation_memory(call, operations, multithreaded=multithreaded)
        flamegraph = Path(request.flamegraph) if request.flamegraph else None
        return profile_after_fork_check(
            call, operations, multithreaded, flamegraph, native=request.native
        )


def measure_idle(modules: Sequence[str]) -> IdleProcess:
    """Load ``modules`` and return the memory that the process holds then.

    Raises:
        UsageError: a module can't be imported.
    """
    registry.load_registry(modules)
    gc.collect()
    rss = RssReader()
    try:
        return IdleProcess(rss.read_bytes(), sys.getallocatedblocks(), count_objects())
    finally:
        rss.close()


def run_rounds(modules: Sequence[str], cases: Iterable[str], rounds: int) -> RoundsResult:
    """Load ``modules``, set ``cases`` up, and call each once in each of ``rounds``, twice over.

    The first time, garbage is collected as in production, and once in full at the end, and
    statistics are taken; the second time, it is collected after each round, and what is left then
    is judged for a leak.

    Raises:
        UsageError: a module can't be imported, or there is no such case.
        MeasureError: one of them is a load.
        Whatever the benchmarks do.
    """
    registered = registry.load_registry(modules)
    with ExitStack() as stack:
        tasks = [set_up_case(registered, name, stack)[1] for name in cases]
        with MemoryProfiler(_SAMPLING_S) as profiler:
            for _ in range(rounds):
                for task in tasks:
                    task.call()
            gc.collect()
        # What lives now need not be looked through after each round.
        gc.freeze()
        heap: list[float] = []
        rss = RssReader()
        stack.callback(rss.close)
        for _ in range(rounds):
            for task in tasks:
                task.call()
            gc.collect()
            heap.append(rss.read_bytes())
        return RoundsResult(profiler.stats(), judge_leak(range(rounds), heap))


def run_concurrently(request: RunConcurrently) -> MemoryStats:
    """Put a load on a system, and work in threads and in tasks, all at the same time.

    Raises:
        UsageError: a module can't be imported, or there is no such case.
        Whatever the benchmarks do.
    """
    registered = registry.load_registry(request.modules)
    load = registry.find_case(registry.matching_cases(registered, [request.load]), request.load)
    load_task = registered.benchmarks[load.benchmark].setup(**load.params)
    if not isinstance(load_task, registry.LoadTask):
        raise MeasureError(f"{request.load} is no load")
    with ExitStack() as stack:
        if load_task.close is not None:
            stack.callback(load_task.close)
        _, threads = set_up_case(registered, request.threads, stack)
        _, tasks = set_up_case(registered, request.tasks, stack)
        system = load_task.system(request.items)
        stack.callback(system.close)
        return watch_concurrent_work(
            system, request.items, threads.call, tasks.call, request.task_count
        )


def set_up_case(
    registered: registry.Registry, name: str, stack: ExitStack
) -> tuple[registry.Benchmark, registry.Task]:
    """Set the case ``name`` up until ``stack`` is closed.

    Raises:
        UnknownBenchmarkError: there is no such case.
        MeasureError: it is a load.
        Whatever the benchmark does.
    """
    case = registry.find_case(registry.matching_cases(registered, [name]), name)
    benchmark = registered.benchmarks[case.benchmark]
    task = benchmark.setup(**case.params)
    if not isinstance(task, registry.Task):
        raise MeasureError(f"{name} sets up nothing that can be called")
    if task.close is not None:
        stack.callback(task.close)
    return benchmark, task
