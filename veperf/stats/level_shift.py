"""Evidence that a series steps from one level to another at a given index."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from veperf.stats.mann_whitney import mann_whitney, u_standard_deviation
from veperf.stats.smooth_curve import StepComparison, compare_steps
from veperf.stats.student_t import t_cdf

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

    @property
    def long_run_variance(self) -> float:
        """Variance of the mean of many values, times their number."""
        return self.variance * self.inflation


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
# p of weak evidence for a step.
WEAK_EVIDENCE_P = 1e-3
# Of each side, one value in so many may lie anywhere.
_VALUES_AN_OUTLIER = 8
# A variance from differences of neighbours is as certain as one from so much fewer values.
_DIFFERENCES_EFFICIENCY = 2 / 3


@dataclass(frozen=True, slots=True, eq=False)
class LevelShift:
    """Boundary between two segments of a series, with the evidence for a step there."""

    start: int
    at: int
    """First index of the second segment."""
    end: int
    p: float
    shift: float
    """Hodges-Lehmann shift of the logarithms."""
    evidence: float
    """Twice the log likelihood ratio of a step to a smooth curve without one."""
    before: NDArray[np.float64]
    """Logarithms of at most 200 values before it, less the slow curve that runs through both."""
    after: NDArray[np.float64]

    def is_relevant(self, min_effect: float) -> bool:
        """Return True where the levels differ by ``min_effect`` or more, proven or not."""
        return abs(self.shift) >= math.log1p(min_effect)

    def has_short_inner_segment(self, min_length: int, n: int) -> bool:
        """Return True where an inner segment beside it is shorter than ``min_length``."""
        first, second = self.at - self.start, self.end - self.at
        return (self.start > 0 and first < min_length) or (self.end < n and second < min_length)


class ShiftEvaluator:
    """Evidence for steps in one series, at places that are chosen."""

    def __init__(self, logs: NDArray[np.float64], smooth: NDArray[np.float64], noise: Noise):
        """Take the series' logarithms, shape (n,), and the same with clipped outliers."""
        self._logs = logs
        self._smooth = smooth
        self._noise = noise
        self._shifts: dict[tuple[int, ...], LevelShift] = {}
        self._evidence: dict[tuple[int, ...], float] = {}

    def shifts(self, steps: Sequence[int]) -> list[LevelShift]:
        """Return the evidence for each of ``steps``, ascending, between those on either side."""
        bounds = (0, *steps, self._logs.size)
        return [self._shift(bounds, place) for place in range(1, len(bounds) - 1)]

    def joint_evidence(self, steps: Sequence[int], first: int, last: int) -> float:
        """Return the evidence for those numbered ``first`` up to ``last``, all or none."""
        bounds = (0, *steps, self._logs.size)
        key = (first == 0, *bounds[max(0, first - 1) : last + 3])
        if key not in self._evidence:
            self._evidence[key] = self._compare(bounds, first + 1, last + 1)[1].evidence
        return self._evidence[key]

    def _shift(self, bounds: Sequence[int], place: int) -> LevelShift:
        around = tuple(bounds[max(0, place - 2) : place + 3])
        key = (*around, bounds[place])
        if key not in self._shifts:
            start, at, end = bounds[place - 1 : place + 2]
            first, comparison = self._compare(bounds, place, place + 1)
            low, high = max(start, at - NEAR), min(end, at + NEAR)
            before, after = self._logs[low:at], self._logs[at:high]
            drift = comparison.curve[low - first : high - first]
            self._shifts[key] = LevelShift(
                start,
                at,
                end,
                p=_p_value(before, after, self._noise),
                shift=float(np.median(after[:, None] - before[None, :])),
                evidence=comparison.evidence,
                before=before - drift[: at - low],
                after=after - drift[at - low :],
            )
        return self._shifts[key]

    def _compare(self, bounds: Sequence[int], place: int, last: int) -> tuple[int, StepComparison]:
        """Compare steps, bounds ``place`` up to ``last``, with a curve beside their neighbours.

        A curve must then be smooth over the segments next to theirs as well. Also returns where
        the values begin that are looked at.
        """
        steps = bounds[place:last]
        first = max(bounds[max(0, place - 2)], steps[0] - NEAR)
        end = min(bounds[min(last + 1, len(bounds) - 1)], steps[-1] + NEAR)
        known = [at for at in (bounds[place - 1], bounds[last]) if first < at < end]
        return first, compare_steps(
            self._smooth[first:end],
            [at - first for at in steps],
            self._noise.long_run_variance,
            [at - first for at in known],
        )


def _p_value(before: NDArray[np.float64], after: NDArray[np.float64], noise: Noise) -> float:
    """Return the two-sided p of "no step", corrected for the autocorrelation of the noise.

    That of the ranks is at best what the number of values allows, however far the levels are
    apart: where a gap divides the sides, it counts as well.
    """
    if min(before.size, after.size) <= _EXACT_UP_TO:
        p = mann_whitney(before[-_EXACT_NEAR:], after[:_EXACT_NEAR]).p_two_sided
        z = -NormalDist().inv_cdf(p / 2)
    else:
        z = _z_score(before, after)
    p_by_rank = math.erfc(z / math.sqrt(2 * noise.inflation))
    if math.erfc(z / math.sqrt(2)) > WEAK_EVIDENCE_P:
        return p_by_rank
    return min(p_by_rank, _gap_p_value(before, after, noise))


def _gap_p_value(before: NDArray[np.float64], after: NDArray[np.float64], noise: Noise) -> float:
    """Return the two-sided p of Student's t test of the gap between the sides, as if of means.

    A gap is less than the difference of the means by all that chance moves, so that a walk or a
    curve has none. One value in eight of each side may lie anywhere.
    """
    sides = [np.sort(side) for side in (before, after)]
    sides = [side[(k := side.size // _VALUES_AN_OUTLIER) : side.size - k] for side in sides]
    low, high = sorted(sides, key=lambda side: float(side[0]))
    if (gap := float(high[0] - low[-1])) <= 0:
        return 1.0
    variances = [max(noise.variance, float(np.var(side, ddof=1))) / side.size for side in sides]
    freedom = _DIFFERENCES_EFFICIENCY * (before.size + after.size - 2) / noise.inflation
    t = gap / math.sqrt(noise.inflation * sum(variances))
    return 2 * float(t_cdf(np.array([-t]), np.array([max(1.0, freedom)]))[0])


def _z_score(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Return |U - E(U)| in standard deviations, corrected for ties."""
    ordered = np.sort(x)
    below = np.searchsorted(ordered, y, "left") + np.searchsorted(ordered, y, "right")
    tied = np.unique(np.concatenate([x, y]), return_counts=True)[1].astype(np.float64)
    sigma = u_standard_deviation(x.size, y.size, float(np.sum(tied**3 - tied)))
    return abs(float(below.sum()) / 2 - x.size * y.size / 2) / sigma if sigma else 0.0
