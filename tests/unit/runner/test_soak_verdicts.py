"""Verdicts of a soak on readings that are made up."""

import math

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.memory_stats import STATS
from veperf.core.case import Case, Level
from veperf.core.run import CaseResult, Failure
from veperf.profiling.memory.budget import MemoryBudget
from veperf.profiling.memory.leak_rule import LeakStatus
from veperf.runner.soak import SoakReadings, judge_soak

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


@pytest.mark.parametrize("growth", [0.0, 0.5])
def test_an_invalid_load_is_not_judged(growth: float):
    """Neither clean nor leaking, neither within its limits nor beyond them; and not passed."""
    failure = Failure("invalid", "the machine was too busy")
    made = replace(readings(growth), load=CaseResult(CASE.id, failure=failure))
    actual = judge_soak(CASE, made, MemoryBudget(heap_bytes=0))

    assert not actual.valid
    assert not actual.passed
    assert () == actual.violations
    assert {LeakStatus.INCONCLUSIVE} == {leak.status for leak in actual.leaks.values()}
    for text in (repr(actual), actual._repr_html_()):
        assert "the load is invalid: not judged (the machine was too busy)" in text
        assert "limits" not in text
        assert "leak" not in text


def test_too_few_readings_are_not_within_the_limit_on_growth():
    """They are said not to be measured."""
    actual = judge_soak(CASE, readings(count=5), MemoryBudget())

    assert ["leak_growth"] == [use.limit_name for use in actual.not_measured]
    assert () == actual.violations
    assert "within all limits" not in repr(actual)
    assert "growth of memory was not measured" in repr(actual)


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
    """Noise of 3 % may hide growth of 1 %, and none of 10 %."""
    noise = np.abs(np.random.default_rng(1).normal(0, 0.03, 300))
    noisy = tuple(enumerate(1e9 * (1 + noise)))
    actual = judge_soak(CASE, replace(readings(), rss=noisy), MemoryBudget(leak_growth=limit))

    assert status is actual.leaks["resident memory"].status
