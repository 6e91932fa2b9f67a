"""Memory budgets: limits on heap, objects, tasks, pauses and growth, and their violations."""

import math

from msgspec import Struct

from veperf.core.errors import UnknownTargetError, UsageError
from veperf.core.target import TargetSet
from veperf.core.text import (
    format_bytes,
    format_count,
    format_exact,
    format_percent,
    format_quantity,
)
from veperf.core.units import convert, is_number
from veperf.profiling.memory import charts
from veperf.profiling.memory.leak_rule import LEAST_GROWTH, MARGIN, LeakVerdict
from veperf.profiling.memory.snapshot_stats import MemoryStats


class MemoryBudget(Struct, frozen=True, kw_only=True):
    """Limits, by default those published in targets.json; a value at its limit is within it.

    An infinite limit is none: nothing is asked about it.
    """

    heap_bytes: float = 4096 * 2**20
    objects: float = 10_000_000
    """Objects that the garbage collector tracks."""
    tasks: float = 100_000
    """Threads, asyncio tasks and processes together."""
    gc_pause_ns: float = 100e6
    """CPU time of the longest collection that Python begins by itself."""
    leak_growth: float = 0.1
    """Growth over a long run, as a share of the memory at its beginning. 0 allows none that is
    sure."""

    def __post_init__(self) -> None:
        """Refuse what is no limit.

        Raises:
            UsageError: a limit is negative or no number, so that nothing would ever exceed it.
        """
        for name in self.__struct_fields__:
            limit = getattr(self, name)
            if not is_number(limit) or not limit >= 0:
                raise UsageError(f"the limit {name} must be 0 or more, not {limit!r}")

    @property
    def growth_margin(self) -> float:
        """Growth below which memory counts as clean: the limit, but no less than can be told."""
        return MARGIN if self.leak_growth == math.inf else max(self.leak_growth, LEAST_GROWTH)


class LimitUse(Struct, frozen=True):
    """A limit and the measured value."""

    limit_name: str
    """Name of the limit in the budget."""
    value: float | None
    """None if it could not be measured."""
    limit: float
    description: str

    @property
    def exceeded(self) -> bool:
        """True if the value is known, and over the limit."""
        return self.value is not None and self.value > self.limit

    @property
    def share(self) -> float:
        """The value as a share of the limit; infinite above a limit of 0."""
        if not self.value:
            return 0.0
        return self.value / self.limit if self.limit else math.inf


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


def require_budget(budget: MemoryBudget | None) -> MemoryBudget:
    """Return ``budget``, or the published one for None.

    Raises:
        UsageError: it is something else.
    """
    if budget is not None and not isinstance(budget, MemoryBudget):
        raise UsageError(f"expected MemoryBudget(...), not {budget!r}")
    return budget or MemoryBudget()


def check_budget(
    measured: MemoryStats, budget: MemoryBudget | None = None, leak: LeakVerdict | None = None
) -> tuple[LimitUse, ...]:
    """Return the limits that were exceeded at any time, or that could not be measured.

    By peaks and the longest pause. The heap is resident memory, the objects are those that the
    garbage collector tracks. Growth is that of ``leak``, as ``check_growth`` judges it; without a
    verdict, or by too few samples, it is not measured. Empty: all limits were measured and held.

    Raises:
        UsageError: one of them is of another type.
    """
    if not isinstance(measured, MemoryStats):
        raise UsageError(f"expected statistics, as MemoryProfiler.stats() has, not {measured!r}")
    if leak is not None and not isinstance(leak, LeakVerdict):
        raise UsageError(f"expected a verdict, as judge_leak() has, not {leak!r}")
    allowed = require_budget(budget)
    exceeded = tuple(use for use in _uses(measured, allowed) if use.exceeded)
    return (*exceeded, *check_growth(leak, allowed))


def check_growth(
    leak: LeakVerdict | None, budget: MemoryBudget, what: str = "memory"
) -> tuple[LimitUse, ...]:
    """Return the limit on growth if ``what`` exceeded it, or was not measured; else nothing.

    The growth that is sure counts, whatever the status of ``leak``: that of the last part of the
    run against the first, after the warm-up, or that of a leak that is suspected.
    """
    limit = budget.leak_growth
    if limit == math.inf:
        return ()
    words = f"the limit is {format_exact(100 * limit, '%')}"
    growth = None if leak is None else leak.sure_growth
    if growth is None:
        reason = "no growth was judged" if leak is None else leak.reason
        description = f"growth of {what} was not measured ({reason}); {words}"
        return (LimitUse("leak_growth", None, limit, description),)
    description = f"{what} grew by at least {format_percent(growth)}; {words}"
    use = LimitUse("leak_growth", growth, limit, description)
    return (use,) if use.exceeded else ()


class Gauges(Struct, frozen=True):
    """Bars that show the highest use of each limit."""

    measured: MemoryStats
    budget: MemoryBudget = MemoryBudget()

    def __repr__(self) -> str:
        return "\n".join(
            f"{format_percent(use.share):>8}  {use.description}"
            for use in _uses(self.measured, self.budget)
        )

    def _repr_html_(self) -> str:
        used = [(use.share, use.description) for use in _uses(self.measured, self.budget)]
        return charts.gauge_table(used)


def _uses(measured: MemoryStats, allowed: MemoryBudget) -> tuple[LimitUse, ...]:
    """Return the use of every limit, exceeded or not."""
    pause_ns, pause_limit_ns = max(measured.gc_longest_cpu_ns), allowed.gc_pause_ns
    by_clock_ns = max(measured.gc_longest_ns)
    heap, objects = measured.peak_rss_bytes, measured.objects.max
    blocks = format_count(measured.blocks.max)
    tasks, forced = measured.concurrent.max, measured.forced_collections
    return (
        LimitUse(
            "heap_bytes",
            heap,
            allowed.heap_bytes,
            f"{format_bytes(heap)} resident at the peak; {_limit(allowed.heap_bytes, 'B')}",
        ),
        LimitUse(
            "objects",
            objects,
            allowed.objects,
            f"{format_count(objects)} garbage-collected objects; {_limit(allowed.objects)} "
            f"({blocks} allocated blocks)",
        ),
        LimitUse(
            "tasks",
            tasks,
            allowed.tasks,
            f"{format_count(tasks)} of threads, tasks and processes; {_limit(allowed.tasks)}",
        ),
        LimitUse(
            "gc_pause_ns",
            pause_ns,
            pause_limit_ns,
            f"longest collection {format_quantity(pause_ns, 'ns')} of CPU time "
            f"({format_quantity(by_clock_ns, 'ns')} by the clock); {_limit(pause_limit_ns, 'ns')}"
            f"{forced and f'; {forced}'}",
        ),
    )


def _limit(value: float, unit: str = "") -> str:
    if value == math.inf:
        return "there is no limit"
    return f"the limit is {format_exact(value, unit) if unit else format_count(value)}"
