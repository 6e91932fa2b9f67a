"""The estimate and its interval are what the test inverted and simulation say they are."""

import math

import numpy as np
import pytest

from veperf.core.errors import UsageError
from veperf.stats.hodges_lehmann import pseudomedian
from veperf.stats.wilcoxon import wilcoxon


def test_the_textbook_example() -> None:
    """Hollander and Wolfe, table 3.1, as R's wilcox.test gives it: 0.46, 0.010 to 0.786."""
    before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]

    actual = pseudomedian(np.subtract(before, after))

    np.testing.assert_allclose((0.46, 0.010, 0.786), (actual.value, actual.low, actual.high))
    assert math.isclose(1 - 2 * 10 / 2**9, actual.confidence)


@pytest.mark.parametrize(("n", "confidence"), [(6, 0.95), (9, 0.9), (30, 0.99), (230, 0.95)])
def test_the_interval_is_the_test_inverted(n: int, confidence: float) -> None:
    """A shift just inside the ends is not rejected and one just outside is, exact or not."""
    d = np.random.default_rng(n).normal(size=n)
    actual = pseudomedian(d, confidence=confidence)

    for end, inward in ((actual.low, 1), (actual.high, -1)):
        assert wilcoxon(d - end - inward * 1e-9).p_two_sided > 1 - confidence
        assert wilcoxon(d - end + inward * 1e-9).p_two_sided <= 1 - confidence


@pytest.mark.parametrize("n", [5, 6, 14])
def test_intervals_cover_as_often_as_they_say(n: int) -> None:
    """Over 4,000 heavy-tailed samples (fixed seed), within three standard errors."""
    samples = np.random.default_rng(n).standard_t(2, (4_000, n))
    actual = [pseudomedian(d) for d in samples]

    hits = sum(f.low <= 0 <= f.high for f in actual)

    assert abs(hits / 4_000 - actual[0].confidence) < 3 * math.sqrt(0.25 / 4_000)


@pytest.mark.parametrize(("n", "attained"), [(1, 0.0), (2, 0.5), (5, 0.9375)])
def test_few_differences_give_the_widest_interval(n: int, attained: float) -> None:
    """From least to greatest, with its true coverage 1 - 2^(1 - n)."""
    actual = pseudomedian(np.arange(n, dtype=float))

    assert (0.0, n - 1.0, attained) == (actual.low, actual.high, actual.confidence)


@pytest.mark.parametrize(("values", "confidence"), [([], 0.9), ([math.nan], 0.9), ([1.0], 1.0)])
def test_what_has_no_estimate_is_refused(values: list[float], confidence: float) -> None:
    """No differences, NaN, and a confidence that is none."""
    with pytest.raises(UsageError):
        pseudomedian(values, confidence=confidence)
