"""Change points: places where a long series moved to another level and stayed there.

Candidates are the steps of the piecewise constant fit with the least sum of squares plus a penalty
per step (``optimal_partition``). They are removed one by one, and what they parted is joined, as
long as any is between similar levels, or a smooth curve explains it, alone or together with its
neighbours, as well as steps do. Of the others, those remain whose levels differ significantly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.core.errors import UsageError
from veperf.stats.hodges_lehmann import from_log, hodges_lehmann_shift
from veperf.stats.level_shift import (
    NEAR,
    WEAK_EVIDENCE_P,
    LevelShift,
    ShiftEvaluator,
    clip_outliers,
    estimate_noise,
)
from veperf.stats.optimal_partition import optimal_steps
from veperf.stats.paired import as_values

ALPHA = 1e-5
MIN_EFFECT = 0.02
MIN_SEGMENT = 5
# A shorter inner segment is taken for an episode of the machine, not of the code.
MIN_INNER = 10
# Penalty of a step, in units of the noise's variance times ln n.
_PENALTY = 3.0
# Evidence that each step takes, in twice the log likelihood ratio to a smooth curve: its height and
# place cost about that much in a Bayes factor, and a series has many places.
_STEP_EVIDENCE = 9.0
_JOINT_EVIDENCE = 9.5
# A longer flight of steps has a shorter one that fits a curve as well.
_MOST_JOINT_STEPS = 4
# Longer windows hold more than one curve.
_MOST_JOINT_VALUES = 600


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
    """Hodges-Lehmann estimate of after / before, less what the series drifts beside the step."""
    low: float
    high: float
    """95 % interval of the ratio, as though values were independent."""
    p: float
    """Two-sided p of "no step", corrected for autocorrelation, not for the choice of the index."""


def change_points(
    series: ArrayLike, *, alpha: float = ALPHA, min_effect: float = MIN_EFFECT
) -> tuple[ChangePoint, ...]:
    """Return the steps in ``series``, of shape (n,), positive values in the order of measuring.

    A step is where neighbouring segments differ by a p below ``alpha``, corrected for the series'
    autocorrelation, and by a ratio of at least 1 + ``min_effect`` either way, and where a step,
    with or without drift beside it, explains both clearly better than a smooth curve does. p is
    that of Mann-Whitney or, where it is smaller and the former is below 0.001 as of independent
    values, that of the gap between the segments. Values that are NaN, infinite, zero or below are
    left out.

    The shortest segment is 10 values, or 5 at either end of the series; shorter ones are taken for
    outliers. By ranks, with independent noise, 5 are significant against 27 or more before them, 6
    against 20, 8 against 13, 10 against 11; by a gap of many deviations, 5 against 10, 7 against 7.

    ``find_drift`` is for slow movement, which is no step; docs/verdicts.md has the rates at which
    trends, seasons and correlated noise are taken for steps all the same. A random walk is nothing
    but edges and may look like a few.

    Raises:
        UsageError: a setting is out of its range, or the series is not a plain list of numbers.
    """
    (points,) = change_points_of([series], alpha=alpha, min_effect=min_effect)
    return points


def change_points_of(
    series: Sequence[ArrayLike], *, alpha: float = ALPHA, min_effect: float = MIN_EFFECT
) -> list[tuple[ChangePoint, ...]]:
    """Return the steps in each of ``series`` as ``change_points``, but search all at once.

    Raises:
        UsageError: as ``change_points``.
    """
    if not 0 < alpha < 1:
        raise UsageError(f"alpha lies between 0 and 1, not {alpha}")
    if not 0 <= min_effect < math.inf:
        raise UsageError(f"min_effect is zero or more, not {min_effect}")
    places: list[NDArray[np.intp]] = []
    logs: list[NDArray[np.float64]] = []
    for each in series:
        values = as_values(each)
        places.append(np.flatnonzero(np.isfinite(values) & (values > 0)))
        logs.append(np.log(values[places[-1]]))
    long = [i for i, of_series in enumerate(places) if of_series.size >= 2 * MIN_SEGMENT]
    smooth = [clip_outliers(logs[i]) for i in long]
    # Differences across steps make neighbours seem correlated: first find where they may be.
    variances = [estimate_noise(y).variance for y in smooth]
    candidates = _candidates(smooth, variances)
    noises = [estimate_noise(y, steps) for y, steps in zip(smooth, candidates, strict=True)]
    again = [i for i, noise in enumerate(noises) if noise.long_run_variance != variances[i]]
    steps_again = _candidates(
        [smooth[i] for i in again], [noises[i].long_run_variance for i in again]
    )
    for i, steps in zip(again, steps_again, strict=True):
        candidates[i] = steps
    points: list[tuple[ChangePoint, ...]] = [()] * len(places)
    for i, y, noise, steps in zip(long, smooth, noises, candidates, strict=True):
        evaluator = ShiftEvaluator(logs[i], y, noise)
        points[i] = tuple(
            _change_point(step, places[i], logs[i])
            for step in _proven_steps(steps, evaluator, logs[i].size, min_effect)
            if step.p < alpha
        )
    return points


def _candidates(
    smooth: Sequence[NDArray[np.float64]], variances: Sequence[float]
) -> list[list[int]]:
    """Return the indices of possible steps, ascending, ``MIN_SEGMENT`` apart and from the ends.

    ``variances`` are those of means of many values, times their number.
    """
    penalties = [_PENALTY * v * math.log(y.size) for y, v in zip(smooth, variances, strict=True)]
    return optimal_steps(smooth, penalties, MIN_SEGMENT)


def _proven_steps(
    candidates: Sequence[int], evaluator: ShiftEvaluator, n: int, min_effect: float
) -> list[LevelShift]:
    """Return ``candidates`` less those that a smooth curve explains as well."""
    steps = _join_segments(candidates, evaluator, n, min_effect)
    while flight := _curved_flight(steps, evaluator):
        removed = min(flight, key=_evidence)
        steps = _join_segments([s.at for s in steps if s is not removed], evaluator, n, min_effect)
    return steps


def _join_segments(
    candidates: Sequence[int], evaluator: ShiftEvaluator, n: int, min_effect: float
) -> list[LevelShift]:
    """Return ``candidates`` less those on a curve, at an episode, or between similar levels.

    Segments whose levels probably differ are not joined: that would blur the next step too. Nor
    are those at a step that is unproven alone, but proven together with its neighbours.
    """
    steps = evaluator.shifts(candidates)
    bounds: set[int] = set()
    while removable := [
        step for step in steps if step.at not in bounds and not _is_step(step, n, min_effect)
    ]:
        removed = min(removable, key=_evidence)
        place = steps.index(removed)
        first, last = max(0, place - 1), min(len(steps), place + 2)
        places = [step.at for step in steps]
        # Beside a large step, anything would seem proven.
        largest = max(step.evidence for step in steps[first:last])
        together = evaluator.joint_evidence(places, first, last) - largest
        if (
            last - first > 1
            and _differs(removed, n, min_effect)
            and together >= (last - first - 1) * _JOINT_EVIDENCE
        ):
            bounds.add(removed.at)
        else:
            bounds.clear()
            steps = evaluator.shifts([*places[:place], *places[place + 1 :]])
    return steps


def _is_step(step: LevelShift, n: int, min_effect: float) -> bool:
    return step.evidence >= _STEP_EVIDENCE and _differs(step, n, min_effect)


def _differs(step: LevelShift, n: int, min_effect: float) -> bool:
    return not (
        step.has_short_inner_segment(MIN_INNER, n)
        or step.p > WEAK_EVIDENCE_P
        or not step.is_relevant(min_effect)
    )


def _curved_flight(steps: Sequence[LevelShift], evaluator: ShiftEvaluator) -> Sequence[LevelShift]:
    """Return the adjacent steps that a smooth curve explains best; none if it explains none.

    A slope or a wave may look like a flight of steps, each of which is one beside the others.
    """
    places = [step.at for step in steps]
    worst, flight = 0.0, steps[:0]
    for size in range(2, _MOST_JOINT_STEPS + 1):
        for first in range(len(steps) - size + 1):
            last = first + size
            if places[last - 1] - places[first] <= _MOST_JOINT_VALUES - 2 * NEAR:
                excess = evaluator.joint_evidence(places, first, last) - size * _JOINT_EVIDENCE
                if excess < worst:
                    worst, flight = excess, steps[first:last]
    return flight


def _evidence(step: LevelShift) -> float:
    return step.evidence


def _change_point(
    step: LevelShift, places: NDArray[np.intp], logs: NDArray[np.float64]
) -> ChangePoint:
    before = logs[max(step.start, step.at - NEAR) : step.at]
    after = logs[step.at : min(step.end, step.at + NEAR)]
    size = hodges_lehmann_shift(step.before, step.after)
    return ChangePoint(
        index=int(places[step.at]),
        before=from_log(float(np.median(before))),
        after=from_log(float(np.median(after))),
        ratio=from_log(size.value),
        low=from_log(size.low),
        high=from_log(size.high),
        p=step.p,
    )
