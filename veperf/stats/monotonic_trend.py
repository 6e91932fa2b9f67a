"""Monotonic trend: Mann-Kendall test, Theil-Sen slope, and growth from a late onset on."""

import math
from statistics import NormalDist

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_CONFIDENCE = 0.95


class MonotonicTrend(Struct, frozen=True):
    """Theil-Sen line: its slope is the median of the slopes between all pairs of points."""

    slope: float
    low: float
    high: float
    """Ends of the slope's 95 % interval."""
    intercept: float
    """Value of the line at 0, the median of y - slope x."""
    p: float
    """Two-sided Mann-Kendall p of "no trend"."""

    def at(self, x: float) -> float:
        """Return the line's value at ``x``."""
        return self.intercept + self.slope * x


def fit_trend(x: Floats, y: Floats) -> MonotonicTrend:
    """Return the trend of ``y`` over ascending ``x``, each of shape (n,), n at least 2.

    The Mann-Kendall S = sum over i < j of sgn(y_j - y_i) has, without a trend, the variance::

        Var(S) = (n (n - 1) (2 n + 5) - sum over ties t (t - 1) (2 t + 5)) / 18

    and Z = (|S| - 1) / sqrt(Var(S)). Sen (1968) takes the interval of the slope from the same
    variance: with N slopes in order, those numbered (N -+ z sqrt(Var(S))) / 2.

    Both hold for independent points only. Where the residuals are autocorrelated, as on waves,
    Var(S) is multiplied by 1 + 2 sum of the autocorrelations up to the first that is not positive
    (as Hamed and Rao, 1998, but never below 1).
    """
    first, second = np.triu_indices(x.size, k=1)
    slopes = np.sort((y[second] - y[first]) / (x[second] - x[first]))
    slope = float(np.median(slopes))
    intercept = float(np.median(y - slope * x))
    spread = math.sqrt(_variance(x, y) * inflation(y - slope * x - intercept))
    s = float(np.sign(y[second] - y[first]).sum())
    z = (abs(s) - 1) / spread if s and spread else 0.0
    reach = NormalDist().inv_cdf((1 + _CONFIDENCE) / 2) * spread
    low, high = math.floor((slopes.size - reach) / 2), math.ceil((slopes.size + reach) / 2)
    return MonotonicTrend(
        slope=slope,
        low=float(slopes[low]) if low >= 0 else -math.inf,
        high=float(slopes[high]) if high < slopes.size else math.inf,
        intercept=intercept,
        p=math.erfc(z / math.sqrt(2)),
    )


def onset_p(x: Floats, y: Floats, onset: int) -> float:
    """Return the two-sided Kendall p of "no trend" from index ``onset`` on, level before.

    All points before ``onset`` count as of one time, so that many of them show the level well. The
    autocorrelation is that of the residuals of two lines, through the points before and after.
    """
    hinge = np.maximum(x, x[onset])
    first, second = np.triu_indices(x.size, k=1)
    s = float((np.sign(hinge[second] - hinge[first]) * np.sign(y[second] - y[first])).sum())
    residuals = np.concatenate([_detrended(x[:onset], y[:onset]), _detrended(x[onset:], y[onset:])])
    spread = math.sqrt(_variance(hinge, y) * inflation(residuals))
    return math.erfc((abs(s) - 1) / spread / math.sqrt(2)) if s and spread else 1.0


def _detrended(x: Floats, y: Floats) -> Floats:
    if x.size < 3:
        return y - (np.median(y) if y.size else 0.0)
    trend = fit_trend(x, y)
    return y - trend.intercept - trend.slope * x


def _variance(x: Floats, y: Floats) -> float:
    """Return Var(S), with ties in either (Kendall, Rank Correlation Methods, 1970, chapter 4)."""
    n = x.size
    t, u = (np.unique(values, return_counts=True)[1].astype(np.float64) for values in (x, y))
    variance = (n * (n - 1) * (2 * n + 5) - _ties(t) - _ties(u)) / 18
    variance += float(np.sum(t * (t - 1)) * np.sum(u * (u - 1))) / (2 * n * (n - 1))
    if n > 2:
        triples = np.sum(t * (t - 1) * (t - 2)) * np.sum(u * (u - 1) * (u - 2))
        variance += float(triples) / (9 * n * (n - 1) * (n - 2))
    return max(0.0, variance)


def _ties(counts: Floats) -> float:
    return float(np.sum(counts * (counts - 1) * (2 * counts + 5)))


def inflation(residuals: Floats) -> float:
    """Return the factor by which autocorrelation makes the variance larger, 1 at least.

    It is 1 + 2 sum of the autocorrelations of ``residuals`` up to the first that is not positive.
    """
    return float(inflations(residuals[None, :])[0])


def inflations(residuals: Floats) -> Floats:
    """Return the factor of each row of ``residuals``, of shape (k, n)."""
    n = residuals.shape[1]
    centred = residuals - residuals.mean(axis=1, keepdims=True)
    power = (centred**2).sum(axis=1)
    spectrum = np.abs(np.fft.rfft(centred, 2 * n, axis=1)) ** 2
    products = np.fft.irfft(spectrum, axis=1)[:, 1 : max(1, n // 2)]
    # What rounding leaves of a perfect fit has no correlation.
    noise = power > 1e-18 * np.abs(residuals).max(axis=1) ** 2
    correlation = np.where(noise, 1 / np.where(noise, power, 1.0), 0.0)[:, None] * products
    positive = np.logical_and.accumulate(correlation > 1e-12, axis=1)
    factors: Floats = 1 + 2 * (correlation * positive).sum(axis=1)
    return factors
