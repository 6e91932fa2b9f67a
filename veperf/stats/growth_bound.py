"""Upper bound of growth in a short series, whenever it began and whether it slopes or steps."""

import math

import numpy as np

from veperf.stats.monotonic_trend import Floats, inflations

T_QUANTILES = {5: 4.0321, 6: 3.7074, 13: 3.0123, 14: 2.9768, 29: 2.7564, 30: 2.7500}
"""99.5 % quantiles of Student's t, by degrees of freedom: ends of 99 % intervals."""
SIZES = (8, 16, 32)
_ONSETS = np.arange(1, 19) * 0.05
_LAST_SHARES = (1 / 8, 1 / 5, 1 / 3, 1 / 2)
TIME_CONSTANTS = (0.02, 0.03, 0.045, 0.07, 0.1, 0.14, 0.18, 0.23, 0.29, 0.36)
"""Time constants of curves that level off, as shares of the run."""
_LIKELY = 6.63
"""Time constants whose likelihood ratio is below the 99 % quantile of chi squared count."""


def bound_growth(x: Floats, y: Floats, start: float) -> float:
    """Return the largest growth that ``y``, of shape (n,), leaves possible, in the unit of ``y``.

    ``x`` are the places of its values between ``start`` and 1, ascending, and n is one of
    ``SIZES``. Growth that begins at any of several onsets c, y = a + b max(0, x - c), or in one
    step before the last values, is fitted by least squares. The bound is the highest upper end of
    their 99 % intervals for growth up to 1. Their standard errors are multiplied by the root of the
    residuals' autocorrelation.

    Growth in rare steps may have one more to come, or hide it behind the last value: the largest
    rise that did not come back is added. Where y falls, growth is that above the falling line.
    """
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    return _bound(y - min(slope, 0.0) * centred, _shapes(x, start), None)[0]


def bound_beside_curve(x: Floats, y: Floats) -> tuple[float, float]:
    """Return the same of growth beside a curve that levels off, and its time constant.

    The curve a - b exp(-x / constant) is fitted with each growth. The bound is the highest of all
    constants that are likely, the constant that of the best fit.
    """
    shapes = _shapes(x, 0.0)
    bounds = [_bound(y, shapes, np.exp(-x / constant)) for constant in TIME_CONSTANTS]
    residuals = np.array([residual for _, residual in bounds]) + 1e-18 * float(y.max()) ** 2
    best = int(residuals.argmin())
    likely = y.size * np.log(residuals / (residuals[best] or 1.0)) < _LIKELY
    bound = max(bound for (bound, _), counts in zip(bounds, likely, strict=True) if counts)
    return bound, TIME_CONSTANTS[best]


def _bound(y: Floats, shapes: Floats, curve: Floats | None) -> tuple[float, float]:
    """Return the bound of the growth of ``shapes``, and the least residual sum of squares."""
    centred = rest = y - y.mean()
    columns = shapes - shapes.mean(axis=1, keepdims=True)
    freedom = y.size - 2
    if curve is not None:
        unit = curve - curve.mean()
        unit /= math.sqrt(float(unit @ unit))
        weights = columns @ unit
        columns = columns - weights[:, None] * unit
        rest = centred - (centred @ unit) * unit
        freedom -= 1
    squares = (columns**2).sum(axis=1)
    growth = columns @ rest / squares
    residuals = rest - growth[:, None] * columns
    sums = (residuals**2).sum(axis=1)
    high = growth + T_QUANTILES[freedom] * np.sqrt(sums / freedom / squares * inflations(residuals))
    most = int(high.argmax())
    if curve is not None:
        centred = centred - (centred @ unit - growth[most] * weights[most]) * unit
    return float(high[most]) + largest_rise(centred), float(sums.min())


def largest_rise(y: Floats) -> float:
    """Return the largest rise between neighbours that later values don't fall below."""
    return float(np.diff(lowest_later(y)).max())


def lowest_later(y: Floats) -> Floats:
    """Return the lowest of each value and all later ones: it never falls."""
    lowest: Floats = np.minimum.accumulate(y[::-1])[::-1]
    return lowest


def _shapes(x: Floats, start: float) -> Floats:
    """Return rows that rise to 1 at the end: lines from onsets that 2 values follow, and steps."""
    onsets = np.array([start, *_ONSETS[(start < _ONSETS) & (x[-2] > _ONSETS)]])
    lines = np.maximum(0.0, x - onsets[:, None]) / (1 - onsets[:, None])
    last = {1, 2, 3, *(int(x.size * share) for share in _LAST_SHARES)} - {0}
    steps = [(np.arange(x.size) >= x.size - count).astype(np.float64) for count in sorted(last)]
    return np.concatenate([lines, np.array(steps)])
