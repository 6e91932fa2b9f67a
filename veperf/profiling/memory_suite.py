"""The memory suite: the memory of whole processes, each measured in a fresh one.

Set-ups import what measures: processes that measure time know this suite, too, and stay small.
"""

from collections.abc import Mapping

from veperf.core.case import Level, Metric
from veperf.core.registry import DEFAULT_SUITES, MetricsTask, benchmark
from veperf.ipc.isolated_process import run_in_fresh_process
from veperf.profiling.memory.snapshot_stats import MemoryStats

_CHILD = "veperf.profiling.memory.child"
_TIMEOUT_S = 50.0
_MODULES = tuple(DEFAULT_SUITES.values())
# Smaller blocks than usual, so that a block is not most of a round.
_BLOCK = "transaction/block_processing[transactions=100]"
_VERIFICATION = "verification/latency"
_WORK = (_BLOCK, _VERIFICATION, "bidding/latency")
_ROUNDS = 40
_THREADS = "bidding/rate_limiter_parallel[threads=4]"
_TRANSFERS, _BIDS = 200, 250


@benchmark(
    "memory/idle",
    level=Level.INTEGRATION,
    metrics=(
        Metric("idle_heap", "B"),
        Metric("idle_objects", "objects"),
        Metric("idle_blocks", "blocks"),
    ),
    targets={"idle_heap": "memory/idle_heap"},
)
def idle() -> MetricsTask:
    """A process that has loaded the default suites and done nothing.

    Its resident memory, the objects that the garbage collector tracks, and allocated blocks.
    """
    from veperf.profiling.memory.measuring_process import IdleProcess, MeasureIdle

    def read() -> Mapping[str, float]:
        process = run_in_fresh_process(
            _CHILD, MeasureIdle(_MODULES), IdleProcess, timeout_s=_TIMEOUT_S
        )
        return {
            "idle_heap": process.rss_bytes,
            "idle_objects": process.objects,
            "idle_blocks": process.blocks,
        }

    return MetricsTask(read)


@benchmark(
    "memory/work",
    level=Level.INTEGRATION,
    metrics=(
        Metric("heap_alloc", "B"),
        Metric("heap_objects", "objects"),
        Metric("heap_blocks", "blocks"),
        Metric("gc_pause", "ns"),
        Metric("leak_growth", "%"),
    ),
    targets={
        "heap_alloc": "memory/heap_alloc",
        "heap_objects": "memory/heap_objects",
        "gc_pause": "memory/gc_pause",
        "leak_growth": "memory/leak_growth",
    },
)
def work() -> MetricsTask:
    """A process with the default suites loaded processes blocks, verifications and bids by turns.

    Peaks over all rounds, and how much resident memory grows over them. The pause is the longest
    one, of all that Python begins by itself and a full collection at the end: such work may keep so
    little that Python begins none for minutes, and none takes longer than a full one.
    """
    from veperf.profiling.memory.measuring_process import RoundsResult, RunRounds

    def read() -> Mapping[str, float]:
        request = RunRounds(_MODULES, _WORK, _ROUNDS)
        result = run_in_fresh_process(_CHILD, request, RoundsResult, timeout_s=_TIMEOUT_S)
        stats, growth = result.stats, result.leak.growth
        assert growth is not None, "the rounds are enough for troughs"
        return {
            "heap_alloc": stats.peak_rss_bytes,
            "heap_objects": stats.objects.max,
            "heap_blocks": stats.blocks.max,
            "gc_pause": max(*stats.gc_longest_cpu_ns, stats.gc_forced_longest_cpu_ns),
            "leak_growth": 100 * growth,
        }

    return MetricsTask(read)


@benchmark(
    "memory/concurrent",
    level=Level.INTEGRATION,
    metrics=(
        Metric("tasks", "tasks"),
        Metric("asyncio_tasks", "tasks"),
        Metric("threads", "threads"),
        Metric("processes", "processes"),
    ),
    targets={"tasks": "memory/tasks"},
)
def concurrent() -> MetricsTask:
    """A process that does much at once: a chain with verifiers, bids in tasks, threads.

    Transfers go through the mempool to the verifiers while 250 orders are bid for, each in
    an asyncio task, and threads share a rate limiter. ``tasks`` are tasks, threads and processes
    together, at their peak.
    """
    from veperf.profiling.memory.measuring_process import RunConcurrently

    def read() -> Mapping[str, float]:
        request = RunConcurrently(
            _MODULES, "transaction/load", _TRANSFERS, _THREADS, "bidding/latency", _BIDS
        )
        stats = run_in_fresh_process(_CHILD, request, MemoryStats, timeout_s=_TIMEOUT_S)
        return {
            "tasks": stats.concurrent.max,
            "asyncio_tasks": stats.tasks.max,
            "threads": stats.threads.max,
            "processes": stats.processes.max,
        }

    return MetricsTask(read)


@benchmark(
    "memory/per_transaction",
    level=Level.INTEGRATION,
    metrics=(Metric("held", "B", exact=True),),
    targets={"held": "memory/per_transaction"},
)
def per_transaction() -> MetricsTask:
    """Peak memory while a block of 100 is processed, for each transaction."""
    return MetricsTask(lambda: _held(_BLOCK))


@benchmark(
    "memory/per_verification",
    level=Level.INTEGRATION,
    metrics=(Metric("held", "B", exact=True),),
    targets={"held": "memory/per_verification"},
)
def per_verification() -> MetricsTask:
    """Peak memory during a verification, less the memory before it."""
    return MetricsTask(lambda: _held(_VERIFICATION))


def _held(name: str) -> Mapping[str, float]:
    from veperf.profiling.memory.measuring_process import MeasureOperationMemory
    from veperf.profiling.memory.operation_memory import OperationMemory

    request = MeasureOperationMemory(_MODULES, name)
    footprint = run_in_fresh_process(_CHILD, request, OperationMemory, timeout_s=_TIMEOUT_S)
    return {"held": footprint.peak_bytes}
