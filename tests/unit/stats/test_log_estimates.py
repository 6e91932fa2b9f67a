"""Estimates with their errors, compared on the log scale: Welch's test, from whatever there is."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from veperf.core.run import Summary
from veperf.core.verdict import ChangeStatus
from veperf.stats.log_estimates import (
    LogEstimate,
    compare_estimates,
    estimate_of_summary,
    estimate_of_values,
)
from veperf.stats.two_sample import TwoSampleComparison

numbers = st.lists(st.floats(0.5, 50), min_size=2, max_size=12).filter(lambda v: np.ptp(v) > 1e-3)


def required(estimate: LogEstimate | None) -> LogEstimate:
    assert estimate is not None
    return estimate


def compared(base: LogEstimate, new: LogEstimate, alpha: float = 0.05) -> TwoSampleComparison:
    rule = {"min_effect": 0, "margin": 0.03, "alpha": alpha}
    return compare_estimates([(base, new)], better="lower", **rule)[0]


@given(numbers, numbers)
def test_values_get_welch_s_test_of_their_logarithms(a: list[float], b: list[float]) -> None:
    """As scipy makes it: p in both directions, and the interval of the difference."""
    base, new = np.array(a), np.array(b)
    expected = ttest_ind(np.log(new), np.log(base), equal_var=False, alternative="greater")
    two_sided = ttest_ind(np.log(new), np.log(base), equal_var=False)
    interval = two_sided.confidence_interval(0.95)

    actual = compared(required(estimate_of_values(base)), required(estimate_of_values(new)))

    assert pytest.approx(expected.pvalue, abs=1e-9) == actual.p_slower
    assert pytest.approx(1 - expected.pvalue, abs=1e-9) == actual.p_faster
    ends = math.log(actual.low), math.log(actual.high)
    assert pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-9) == ends


@given(numbers, numbers, st.floats(1e-9, 1e9))
def test_the_unit_does_not_matter(a: list[float], b: list[float], factor: float) -> None:
    """Milliseconds and hours give the same p-values, from values and from their statistics."""

    def p(unit: float) -> list[float]:
        base, new = np.array(a) * unit, np.array(b) * unit
        sides = [
            (estimate_of_values(base), estimate_of_values(new)),
            (described(base), described(new)),
        ]
        return [compared(required(x), required(y)).p_slower for x, y in sides]

    def described(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> LogEstimate | None:
        deviation = float(values.std(ddof=1))
        summary = Summary("mean", values.size, standard_deviation=deviation)
        return estimate_of_summary(float(values.mean()), summary)

    assert pytest.approx(p(1), abs=1e-7) == p(factor)


@given(numbers, numbers)
def test_sides_swap(a: list[float], b: list[float]) -> None:
    """More of what is better when higher is what is less when lower."""
    x, y = (required(estimate_of_values(np.array(v))) for v in (a, b))
    rule = {"min_effect": 0.01, "margin": 0.03, "alpha": 0.05}

    there = compare_estimates([(x, y)], better="higher", **rule)[0]
    back = compare_estimates([(y, x)], better="lower", **rule)[0]
    neutral = compare_estimates([(x, y)], better="unknown", **rule)[0]

    assert pytest.approx((there.p_slower, there.ratio)) == (back.p_slower, back.ratio)
    assert neutral.status not in (ChangeStatus.SLOWER, ChangeStatus.FASTER)
    assert min(neutral.p_slower, neutral.p_faster) >= min(there.p_slower, there.p_faster)


def test_values_match_the_statistic_of_the_other_side() -> None:
    """The mean of values is compared with a mean, and their median with a median."""
    values = np.array([1.0, 1.0, 1.0, 8.0])

    mean = required(estimate_of_values(values, "mean"))
    median = required(estimate_of_values(values, "median"))

    assert pytest.approx((2.75, 1.0)) == (math.exp(mean.value), math.exp(median.value))
    assert ("mean", "median") == (mean.center, median.center)


@pytest.mark.parametrize("n", [8, 40])
def test_the_errors_are_those_of_simulated_samples(n: int) -> None:
    """Of the mean by the deviation; of the median by the quartiles, with some allowance."""
    dice = np.random.default_rng(n)
    samples = np.exp(dice.normal(3, 0.05, (4000, n)))
    q1, medians, q3 = np.quantile(samples, [0.25, 0.5, 0.75], axis=1)
    means, deviations = samples.mean(axis=1), samples.std(axis=1, ddof=1)

    by_quartiles = [
        required(estimate_of_summary(m, Summary("median", n, q1=a, q3=b))).error ** 2
        for m, a, b in zip(medians, q1, q3, strict=True)
    ]
    by_deviation = [
        required(estimate_of_summary(m, Summary("mean", n, standard_deviation=s))).error ** 2
        for m, s in zip(means, deviations, strict=True)
    ]

    assert pytest.approx(float(np.log(means).std()), rel=0.05) == np.mean(by_deviation) ** 0.5
    assert 1 <= np.mean(by_quartiles) ** 0.5 / np.log(medians).std() < 1.7


@pytest.mark.parametrize("kind", ["deviation", "quartiles", "interval"])
def test_equal_samples_keep_to_alpha(kind: str) -> None:
    """Described by any of the statistics, at most 5 % are slower (3 standard errors)."""
    dice = np.random.default_rng(5)
    n, trials = 10, 2000
    pairs = []
    for _ in range(trials):
        sides = []
        for values in np.exp(dice.normal(0, 0.05, (2, n))):
            q1, middle, q3 = np.quantile(values, [0.25, 0.5, 0.75])
            mean, deviation = float(values.mean()), float(values.std(ddof=1))
            reach = 3.2498 * deviation / n**0.5  # 99 %, t with 9 degrees of freedom
            center, summary = {
                "deviation": (mean, Summary("mean", n, standard_deviation=deviation)),
                "quartiles": (float(middle), Summary("median", n, q1=q1, q3=q3)),
                "interval": (
                    mean,
                    Summary("mean", n, low=mean - reach, high=mean + reach, confidence=0.99),
                ),
            }[kind]
            sides.append(required(estimate_of_summary(center, summary)))
        pairs.append((sides[0], sides[1]))

    every = compare_estimates(pairs, better="lower", min_effect=0, margin=0.03, alpha=0.05)
    slower = sum(comparison.status is ChangeStatus.SLOWER for comparison in every)
    assert slower / trials <= 0.05 + 3 * (0.05 * 0.95 / trials) ** 0.5
    assert slower > 0


def test_a_deviation_without_a_number_is_of_two_values() -> None:
    """Ten would be certain, and nobody says that there were ten; far changes show even so."""
    unknown, known = (Summary("mean", n, standard_deviation=1.0) for n in (None, 10))

    def p(summary: Summary, new: float) -> float:
        sides = [required(estimate_of_summary(x, summary)) for x in (100.0, new)]
        return compared(sides[0], sides[1]).p_slower

    assert p(known, 102) < 0.001 < 0.05 < p(unknown, 102)
    assert p(unknown, 1000) < 0.001
    assert required(estimate_of_summary(100.0, unknown)).is_of_few
    assert not required(estimate_of_summary(100.0, known)).is_of_few


@pytest.mark.parametrize(
    ("center", "summary"),
    [
        (1.0, Summary("mean", 10)),
        (1.0, Summary("mean", 1, standard_deviation=0.0)),
        (1.0, Summary("median", None, q1=0.9, q3=1.1)),
        (0.0, Summary("mean", 10, standard_deviation=0.1)),
        (-1.0, Summary("mean", 10, standard_deviation=0.1)),
        (1.0, Summary("mean", 10, low=-0.1, high=1.1, confidence=0.95)),
        (1.0, Summary("mean", 10, low=1.1, high=1.2, confidence=0.95)),
        (1.0, Summary("mean", 10, low=0.9, high=1.1, confidence=1.0)),
        (1.0, Summary("mean", 10, standard_deviation=-1.0)),
        (1e-300, Summary("mean", 10, standard_deviation=1e300)),
        (1e-300, Summary("mean", 10, low=1e-320, high=1e308, confidence=0.9)),
        (1.0, Summary("mean", 10, q1=2.0, q3=1.0)),
    ],
)
def test_statistics_that_say_nothing_are_no_estimate(center: float, summary: Summary) -> None:
    """Without a spread, of one value, or impossible."""
    assert estimate_of_summary(center, summary) is None


@pytest.mark.parametrize("values", [[1.0], [1.0, 0.0], [1.0, -1.0], [1.0, math.inf]])
def test_values_without_a_logarithm_or_spread_are_no_estimate(values: list[float]) -> None:
    """One value has no spread."""
    assert estimate_of_values(np.array(values)) is None


def test_values_without_noise_are_certain() -> None:
    """Any difference counts, and none is none."""
    x, y = (required(estimate_of_values(np.array([v, v, v]))) for v in (1.0, 1.2))

    assert (0.0, 1.0) == (compared(x, y).p_slower, compared(y, x).p_slower)
    assert ChangeStatus.OK is compared(x, x).status
    assert pytest.approx((1.2, 1.2, 1.2)) == (
        compared(x, y).low,
        compared(x, y).ratio,
        compared(x, y).high,
    )
