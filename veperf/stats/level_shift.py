"""Does a series step from one level to another at a given place?"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from veperf.stats.mann_whitney import mann_whitney, u_standard_deviation

# From median absolute deviation to standard deviation, of normal noise.
_MAD = 1.4826
_WIDTH = 11
_CLIP = 2.5
# Differences count as no more than so many of their standard deviations: beyond are steps.
_STEP = 3.0
# No series of times is more exact than this.
_LEAST = 0.001
_MOST_CORRELATED = 0.99
_STANDARD_ERRORS = 1.25


@dataclass(frozen=True, slots=True)
class Noise:
    """Of logarithms of times."""

    variance: float
    inflation: float
    """How many times more the mean of many values varies than if they were independent."""


def clipped(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """``y``, of shape (n,), with outliers pulled in: 2.5 robust deviations from a running median.

    The median is of 11 neighbours, fewer at the ends.
    """
    middle = _running_median(y)
    reach = _CLIP * max(_LEAST, _MAD * float(np.median(np.abs(y - middle))))
    return np.clip(y, middle - reach, middle + reach)


def noise_of(y: NDArray[np.float64], steps: Sequence[int] = ()) -> Noise:
    """Noise of the clipped series ``y``, of shape (n,), n at least 3.

    Differences across ``steps``, the first places of known new levels, are left out.
    """
    level = np.zeros(y.size, dtype=np.int64)
    level[list(steps)] = 1
    level = np.cumsum(level)
    first, second = _mean_square(y, level, 1), _mean_square(y, level, 2)
    if first <= 2 * _LEAST**2:
        return Noise(_LEAST**2, 1.0)
    # Somewhat less: a short series of independent values must not seem correlated by chance.
    r = min(_MOST_CORRELATED, max(0.0, second / first - 1 - _STANDARD_ERRORS / math.sqrt(y.size)))
    return Noise(first / (2 * (1 - r)), (1 + r) / (1 - r))


def _running_median(y: NDArray[np.float64]) -> NDArray[np.float64]:
    half = _WIDTH // 2
    padded = np.concatenate([np.full(half, np.nan), y, np.full(half, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WIDTH)
    found: NDArray[np.float64] = np.median(windows, axis=1)
    for i in {*range(min(half, y.size)), *range(max(0, y.size - half), y.size)}:
        found[i] = np.median(y[max(0, i - half) : i + half + 1])
    return found


def _mean_square(y: NDArray[np.float64], level: NDArray[np.int64], lag: int) -> float:
    differences = (y[lag:] - y[:-lag])[level[lag:] == level[:-lag]]
    reach = _STEP * _MAD * float(np.median(np.abs(differences)))
    return float(np.mean(np.clip(differences, -reach, reach) ** 2))


# Values on either side that speak for a step, the nearest ones: further ones say little more.
NEAR = 200
# With a shorter side the normal approximation is too coarse so far out in the tail.
_EXACT_UP_TO = 15
_EXACT_NEAR = 40
# Slow drift shows over many values, a wave over few.
_CLOSE = 40


@dataclass(frozen=True, slots=True)
class Step:
    """A place between two segments of a series, and what speaks for a step there."""

    start: int
    at: int
    """The first place of the second segment."""
    end: int
    p: float
    shift: float
    """Hodges-Lehmann, on logarithms."""
    smoothness: float
    """How much better a smooth curve fits than two levels do: the difference of their sums of
    squares by the noise's variance."""

    def matters(self, min_effect: float) -> bool:
        """Whether the levels differ by the smallest effect that counts, proven or not."""
        return abs(self.shift) >= math.log1p(min_effect)

    def is_brief(self, least: int, n: int) -> bool:
        """Whether a segment beside it is shorter than ``least`` and not at an end of the series."""
        first, second = self.at - self.start, self.end - self.at
        return (self.start > 0 and first < least) or (self.end < n and second < least)


def step_between(
    logs: NDArray[np.float64],
    smooth: NDArray[np.float64],
    noise: Noise,
    start: int,
    at: int,
    end: int,
) -> Step:
    """Evidence for a step at ``at``, between the segments from ``start`` and up to ``end``.

    ``logs``, of shape (n,), are the series' logarithms and ``smooth`` the same with outliers
    pulled in.
    """
    first, last = max(start, at - NEAR), min(end, at + NEAR)
    before, after = logs[first:at], logs[at:last]
    gains = [
        _curve_gain(smooth[max(first, at - n) : at], smooth[at : min(last, at + n)])
        for n in (NEAR, _CLOSE)
    ]
    return Step(
        start,
        at,
        end,
        p=_p_value(before, after, noise.inflation),
        shift=float(np.median(after[:, None] - before[None, :])),
        smoothness=max(gains) / noise.variance,
    )


def _p_value(before: NDArray[np.float64], after: NDArray[np.float64], inflation: float) -> float:
    """Two-sided Mann-Whitney p, where means vary ``inflation`` times more than they should."""
    if min(before.size, after.size) <= _EXACT_UP_TO:
        p = mann_whitney(before[-_EXACT_NEAR:], after[:_EXACT_NEAR]).p_two_sided
        z = -NormalDist().inv_cdf(p / 2)
    else:
        z = _z_score(before, after)
    return math.erfc(z / math.sqrt(2 * inflation))


def _z_score(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Size of U's deviation from what is expected, in standard deviations, ties corrected for."""
    ordered = np.sort(x)
    below = np.searchsorted(ordered, y, "left") + np.searchsorted(ordered, y, "right")
    tied = np.unique(np.concatenate([x, y]), return_counts=True)[1].astype(np.float64)
    sigma = u_standard_deviation(x.size, y.size, float(np.sum(tied**3 - tied)))
    return abs(float(below.sum()) / 2 - x.size * y.size / 2) / sigma if sigma else 0.0


def _curve_gain(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """By how much the best cubic over both leaves less of a sum of squares than two levels do.

    Both have four parameters, the place of the step being one. Between the halves of a slope or
    of a wave the cubic wins, at an edge the levels do.
    """
    levels = before.size * float(before.var()) + after.size * float(after.var())
    both = np.concatenate([before, after])
    cubics = np.polynomial.legendre.legvander(np.linspace(-1, 1, both.size), 3)
    found = np.linalg.lstsq(cubics, both, rcond=None)[0]
    return levels - float(np.sum((both - cubics @ found) ** 2))
