"""Drift: a series that moves slowly since its last change point."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.stats.change_points import MIN_EFFECT, MIN_SEGMENT
from veperf.stats.hodges_lehmann import from_log
from veperf.stats.level_shift import clip_outliers, estimate_noise
from veperf.stats.paired import as_values
from veperf.stats.smooth_curve import CurveFit, fit_curve

# With fewer values a curve is little more than its noise.
MIN_VALUES = 20
# Twice the log likelihood ratio to a constant level.
_CURVE_EVIDENCE = 10.0
# Values of longer series are averaged: a slow curve needs no more.
_MOST_VALUES = 400
_DEVIATIONS = 1.96
# Values at either end that are too few to prove a step, and the least share of a drift that must
# be there without them.
_FEW = MIN_SEGMENT - 1
_INNER_SHARE = 0.25
# A steady slope is part of the noise, correlated over the whole series, unless noise without it is
# less than this share. A random walk, whose slope is chance, keeps more.
_WITHOUT_SLOPE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Slow movement of a series over its latest stretch without a step."""

    index: int
    """Index of the stretch's first value."""
    count: int
    """Number of its values."""
    ratio: float
    """Last value of the smooth curve through them, divided by its first."""
    low: float
    high: float
    """95 % interval of the ratio, given how smooth the curve is."""


def find_drift(series: ArrayLike, index: int = 0) -> Drift | None:
    """Return the drift of ``series``, of shape (n,), from ``index``, its last change point, on.

    A series drifts where a smooth curve explains it clearly better than a constant level, and its
    ends differ by 2 % or more, by more than chance. A season that is back at its level does not
    drift, nor does a level that only the first or the last 4 values leave: they are outliers, or
    too few to prove a step. Values that are NaN, infinite, zero or below are left out.

    Raises:
        UsageError: the series is not a plain list of numbers.
    """
    values = as_values(series)[index:]
    logs = np.log(values[np.isfinite(values) & (values > 0)])
    if logs.size < MIN_VALUES:
        return None
    fit = _fit(logs)
    reach = _DEVIATIONS * fit.deviation
    moves = abs(fit.change) >= max(math.log1p(MIN_EFFECT), reach)
    if fit.evidence < _CURVE_EVIDENCE or not moves:
        return None
    inner = _fit(logs[_FEW:-_FEW])
    if inner.change / fit.change < _INNER_SHARE:
        return None
    return Drift(
        index=index,
        count=logs.size,
        ratio=from_log(fit.change),
        low=from_log(fit.change - reach),
        high=from_log(fit.change + reach),
    )


def _fit(logs: NDArray[np.float64]) -> CurveFit:
    """Return the curve through ``logs`` with clipped outliers."""
    smooth = clip_outliers(logs)
    variance = estimate_noise(smooth).long_run_variance
    slope = float(np.median(np.diff(logs))) * np.arange(logs.size)
    rest = clip_outliers(logs - slope)
    rest_variance = estimate_noise(rest).long_run_variance
    if rest_variance < _WITHOUT_SLOPE * variance:
        smooth, variance = rest + slope, rest_variance
    parts = np.array_split(smooth, min(smooth.size, _MOST_VALUES))
    means = np.array([part.mean() for part in parts])
    return fit_curve(means, variance * means.size / smooth.size)
