"""Evidence that a series steps from one level to another at a given index."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from veperf.stats.mann_whitney import mann_whitney, u_standard_deviation

# From median absolute deviation to standard deviation, of normal noise.
_MAD = 1.4826
_MEDIAN_WINDOW = 11
_CLIP_DEVIATIONS = 2.5
# Differences are clipped to so many of their standard deviations: larger ones are steps.
_STEP_DEVIATIONS = 3.0
# Relative deviation below which no series of times is believed to be exact.
_MIN_DEVIATION = 0.001
_MAX_AUTOCORRELATION = 0.99
_STANDARD_ERRORS = 1.25


@dataclass(frozen=True, slots=True)
class Noise:
    """Noise of the logarithms of times."""

    variance: float
    inflation: float
    """Variance of the mean of many values, relative to that of independent ones."""


def clip_outliers(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``y``, of shape (n,), clipped to 2.5 robust deviations around a running median.

    The median is of 11 neighbours, fewer at the ends.
    """
    medians = _running_median(y)
    limit = _CLIP_DEVIATIONS * max(_MIN_DEVIATION, _MAD * float(np.median(np.abs(y - medians))))
    return np.clip(y, medians - limit, medians + limit)


def estimate_noise(y: NDArray[np.float64], steps: Sequence[int] = ()) -> Noise:
    """Return the noise of the clipped series ``y``, of shape (n,), n at least 3.

    Differences across ``steps``, the first indices of known new levels, are left out.
    """
    level = np.zeros(y.size, dtype=np.int64)
    level[list(steps)] = 1
    level = np.cumsum(level)
    first, second = _mean_square(y, level, 1), _mean_square(y, level, 2)
    if first <= 2 * _MIN_DEVIATION**2:
        return Noise(_MIN_DEVIATION**2, 1.0)
    # Reduced by 1.25 standard errors: a short series of independent values must not seem
    # correlated by chance.
    r = min(
        _MAX_AUTOCORRELATION, max(0.0, second / first - 1 - _STANDARD_ERRORS / math.sqrt(y.size))
    )
    return Noise(first / (2 * (1 - r)), (1 + r) / (1 - r))


def _running_median(y: NDArray[np.float64]) -> NDArray[np.float64]:
    half = _MEDIAN_WINDOW // 2
    padded = np.concatenate([np.full(half, np.nan), y, np.full(half, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, _MEDIAN_WINDOW)
    medians: NDArray[np.float64] = np.median(windows, axis=1)
    for i in {*range(min(half, y.size)), *range(max(0, y.size - half), y.size)}:
        medians[i] = np.median(y[max(0, i - half) : i + half + 1])
    return medians


def _mean_square(y: NDArray[np.float64], level: NDArray[np.int64], lag: int) -> float:
    differences = (y[lag:] - y[:-lag])[level[lag:] == level[:-lag]]
    limit = _STEP_DEVIATIONS * _MAD * float(np.median(np.abs(differences)))
    return float(np.mean(np.clip(differences, -limit, limit) ** 2))


# Values on either side that are tested for a step: further ones add little.
NEAR = 200
# With a shorter side the normal approximation is too coarse so far out in the tail.
_EXACT_UP_TO = 15
_EXACT_NEAR = 40
# Slow drift shows over many values (``NEAR``), a wave over few.
_CLOSE = 40


@dataclass(frozen=True, slots=True)
class LevelShift:
    """Boundary between two segments of a series, with the evidence for a step there."""

    start: int
    at: int
    """First index of the second segment."""
    end: int
    p: float
    shift: float
    """Hodges-Lehmann shift of the logarithms."""
    smoothness: float
    """Excess of the residual sum of squares of two levels over that of a smooth curve, in units of
    the noise's variance."""

    def is_relevant(self, min_effect: float) -> bool:
        """Return True where the levels differ by ``min_effect`` or more, proven or not."""
        return abs(self.shift) >= math.log1p(min_effect)

    def has_short_inner_segment(self, min_length: int, n: int) -> bool:
        """Return True where an inner segment beside it is shorter than ``min_length``."""
        first, second = self.at - self.start, self.end - self.at
        return (self.start > 0 and first < min_length) or (self.end < n and second < min_length)


def evaluate_shift(
    logs: NDArray[np.float64],
    smooth: NDArray[np.float64],
    noise: Noise,
    start: int,
    at: int,
    end: int,
) -> LevelShift:
    """Return the evidence for a step at ``at``, between the segments from ``start`` to ``end``.

    ``logs``, of shape (n,), are the series' logarithms and ``smooth`` the same with clipped
    outliers.
    """
    first, last = max(start, at - NEAR), min(end, at + NEAR)
    before, after = logs[first:at], logs[at:last]
    gains = [
        _curve_gain(smooth[max(first, at - n) : at], smooth[at : min(last, at + n)])
        for n in (NEAR, _CLOSE)
    ]
    return LevelShift(
        start,
        at,
        end,
        p=_p_value(before, after, noise.inflation),
        shift=float(np.median(after[:, None] - before[None, :])),
        smoothness=max(gains) / noise.variance,
    )


def _p_value(before: NDArray[np.float64], after: NDArray[np.float64], inflation: float) -> float:
    """Return the two-sided Mann-Whitney p, corrected for the variance ``inflation`` of means."""
    if min(before.size, after.size) <= _EXACT_UP_TO:
        p = mann_whitney(before[-_EXACT_NEAR:], after[:_EXACT_NEAR]).p_two_sided
        z = -NormalDist().inv_cdf(p / 2)
    else:
        z = _z_score(before, after)
    return math.erfc(z / math.sqrt(2 * inflation))


def _z_score(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return |U - E(U)| in standard deviations, corrected for ties."""
    ordered = np.sort(x)
    below = np.searchsorted(ordered, y, "left") + np.searchsorted(ordered, y, "right")
    tied = np.unique(np.concatenate([x, y]), return_counts=True)[1].astype(np.float64)
    sigma = u_standard_deviation(x.size, y.size, float(np.sum(tied**3 - tied)))
    return abs(float(below.sum()) / 2 - x.size * y.size / 2) / sigma if sigma else 0.0


def _curve_gain(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Return by how much a cubic's residual sum of squares is below that of two levels.

    Both have four parameters, counting the index of the step. Between the halves of a slope or a
    wave the cubic fits better, at an edge the levels do.
    """
    levels = before.size * float(before.var()) + after.size * float(after.var())
    both = np.concatenate([before, after])
    cubics = np.polynomial.legendre.legvander(np.linspace(-1, 1, both.size), 3)
    coefficients = np.linalg.lstsq(cubics, both, rcond=None)[0]
    return levels - float(np.sum((both - cubics @ coefficients) ** 2))
