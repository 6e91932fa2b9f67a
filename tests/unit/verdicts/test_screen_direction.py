"""Metrics of unknown direction have changed or have not; they are never slower or faster."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from veperf.core.case import Direction
from veperf.core.gate import Outcome
from veperf.core.run import Run
from veperf.core.target import TargetSet
from veperf.core.verdict import Change, ChangeStatus
from veperf.formats.readers import read_runs
from veperf.report.tables.status import change_mark
from veperf.stats.two_sample import compare_two_samples
from veperf.verdicts.baseline import baselines_of
from veperf.verdicts.screen import compare_runs
from veperf.verdicts.verdict import run_verdict

NEUTRAL = {
    ChangeStatus.CHANGED,
    ChangeStatus.OK,
    ChangeStatus.INCONCLUSIVE,
    ChangeStatus.NOT_ENOUGH,
}


def table(values: list[float], *, unit: str = "points", better: str = "") -> Run:
    rows = "".join(f"a,score,{unit},{better},{value}\n" for value in values)
    (imported,) = read_runs(f"benchmark,metric,unit,better,value\n{rows}".encode(), "f")
    return imported.run


def around(middle: float, n: int = 10) -> list[float]:
    return [middle * (1 + 0.002 * (i - n / 2) / n) for i in range(n)]


def judged(base: Run, new: Run) -> Change:
    (change,) = compare_runs(base, new)
    return change


@pytest.mark.parametrize(("before", "after"), [(100, 50), (50, 100), (100, 103), (103, 100)])
def test_a_change_either_way_is_changed(before: float, after: float) -> None:
    """Half is neither faster nor slower than all, and the run passes with a warning at most."""
    change = judged(table(around(before)), table(around(after)))
    verdict = run_verdict(
        table(around(after)), TargetSet("1", "", 10, 20, ()), baselines_of(table(around(before)))
    )

    assert ChangeStatus.CHANGED is change.status
    assert "changed" == change_mark(change).word
    assert after / before == pytest.approx(change.ratio, rel=0.005)
    assert "more" in change.reason or "less" in change.reason
    assert "--better" in change.reason
    assert Outcome.WARN is verdict.decision.outcome


def test_what_stays_is_within_the_margin() -> None:
    """That takes more than not being more: 2 % less is within 3 %, 5 % less is not."""
    same = judged(table(around(100)), table(around(100.1)))

    assert (ChangeStatus.OK, "unknown") == (same.status, same.better)
    assert "more or less" in same.reason
    assert "slower" not in change_mark(same).word


@pytest.mark.parametrize(
    ("better", "status"), [("lower", ChangeStatus.FASTER), ("higher", ChangeStatus.SLOWER)]
)
def test_a_side_that_knows_the_direction_tells_the_other(better: str, status: ChangeStatus) -> None:
    """Be it the base, such as a baseline that was recorded with --better, or the new one."""
    base, new = around(100), around(50)

    assert status is judged(table(base, better=better), table(new)).status
    assert status is judged(table(base), table(new, better=better)).status
    assert status is judged(table(base, better=better), table(new, better=better)).status


@pytest.mark.parametrize(
    ("better", "before", "after", "status"),
    [
        ("lower", 0, 5, ChangeStatus.SLOWER),
        ("lower", 5, 0, ChangeStatus.FASTER),
        ("higher", 100, 0, ChangeStatus.SLOWER),
        ("higher", 0, 100, ChangeStatus.FASTER),
    ],
)
def test_no_ratio_to_zero_is_needed(
    better: str, before: float, after: float, status: ChangeStatus
) -> None:
    """A rate that falls to nothing is beyond all limits, as errors where there were none."""
    change = judged(table(around(before), better=better), table(around(after), better=better))

    assert status is change.status


def test_sides_that_contradict_each_other_know_nothing() -> None:
    """Then the direction is unknown."""
    change = judged(table(around(100), better="lower"), table(around(50), better="higher"))

    assert ChangeStatus.CHANGED is change.status


def test_units_of_one_dimension_are_compared() -> None:
    """100 ms are 0.1 s; the change is in the unit of the new side."""
    change = judged(table(around(100), unit="ms"), table(around(0.1), unit="s"))

    assert ("s", ChangeStatus.OK) == (change.unit, change.status)
    assert 1.0 == pytest.approx(change.ratio, rel=1e-3)
    assert 0.1 == pytest.approx(change.base, rel=1e-3)
    assert ChangeStatus.NO_BASELINE is judged(table(around(1), unit="B"), table(around(1))).status


values = st.lists(st.floats(1, 100), min_size=4, max_size=12)


@given(values, values)
def test_the_sides_are_alike(a: list[float], b: list[float]) -> None:
    """Swapped, the status is the same; and it is neither slower nor faster."""
    there = compare_two_samples(a, b, better="unknown")
    back = compare_two_samples(b, a, better="unknown")

    p = (there.p_slower, there.p_faster, there.p_equivalent)
    assume(all(abs(value - 0.05) > 1e-9 for value in p))  # not for rounding to decide
    assert there.status is back.status
    assert there.status in NEUTRAL
    assert pytest.approx(p) == (back.p_faster, back.p_slower, back.p_equivalent)


@given(values, values)
def test_changed_is_no_easier_than_slower_or_faster(a: list[float], b: list[float]) -> None:
    """What has changed is slower or faster if a direction is given, and within needs both."""
    status = compare_two_samples(a, b, better="unknown").status
    directions: tuple[Direction, Direction] = ("lower", "higher")
    known = {compare_two_samples(a, b, better=better).status for better in directions}

    if status is ChangeStatus.CHANGED:
        assert {ChangeStatus.SLOWER, ChangeStatus.FASTER} == known
    if status is ChangeStatus.OK:
        assert {ChangeStatus.OK} == known


def test_equal_samples_seldom_change() -> None:
    """At most alpha of the comparisons of equal code, in either direction together."""
    dice = np.random.default_rng(7)
    samples = dice.lognormal(0, 0.1, size=(2000, 2, 8))

    changed = sum(
        compare_two_samples(a, b, better="unknown", min_effect=0, alpha=0.1).status
        is ChangeStatus.CHANGED
        for a, b in samples
    )

    # Three standard deviations above 10 %.
    assert changed / len(samples) < 0.1 + 3 * (0.1 * 0.9 / len(samples)) ** 0.5
    assert changed > 0
