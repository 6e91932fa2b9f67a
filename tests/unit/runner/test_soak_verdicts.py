"""Verdicts of a soak on readings that are made up."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.memory_stats import STATS
from veperf.core.case import Case, Level
from veperf.core.run import CaseResult, Failure
from veperf.profiling.memory.budget import MemoryBudget
from veperf.profiling.memory.child_growth import ChildGrowth
from veperf.profiling.memory.leak_rule import LeakStatus
from veperf.profiling.memory.process_probes import Snapshot
from veperf.runner.soak_readings import SoakReadings, grown_backlog
from veperf.runner.soak_verdict import is_worth_recording, judge_soak

CASE = Case("hungry/soaked", "hungry/soaked", "hungry", Level.LOAD, "A load that may leak.")


def series(growth: float, count: int = 100) -> tuple[tuple[float, float], ...]:
    """A line that begins with a gigabyte, and grows by so much."""
    place = np.linspace(0, 1, count)
    return tuple(zip(100 * place, 1e9 * (1 + growth * place), strict=True))


def readings(growth: float = 0.0, children: float | None = None, count: int = 100) -> SoakReadings:
    return SoakReadings(
        load=CaseResult(CASE.id),
        stats=STATS,
        rss=series(growth, count),
        blocks=series(0.0, count),
        children=() if children is None else series(children, count),
    )


def test_what_neither_leaks_nor_exceeds_is_within_all_limits():
    """And passes."""
    actual = judge_soak(CASE, readings(), MemoryBudget())

    assert actual.passed
    assert "within all limits" in repr(actual)


def test_a_pause_that_never_was_is_not_within_its_limit():
    """It is said, and leaves a question open where it was asked."""
    calm = judge_soak(CASE, readings(), MemoryBudget())
    asked = judge_soak(CASE, readings(), MemoryBudget(), asks_pauses=True)
    without = judge_soak(CASE, readings(), MemoryBudget(gc_pause_ns=math.inf), asks_pauses=True)
    stats = replace(
        STATS, gc_cycles=(9, 1, 0), gc_longest_ns=(5, 7, 0), gc_longest_cpu_ns=(5, 6, 0)
    )
    measured = judge_soak(CASE, replace(readings(), stats=stats), MemoryBudget(), asks_pauses=True)

    assert calm.passed
    assert "within all limits, but pauses were not measured" in repr(calm)
    assert ["gc_pause_ns"] == [use.limit_name for use in asked.not_measured]
    assert "within all limits" not in repr(asked)
    assert not asked.answered
    assert without.passed
    assert measured.passed
    assert "pauses were not measured" not in repr(measured)
    assert "one of the middle generation" in repr(measured)


BUSY = Failure("invalid", "the machine was too busy")


def load(
    failure: Failure | None = None, offered: float = 500.0, error_rate: float = 0.0
) -> CaseResult:
    figures = {"offered": offered, "achieved": offered, "error_rate": error_rate}
    return CaseResult(CASE.id, failure=failure, figures=figures)


@pytest.mark.parametrize(("growth", "passed"), [(0.0, True), (0.5, False)])
def test_memory_is_judged_though_latency_is_not(growth: float, passed: bool):
    """Neighbours on the machine took CPU time, and no memory: the load was there all the same."""
    busy = replace(readings(growth), load=load(BUSY), planned_rate=500.0)
    calm = replace(readings(growth), load=load(), planned_rate=500.0)
    actual = judge_soak(CASE, busy, MemoryBudget())
    expected = judge_soak(CASE, calm, MemoryBudget())

    assert expected.leaks == actual.leaks
    assert expected.violations == actual.violations
    assert passed is actual.passed is expected.passed
    assert actual.answered
    for text in (repr(actual), actual._repr_html_()):
        assert "latency is not judged, memory is: the machine was too busy" in text
        assert "veperf load" in text
    assert "latency" not in repr(expected)


@pytest.mark.parametrize("growth", [0.0, 0.5])
@pytest.mark.parametrize(
    ("offered", "planned", "backlog", "errors", "reason"),
    [
        (400.0, 500.0, 0, 0, "400 items a second were offered in place of 500"),
        (500.0, 500.0, 600, 0, "the system fell behind: 600 more items wait in it"),
        (500.0, 500.0, 0, 20, "20\u202f% of the items were refused, failed or lost"),
        (500.0, None, 0, 0, "a search offers many loads"),
    ],
)
def test_memory_under_another_load_is_not_judged(
    growth: float, offered: float, planned: float | None, backlog: int, errors: float, reason: str
):
    """Neither clean nor leaking, neither within its limits nor beyond them; and not passed."""
    other = replace(
        readings(growth), load=load(BUSY, offered, errors), planned_rate=planned, backlog=backlog
    )
    actual = judge_soak(CASE, other, MemoryBudget(heap_bytes=0))

    assert not actual.answered
    assert not actual.passed
    assert not actual.failed
    assert () == actual.violations
    assert {LeakStatus.INCONCLUSIVE} == {leak.status for leak in actual.leaks.values()}
    for text in (repr(actual), actual._repr_html_()):
        assert f"not judged: the machine was too busy; {reason}" in text
        assert f"run it again with --rate {int(0.8 * offered)}, or when CPUs are free" in text
        assert "limits" not in text


@pytest.mark.parametrize(
    ("backlog", "errors", "words"),
    [(600, 0, "600 more items wait in it"), (0, 20, "of the items were refused, failed or lost")],
)
def test_overload_of_a_valid_load_is_told(backlog: int, errors: float, words: str):
    """The system is the cause of it: its memory is judged, and what is the matter is said."""
    behind = replace(
        readings(0.5), load=load(error_rate=errors), planned_rate=500.0, backlog=backlog
    )
    actual = judge_soak(CASE, behind, MemoryBudget())

    assert actual.failed
    assert words in repr(actual)
    assert "memory is that of an overloaded system" in repr(actual)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60), st.integers(0, 10_000))
def test_a_backlog_is_growth_that_no_burst_explains(waiting: list[int], growth: int):
    """A level that rises at once by so much is found but for its noise; bursts are none."""
    points = tuple(enumerate(map(float, waiting)))
    assert grown_backlog(points) <= max(waiting)
    higher = tuple((at + len(points), value + growth) for at, value in points)

    actual = grown_backlog((*points, *higher))
    if len(points) >= 3:
        assert growth - 50 <= actual <= growth + 50


def test_threads_tasks_and_processes_that_became_more_are_told():
    """Not those that come and go."""
    warm = Snapshot(
        at_s=0, rss_bytes=1, blocks=1, objects=1, gc_counts=(0, 0, 0), gc_cycles=0, gc_pause_ns=0,
        threads=4, tasks=7, processes=0,
    )  # fmt: skip
    last = replace(warm, threads=140, tasks=10)
    actual = repr(judge_soak(CASE, replace(readings(), at_rest=(warm, last)), MemoryBudget()))

    assert "threads became more: 4 after the warm-up, 140 in the end" in actual
    assert "tasks became more" not in actual


def test_child_processes_that_grow_are_named():
    """By id and program."""
    child = ChildGrowth(4_711, "python -m worker", 2**20, 3 * 2**20)
    grown = replace(readings(children=0.3), grown_children=(child,))
    calm = replace(readings(children=0.0), grown_children=(child,))

    text = "process 4711 (python -m worker) grew by 2.00\u202fMiB to 3.00\u202fMiB"
    assert text in repr(judge_soak(CASE, grown, MemoryBudget()))
    assert text not in repr(judge_soak(CASE, calm, MemoryBudget()))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (readings(0.5), True),
        (readings(0.0), False),
        (readings(0.0, children=0.5), False),
        (replace(readings(0.5), load=load(BUSY), planned_rate=500.0), True),
        (replace(readings(0.5), load=load(BUSY, 300.0), planned_rate=500.0), False),
    ],
    ids=["grows", "level", "only children grow", "busy machine", "another load"],
)
def test_a_stretch_is_recorded_where_memory_grows_here(made: SoakReadings, expected: bool):
    """Recording sees this process alone, and is of no use where nothing is judged."""
    assert expected is is_worth_recording(made, 0.1)


def test_too_few_readings_are_not_within_the_limit_on_growth():
    """They are said not to be measured."""
    actual = judge_soak(CASE, readings(count=5), MemoryBudget())

    assert ["leak_growth"] == [use.limit_name for use in actual.not_measured]
    assert () == actual.violations
    assert "within all limits" not in repr(actual)
    assert "growth of memory was not measured" in repr(actual)
    assert not actual.passed
    assert not actual.failed


def test_child_processes_are_held_to_the_limit_on_growth():
    """Though the process itself doesn't grow."""
    actual = judge_soak(CASE, readings(children=0.3), MemoryBudget())

    (use,) = actual.violations
    assert use.value is not None
    assert 0.2 < use.value < 0.3
    assert "over its limit: memory of child processes grew by at least" in repr(actual)
    assert judge_soak(CASE, readings(children=0.0), MemoryBudget()).passed


@pytest.mark.parametrize(
    ("limit", "status"),
    [(0.1, LeakStatus.CLEAN), (0.0, LeakStatus.INCONCLUSIVE), (math.inf, LeakStatus.CLEAN)],
)
def test_memory_is_clean_by_the_limit_of_the_budget(limit: float, status: LeakStatus):
    """Noise of 5 % may hide growth of 1 %, and none of 10 %."""
    noise = np.abs(np.random.default_rng(1).normal(0, 0.05, 100))
    noisy = tuple(enumerate(1e9 * (1 + noise)))
    actual = judge_soak(CASE, replace(readings(), rss=noisy), MemoryBudget(leak_growth=limit))

    assert status is actual.leaks["resident memory"].status
