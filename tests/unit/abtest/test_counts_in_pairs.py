"""Counts and metrics of unknown direction in pairs: exact where they don't vary, else tested."""

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.abtest.pair import PairResult
from veperf.abtest.sequential_comparison import SequentialComparison
from veperf.core.ab_records import ABChange
from veperf.core.case import Case, Level, Metric
from veperf.core.run import CaseResult
from veperf.core.verdict import ChangeStatus, Severity
from veperf.stats.look_schedule import schedule_looks
from veperf.stats.paired import PairRule

BYTES = Metric("B/op", "B/op")
WIDGETS = Metric("widgets", "widgets", "unknown")
OK, SLOWER, CHANGED = ChangeStatus.OK, ChangeStatus.SLOWER, ChangeStatus.CHANGED


def compared(
    metric: Metric, pairs: Iterable[Sequence[float]], comparisons: int = 1
) -> SequentialComparison:
    """The comparison of a metric after these pairs, or as many as decide it."""
    case = Case("a", "a", "a", Level.MICRO, "", metrics=(metric,))
    comparison = SequentialComparison(case, PairRule(comparisons=comparisons), schedule_looks())
    for values in pairs:
        a, b = (CaseResult("a", figures={metric.name: value}) for value in values)
        if comparison.add(PairResult(case, a, b)) is not None:
            break
    return comparison


def decided(metric: Metric, pairs: Iterable[Sequence[float]]) -> ABChange:
    """The decision on these pairs."""
    return compared(metric, pairs).finish()


@given(base=st.integers(0, 10**9), new=st.integers(0, 10**9))
def test_a_count_that_repeats_is_exact(base: int, new: int) -> None:
    """Any difference counts, whatever its size; what is more fails beyond 5 %, or from zero."""
    actual = decided(BYTES, [(base, new)] * 6)

    expected = OK if base == new else SLOWER if new > base else ChangeStatus.FASTER
    assert expected is actual.status
    is_failure = new > base and (not base or new / base > 1.05)
    assert is_failure == (actual.severity is Severity.FAIL)


@pytest.mark.parametrize(("pairs", "status"), [(1, ChangeStatus.NOT_ENOUGH), (2, SLOWER)])
def test_a_repeated_count_needs_no_look(pairs: int, status: ChangeStatus) -> None:
    """Two pairs show that it repeats, where the time budget ends before a look."""
    comparison = compared(BYTES, [(100, 200)] * pairs)

    assert status is comparison.leave_out("out of time").status


def test_a_count_about_zero_that_varies_is_no_change() -> None:
    """A byte now and then is the runtime's own; 1 kB in every other pair is not."""
    noise = [(0, 0), (1, 0), (0, 0), (0, 1), (0, 0), (0, 0)] * 8
    growth = [(0, 1_000), (1, 1_001), (0, 1_024), (0, 1_000), (2, 990), (0, 1_000)] * 8

    assert OK is decided(BYTES, noise).status
    assert SLOWER is decided(BYTES, growth).status


@pytest.mark.parametrize(
    ("ratio", "status"), [(1.0, OK), (1.2, CHANGED), (0.8, CHANGED), (1.0001, OK)]
)
def test_more_and_less_of_an_unknown_direction_are_changes(
    ratio: float, status: ChangeStatus
) -> None:
    """Within the margin it is only where neither is as much as that."""
    pairs = [(100 + n % 3 / 100, (100 + n % 5 / 100) * ratio) for n in range(48)]

    assert status is decided(WIDGETS, pairs).status


def test_less_that_is_not_ruled_out_is_no_pass() -> None:
    """Though more is: a test for less is as important there."""
    pairs = [(100, 100 * ratio) for ratio in (0.99, 0.6, 0.97, 0.99, 0.98, 0.7)]

    actual = compared(WIDGETS, pairs, comparisons=20).finish()

    assert ChangeStatus.INCONCLUSIVE is actual.status
    assert "less is not ruled out" in actual.reason
