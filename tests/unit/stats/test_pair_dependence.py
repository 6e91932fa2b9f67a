"""Pairs that depend on each other are noticed, and widen the tests as theory and simulation say."""

import math
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks.paired_power import Suite, autoregressive, compare_suite, heavy_tails, normal, score
from veperf.stats.look_schedule import LOOKS
from veperf.stats.pair_dependence import (
    common_mode,
    narrow_level,
    pooled_autocorrelation,
    variance_inflation,
    widen_p,
)
from veperf.stats.paired import PairRule, evaluate_pairs
from veperf.stats.sequential import SequentialTest, compare_sequentially

SUITE = 15


def suites(r: float, count: int, pairs: int) -> list[list[NDArray[np.float64]]]:
    chance, noise = np.random.default_rng(2), autoregressive(r, normal)
    return [list(noise(chance, SUITE)[:, :pairs]) for _ in range(count)]


@pytest.mark.parametrize("pairs", [6, 14, 48])
@pytest.mark.parametrize("r", [0.3, 0.6])
def test_the_estimate_lies_above_the_true_value_by_about_its_error(r: float, pairs: int) -> None:
    """That of ranks, which is a little lower, and at most 2 standard errors of 15 series more.

    Where 6 pairs do not show it, it is 0.
    """
    actual = [pooled_autocorrelation(suite) for suite in suites(r, 60, pairs)]
    detected = [estimate for estimate in actual if estimate > 0]

    assert len(detected) >= (40 if pairs == 6 else 58)
    ranks_r = 6 / math.pi * math.asin(r / 2)
    assert ranks_r - 0.02 <= np.mean(detected) <= r + 2 * 1.5 / math.sqrt(SUITE * pairs)


def test_independent_pairs_are_rarely_taken_for_dependent() -> None:
    """In one of six looks, as one standard error allows; and the estimate is small with many."""
    actual = [pooled_autocorrelation(suite) for suite in suites(0.0, 300, 24)]

    assert sum(estimate > 0 for estimate in actual) <= 300 * 0.16 + 3 * math.sqrt(300 * 0.13)
    assert max(actual) < 0.35


def test_the_variance_by_chance_is_that_of_all_orders() -> None:
    """All 720 orders of 6 values: one standard error above their mean is where it begins."""
    values = np.array([0.3, -1.0, 2.0, 0.1, 5.0, -0.2])
    ranks = values.argsort().argsort() - 2.5
    lags = [np.dot(x[1:], x[:-1]) / (ranks @ ranks) for x in permutations(ranks.tolist())]
    limit = np.mean(lags) + np.std(lags) / math.sqrt(8)

    for order in (values[[0, 1, 2, 3, 4, 5]], np.sort(values), values[[4, 2, 0, 3, 5, 1]]):
        x = order.argsort().argsort() - 2.5
        expected = bool(x[1:] @ x[:-1] / (x @ x) > limit)
        assert expected == (pooled_autocorrelation([order] * 8) > 0)


@given(st.integers(1, 100), st.floats(0, 0.9))
def test_the_inflation_is_the_variance_of_a_mean(n: int, r: float) -> None:
    """The sum of all elements of the AR(1) correlation matrix, by n."""
    lags = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))

    assert (r**lags).sum() / n == pytest.approx(variance_inflation(n, r))


@given(st.floats(1e-12, 0.5), st.floats(1, 20))
def test_widened_p_values_are_larger_and_levels_undo_it(p: float, inflation: float) -> None:
    """Independent pairs keep their exact p."""
    assert p == widen_p(p, 1.0)
    assert widen_p(p, inflation) >= p * (1 - 1e-9)
    assert p == pytest.approx(widen_p(narrow_level(p, inflation), inflation), rel=1e-4, abs=1e-14)


@pytest.mark.parametrize(
    "series",
    [[], [np.zeros(48)] * 5, [np.arange(29.0)], [np.arange(3.0)] * 40],
    ids=["none", "all the same", "29 pairs", "three each"],
)
def test_too_little_to_tell_is_no_dependence(series: list[NDArray[np.float64]]) -> None:
    """Fewer than 30 pairs, or none that differ."""
    assert 0 == pooled_autocorrelation(series)


def test_the_interval_is_wider_and_still_agrees_with_the_test_for_ok() -> None:
    """Its upper end is below the margin just where "3 % slower" is rejected at the level."""
    chance, rule, level = np.random.default_rng(4), PairRule(), 0.02
    agreed = set()
    for _ in range(60):
        ratios = chance.normal(0.005, 0.04, 24)
        plain, widened = (evaluate_pairs(ratios, rule, level, r) for r in (0.0, 0.4))
        assert widened.low <= plain.low <= plain.high <= widened.high
        assert plain.ratio == widened.ratio
        assert (widened.p_equivalent <= level) == (widened.high < 1 + rule.margin)
        agreed.add(widened.p_equivalent <= level)
    assert {True, False} == agreed


def test_an_interval_that_no_number_of_pairs_allows_is_none() -> None:
    """At 6 pairs the smallest p is 1/64: widened, it reaches no level of 2 %."""
    actual = evaluate_pairs(np.full(6, 0.2), PairRule(), 0.02, 0.5)

    assert math.isnan(actual.low)
    assert math.isnan(actual.high)
    assert actual.p_slower > 1 / 64


@pytest.mark.parametrize("effect", [0.0, 0.02, 0.05])
def test_the_simulated_rule_is_that_of_the_product(effect: float) -> None:
    """Status and pairs of each benchmark are those of SequentialTest on the same pairs."""
    chance, rule = np.random.default_rng(6), PairRule(comparisons=SUITE)
    for _ in range(4):
        ratios = heavy_tails(chance, SUITE) + math.log1p(effect)
        statuses, pairs = compare_suite(ratios, rule, is_widened=False)

        for i, row in enumerate(np.exp(ratios).tolist()):
            expected = compare_sequentially([(1.0, ratio) for ratio in row], comparisons=SUITE)
            assert (expected.status, expected.pairs) == (statuses[i], pairs[i])


def test_a_look_takes_the_autocorrelation_that_it_is_told() -> None:
    """It is asked at each look, and kept in the look's evidence."""
    estimates = iter([0.0, 0.2, 0.4, 0.6, 0.8, 0.5, 0.3, 0.1])
    test = SequentialTest(PairRule(comparisons=100), autocorrelation=lambda: next(estimates))
    for ratio in np.exp(np.random.default_rng(0).normal(0.02, 0.02, 48)).tolist():
        if test.add(1.0, ratio):
            break

    assert [0.0, 0.2, 0.4][: len(test.path)] == [look.autocorrelation for look in test.path][:3]
    assert len(test.path) > 3
    assert LOOKS[: len(test.path)] == tuple(look.pairs for look in test.path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [normal, heavy_tails])
@pytest.mark.parametrize("r", [0.0, 0.1, 0.3, 0.5])
def test_errors_keep_to_alpha_where_pairs_are_autocorrelated(r: float, kind: Suite) -> None:
    """Suites that are slower by just 1 %: 5 % (2 SE) alarm. At the margin 5 % are called ok."""
    noise = autoregressive(r, kind)
    least, margin = (
        score(noise, effect, suites=200, benchmarks=SUITE, seed=9) for effect in (0.01, 0.03)
    )

    assert least.alarms <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 200)
    assert margin.ok <= 0.05


def test_without_widening_they_do_not() -> None:
    """The check above can fail."""
    noise = autoregressive(0.3, normal)

    actual = score(noise, 0.01, suites=60, benchmarks=SUITE, seed=9, is_widened=False)

    assert actual.alarms > 0.1


def test_the_common_mode_is_the_mean_rank_correlation() -> None:
    """As scipy has it for each two; what chance makes of it is right too."""
    chance = np.random.default_rng(1)
    shared = chance.normal(size=20)
    series = [shared + chance.normal(size=20) for _ in range(5)]
    expected = np.mean([spearmanr(a, b).statistic for a, b in combinations(series, 2)])

    assert expected == pytest.approx(common_mode(series).correlation)
    independent = [common_mode(list(chance.normal(size=(5, 20)))) for _ in range(400)]
    spread = np.std([each.correlation for each in independent])
    assert independent[0].by_chance == pytest.approx(spread, rel=0.15)


def test_series_of_different_lengths_share_the_pairs_that_all_have() -> None:
    """Benchmarks are decided after different numbers of pairs."""
    long, short = np.arange(20.0), np.arange(8.0)

    assert 1.0 == pytest.approx(common_mode([long, short]).correlation)
    assert math.isnan(common_mode([long]).correlation)
    assert math.isnan(common_mode([long, np.arange(3.0)]).correlation)
