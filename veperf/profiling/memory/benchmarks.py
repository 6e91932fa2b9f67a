"""The memory suite: what whole processes hold, each measured in a fresh one."""

from collections.abc import Mapping

from veperf.core.case import Level, Metric
from veperf.core.registry import Reading, benchmark
from veperf.ipc.isolated_process import in_fresh_process
from veperf.profiling.memory.footprint import Footprint
from veperf.profiling.memory.requests import HoldCase, LookIdle, WorkRounds
from veperf.profiling.memory.workload_process import Idle, Rounds
from veperf.workloads.suites import SUITES

_CHILD = "veperf.profiling.memory.child"
_TIMEOUT_S = 50.0
_MODULES = tuple(SUITES.values())
# Smaller blocks than usual: each takes its share of a round, not most of it.
_BLOCK = "transaction/block_processing[transactions=100]"
_VERIFICATION = "verification/latency"
_WORK = (_BLOCK, _VERIFICATION, "bidding/latency")
_ROUNDS = 40


@benchmark(
    "memory/idle",
    level=Level.INTEGRATION,
    metrics=(Metric("idle_heap", "B"), Metric("idle_objects", "objects")),
    targets={"idle_heap": "memory/idle_heap"},
)
def idle() -> Reading:
    """A process that has loaded every suite and done nothing: resident memory and objects."""

    def read() -> Mapping[str, float]:
        found = in_fresh_process(_CHILD, LookIdle(_MODULES), Idle, timeout_s=_TIMEOUT_S)
        return {"idle_heap": found.rss_bytes, "idle_objects": found.blocks}

    return Reading(read)


@benchmark(
    "memory/work",
    level=Level.INTEGRATION,
    metrics=(
        Metric("heap_alloc", "B"),
        Metric("heap_objects", "objects"),
        Metric("tasks", "tasks"),
        Metric("gc_pause", "ns"),
        Metric("leak_growth", "%"),
    ),
    targets={
        "heap_alloc": "memory/heap_alloc",
        "heap_objects": "memory/heap_objects",
        "tasks": "memory/tasks",
        "gc_pause": "memory/gc_pause",
        "leak_growth": "memory/leak_growth",
    },
)
def work() -> Reading:
    """A process with every suite loaded processes blocks, verifications and bids, round by round.

    Peaks over all rounds, and how much resident memory grows over them.
    """

    def read() -> Mapping[str, float]:
        asked = WorkRounds(_MODULES, _WORK, _ROUNDS)
        found = in_fresh_process(_CHILD, asked, Rounds, timeout_s=_TIMEOUT_S)
        stats, growth = found.stats, found.leak.growth
        assert growth is not None, "the rounds are enough for troughs"
        return {
            "heap_alloc": stats.peak_rss_bytes,
            "heap_objects": stats.blocks.max,
            "tasks": stats.concurrent.max,
            "gc_pause": stats.gc_longest_ns,
            "leak_growth": 100 * growth,
        }

    return Reading(read)


@benchmark(
    "memory/per_transaction",
    level=Level.INTEGRATION,
    metrics=(Metric("held", "B"),),
    targets={"held": "memory/per_transaction"},
)
def per_transaction() -> Reading:
    """What a transaction adds to the most that is held while its block of 100 is processed."""
    return Reading(lambda: _held(_BLOCK))


@benchmark(
    "memory/per_verification",
    level=Level.INTEGRATION,
    metrics=(Metric("held", "B"),),
    targets={"held": "memory/per_verification"},
)
def per_verification() -> Reading:
    """The most that is held during one verification, less what was held before it."""
    return Reading(lambda: _held(_VERIFICATION))


def _held(name: str) -> Mapping[str, float]:
    asked = HoldCase(_MODULES, name)
    return {"held": in_fresh_process(_CHILD, asked, Footprint, timeout_s=_TIMEOUT_S).peak_bytes}
