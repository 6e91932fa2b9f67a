"""Upper bound of growth in a short series, whenever it began and whether it slopes or steps."""

import numpy as np

from veperf.stats.monotonic_trend import Floats, inflation

T_QUANTILES = {6: 3.7074, 10: 3.1693, 14: 2.9768, 22: 2.8188, 30: 2.7500}
"""99.5 % quantiles of Student's t, by degrees of freedom: ends of 99 % intervals."""
SIZES = tuple(freedom + 2 for freedom in T_QUANTILES)
_ONSETS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85)
_LAST_SHARES = (1 / 8, 1 / 5, 1 / 3, 1 / 2)


def bound_growth(x: Floats, y: Floats, start: float) -> float:
    """Return the largest growth that ``y``, of shape (n,), leaves possible, relative to its level.

    ``x`` are the places of its values between ``start`` and 1, ascending, and n is one of
    ``SIZES``. Growth that begins at any of several onsets c, y = a + b max(0, x - c), or in one
    step before the last values, is fitted by least squares. The bound is the highest upper end of
    their 99 % intervals for growth up to 1, relative to a. Their standard errors are multiplied by
    the root of the residuals' autocorrelation.

    Growth in rare steps may have one more to come, or hide it behind the last value: the largest
    rise that did not come back is added. Where y falls, growth is that above the falling line.
    """
    y = _without_fall(x, y)
    shapes = np.array([*_slopes(x, start), *_steps(y.size)])
    mean = float(y.mean())
    centred, columns = y - mean, shapes - shapes.mean(axis=1, keepdims=True)
    squares = (columns**2).sum(axis=1)
    growth = columns @ centred / squares
    residuals = centred - growth[:, None] * columns
    factors = np.array([inflation(row) for row in residuals])
    freedom = y.size - 2
    errors = np.sqrt((residuals**2).sum(axis=1) / freedom / squares * factors)
    high = growth + T_QUANTILES[freedom] * errors
    level = np.maximum(mean - growth * shapes.mean(axis=1), 1.0)
    return float(np.max((high + largest_rise(y)) / level))


def _without_fall(x: Floats, y: Floats) -> Floats:
    """Return ``y`` less its line where that falls, which would pass for noise of other shapes."""
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    level: Floats = y - min(slope, 0.0) * centred
    return level


def largest_rise(y: Floats) -> float:
    """Return the largest rise between neighbours that later values don't fall below."""
    lowest_later = np.minimum.accumulate(y[::-1])[::-1]
    return float(np.diff(lowest_later).max())


def _slopes(x: Floats, start: float) -> list[Floats]:
    """Return columns that rise to 1 at the end, each from an onset that 2 values come after."""
    onsets = (start, *(onset for onset in _ONSETS if onset > start))
    slopes = [np.maximum(0.0, x - onset) / (1 - onset) for onset in onsets]
    return [column for column in slopes if np.count_nonzero(column) >= 2]


def _steps(n: int) -> list[Floats]:
    last = {1, 2, 3, *(int(n * share) for share in _LAST_SHARES)} - {0}
    return [(np.arange(n) >= n - count).astype(np.float64) for count in sorted(last)]
