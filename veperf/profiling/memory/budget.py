"""Memory budgets: limits on heap, objects, tasks, pauses and growth, and their violations."""

from msgspec import Struct

from veperf.core.errors import UnknownTargetError
from veperf.core.text import (
    format_bytes,
    format_count,
    format_exact,
    format_percent,
    format_quantity,
)
from veperf.core.units import convert
from veperf.core.verdict import TargetSet
from veperf.profiling.memory import charts
from veperf.profiling.memory.leak import LeakStatus, LeakVerdict
from veperf.profiling.memory.stats import MemoryStats


class MemoryBudget(Struct, frozen=True, kw_only=True):
    """Limits, by default those published in targets.json; a value at its limit is within it."""

    heap_bytes: float = 4096 * 2**20
    objects: float = 10_000_000
    tasks: float = 100_000
    """Threads and asyncio tasks together."""
    gc_pause_ns: float = 100e6
    leak_growth: float = 0.1
    """Growth over a long run, as a share of the memory at its beginning."""


class Violation(Struct, frozen=True):
    """A limit and the measured value; in the result of ``check_budget``, one that was exceeded."""

    limit_name: str
    """Name of the limit in the budget."""
    value: float
    limit: float
    words: str


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
) -> tuple[Violation, ...]:
    """Return the limits that were exceeded at any time, by peaks and the longest pause.

    The heap is resident memory, the objects are the blocks of Python's allocator. If ``leak`` is
    given and not clean, the lower end of its growth's interval is compared with the budget; memory
    that levels off, like a cache that fills up, is limited by the budget of the heap alone.
    """
    allowed = budget or MemoryBudget()
    used = _uses(measured, allowed)
    if leak is not None and leak.status is not LeakStatus.CLEAN and leak.low is not None:
        growth, limit = format_percent(leak.low), format_exact(100 * allowed.leak_growth, "%")
        words = f"memory grows by {growth} at least, of {limit}"
        used = (*used, Violation("leak_growth", leak.low, allowed.leak_growth, words))
    return tuple(use for use in used if use.value > use.limit)


class Gauges(Struct, frozen=True):
    """Bars that show the highest use of each limit."""

    measured: MemoryStats
    budget: MemoryBudget = MemoryBudget()

    def __repr__(self) -> str:
        return "\n".join(
            f"{format_percent(use.value / use.limit):>8}  {use.words}"
            for use in _uses(self.measured, self.budget)
        )

    def _repr_html_(self) -> str:
        used = [(use.value / use.limit, use.words) for use in _uses(self.measured, self.budget)]
        return charts.gauge_table(used)


def _uses(measured: MemoryStats, allowed: MemoryBudget) -> tuple[Violation, ...]:
    """Return the use of every limit, exceeded or not."""
    pause_ns, pause_limit_ns = measured.gc_longest_ns, allowed.gc_pause_ns
    heap, blocks = measured.peak_rss_bytes, measured.blocks.max
    tasks = measured.concurrent.max
    return (
        Violation(
            "heap_bytes",
            heap,
            allowed.heap_bytes,
            f"{format_bytes(heap)} were resident, of {format_exact(allowed.heap_bytes, 'B')}",
        ),
        Violation(
            "objects",
            blocks,
            allowed.objects,
            f"{format_count(blocks)} objects, of {format_count(allowed.objects)}",
        ),
        Violation(
            "tasks",
            tasks,
            allowed.tasks,
            f"{format_count(tasks)} threads and tasks, of {format_count(allowed.tasks)}",
        ),
        Violation(
            "gc_pause_ns",
            pause_ns,
            pause_limit_ns,
            f"a collection took {format_quantity(pause_ns, 'ns')}, "
            f"of {format_exact(pause_limit_ns, 'ns')}",
        ),
    )
