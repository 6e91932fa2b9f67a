"""Budgets: what is published, and every limit that was passed at any time."""

import math
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.memory_stats import CALM, STATS
from veperf.archive.baselines import load_targets
from veperf.core.errors import UnknownTargetError, UsageError
from veperf.profiling.memory.background_profiler import MemoryProfiler
from veperf.profiling.memory.budget import Gauges, MemoryBudget, budget_of, check_budget
from veperf.profiling.memory.leak_rule import LeakStatus, judge_leak

TARGETS = Path(__file__).parents[3] / "data" / "baselines"
NO_GROWTH_LIMIT = MemoryBudget(leak_growth=math.inf)


def test_the_defaults_are_the_published_limits():
    """targets.json says the same, in its own units."""
    targets = load_targets(TARGETS)

    assert MemoryBudget() == budget_of(targets)
    with pytest.raises(UnknownTargetError, match="memory/heap_alloc"):
        budget_of(replace(targets, targets=targets.targets[:3]))


@pytest.mark.parametrize(
    ("limit", "over"),
    [
        ("heap_bytes", {"peak_rss_bytes": 4096 * 2**20 + 1}),
        ("objects", {"objects": replace(CALM, max=10_000_001)}),
        ("tasks", {"concurrent": replace(CALM, max=100_001)}),
        ("gc_pause_ns", {"gc_longest_cpu_ns": (0, 0, 100_000_001)}),
    ],
)
def test_a_limit_that_was_passed_once_is_a_violation(limit, over):
    """Though the last state is within all of them."""
    (actual,) = check_budget(replace(STATS, **over), NO_GROWTH_LIMIT)

    assert limit == actual.limit_name
    assert actual.exceeded
    assert actual.value is not None
    assert actual.value > actual.limit
    assert actual.description


def test_at_the_limit_is_within_it():
    """And every limit that is passed is told."""
    stats = replace(STATS, gc_longest_cpu_ns=(0, 1, 0))
    exact = MemoryBudget(heap_bytes=2, objects=2, tasks=2, gc_pause_ns=1, leak_growth=math.inf)

    assert () == check_budget(stats, exact)
    none = MemoryBudget(heap_bytes=0, objects=0, tasks=0, gc_pause_ns=0, leak_growth=math.inf)
    assert 4 == len(check_budget(stats, none))
    assert 4 == repr(Gauges(stats, none)).count("∞")


def test_an_infinite_limit_is_none():
    """Nothing exceeds it, and the words say so."""
    unlimited = MemoryBudget(**dict.fromkeys(MemoryBudget.__struct_fields__, math.inf))

    assert () == check_budget(STATS, unlimited)
    assert 4 == repr(Gauges(STATS, unlimited)).count("there is no limit")


@pytest.mark.parametrize("value", [-1, -math.inf, math.nan, "1", None])
@pytest.mark.parametrize("name", MemoryBudget.__struct_fields__)
def test_what_is_no_limit_is_refused(name, value):
    """Nothing would exceed it."""
    with pytest.raises(UsageError, match=name):
        MemoryBudget(**{name: value})


@pytest.mark.parametrize("wrong", [{}, {"heap_bytes": 1}, 5, True])
def test_what_is_no_budget_is_refused(wrong):
    """Nor are statistics, or a verdict."""
    with pytest.raises(UsageError, match="expected MemoryBudget"):
        check_budget(STATS, wrong)
    with pytest.raises(UsageError, match="expected MemoryBudget"):
        MemoryProfiler().check_budget(wrong)
    with pytest.raises(UsageError, match="expected statistics"):
        check_budget(wrong)
    with pytest.raises(UsageError, match="expected a verdict"):
        check_budget(STATS, None, wrong)


def test_growth_is_held_to_the_budget():
    """By what is sure of it: a tenth at least, or less."""
    t = np.arange(50.0)
    leaks, creeps = (judge_leak(t, 1e8 * (1 + growth * t / 49)) for growth in (0.2, 0.05))

    assert ["leak_growth"] == [item.limit_name for item in check_budget(STATS, leak=leaks)]
    assert () == check_budget(STATS, leak=creeps)


def test_growth_that_is_not_measured_is_told():
    """Too few samples, or no verdict at all, are not within the limit."""
    for leak, words in ((judge_leak([], []), "too few"), (None, "no growth was judged")):
        (actual,) = check_budget(STATS, leak=leak)
        assert "leak_growth" == actual.limit_name
        assert actual.value is None
        assert not actual.exceeded
        assert "was not measured" in actual.description
        assert words in actual.description
        assert () == check_budget(STATS, NO_GROWTH_LIMIT, leak)


@pytest.mark.parametrize(
    ("growth", "over"), [(0.0, False), (-0.05, False), (0.0005, True), (0.05, True)]
)
def test_a_limit_of_zero_allows_no_growth_that_is_sure(growth, over):
    """And noise is none."""
    t = np.arange(50.0)
    none, noise = MemoryBudget(leak_growth=0), np.random.default_rng(1).normal(0, 1e3, 50)
    leak = judge_leak(t, 1e8 * (1 + growth * t / 49) + noise, none.growth_margin)

    assert over == bool(check_budget(STATS, none, leak))
    assert 0 < none.growth_margin < NO_GROWTH_LIMIT.growth_margin == 0.1


def test_growth_of_the_last_part_counts_whatever_the_verdict():
    """A step of 54 % is no leak that is suspected, and far over the limit of 10 %."""
    t = np.arange(200.0)
    steps = judge_leak(t, 1e8 * (1 + 0.54 * (t > 130)))

    assert LeakStatus.SUSPECTED is not steps.status
    (actual,) = check_budget(STATS, leak=steps)
    assert 0.54 == pytest.approx(actual.value, abs=0.01)
    assert () == check_budget(STATS, MemoryBudget(leak_growth=0.6), leak=steps)


def test_what_levels_off_is_no_growth_without_end():
    """A cache that fills up by half at first is held to the budget of the heap alone."""
    t = np.arange(200.0)
    fills = judge_leak(t, 1e8 * (1.5 - 0.5 * np.exp(-t / 20)))

    assert LeakStatus.CLEAN is fills.status
    assert () == check_budget(STATS, leak=fills)


def test_a_real_process_is_held_to_its_budget():
    """A peak that is over counts after it is gone."""
    with MemoryProfiler(interval=3_600) as profiler:
        most = profiler.snapshots[0].rss_bytes + 16 * 2**20
        budget = MemoryBudget(heap_bytes=most, leak_growth=math.inf)
        block = b"x" * (48 * 2**20)
        profiler.take_snapshot()
        del block

    assert ["heap_bytes"] == [item.limit_name for item in check_budget(profiler.stats(), budget)]
