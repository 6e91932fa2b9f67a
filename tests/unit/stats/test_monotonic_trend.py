"""Mann-Kendall and Theil-Sen, against scipy and by what must not change them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau, norm, theilslopes

from veperf.stats.monotonic_trend import (
    fit_trend,
    inflation,
    onset_p,
)

VALUES = st.lists(st.integers(-1_000, 1_000), min_size=8, max_size=40)


@given(VALUES)
def test_slope_and_intercept_are_theil_and_sen_s(values):
    """As scipy has them, where its intercept is that of the residuals' median."""
    x, y = np.arange(len(values), dtype=float), np.array(values, dtype=float)

    actual = fit_trend(x, y)
    theirs = theilslopes(y, x)
    assert theirs.slope == pytest.approx(actual.slope)
    assert np.median(y - theirs.slope * x) == pytest.approx(actual.intercept)


def test_independent_points_give_scipy_s_interval():
    """White noise is not corrected much: the interval is Sen's, or a little wider."""
    wider = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x, y = np.arange(30.0), rng.normal(size=30)
        actual, theirs = fit_trend(x, y), theilslopes(y, x)
        width = theirs.high_slope - theirs.low_slope
        assert width * 0.95 <= actual.high - actual.low <= width * 2.5
        wider += actual.high - actual.low > width * 1.5
    assert wider < 12


def test_p_is_mann_and_kendall_s_without_correlation():
    """A published form of Z, on points whose neighbours are not alike."""
    y = np.array([3.0, 1.0, 4.0, 1.5, 5.0, 2.0, 6.0, 2.5, 7.0, 3.5, 8.0, 4.5])
    s = sum(np.sign(b - a) for i, a in enumerate(y) for b in y[i + 1 :])
    n = y.size
    z = (abs(s) - 1) / math.sqrt(n * (n - 1) * (2 * n + 5) / 18)

    assert 2 * norm.sf(z) == pytest.approx(fit_trend(np.arange(float(n)), y).p)


@pytest.mark.parametrize(("phi", "most"), [(0.0, 32), (0.5, 64)])
def test_chance_finds_few_trends(phi, most):
    """Of 400 series without one: 5 % where points are independent, and where each carries half of
    the one before, far from the quarter that they would be uncorrected."""
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(400):
        y = np.zeros(32)
        for i, shock in enumerate(rng.normal(size=32)):
            y[i] = (phi * y[i - 1] if i else 0) + shock
        hits += fit_trend(np.arange(32.0), y).p < 0.05
    assert hits <= most


@given(VALUES, st.floats(0.1, 100), st.floats(-1e6, 1e6))
def test_units_change_nothing_but_units(values, scale, offset):
    """The slope scales with the values, and the p stays."""
    x, y = np.arange(len(values), dtype=float), np.array(values, dtype=float)
    item, other = fit_trend(x, y), fit_trend(x, y * scale + offset)

    assert item.slope * scale == pytest.approx(other.slope, rel=1e-6, abs=1e-6)
    assert item.p == pytest.approx(other.p, abs=0.02)


@pytest.mark.parametrize("onset", [4, 8, 12])
def test_p_of_a_late_onset_is_kendall_s_with_ties(onset):
    """Scipy's tau-b, of places that are all the same before it; Z is continuity-corrected here."""
    rng = np.random.default_rng(onset)
    x = np.arange(20.0)
    y = np.round(2 * rng.normal(size=20)) + 0.4 * np.maximum(0, x - onset)
    hinge = np.maximum(x, onset)
    pairs = [(i, j) for j in range(20) for i in range(j)]
    s = sum(np.sign(hinge[j] - hinge[i]) * np.sign(y[j] - y[i]) for i, j in pairs)
    spread = abs(s) / norm.isf(kendalltau(hinge, y, method="asymptotic").pvalue / 2)

    corrected = 2 * norm.sf((abs(s) - 1) / spread)
    actual = onset_p(x, y, onset)
    assert corrected <= actual * (1 + 1e-9)
    residuals = np.concatenate(
        [
            part - fit_trend(at, part).intercept - fit_trend(at, part).slope * at
            for at, part in ((x[:onset], y[:onset]), (x[onset:], y[onset:]))
        ]
    )
    widened = spread * math.sqrt(inflation(residuals))
    assert 2 * norm.sf((abs(s) - 1) / widened) == pytest.approx(actual)


def test_chance_finds_few_late_onsets():
    """Of 1,000 series of white noise, 1 % are below 0.01."""
    rng = np.random.default_rng(6)
    hits = sum(onset_p(np.arange(32.0), rng.normal(size=32), 20) < 0.01 for _ in range(1_000))

    assert hits <= 16


def test_growth_from_a_late_onset_is_found():
    """Where the points before it show the level, few points after it suffice."""
    x = np.arange(32.0)
    y = np.random.default_rng(7).normal(0, 0.1, 32) + np.maximum(0, x - 24)

    assert onset_p(x, y, 24) < 1e-4 < fit_trend(x[24:], y[24:]).p
