"""How much memory a process may take, and where it took more."""

from msgspec import Struct

from veperf.core.errors import UnknownTargetError
from veperf.core.sizes import count, size
from veperf.core.units import convert
from veperf.core.verdict import TargetSet
from veperf.profiling.memory import charts
from veperf.profiling.memory.leak import LeakStatus, LeakVerdict
from veperf.profiling.memory.stats import MemoryStats


class MemoryBudget(Struct, frozen=True, kw_only=True):
    """Limits, by default those that are published in targets.json; at a limit is within it."""

    heap_bytes: float = 4096 * 2**20
    objects: float = 10_000_000
    tasks: float = 100_000
    """Threads and tasks of asyncio together."""
    gc_pause_ns: float = 100e6
    leak_growth: float = 0.1
    """Of the memory at the beginning of a long run, over that run."""


class Violation(Struct, frozen=True):
    """A limit and what came of it; as a result of ``check_budget``, one that was passed."""

    limit_name: str
    """The name of the limit in the budget."""
    value: float
    limit: float
    words: str


def budget_of(targets: TargetSet) -> MemoryBudget:
    """The limits that ``targets`` publish as ``memory/...``.

    Raises:
        UnknownTargetError: one of them is not there.
        UsageError: one is given in a unit of something else.
    """
    found = {target.id: target for target in targets.targets}

    def limit(name: str, unit: str) -> float:
        target = found.get(f"memory/{name}")
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
    """Every limit that was passed at any time: peaks and the longest pause, not the last state.

    The heap is what was resident, the objects are the blocks of Python's allocator. Where ``leak``
    is given and not clean, its growth is held to the budget by the lower end of its interval: what
    levels off, like a cache that fills up, is held to the budget of the heap.
    """
    allowed = budget or MemoryBudget()
    used = _uses(measured, allowed)
    if leak is not None and leak.status is not LeakStatus.CLEAN and leak.low is not None:
        words = f"memory grows by {leak.low:.1%} at least, of {allowed.leak_growth:.1%}"
        used = (*used, Violation("leak_growth", leak.low, allowed.leak_growth, words))
    return tuple(one for one in used if one.value > one.limit)


class Gauges(Struct, frozen=True):
    """How much of each limit was used at most, to look at."""

    measured: MemoryStats
    budget: MemoryBudget = MemoryBudget()

    def __repr__(self) -> str:
        return "\n".join(
            f"{one.value / one.limit:8.2%}  {one.words}"
            for one in _uses(self.measured, self.budget)
        )

    def _repr_html_(self) -> str:
        used = [(one.value / one.limit, one.words) for one in _uses(self.measured, self.budget)]
        return charts.gauges(used)


def _uses(measured: MemoryStats, allowed: MemoryBudget) -> tuple[Violation, ...]:
    """The use of every limit, passed or not."""
    pause_ms, pause_limit_ms = measured.gc_longest_ns / 1e6, allowed.gc_pause_ns / 1e6
    heap, blocks = measured.peak_rss_bytes, measured.blocks.max
    tasks = measured.concurrent.max
    return (
        Violation(
            "heap_bytes",
            heap,
            allowed.heap_bytes,
            f"{size(heap)} were resident, of {size(allowed.heap_bytes)}",
        ),
        Violation(
            "objects",
            blocks,
            allowed.objects,
            f"{count(blocks)} objects, of {count(allowed.objects)}",
        ),
        Violation(
            "tasks",
            tasks,
            allowed.tasks,
            f"{count(tasks)} threads and tasks, of {count(allowed.tasks)}",
        ),
        Violation(
            "gc_pause_ns",
            measured.gc_longest_ns,
            allowed.gc_pause_ns,
            f"a collection took {pause_ms:.3g} ms, of {pause_limit_ms:.3g} ms",
        ),
    )
