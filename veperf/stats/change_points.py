"""Change points: places where a long series moved to another level and stayed there.

Candidates are the steps of the piecewise constant fit with the least sum of squares plus a penalty
per step (PELT, Killick, Fearnhead, Eckley, JASA 107, 2012, as KernelCPD of ruptures). Those between
similar levels or within a slope are dropped; of the others, those remain whose levels differ
significantly.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.core.errors import UsageError
from veperf.stats.hodges_lehmann import hodges_lehmann_shift
from veperf.stats.level_shift import NEAR, LevelShift, clip_outliers, estimate_noise, evaluate_shift
from veperf.stats.paired import as_values, from_log

ALPHA = 1e-5
MIN_EFFECT = 0.02
MIN_SEGMENT = 5
# A shorter inner segment is taken for an episode of the machine, not of the code.
MIN_INNER = 10
# Penalty of a step, in units of the noise's variance times ln n.
_PENALTY = 3.0
# A smooth curve that fits better by so many variances of the noise rules a step out.
_SMOOTHNESS_LIMIT = 5.0
# Where that holds for more than one candidate in six, the whole series drifts.
_DRIFT_FRACTION = 6
# p of weak evidence for a step.
_WEAK_EVIDENCE_P = 1e-3
# PELT takes quadratic time where nothing changes: long series are searched in overlapping parts.
_PART = 4_000
_OVERLAP = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """Step in a series from one level to another."""

    index: int
    """Index of the first value at the new level."""
    before: float
    """Median of the (at most 200) values before, back to the previous change point."""
    after: float
    """Median of the (at most 200) values after, up to the next change point."""
    ratio: float
    """Hodges-Lehmann estimate of after / before."""
    low: float
    high: float
    """95 % interval of the ratio, as though values were independent."""
    p: float
    """Two-sided p of "no step", corrected for autocorrelation, not for the choice of the index."""


def change_points(
    series: ArrayLike, *, alpha: float = ALPHA, min_effect: float = MIN_EFFECT
) -> tuple[ChangePoint, ...]:
    """Return the steps in ``series``, of shape (n,), positive values in the order of measuring.

    A step is where neighbouring segments differ by a Mann-Whitney p below ``alpha``, corrected
    for the series' autocorrelation, and by a ratio of at least 1 + ``min_effect`` either way, and
    where no smooth curve through both fits clearly better than two levels. Values that are NaN,
    infinite, zero or below are left out.

    The shortest segment is 10 values, or 5 at either end of the series; with independent noise, 5
    are significant against 27 or more before them, 6 against 20, 8 against 13, 10 against 11.
    Shorter ones are taken for outliers.

    Drift without an edge, like a trend or a season, is hardly ever taken for steps where the
    series is long against it (1 to 3 % of simulated series of 60 to 300 values are). A random walk
    is nothing but edges and may look like a few steps, and so may strongly correlated noise: with
    an autocorrelation of 0.7 and a deviation of 5 %, 6 % of series of 60 values have one.

    Raises:
        UsageError: a setting is out of its range, or the series is not a plain list of numbers.
    """
    if not 0 < alpha < 1:
        raise UsageError(f"alpha lies between 0 and 1, not {alpha}")
    if not 0 <= min_effect < math.inf:
        raise UsageError(f"min_effect is zero or more, not {min_effect}")
    values = as_values(series)
    places = np.flatnonzero(np.isfinite(values) & (values > 0))
    if places.size < 2 * MIN_SEGMENT:
        return ()
    logs, n = np.log(values[places]), places.size
    smooth = clip_outliers(logs)
    # Differences across steps make neighbours seem correlated: first find where they may be.
    noise = estimate_noise(smooth, _candidates(smooth, estimate_noise(smooth).variance))
    between = partial(evaluate_shift, logs, smooth, noise)
    candidates = _candidates(smooth, noise.variance * noise.inflation)
    steps = _join_segments(candidates, between, n, min_effect)
    return tuple(
        _change_point(step, places, logs)
        for step in steps
        if step.p < alpha and step.smoothness <= _SMOOTHNESS_LIMIT
    )


def _join_segments(
    candidates: Sequence[int],
    between: Callable[[int, int, int], LevelShift],
    n: int,
    min_effect: float,
) -> list[LevelShift]:
    """Return ``candidates`` less those within a slope, at an episode, or between similar levels.

    Segments whose levels probably differ are not joined: that would blur the next step too.
    """
    steps = _steps([0, *candidates, n], between)
    is_drifting = _DRIFT_FRACTION * sum(map(_is_smooth, steps)) > len(steps)
    while any(map(_is_smooth, steps)):
        steps = _steps([0, *(s.at for s in steps if not _is_smooth(s)), n], between)
        # Two true levels joined by mistake look like a slope beside the next step.
        if not is_drifting:
            break
    while removable := [
        s
        for s in steps
        if s.has_short_inner_segment(MIN_INNER, n)
        or s.p > _WEAK_EVIDENCE_P
        or not s.is_relevant(min_effect)
    ]:
        worst = steps.index(max(removable, key=lambda s: s.p))
        removed = steps.pop(worst)
        if worst > 0:
            left = steps[worst - 1]
            steps[worst - 1] = between(left.start, left.at, removed.end)
        if worst < len(steps):
            right = steps[worst]
            steps[worst] = between(removed.start, right.at, right.end)
    return steps


def _is_smooth(step: LevelShift) -> bool:
    return step.smoothness > _SMOOTHNESS_LIMIT


def _steps(
    bounds: Sequence[int], between: Callable[[int, int, int], LevelShift]
) -> list[LevelShift]:
    return [between(start, at, end) for (start, at), (_, end) in pairwise(pairwise(bounds))]


def _candidates(smooth: NDArray[np.float64], variance: float) -> list[int]:
    """Return the indices of possible steps, ascending, ``MIN_SEGMENT`` apart and from the ends.

    ``variance`` is that of means of many values, times their number.
    """
    from ruptures import KernelCPD  # not at the top: it takes a second

    n = smooth.size
    penalty = _PENALTY * variance * math.log(n)
    steps: list[int] = []
    for start in range(0, max(1, n - _OVERLAP), _PART - _OVERLAP):
        part = smooth[start : start + _PART]
        # Each part covers its own half of an overlap.
        first = start + _OVERLAP // 2 if start else 0
        search = KernelCPD("linear", min_size=MIN_SEGMENT).fit(part[:, None])
        for place in search.predict(pen=penalty)[:-1]:
            at = start + int(place)
            if at >= first and n - at >= MIN_SEGMENT:
                while steps and at - steps[-1] < MIN_SEGMENT:
                    steps.pop()
                steps.append(at)
    return steps


def _change_point(
    step: LevelShift, places: NDArray[np.intp], logs: NDArray[np.float64]
) -> ChangePoint:
    before = logs[max(step.start, step.at - NEAR) : step.at]
    after = logs[step.at : min(step.end, step.at + NEAR)]
    size = hodges_lehmann_shift(before, after)
    return ChangePoint(
        index=int(places[step.at]),
        before=from_log(float(np.median(before))),
        after=from_log(float(np.median(after))),
        ratio=from_log(size.value),
        low=from_log(size.low),
        high=from_log(size.high),
        p=step.p,
    )
