"""Looks at growing numbers of pairs decide early, rarely wrongly, and never on bad values."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.pair_noise import KINDS, Noise, normal, sides
from veperf.core.errors import UsageError
from veperf.core.verdict import ChangeStatus
from veperf.stats.hodges_lehmann import pseudomedian
from veperf.stats.look_schedule import LOOKS, looks_up_to, schedule_looks
from veperf.stats.paired import PairRule, compare_pairs
from veperf.stats.sequential import (
    SequentialTest,
    SequentialVerdict,
    compare_sequentially,
)

SUITE = 45
Pair = tuple[float, float]


def stream(kind: Noise, effect: float, chance: np.random.Generator, n: int = 48) -> list[Pair]:
    a, b = sides(kind(chance, n) + math.log1p(effect), chance)
    return list(zip(a.tolist(), b.tolist(), strict=True))


def tried(kind: Noise, effect: float, trials: int, comparisons: int) -> list[SequentialVerdict]:
    chance = np.random.default_rng(5)
    return [
        compare_sequentially(stream(kind, effect, chance), comparisons=comparisons)
        for _ in range(trials)
    ]


def share(found: list[SequentialVerdict], status: ChangeStatus) -> float:
    return sum(f.status is status for f in found) / len(found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_suite_that_did_not_change_passes_quickly(kind: Noise) -> None:
    """Same code on both sides: no false alarm, ok for 97 % and more, 15 pairs or less each."""
    actual = tried(kind, 0.0, 150, SUITE)

    assert 0 == share(actual, ChangeStatus.SLOWER)
    assert share(actual, ChangeStatus.OK) >= 0.97
    assert np.mean([f.pairs for f in actual]) <= 15


@pytest.mark.parametrize("kind", KINDS)
def test_slowdowns_of_five_percent_are_found(kind: Noise) -> None:
    """19 in 20, even among 45 benchmarks."""
    assert share(tried(kind, 0.05, 150, SUITE), ChangeStatus.SLOWER) >= 0.95


@pytest.mark.parametrize("kind", KINDS)
def test_errors_of_all_looks_together_keep_to_alpha(kind: Noise) -> None:
    """At most 5 % (3 SE) slower at the smallest effect that counts, or ok at the margin."""
    most = 0.05 + 3 * math.sqrt(0.05 * 0.95 / 300)

    assert share(tried(kind, 0.01, 300, 1), ChangeStatus.SLOWER) <= most
    assert share(tried(kind, 0.03, 300, 1), ChangeStatus.OK) <= most


def test_speed_ups_are_called_faster() -> None:
    """An early ok waits where the code seems faster, until that is certain."""
    assert share(tried(normal, -0.06, 100, SUITE), ChangeStatus.FASTER) >= 0.9


def test_no_more_pairs_are_taken_than_decide() -> None:
    """An endless stream is read up to the look that decides, and not further."""
    taken = 0

    def endless() -> Iterator[Pair]:
        nonlocal taken
        while True:
            taken += 1
            yield 1.0, 1.0

    actual = compare_sequentially(endless())

    assert ("ok", 6, 6) == (actual.status, actual.pairs, taken)


def test_a_hopeless_stream_ends_inconclusive() -> None:
    """Noise of 50 % says nothing by 48 pairs, nor by 96; the verdict says so, with its path."""
    chance = np.random.default_rng(1)
    a, b = sides(chance.normal(0.05, 0.5, 200), chance)
    pairs = list(zip(a, b, strict=True))

    short, long = compare_sequentially(pairs), compare_sequentially(pairs, max_pairs=96)

    assert ("inconclusive", 48) == (short.status, short.pairs)
    assert ("inconclusive", 96) == (long.status, long.pairs)
    assert LOOKS == tuple(look.pairs for look in short.path)
    assert "noise" in short.reason


def test_each_look_is_the_test_of_its_pairs() -> None:
    """Its p-values are those of as many pairs; its interval is the one of its own level."""
    pairs = stream(normal, 0.05, np.random.default_rng(8))

    actual = compare_sequentially(pairs, comparisons=SUITE)

    assert len(actual.path) > 2
    for look in actual.path:
        a, b = np.array(pairs[: look.pairs]).T
        expected = compare_pairs(a, b)
        assert (expected.p_slower, expected.p_equivalent) == (look.p_slower, look.p_equivalent)
        size = pseudomedian(np.log(b / a), confidence=1 - 2 * look.alpha_ok)
        assert (look.low, look.high) == pytest.approx((math.exp(size.low), math.exp(size.high)))
    assert actual.ratio == actual.path[-1].ratio


@settings(max_examples=40)
@given(st.floats(-0.05, 0.08), st.integers(0, 1000))
def test_the_interval_ends_below_the_margin_where_ok_is_allowed(effect: float, seed: int) -> None:
    """At every look, the test for ok and the upper end say the same."""
    pairs = stream(normal, effect, np.random.default_rng(seed))

    actual = compare_sequentially(pairs)

    for look in actual.path:
        assert (look.p_equivalent <= look.alpha_ok) == (look.high < 1.03)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("effect", [0.02, 0.05])
def test_the_interval_holds_whichever_look_decides(kind: Noise, effect: float) -> None:
    """At most 10 % (3 SE) miss the true change: of all, and of those that are called slower."""
    actual = tried(kind, effect, 300, 1)
    slower = [a for a in actual if a.status is ChangeStatus.SLOWER]

    for group in (actual, slower):
        missed = sum(not a.low <= 1 + effect <= a.high for a in group) / len(group)
        assert missed <= 0.1 + 3 * math.sqrt(0.1 * 0.9 / len(group))


def test_there_is_no_interval_where_the_level_is_out_of_reach() -> None:
    """Six pairs can't reach 1 %: an estimate, no interval, no decision."""
    test = SequentialTest(PairRule(alpha=0.01))
    for _ in range(6):
        test.add(1.0, 1.001)

    (look,) = test.path
    assert 0.0 == look.alpha_ok
    assert math.isnan(look.low)
    assert math.isnan(look.high)
    assert pytest.approx(1.001) == look.ratio
    assert test.verdict is None


def test_a_failure_is_one_by_the_interval_of_all_looks() -> None:
    """Slower by 8 %: some intervals lie beyond 5 %, and some reach back."""
    severities = set()
    for seed in range(40):
        verdict = compare_sequentially(stream(normal, 0.08, np.random.default_rng(seed)))
        severities.add(verdict.severity)
        expected = "fail" if verdict.low > 1.05 else "warn"
        assert (ChangeStatus.SLOWER, expected) == (verdict.status, verdict.severity)
    assert {"fail", "warn"} == severities


@settings(max_examples=25)
@given(st.floats(0.94, 1.08), st.integers(0, 1000), st.randoms())
def test_the_order_between_two_looks_does_not_matter(
    effect: float, seed: int, shuffler: object
) -> None:
    """Pairs shuffled between looks give the same verdict."""
    pairs = stream(normal, effect - 1, np.random.default_rng(seed))
    shuffled: list[Pair] = []
    for start, end in zip((0, *LOOKS), LOOKS, strict=False):
        part = pairs[start:end]
        shuffler.shuffle(part)  # type: ignore[attr-defined]  # hypothesis gives a Random
        shuffled += part

    item, other = (
        compare_sequentially(pairs, comparisons=9),
        compare_sequentially(shuffled, comparisons=9),
    )

    assert (item.status, item.pairs) == (other.status, other.pairs)
    assert math.isclose(item.ratio, other.ratio)


def test_the_state_can_be_driven_from_outside() -> None:
    """It says where it stands, decides by itself, and takes no pair after that."""
    state = SequentialTest(PairRule(comparisons=SUITE))

    for added in range(14):
        assert (None, added) == (state.verdict, state.pairs)
        assert added < (state.next_look or 0) <= 14
        state.add(1.0, 1.2)

    assert state.verdict is not None
    assert ("slower", "fail", 14) == (
        state.verdict.status,
        state.verdict.severity,
        state.verdict.pairs,
    )
    assert state.next_look is None
    assert state.finish() is state.verdict
    with pytest.raises(UsageError, match="decided"):
        state.add(1.0, 1.0)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [(0, "not enough samples"), (5, "not enough samples"), (12, "slower"), (17, "slower")],
)
def test_when_time_is_up_what_is_there_decides(pairs: int, expected: str) -> None:
    """The last look may use all that was kept for later ones; below 6 pairs nothing is said."""
    actual = compare_sequentially([(1.0, 1.1)] * pairs, comparisons=SUITE)

    assert (expected, min(pairs, 14)) == (actual.status, actual.pairs)


def test_a_last_look_at_known_pairs_takes_the_place_of_the_one_before() -> None:
    """Ended right after the look at 11 pairs: that one again, with all there is left."""
    state = SequentialTest(PairRule(comparisons=30))
    for _ in range(11):
        state.add(1.0, 1.1)
    before = state.path[-1]

    actual = state.finish()

    assert [6, 8, 11] == [look.pairs for look in actual.path]
    assert before.alpha_change < 2**-11 <= actual.path[-1].alpha_change
    assert actual.status is ChangeStatus.SLOWER


@pytest.mark.parametrize(
    ("bad", "expected"),
    [(math.nan, "error"), (math.inf, "error"), (0.0, "inconclusive"), (-1.0, "inconclusive")],
)
def test_a_value_without_ratio_ends_it_at_once(bad: float, expected: str) -> None:
    """No more is measured, and it does not pass."""
    actual = compare_sequentially([(1.0, 1.0)] * 4 + [(1.0, bad)] + [(1.0, 1.0)] * 90)

    assert (expected, 4) == (actual.status, actual.pairs)


@pytest.mark.parametrize("bad", [3.0, (1.0,), (1.0, 2.0, 3.0), ("a", 1.0), None])
def test_what_is_no_pair_is_refused(bad: object) -> None:
    """An element must be two numbers."""
    with pytest.raises(UsageError):
        compare_sequentially([bad])  # type: ignore[list-item]  # wrong on purpose


@pytest.mark.parametrize(
    ("looks", "spending"),
    [
        ((), None),
        ((0, 6), None),
        ((6, 6), None),
        ((6.5, 8), None),
        ((6, 1_000), None),
        ((6, 14), (1.0,)),
        ((6, 14), (0.6, 0.6)),
        ((6, 14), (-0.1, 0.6)),
        ((6, 14), (math.nan, 0.6)),
        ((6, 14), (0.0, 0.0)),
    ],
)
def test_plans_that_are_none_are_refused(
    looks: tuple[int, ...], spending: tuple[float, ...] | None
) -> None:
    """Looks ascend, and no more than all of alpha is spent."""
    with pytest.raises(UsageError):
        schedule_looks(looks, spending)


def test_looks_and_spending_can_be_chosen() -> None:
    """The shares that each look may use up, as given."""
    actual = compare_sequentially(
        [(1.0, 1.1)] * 48, looks=(6, 14, 24, 48), spending=(0.1, 0.2, 0.3, 0.4)
    )

    assert ("slower", [6]) == (actual.status, [look.pairs for look in actual.path][:1])


@pytest.mark.parametrize(
    ("most", "expected"),
    [(6, (6,)), (30, (6, 8, 11, 14, 19, 24, 30)), (48, LOOKS), (96, (*LOOKS, 68, 96))],
)
def test_looks_end_at_the_cap(most: int, expected: tuple[int, ...]) -> None:
    """Cut short, or gone on with."""
    assert expected == looks_up_to(most)


def test_a_cap_below_the_first_look_is_refused() -> None:
    """Five pairs decide nothing."""
    with pytest.raises(UsageError):
        compare_sequentially([], max_pairs=5)
