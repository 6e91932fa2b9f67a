"""What a comparison on several places comes to: the worst of them decides, none is averaged."""

from itertools import permutations

import pytest
from msgspec.structs import replace

from tests.support.ab_runs import change
from tests.support.fleets import at, fleet, lacking
from veperf.core.ab_records import ABPlace
from veperf.core.gate import Outcome
from veperf.core.verdict import ChangeStatus, Severity

OK, FASTER, SLOWER = ChangeStatus.OK, ChangeStatus.FASTER, ChangeStatus.SLOWER
UNSURE, FEW = ChangeStatus.INCONCLUSIVE, ChangeStatus.NOT_ENOUGH
ERROR, ALONE = ChangeStatus.ERROR, ChangeStatus.ONE_SIDED

GOOD = at("small", change("a/x", OK), change("a/y", FASTER, ratio=0.9))
WARNS = at("arm", change("a/x", SLOWER, ratio=1.03, severity=Severity.WARN))
BAD = at("large", change("a/x", SLOWER, ratio=1.08, severity=Severity.FAIL))
OPEN = at("busy", change("a/x", UNSURE), change("a/y", FEW))
BROKEN = at("odd", change("a/x", ERROR), change("a/y", OK))
NOTHING = at("bare", change("a/x", ALONE))
GONE = lacking("gpu")


@pytest.mark.parametrize(
    ("places", "outcome", "code", "strict"),
    [
        ((GOOD,), Outcome.PASS, 0, 0),
        ((GOOD, WARNS), Outcome.WARN, 0, 0),
        ((GOOD, WARNS, OPEN), Outcome.INCONCLUSIVE, 0, 4),
        ((GOOD, NOTHING), Outcome.ERROR, 3, 3),
        ((GOOD, OPEN, BAD), Outcome.FAIL, 1, 1),
        ((GOOD, BAD, BROKEN), Outcome.ERROR, 3, 3),
        ((GOOD, GONE), Outcome.ERROR, 3, 3),
        ((BAD, GONE), Outcome.ERROR, 3, 3),
        ((), Outcome.ERROR, 3, 3),
    ],
)
def test_the_worst_place_decides(
    places: tuple[ABPlace, ...], outcome: Outcome, code: int, strict: int
) -> None:
    """In whatever order they come; a place without a result is never a pass."""
    for order in permutations(places):
        actual = fleet(*order)
        assert outcome is actual.decision.outcome
        assert (code, strict) == (actual.exit_code(), actual.exit_code(strict=True))
        assert actual.failed == sum(place.comparison is None for place in order)


def test_the_sentence_says_where() -> None:
    """What is wrong first, each place by itself, sizes with their intervals."""
    assert fleet(GOOD, BAD, OPEN, GONE, NOTHING, BROKEN).decision.headline == (
        "slower on large: a/x +8.0 % (+7.0 to +9.0); could not be measured on odd: a/x; "
        "not measured on gpu: no worker came within 10:00 min; inconclusive on busy: 2 benchmarks; "
        "nothing to compare on bare; faster on small: a/y -10.0 % (-11.0 to -9.0); "
        "within 3\u202f% on small"
    )
    alike = fleet(*(at(name, change("a/x", OK)) for name in "abc"))
    assert "within 3\u202f% on a, b and c" == alike.decision.headline


def test_a_place_whose_time_ran_out_is_no_pass() -> None:
    """Whatever the others are; it is said how many benchmarks it never measured."""
    never = replace(change("a/y", ChangeStatus.NOT_MEASURED), pairs=(), ratio=None)
    late = at("late", change("a/x", OK), never)
    assert late.comparison is not None
    late = replace(late, comparison=replace(late.comparison, stopped="time"))

    actual = fleet(GOOD, late)

    assert (Outcome.INCONCLUSIVE, 4) == (actual.decision.outcome, actual.exit_code())
    assert "out of time on late: 1 benchmark not measured" in actual.decision.headline
    assert "inconclusive on late" not in actual.decision.headline


def test_a_slowdown_on_one_place_is_never_balanced_by_another() -> None:
    """However much faster that is, and however many there are."""
    fast = [at(f"fast{n}", change("a/x", FASTER, ratio=0.2)) for n in range(9)]
    actual = fleet(*fast, BAD)

    assert Outcome.FAIL is actual.decision.outcome
    assert actual.decision.headline.startswith("slower on large: a/x +8.0 %")
    (note,) = actual.notes
    assert note.startswith("slower on large, but faster on fast0, fast1")
    assert note.endswith(": a/x")


def test_only_the_largest_are_named() -> None:
    """And how many more there are."""
    slow = [change(f"a/{n}", SLOWER, ratio=1 + n / 10) for n in range(1, 6)]

    assert "slower on arm: a/5 +50.0 % (+49.0 to +51.0), a/4 +40.0 % (+39.0 to +41.0), " in (
        output := fleet(at("arm", *slow)).decision.headline
    )
    assert output.endswith(", 2 more")


def test_what_is_not_on_every_place_is_said() -> None:
    """A benchmark that one place lacks; a place that was not measured lacks none."""
    actual = fleet(GOOD, BAD, at("arm", change("a/x", OK)), GONE)

    assert ["missing on large and arm, only on small: a/y"] == actual.notes
    assert [] == fleet(BAD, GONE).notes


def test_values_that_were_never_estimated_are_left_out() -> None:
    """A slowdown without ratio or interval is named all the same."""
    bare = replace(change("a/x", SLOWER), ratio=None, low=None, high=None)
    open_ended = replace(change("a/y", SLOWER, ratio=30.0), low=None)

    assert (
        "slower on arm: a/y +2,900 %, a/x" == fleet(at("arm", bare, open_ended)).decision.headline
    )


def test_a_frame_has_a_row_a_benchmark_and_place() -> None:
    """By which it is indexed; nothing where nothing was measured."""
    frame = fleet(GOOD, BAD, GONE).frame()

    assert [("a/x", "small"), ("a/y", "small"), ("a/x", "large")] == list(frame.index)
    assert [1.0, 0.9, 1.08] == list(frame["ratio"])
    assert 0 == len(fleet(GONE).frame())
