"""Counts: how they are judged, what they say beside a time, and how they are shown."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.ab_runs import ab_run, change
from veperf.abtest.ab_result import ABResult
from veperf.abtest.count_verdict import (
    CountedCase,
    decide_by_count,
    describe_counts,
    format_count_change,
    judge_count,
    reconcile_counts,
)
from veperf.core.ab_records import ABChange, ABConfig, ABCount
from veperf.core.case import Metric
from veperf.core.gate import Outcome
from veperf.core.run import Failure
from veperf.core.verdict import ChangeStatus, Severity

CONFIG = ABConfig((), (), 8, 1, 1, 60.0, 48, 0.05)
COUNT = 1_000_000.0


def counted(ratio: float, noise: float = 0.0) -> CountedCase:
    """Two counts of each side."""
    repeats = (1 - noise / 2, 1 + noise / 2)
    base = tuple(COUNT * repeat for repeat in repeats)
    return CountedCase({"a": base, "b": tuple(ratio * count for count in base)})


@pytest.mark.parametrize(
    ("ratio", "noise", "expected"),
    [
        (1.0, 0.0, ChangeStatus.OK),
        (1.0507, 0.0, ChangeStatus.SLOWER),
        (1.02, 0.0, ChangeStatus.SLOWER),
        (1.009, 0.0, ChangeStatus.OK),
        (1.0105, 0.0, ChangeStatus.OK),
        (0.98, 0.0, ChangeStatus.FASTER),
        (0.992, 0.0, ChangeStatus.OK),
        (1.05, 0.02, ChangeStatus.SLOWER),
        (1.02, 0.02, ChangeStatus.INCONCLUSIVE),
        (1.005, 0.02, ChangeStatus.OK),
        (0.95, 0.2, ChangeStatus.INCONCLUSIVE),
    ],
)
def test_counts_are_judged_by_the_smallest_effect_and_the_margin(
    ratio: float, noise: float, expected: ChangeStatus
) -> None:
    """Beyond what repeats of the same code differ by: 0.1 % at least, for instructions."""
    assert expected is judge_count("instructions", counted(ratio, noise), CONFIG).status


@given(st.floats(0.5, 2.0), st.floats(0, 0.1), st.floats(0, 0.03))
def test_a_change_below_the_smallest_effect_is_never_called(
    ratio: float, noise: float, effect: float
) -> None:
    """Nor is one that is slower by the margin ever ``ok``."""
    config = replace(CONFIG, min_effect=effect)
    actual = judge_count("instructions", counted(ratio, noise), config)

    if abs(ratio - 1) <= effect:
        assert actual.status not in (ChangeStatus.SLOWER, ChangeStatus.FASTER)
    if ratio - 1 >= config.margin:
        assert actual.status is not ChangeStatus.OK
    assert actual.ratio == pytest.approx(ratio)


def test_bytecodes_are_exact() -> None:
    """One more in a thousand is a change, where every change matters."""
    config = replace(CONFIG, min_effect=0.0)
    more = CountedCase({"a": (1000.0,), "b": (1001.0,)})

    assert ChangeStatus.SLOWER is judge_count("bytecodes", more, config).status
    assert ChangeStatus.OK is judge_count("instructions", more, config).status


def test_work_without_bytecodes_is_equal_on_both_sides() -> None:
    """A call of a function in C has none; a side that gets some can't be compared by a ratio."""
    none = CountedCase({"a": (0.0,), "b": (0.0,)})
    some = CountedCase({"a": (0.0,), "b": (12.0,)})

    assert ChangeStatus.OK is judge_count("bytecodes", none, CONFIG).status
    assert ChangeStatus.INCONCLUSIVE is judge_count("bytecodes", some, CONFIG).status


def test_a_side_without_a_count_has_no_ratio() -> None:
    """The reason says which, and why."""
    actual = CountedCase({"a": (COUNT,)})
    actual.fail("b", Failure("crashed", "killed by SIGILL"))

    count = judge_count("instructions", actual, CONFIG)

    assert (None, ChangeStatus.INCONCLUSIVE) == (count.ratio, count.status)
    assert "instructions not counted: new code: killed by SIGILL" == count.reason
    decided = decide_by_count("mine/a", actual, (), CONFIG)
    assert (ChangeStatus.ERROR, actual.failure) == (decided.status, decided.failure)


@pytest.mark.parametrize(
    ("ratio", "status", "severity", "outcome"),
    [
        (1.0505, ChangeStatus.SLOWER, Severity.WARN, Outcome.WARN),
        (1.06, ChangeStatus.SLOWER, Severity.FAIL, Outcome.FAIL),
        (1.0, ChangeStatus.OK, Severity.NONE, Outcome.PASS),
        (0.9, ChangeStatus.FASTER, Severity.NONE, Outcome.PASS),
    ],
)
def test_instructions_alone_can_decide(
    ratio: float, status: ChangeStatus, severity: Severity, outcome: Outcome
) -> None:
    """A failure is surely over the threshold (5 %), by more than counts repeat."""
    config = replace(CONFIG, decide_by="instructions")
    actual = decide_by_count("mine/a", counted(ratio), (), config)

    assert (status, severity) == (actual.status, actual.severity)
    run = replace(ab_run(actual), config=config, rounds=())
    assert outcome is ABResult(run, Path("x")).decision.outcome
    assert "nothing was timed" in repr(ABResult(run, Path("x")))


def timed(
    status: ChangeStatus, ratio: float, low: float, high: float, instructions: float
) -> ABChange:
    """Return a change by time, beside the ratio of instructions."""
    judged = judge_count("instructions", counted(instructions), CONFIG)
    severity = Severity.FAIL if status is ChangeStatus.SLOWER else Severity.NONE
    by_time = change("mine/a", status, ratio=ratio, severity=severity)
    return replace(by_time, low=low, high=high, counts=(judged,))


@pytest.mark.parametrize(
    "by_time",
    [
        timed(ChangeStatus.FASTER, 0.96, 0.94, 0.98, 1.05),
        timed(ChangeStatus.FASTER, 0.95, 0.93, 0.97, 1.0),
        timed(ChangeStatus.OK, 1.0, 0.98, 1.02, 1.05),
        timed(ChangeStatus.OK, 1.01, 0.99, 1.02, 0.9),
    ],
)
def test_a_pass_that_the_count_denies_is_none(by_time: ABChange) -> None:
    """One says slower, or faster, and the other doesn't: the sentence has both figures."""
    actual = reconcile_counts(by_time)

    assert (ChangeStatus.INCONCLUSIVE, Severity.NONE) == (actual.status, actual.severity)
    assert actual.reason.startswith("time says ")
    assert ", instructions say " in actual.reason
    assert Outcome.INCONCLUSIVE is ABResult(ab_run(actual), Path("x")).decision.outcome


def test_the_sentence_names_both_changes() -> None:
    """As a reader would say it."""
    actual = reconcile_counts(timed(ChangeStatus.FASTER, 0.96, 0.94, 0.98, 1.05))

    words = actual.reason.replace("\u202f", " ")
    assert words.startswith("time says 4.0 % faster, instructions say 5.0 % more; by time alone: ")


@pytest.mark.parametrize(
    "by_time",
    [
        timed(ChangeStatus.OK, 1.0, 0.98, 1.02, 1.0),
        timed(ChangeStatus.OK, 1.0, 0.98, 1.02, 1.02),
        timed(ChangeStatus.FASTER, 0.5, 0.45, 0.55, 0.4),
        timed(ChangeStatus.OK, 0.99, 0.94, 1.02, 0.95),
        replace(timed(ChangeStatus.OK, 1.0, 0.98, 1.02, 1.05), metric=Metric("value", "ns")),
        timed(ChangeStatus.SLOWER, 1.08, 1.05, 1.1, 1.05),
        timed(ChangeStatus.INCONCLUSIVE, 0.96, 0.9, 1.1, 1.05),
        change("mine/a", ChangeStatus.OK),
    ],
)
def test_what_agrees_stays(by_time: ABChange) -> None:
    """The same direction, a small gap, the count in the time's interval, or no time at all."""
    assert by_time == reconcile_counts(by_time)


def test_a_slowdown_stays_one_and_says_that_the_count_denies_it() -> None:
    """It may be in what counts can't see."""
    by_time = timed(ChangeStatus.SLOWER, 1.08, 1.05, 1.1, 1.0)

    actual = reconcile_counts(by_time)

    assert (ChangeStatus.SLOWER, Severity.FAIL) == (actual.status, actual.severity)
    assert "instructions say no different" in actual.reason


def test_bytecodes_decide_nothing() -> None:
    """Work in C may have taken the place of work in Python."""
    by_time = timed(ChangeStatus.OK, 1.0, 0.98, 1.02, 1.0)
    many = judge_count("bytecodes", counted(1.5), CONFIG)

    assert ChangeStatus.OK is reconcile_counts(replace(by_time, counts=(many,))).status


@pytest.mark.parametrize(
    ("base", "new", "expected"),
    [
        (110_015, 115_515, "+5.00 %"),
        (1_000_000, 1_000_001, "±0.00 %"),
        (1_000_000, 998_000, "\u22120.20 %"),
        (7, 7, "equal"),
        (0, 12, "0 to 12"),
    ],
)
def test_changes_of_counts_have_two_decimals(base: float, new: float, expected: str) -> None:
    """As counts are that exact."""
    assert expected == format_count_change(base, new).replace("\u202f", " ")


def test_counts_are_shown_beside_the_change_in_every_form() -> None:
    """As text, HTML and Markdown, and in the frame."""
    count = ABCount("instructions", COUNT, 1.0507 * COUNT, ChangeStatus.SLOWER, "reason")
    equal = ABCount("bytecodes", 12.0, 12.0, ChangeStatus.OK, "reason")
    missing = ABCount("bytecodes", None, None, ChangeStatus.INCONCLUSIVE, "too old")
    slow = change("mine/slow", ChangeStatus.SLOWER, ratio=1.06, severity=Severity.FAIL)
    rows = (
        replace(slow, counts=(count, equal)),
        replace(change("mine/old", ChangeStatus.OK), counts=(missing,)),
        change("mine/none", ChangeStatus.OK),
    )
    actual = ABResult(ab_run(*rows), Path("x"))

    assert ["instructions +5.07\u202f%, bytecodes equal", "bytecodes not counted", ""] == [
        *map(describe_counts, rows)
    ]
    for rendered in (repr(actual), actual._repr_html_(), actual._repr_markdown_()):
        assert "instructions +5.07\u202f%, bytecodes equal" in rendered
        assert "mine/old: too old." in rendered.replace("\\", "")
    frame = actual.frame()
    assert 1.0507 == pytest.approx(frame.loc["mine/slow", "instructions_ratio"])
    assert frame["bytecodes_ratio"].isna()["mine/none"]
    assert "Counts" not in repr(ABResult(ab_run(rows[2]), Path("x")))
