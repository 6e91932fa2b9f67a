"""Drift: a series that moves slowly since its last change point."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from veperf.stats.change_points import MIN_EFFECT
from veperf.stats.hodges_lehmann import from_log
from veperf.stats.level_shift import clip_outliers, estimate_noise
from veperf.stats.paired import as_values
from veperf.stats.smooth_curve import fit_curve

# With fewer values a curve is little more than its noise.
MIN_VALUES = 20
# Twice the log likelihood ratio to a constant level.
_CURVE_EVIDENCE = 10.0
# Values of longer series are averaged: a slow curve needs no more.
_MOST_VALUES = 400
_DEVIATIONS = 1.96


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
    drift. Values that are NaN, infinite, zero or below are left out.

    Raises:
        UsageError: the series is not a plain list of numbers.
    """
    values = as_values(series)[index:]
    logs = np.log(values[np.isfinite(values) & (values > 0)])
    if logs.size < MIN_VALUES:
        return None
    smooth = clip_outliers(logs)
    noise = estimate_noise(smooth)
    parts = np.array_split(smooth, min(smooth.size, _MOST_VALUES))
    means = np.array([part.mean() for part in parts])
    fit = fit_curve(means, noise.long_run_variance * means.size / smooth.size)
    reach = _DEVIATIONS * fit.deviation
    moves = abs(fit.change) >= max(math.log1p(MIN_EFFECT), reach)
    if fit.evidence < _CURVE_EVIDENCE or not moves:
        return None
    return Drift(
        index=index,
        count=logs.size,
        ratio=from_log(fit.change),
        low=from_log(fit.change - reach),
        high=from_log(fit.change + reach),
    )
