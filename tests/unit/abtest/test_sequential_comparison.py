"""A benchmark's pairs are judged as the judge would, by one clock, once."""

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.ab_pairs import CASE, RATE, broken, figured, timed
from veperf.abtest.sequential_comparison import SequentialComparison
from veperf.core.ab_records import ABChange
from veperf.core.verdict import ChangeStatus, Severity
from veperf.stats.look_schedule import schedule_looks
from veperf.stats.paired import PairRule
from veperf.stats.sequential import compare_sequentially

RULE, LOOKS = PairRule(comparisons=3), schedule_looks()


def comparison() -> SequentialComparison:
    return SequentialComparison(CASE, RULE, LOOKS)


def taken(
    comparison: SequentialComparison, pairs: list[tuple[float, float]], busy: float = 1.0
) -> ABChange | None:
    for base, new in pairs:
        if (actual := comparison.add(timed(base, new, busy=busy))) is not None:
            return actual
    return None


@pytest.mark.parametrize(
    ("effect", "status"),
    [(0.0, ChangeStatus.OK), (0.1, ChangeStatus.SLOWER), (-0.1, ChangeStatus.FASTER)],
)
def test_pairs_are_judged_as_the_judge_does(effect: float, status: ChangeStatus) -> None:
    """Status, ratio, interval, reason and number of pairs are those of judge.sequential."""
    chance = np.random.default_rng(3)
    noise = np.exp(chance.normal(0, 0.01, 48))
    pairs = [(100_000.0, 100_000 * (1 + effect) * x) for x in noise.tolist()]

    actual = taken(comparison(), pairs)
    # The clock counts whole ns.
    expected = compare_sequentially([(a, round(b * 10) / 10) for a, b in pairs], comparisons=3)

    assert actual is not None
    assert status is actual.status
    assert (expected.status, expected.pairs) == (actual.status, len(actual.pairs))
    assert (expected.ratio, expected.low, expected.high) == (actual.ratio, actual.low, actual.high)
    assert expected.reason == actual.reason
    assert expected.severity is actual.severity
    assert [k.pairs for k in expected.path] == [k.pairs for k in actual.path]


def test_a_surely_large_slowdown_fails() -> None:
    """Severity comes from the whole interval."""
    actual = taken(comparison(), [(100.0, 120.0 + i % 3) for i in range(48)])

    assert actual is not None
    assert Severity.FAIL is actual.severity


@pytest.mark.parametrize(("busy", "clock", "base"), [(1.0, "cpu", 100.0), (0.5, "wall", 100.0)])
def test_the_clock_is_that_of_the_work(busy: float, clock: str, base: float) -> None:
    """CPU time where the work is CPU-bound on both sides, else wall time."""
    actual = taken(comparison(), [(100.0, 100.0)] * 48, busy)

    assert actual is not None
    assert (clock, base) == (actual.clock, actual.base)


def test_work_that_waits_on_one_side_is_judged_by_wall_time() -> None:
    """New code that sleeps where the old computed is no speed-up."""
    match = comparison()
    for _ in range(48):
        sleepy = timed(100.0, 200.0, busy=0.3)
        if match.add(replace_a(sleepy, timed(100.0, 200.0))) is not None:
            break

    assert match.change is not None
    assert ("wall", ChangeStatus.SLOWER) == (match.change.clock, match.change.status)


def replace_a(measured, other):
    return type(measured)(measured.case, other.a, measured.b)


def test_loops_and_operations_are_divided_by() -> None:
    """Samples of more loops say the same of one operation; each side has its own operations."""
    match = comparison()
    for n in range(8):
        measured = timed(100.0, 100.0, loops=10 * (n + 1))
        doubled = replace(measured.b, operations=2)
        match.add(type(measured)(CASE, measured.a, doubled))

    actual = match.finish()
    assert 100.0 == actual.base
    assert pytest.approx(50.0) == actual.new


def test_more_is_better_where_the_metric_says_so() -> None:
    """A higher rate is faster; its ratio is below 1, as every improvement's."""
    match = SequentialComparison(RATE, PairRule(better="higher"), LOOKS)
    actual = None
    while actual is None:
        actual = match.add(figured(100.0, 120.0))

    assert ChangeStatus.FASTER is actual.status
    assert 100 / 120 == pytest.approx(actual.ratio)


def test_a_failure_costs_only_that_benchmark_and_says_which_side() -> None:
    """`error` at once, with the side, the message and what was measured so far."""
    match = comparison()
    match.add(timed(100.0, 100.0))
    actual = match.add(broken("ValueError: x"))

    assert actual is not None
    assert ChangeStatus.ERROR is actual.status
    assert "new code could not be measured: ValueError: x" == actual.reason
    assert 1 == len(actual.pairs)
    assert actual.failure is not None
    assert "Traceback" == actual.failure.traceback


@pytest.mark.parametrize("pairs", [0, 1, 5])
def test_time_that_is_up_too_early_decides_nothing(pairs: int) -> None:
    """Fewer pairs than any look takes never pass."""
    match = comparison()
    taken(match, [(100.0, 150.0)] * pairs)

    assert ChangeStatus.NOT_ENOUGH is match.finish().status


def test_time_that_is_up_gives_a_last_look() -> None:
    """As many pairs as can decide do, at the moment that time alone has chosen."""
    match = comparison()
    taken(match, [(100.0, 150.0)] * 7)

    assert ChangeStatus.SLOWER is match.finish().status


@pytest.mark.parametrize("pairs", [0, 3, 7])
def test_a_hand_that_stops_decides_nothing(pairs: int) -> None:
    """However clear it looks: who looked may have stopped because of it."""
    match = comparison()
    taken(match, [(100.0, 150.0)] * pairs)
    actual = match.stop()

    assert (ChangeStatus.INCONCLUSIVE if pairs else ChangeStatus.NOT_MEASURED) is actual.status
    assert Severity.NONE is actual.severity
    assert (None if pairs == 0 else pytest.approx(1.5)) == actual.ratio


@pytest.mark.parametrize(("bad", "status"), [(0.0, ChangeStatus.INCONCLUSIVE), (float("nan"),
    ChangeStatus.ERROR)])  # fmt: skip
def test_values_that_have_no_ratio_never_pass(bad: float, status: ChangeStatus) -> None:
    """Zero is inconclusive, what is no number an error, whenever it comes."""
    match = SequentialComparison(RATE, PairRule(better="higher"), LOOKS)
    for _ in range(5):
        match.add(figured(100.0, 100.0))
    actual = match.add(figured(100.0, bad))

    assert actual is not None
    assert status is actual.status


def test_log_ratios_are_there_before_the_first_look_and_after() -> None:
    """By the clock of the pairs so far; a pair without a ratio leaves none."""
    match, bad = comparison(), comparison()
    assert 0 == match.log_ratios.size

    for n in range(1, 8):
        match.add(timed(100.0, 100.0 + n))
        expected = [np.log(1 + k / 100) for k in range(1, n + 1)]
        assert expected == pytest.approx(match.log_ratios.tolist())
    bad.add(timed(100.0, 0.0))
    assert 0 == bad.log_ratios.size


def test_autocorrelated_pairs_take_more_of_them() -> None:
    """The looks keep the autocorrelation that was estimated, and the same pairs prove less."""
    plain = SequentialComparison(CASE, RULE, LOOKS)
    widened = SequentialComparison(CASE, RULE, LOOKS, lambda: 0.5)

    for match in (plain, widened):
        taken(match, [(100.0, 100.0)] * 48)

    assert plain.change is not None
    assert widened.change is not None
    assert {0.0} == {look.autocorrelation for look in plain.change.path}
    assert {0.5} == {look.autocorrelation for look in widened.change.path}
    assert len(plain.change.pairs) < len(widened.change.pairs)


@pytest.mark.parametrize(
    ("pairs", "status"), [(0, ChangeStatus.NOT_MEASURED), (3, ChangeStatus.NOT_ENOUGH)]
)
def test_what_is_left_out_says_why(pairs: int, status: ChangeStatus) -> None:
    """Nothing about it was decided."""
    match = comparison()
    taken(match, [(100.0, 150.0)] * pairs)

    actual = match.leave_out("too dear")

    assert (status, "too dear", None) == (actual.status, actual.reason, actual.ratio)
    assert match.change is actual
