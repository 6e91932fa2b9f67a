"""Memory budgets: limits on heap, objects, tasks, pauses and growth, and their violations."""

from msgspec import Struct

from veperf.core.errors import UnknownTargetError
from veperf.core.target import TargetSet
from veperf.core.text import (
    format_bytes,
    format_count,
    format_exact,
    format_percent,
    format_quantity,
)
from veperf.core.units import convert
from veperf.profiling.memory import charts
from veperf.profiling.memory.leak_rule import LeakVerdict
from veperf.profiling.memory.snapshot_stats import MemoryStats


class MemoryBudget(Struct, frozen=True, kw_only=True):
    """Limits, by default those published in targets.json; a value at its limit is within it."""

    heap_bytes: float = 4096 * 2**20
    objects: float = 10_000_000
    """Objects that the garbage collector tracks."""
    tasks: float = 100_000
    """Threads, asyncio tasks and processes together."""
    gc_pause_ns: float = 100e6
    """CPU time of the longest collection that the program itself causes."""
    leak_growth: float = 0.1
    """Growth over a long run, as a share of the memory at its beginning."""


class LimitUse(Struct, frozen=True):
    """A limit and the measured value; in the result of ``check_budget``, one that was exceeded."""

    limit_name: str
    """Name of the limit in the budget."""
    value: float
    limit: float
    description: str


def budget_of(targets: TargetSet) -> MemoryBudget:
    """Return the limits that ``targets`` publish as ``memory/...``.

    Raises:
        UnknownTargetError: one of them is missing.
        UsageError: one is given in a unit of something else.
    """
    by_id = {target.id: target for target in targets.targets}

    def limit(name: str, unit: str) -> float:
        target = by_id.get(f"memory/{name}")
        if target is None:
            raise UnknownTargetError(f"no published target memory/{name}")
        return convert(target.limit, target.unit, unit)

    return MemoryBudget(
        heap_bytes=limit("heap_alloc", "B"),
        objects=limit("heap_objects", "objects"),
        tasks=limit("tasks", "tasks"),
        gc_pause_ns=limit("gc_pause", "ns"),
        leak_growth=limit("leak_growth", "%") / 100,
    )


def check_budget(
    measured: MemoryStats, budget: MemoryBudget | None = None, leak: LeakVerdict | None = None
) -> tuple[LimitUse, ...]:
    """Return the limits that were exceeded at any time, by peaks and the longest pause.

    The heap is resident memory, the objects are those that the garbage collector tracks. Of
    ``leak``, the growth that is sure counts, whatever its status: that of the last part of the run
    against the first, after the warm-up, or that of a leak that is suspected.
    """
    allowed = budget or MemoryBudget()
    used = _uses(measured, allowed)
    if leak is not None and (grown := leak.sure_growth) is not None:
        growth, limit = format_percent(grown), format_exact(100 * allowed.leak_growth, "%")
        description = f"memory grew by at least {growth}; the limit is {limit}"
        used = (*used, LimitUse("leak_growth", grown, allowed.leak_growth, description))
    return tuple(use for use in used if use.value > use.limit)


class Gauges(Struct, frozen=True):
    """Bars that show the highest use of each limit."""

    measured: MemoryStats
    budget: MemoryBudget = MemoryBudget()

    def __repr__(self) -> str:
        return "\n".join(
            f"{format_percent(use.value / use.limit):>8}  {use.description}"
            for use in _uses(self.measured, self.budget)
        )

    def _repr_html_(self) -> str:
        used = [
            (use.value / use.limit, use.description) for use in _uses(self.measured, self.budget)
        ]
        return charts.gauge_table(used)


def _uses(measured: MemoryStats, allowed: MemoryBudget) -> tuple[LimitUse, ...]:
    """Return the use of every limit, exceeded or not."""
    pause_ns, pause_limit_ns = max(measured.gc_longest_cpu_ns), allowed.gc_pause_ns
    by_clock_ns = max(measured.gc_longest_ns)
    heap, objects = measured.peak_rss_bytes, measured.objects.max
    blocks = format_count(measured.blocks.max)
    tasks = measured.concurrent.max
    return (
        LimitUse(
            "heap_bytes",
            heap,
            allowed.heap_bytes,
            f"{format_bytes(heap)} resident at the peak; the limit is "
            f"{format_exact(allowed.heap_bytes, 'B')}",
        ),
        LimitUse(
            "objects",
            objects,
            allowed.objects,
            f"{format_count(objects)} garbage-collected objects; the limit is "
            f"{format_count(allowed.objects)} ({blocks} allocated blocks)",
        ),
        LimitUse(
            "tasks",
            tasks,
            allowed.tasks,
            f"{format_count(tasks)} threads, tasks and processes; the limit is "
            f"{format_count(allowed.tasks)}",
        ),
        LimitUse(
            "gc_pause_ns",
            pause_ns,
            pause_limit_ns,
            f"longest collection {format_quantity(pause_ns, 'ns')} of CPU time "
            f"({format_quantity(by_clock_ns, 'ns')} by the clock); the limit is "
            f"{format_exact(pause_limit_ns, 'ns')}",
        ),
    )
