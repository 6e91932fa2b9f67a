"""Between-version noise is estimated as it was put in, and verdicts allow for it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from tests.support.pair_noise import KINDS, Noise
from veperf.core.errors import UsageError
from veperf.core.verdict import ChangeStatus
from veperf.stats.paired import PairRule, evaluate_pairs
from veperf.stats.sequential import SequentialTest
from veperf.stats.version_noise import estimate_version_noise, version_allowance

Floats = NDArray[np.float64]


def kind_of_work(
    dice: np.random.Generator, noise: float, comparisons: int = 6, draw: Noise | None = None
) -> list[Floats]:
    """Comparisons of 8 to 24 pairs, with a spread of 1 % unless ``draw`` has its own."""
    sizes = [8, 11, 14, 19, 24, 11][:comparisons]
    spread = draw or (lambda generator, n: generator.normal(0, 0.01, n))
    return [spread(dice, int(n)) + dice.normal(0, noise) for n in sizes]


def test_a_balanced_kind_has_the_textbook_s_estimate_and_test() -> None:
    """Of comparisons of equal size, Q can be solved by hand; zero is tested by scipy's F."""
    dice = np.random.default_rng(5)
    for noise in (0.0, 0.002, 0.004, 0.006, 0.008):
        groups = [dice.normal(dice.normal(0, noise), 0.01, 12) for _ in range(8)]
        means = np.array([group.mean() for group in groups])
        within, freedom = np.mean([group.var(ddof=1) for group in groups]), 8 * 11
        between = (means**2).sum() / (8 * freedom / (freedom - 2)) - within / 12
        p = stats.f.sf((means**2).mean() / (within / 12), 8, freedom)

        actual = estimate_version_noise([groups])
        assert actual is not None
        assert actual.value == pytest.approx(math.sqrt(max(0.0, between)), abs=1e-9)
        assert abs(p - 0.025) > 0.002, "the quantiles are simulated"
        assert (p < 0.025) == (actual.low > 0)


@pytest.mark.parametrize("draw", KINDS, ids=lambda draw: draw.__name__)
def test_equal_versions_are_not_called_noisy(draw: Noise) -> None:
    """In noise of every shape the lower end is above 0 in 2.5 % of batteries, or fewer."""
    dice = np.random.default_rng(1)
    batteries = [[kind_of_work(dice, 0.0, draw=draw) for _ in range(10)] for _ in range(100)]
    estimates = [estimate_version_noise(battery) for battery in batteries]

    assert 6 >= sum(estimate is not None and estimate.low > 0 for estimate in estimates)


@pytest.mark.parametrize("noise", [0.004, 0.01, 0.03])
def test_the_interval_holds_the_true_noise(noise: float) -> None:
    """In some 95 % of batteries; and the estimate is right on average."""
    dice = np.random.default_rng(2)
    estimates = [
        estimate_version_noise([kind_of_work(dice, noise) for _ in range(10)]) for _ in range(100)
    ]
    values = [e.value for e in estimates if e is not None]
    held = sum(e is not None and e.low <= noise <= e.high for e in estimates)

    assert 88 <= held
    assert np.sqrt(np.mean(np.square(values))) == pytest.approx(noise, rel=0.1)


def test_outliers_hide_no_noise() -> None:
    """One disturbed pair in ten leaves noise between versions as visible as it was."""
    dice = np.random.default_rng(3)
    with_outliers = next(draw for draw in KINDS if draw.__name__ == "with_outliers")
    estimates = [
        estimate_version_noise([kind_of_work(dice, 0.012, draw=with_outliers) for _ in range(10)])
        for _ in range(20)
    ]

    assert 18 <= sum(estimate is not None and estimate.low > 0 for estimate in estimates)


@given(
    seed=st.integers(0, 1000), factor=st.floats(0.1, 10), signs=st.lists(st.booleans(), min_size=6)
)
def test_units_order_and_direction_do_not_matter(
    seed: int, factor: float, signs: list[bool]
) -> None:
    """The estimate grows with the ratios, and is the same for swapped sides in another order."""
    groups = kind_of_work(np.random.default_rng(seed), 0.01)
    turned = [factor * (g if sign else -g) for g, sign in zip(groups, signs, strict=False)][::-1]
    expected, actual = estimate_version_noise([groups]), estimate_version_noise([turned])

    assert expected is not None
    assert actual is not None
    for name in ("value", "low", "high"):
        assert factor * getattr(expected, name) == pytest.approx(
            getattr(actual, name), rel=1e-6, abs=1e-9
        )


def test_too_little_is_no_estimate() -> None:
    """Nothing, or comparisons of a single pair, say nothing about noise between versions."""
    assert estimate_version_noise([]) is None
    assert estimate_version_noise([[], [np.array([0.01]), np.array([])]]) is None
    with pytest.raises(UsageError, match="between 0 and 1"):
        estimate_version_noise([], confidence=95)


def test_pairs_without_any_spread_are_read() -> None:
    """Figures that repeat exactly: all that differs is between versions."""
    actual = estimate_version_noise([[np.full(6, 0.01), np.full(6, -0.01)] * 10])

    assert actual is not None
    assert 0.005 < actual.low < actual.value < actual.high < 0.02
    none = estimate_version_noise([[np.zeros(6)] * 4])
    assert none is not None
    assert (0, 0) == (none.value, none.low)


def test_bounds_move_by_a_normal_quantile() -> None:
    """The tests are those of a larger effect and of a smaller margin; the interval is wider."""
    ratios = np.random.default_rng(4).normal(0.01, 0.01, 14)
    change = 0.005 * stats.norm.isf(0.05 / 3)
    ok = 0.005 * stats.norm.isf(0.05)
    moved = evaluate_pairs(
        ratios, PairRule(min_effect=0.01, margin=0.03, comparisons=3, version_noise=0.005)
    )
    expected = evaluate_pairs(
        ratios,
        PairRule(min_effect=math.expm1(math.log1p(0.01) + change), margin=0.5, comparisons=3),
    )
    margin = evaluate_pairs(
        ratios, PairRule(min_effect=0, margin=math.expm1(math.log1p(0.03) - ok), comparisons=3)
    )

    assert (expected.p_slower, expected.p_faster) == (moved.p_slower, moved.p_faster)
    assert margin.p_equivalent == moved.p_equivalent
    ends = 0.005 * stats.norm.isf(0.025)
    assert math.log(expected.low) - ends == pytest.approx(math.log(moved.low))
    assert math.log(expected.high) + ends == pytest.approx(math.log(moved.high))
    assert 0 == version_allowance(0.0, 0.05)


def count_of(status: ChangeStatus, rule: PairRule, effect: float, noise: float) -> int:
    """Number of 100 sequential comparisons that end so."""
    dice = np.random.default_rng(6)
    count = 0
    for _ in range(100):
        test = SequentialTest(rule)
        version = math.log1p(effect) + dice.normal(0, noise)
        for ratio in np.exp(dice.normal(version, 0.01, 48)):
            if test.add(1.0, float(ratio)) is not None:
                break
        count += test.finish().status is status
    return count


def test_noise_between_versions_makes_no_false_alarms_once_allowed_for() -> None:
    """At a change that does not count, and at the margin, no more errors than alpha permits."""
    noise = 0.015
    plain, allowing = PairRule(), PairRule(version_noise=noise)

    def is_within_alpha(status: ChangeStatus, effect: float) -> bool:
        count = count_of(status, allowing, effect, noise)
        return bool(stats.binom.sf(count - 1, 100, 0.05) > 0.01)

    assert 20 < count_of(ChangeStatus.SLOWER, plain, 0.01, noise)
    assert is_within_alpha(ChangeStatus.SLOWER, 0.01)
    assert 10 < count_of(ChangeStatus.OK, plain, 0.03, noise)
    assert is_within_alpha(ChangeStatus.OK, 0.03)
    assert 90 < count_of(ChangeStatus.SLOWER, allowing, 0.1, noise)


@pytest.mark.parametrize("noise", [-0.01, math.inf, math.nan])
def test_a_rule_refuses_impossible_noise(noise: float) -> None:
    """A standard deviation is finite and not negative."""
    with pytest.raises(UsageError, match="version_noise"):
        PairRule(version_noise=noise)
