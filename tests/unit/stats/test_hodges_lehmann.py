"""Estimates and their intervals are what enumeration, scipy and simulation say they are."""

import math
from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
import pytest
from scipy import stats

from veperf.core.errors import UsageError
from veperf.stats.hodges_lehmann import estimate_median, hodges_lehmann_ratio, hodges_lehmann_shift
from veperf.stats.mann_whitney import mann_whitney

# Permeability of the chorioamnion (Hollander, Wolfe, table 4.1), the example of R's wilcox.test.
AT_TERM = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
EARLY = [1.15, 0.88, 0.90, 0.74, 1.21]


def test_the_textbook_example() -> None:
    """Hollander and Wolfe: difference 0.305, interval -0.15 to 0.76."""
    actual = hodges_lehmann_shift(EARLY, AT_TERM)

    np.testing.assert_allclose((actual.value, actual.low, actual.high), (0.305, -0.15, 0.76))
    assert actual.confidence >= 0.95


def not_rejected(x: Sequence[float], y: Sequence[float], miss: float) -> tuple[float, float, float]:
    """Ends of the set of shifts that an enumerated two-sided test keeps, and its coverage."""
    sums = [sum(c) for c in combinations(range(len(x) + len(y)), len(x))]
    total = len(sums)

    def p(d: float) -> float:
        merged = sorted([(v + d, True) for v in x] + [(v, False) for v in y])
        seen = sum(i for i, (_, is_x) in enumerate(merged) if is_x)
        return 2 * min(sum(s <= seen for s in sums), sum(s >= seen for s in sums)) / total

    differences = sorted(b - a for a in x for b in y)
    gaps = [(low, high) for low, high in pairwise(differences) if p((low + high) / 2) > miss]
    rejected = {s for s in sums if 2 * sum(t <= s for t in sums) / total <= miss}
    least = max(rejected, default=None)
    coverage = 1.0 if least is None else 1 - 2 * sum(s <= least for s in sums) / total
    return gaps[0][0], gaps[-1][1], coverage


@pytest.mark.parametrize(("n_x", "n_y", "confidence"), [(4, 4, 0.95), (3, 6, 0.9), (6, 5, 0.8)])
def test_the_interval_is_the_test_inverted(n_x: int, n_y: int, confidence: float) -> None:
    """It holds exactly those shifts that full enumeration does not reject."""
    chance = np.random.default_rng(n_x)
    x, y = chance.normal(size=n_x).tolist(), chance.normal(1, size=n_y).tolist()
    actual = hodges_lehmann_shift(x, y, confidence=confidence)

    expected = not_rejected(x, y, 1 - confidence)

    np.testing.assert_allclose((actual.low, actual.high, actual.confidence), expected, rtol=1e-12)


@pytest.mark.parametrize("n", [60, 120])
def test_large_samples_agree_with_the_test_they_invert(n: int) -> None:
    """Also past the exact limit, a shift just inside the ends is kept and one outside is not."""
    chance = np.random.default_rng(n)
    x, y = chance.normal(size=n), chance.normal(0.3, size=n + 3)
    actual = hodges_lehmann_shift(x, y)

    assert math.isclose(0.95, actual.confidence, abs_tol=2e-3)
    for end, inward in ((actual.low, 1), (actual.high, -1)):
        assert mann_whitney(x + end + inward * 1e-6, y).p_two_sided > 0.05
        assert mann_whitney(x + end - inward * 1e-6, y).p_two_sided <= 0.05


@pytest.mark.parametrize(("n", "attained"), [(1, 0.0), (2, 1 - 2 / 6), (3, 0.9)])
def test_few_values_give_the_widest_interval_and_its_true_coverage(n: int, attained: float) -> None:
    """95 % can't be had from three a side: 1 - 2 / C(6, 3) is all there is."""
    x, y = np.arange(n) / 7, np.arange(n) + 10.0
    actual = hodges_lehmann_shift(x, y)

    assert ((y[0] - x[-1]), (y[-1] - x[0])) == (actual.low, actual.high)
    assert math.isclose(attained, actual.confidence, abs_tol=1e-12)


@pytest.mark.parametrize("n", [3, 5, 8])
def test_intervals_cover_as_often_as_they_say(n: int) -> None:
    """Over 4,000 skewed samples (fixed seed), within three standard errors."""
    chance = np.random.default_rng(7)
    trials = 4_000
    hits_shift = hits_median = 0
    for _ in range(trials):
        x, y = chance.lognormal(size=n), chance.lognormal(size=n + 1)
        of_ratio = hodges_lehmann_ratio(x, y)
        of_median = estimate_median(x)
        hits_shift += of_ratio.low <= 1 <= of_ratio.high
        hits_median += of_median.low <= 1 <= of_median.high

    error = 3 * math.sqrt(0.25 / trials)
    assert abs(hits_shift / trials - of_ratio.confidence) < error
    assert abs(hits_median / trials - of_median.confidence) < error


def test_a_ratio_is_the_factor_between_the_samples() -> None:
    """Scaling one side by 1.3 is a ratio of 1.3, and swapping the sides inverts all of it."""
    x = np.random.default_rng(3).lognormal(0, 0.2, 9)
    there, back = hodges_lehmann_ratio(x, x * 1.3), hodges_lehmann_ratio(x * 1.3, x)

    np.testing.assert_allclose(1.3, there.value)
    np.testing.assert_allclose(
        (there.value, there.low, there.high), (1 / back.value, 1 / back.high, 1 / back.low)
    )


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_ratios_need_positive_numbers(bad: float) -> None:
    """Zero has no logarithm: nothing is dropped or nudged to make one."""
    with pytest.raises(UsageError):
        hodges_lehmann_ratio([1.0, bad], [1.0, 2.0])
    with pytest.raises(UsageError):
        hodges_lehmann_ratio([1.0, 2.0], [bad, 1.0])


@pytest.mark.parametrize("n", [6, 7, 10, 17, 24, 48])
def test_the_medians_interval_agrees_with_scipy(n: int) -> None:
    """scipy.stats.quantile_test inverts the same sign test by its own means."""
    x = np.random.default_rng(n).normal(size=n)
    actual = estimate_median(x)

    interval = np.asarray(stats.quantile_test(x, q=0, p=0.5).confidence_interval(0.95))

    assert (*interval, np.median(x)) == (actual.low, actual.high, actual.value)


@pytest.mark.parametrize(("n", "attained"), [(1, 0.0), (2, 0.5), (5, 0.9375), (6, 0.96875)])
def test_the_medians_interval_says_its_coverage(n: int, attained: float) -> None:
    """From least to greatest covers 1 - 2^(1 - n): benchstat's "need >= 6 samples" for 95 %."""
    actual = estimate_median(np.arange(n, dtype=float))

    assert (0.0, n - 1.0, attained) == (actual.low, actual.high, actual.confidence)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_a_confidence_that_is_none_is_refused(confidence: float) -> None:
    """95 is not a probability."""
    with pytest.raises(UsageError):
        estimate_median([1.0, 2.0], confidence=confidence)


def test_ratios_beyond_all_numbers_are_infinite() -> None:
    """And those below are zero: no file can make the screen fail by its numbers."""
    tiny, huge = [1e-300, 2e-300, 3e-300], [1e300, 2e300, 3e300]

    assert (math.inf, 0.0) == (
        hodges_lehmann_ratio(tiny, huge).value,
        hodges_lehmann_ratio(huge, tiny).value,
    )
