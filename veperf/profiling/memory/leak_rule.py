"""Leak detection: a rule on the memory that a process holds after garbage collections."""

import math
from collections.abc import Iterator
from enum import StrEnum
from functools import partial

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from veperf.core.errors import UsageError
from veperf.core.text import (
    describe_p_value,
    format_change,
    format_change_interval,
    format_exact,
    format_percent,
)
from veperf.profiling.memory import charts
from veperf.profiling.memory.troughs import (
    LEAST_TROUGHS,
    WINDOWS,
    Troughs,
    fall_troughs,
    largest_fall,
    window_troughs,
)
from veperf.stats import monotonic_trend
from veperf.stats.growth_bound import bound_growth
from veperf.stats.monotonic_trend import Floats, MonotonicTrend, fit_trend

WARM_UP = 0.2
"""Share of the run, by time, in which growth is no sign of a leak: caches fill, code is loaded."""
MARGIN = 0.1
"""Growth over the run that a clean process stays below, as a share; published in targets.json."""
ALPHA = 0.001
"""Significance level of growth: it is looked for from several onsets, at several windows."""
_GREAT_ALPHA = 0.01
_GREAT = 10.0
"""The level of growth by 10 times what memory fell by at most: ranks alone don't show that."""
LEAST_GROWTH = 0.01
"""Growth that counts, as a share of the memory before it."""
_ONSETS = (WARM_UP, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Shares of the run from which on memory may begin to grow."""
_GIVEN_BACK = 3.0
"""A leak grows by so many times what memory fell by at most."""
_RESOLUTIONS = 1.25
"""And by so many times what a trough may have been lower between two samples."""
_TWO_STEPS_COST = 3
"""Parameters of two steps beyond those of a line, by BIC."""
_TIME_CONSTANTS = (0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32)
"""Time constants of curves that level off, as shares of the run."""
_SLOWER = 0.5
"""What levels off grows, in the second half, at less than this share of the first half's rate."""
_SLOWER_THAN_BEFORE = 0.7
"""Or at less than this share of the rate between the warm-up and its onset."""
_STRAIGHT_EVIDENCE = 8.0
"""Twice the log likelihood ratio by which growth after a warm-up is a line, and not a logarithm."""
_LEVEL_SINCE = ((0.0, 1.0), (WARM_UP, 0.4), (0.35, 0.3))
"""From where on memory must be level to be clean, and the share of the margin that is allowed: what
grows in few, rare steps may have grown before, and must not pass for a warm-up."""
_LAST_SAMPLES = (1, 2, 3, 5)
_LAST_PARTS = 40
"""The lowest of the last few samples, or of the last fortieth, shows growth that has just begun."""
_PARTS = 5
"""The last fifth of the troughs is compared with the first."""


class LeakStatus(StrEnum):
    """Result of the leak rule."""

    SUSPECTED = "suspected"
    CLEAN = "clean"
    INCONCLUSIVE = "inconclusive"


class LeakVerdict(Struct, frozen=True):
    """Verdict on a leak, with the growth of memory."""

    status: LeakStatus
    reason: str
    growth: float | None = None
    """Growth over the whole run, as a share of the memory at its beginning (0.1 is 10 %), by the
    line through the troughs, or, where it begins late, from ``onset`` on. None if there are too few
    troughs."""
    low: float | None = None
    high: float | None = None
    """Ends of its 95 % interval; None if an end is open."""
    p: float | None = None
    """p-value of "no trend"."""
    trough_times: tuple[float, ...] = ()
    trough_bytes: tuple[float, ...] = ()
    line_bytes: tuple[float, ...] = ()
    """The fitted line at the times of the troughs, level before ``onset``."""
    onset: float | None = None
    """Share of the run from which on memory grows; None if it does from the beginning, or not."""
    bound: float | None = None
    """Growth that is not ruled out, at most; below the margin where it is clean."""
    change: float | None = None
    """Last fifth of the troughs against the first, after the warm-up, by their medians."""
    change_low: float | None = None
    """The same by the lowest of the last and the highest of the first, less what memory fell by at
    most in between: what came back once may do so again."""

    @property
    def sure_growth(self) -> float | None:
        """Growth that there was at least, as a share; None if there are too few samples.

        By the last part against the first, or by the line of a leak that is suspected.
        """
        lows = [self.change_low, self.low if self.status is LeakStatus.SUSPECTED else None]
        return max((low for low in lows if low is not None), default=None)

    def __repr__(self) -> str:
        if self.status is not LeakStatus.SUSPECTED:
            change = "" if self.change is None else f", {format_change(1 + self.change)} in the end"
            return f"{self.status.value}{change}: {self.reason}"
        grows = "" if self.growth is None else f", {format_change(1 + self.growth)} over the run"
        if self.low is not None and self.high is not None:
            grows += f" ({format_change_interval(1 + self.low, 1 + self.high)})"
        return f"a leak is suspected{grows}: {self.reason}"

    def _repr_html_(self) -> str:
        points = tuple(zip(self.trough_times, self.trough_bytes, strict=True))
        line = tuple(zip(self.trough_times, self.line_bytes, strict=True))
        alt = "Memory at rest over time, and the line through it"
        return charts.html_card(repr(self), charts.memory_curve(points, alt, line=line, unit=""))


def judge_leak(times: ArrayLike, heap: ArrayLike, margin: float = MARGIN) -> LeakVerdict:
    """Judge whether the memory of a process, ``heap`` at ``times`` (shape (n,) each), leaks.

    Sample the heap after a garbage collection if possible, when no garbage is left. The troughs
    count: the lowest sample in each of 8 to 32 windows, or after each great fall. A leak is
    suspected if, after the first 20 % of the time or from a later onset on, all of this holds:

    - they have a trend by Kendall's test, corrected for autocorrelation: p < 0.001, or 0.01 where
      they grow by 10 times what they ever fell by;
    - Theil and Sen's line grows by 1 % at least, by the lower end of its 95 % interval;
    - it grows by 3 times what the troughs ever fell by, and by more than sampling can hide;
    - the line fits better than one step or two, and than a curve that levels off; and growth
      doesn't slow down.

    Clean if growth is below ``margin``, a share, by the upper end of every 99 % interval, for lines
    and steps from any onset (``bound_growth``); where memory grew by more at first, if it is level
    since: below 40 % of the margin from 20 % of the run on, or 30 % of it from 35 % on.

    Else inconclusive, as with fewer than 8 samples after the first 20 %.

    Raises:
        UsageError: the two differ in shape, a value is no number or no size, times don't ascend,
            or the margin is not positive.
    """
    t, y = _checked(times, heap)
    if not 0 < margin < math.inf:
        raise UsageError(f"the margin of growth must be more than 0 and finite, not {margin}")
    place = (t - t[0]) / (t[-1] - t[0]) if t.size > 1 else np.zeros(t.size)
    used = place >= WARM_UP
    if (left := int(np.count_nonzero(used)) if t.size > 1 else 0) < LEAST_TROUGHS:
        reason = f"{left} samples after the warm-up are too few: {LEAST_TROUGHS} are the least"
        return LeakVerdict(LeakStatus.INCONCLUSIVE, reason)
    series = _Series(t, place, y)
    falls = fall_troughs(place[used], y[used])
    views = [*series.views(WARM_UP), *([falls] if falls else [])]
    for troughs in views:
        onsets = [onset for onset in _onsets(troughs) if not _objection(troughs, onset)]
        if onsets:
            return _suspect(series, troughs, min(onsets, key=partial(_misfit, troughs)))
    return _clear(series, margin) or _doubt(series, margin)


def _checked(times: ArrayLike, heap: ArrayLike) -> tuple[Floats, Floats]:
    try:
        t, y = np.asarray(times, dtype=np.float64), np.asarray(heap, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"times and sizes must be numbers: {error}") from error
    if t.ndim != 1 or t.shape != y.shape:
        raise UsageError(f"times and sizes must be as many: not {t.shape} and {y.shape}")
    if not (np.isfinite(t).all() and np.isfinite(y).all() and (y >= 0).all()):
        raise UsageError("times and sizes must be finite, and sizes not negative")
    if (np.diff(t) <= 0).any():
        raise UsageError("times must ascend")
    return t, y


class _Series(Struct, frozen=True, eq=False):
    """Samples: their times, places in the run from 0 to 1, and sizes."""

    time: Floats
    place: Floats
    size: Floats

    def since(self, start: float) -> Floats:
        """Return the sizes since the share ``start`` of the run."""
        return self.size[self.place >= start]

    def views(self, start: float) -> list[Troughs]:
        """Return the troughs since ``start``, in every number of windows that is possible."""
        used = self.place >= start
        views = (window_troughs(self.place[used], self.size[used], windows) for windows in WINDOWS)
        return [view for view in views if view is not None]

    def verdict(
        self,
        status: LeakStatus,
        reason: str,
        troughs: Troughs,
        onset: int = 0,
        bound: float | None = None,
    ) -> LeakVerdict:
        """Return a verdict with the line through ``troughs`` from the index ``onset`` on."""
        place, size = troughs.place, troughs.size
        trend = fit_trend(place[onset:], size[onset:])
        begin = float(place[onset]) if onset else 0.0
        start = trend.at(begin)
        # Growth from next to nothing is relative to the first trough.
        scale = (1 - begin) / (start if start > 0 else max(float(size[onset]), 1.0))
        change, change_low = self._compare_ends()
        return LeakVerdict(
            status=status,
            reason=reason,
            growth=trend.slope * scale,
            low=_finite(trend.low * scale),
            high=_finite(trend.high * scale),
            p=_p_value(troughs, onset, trend),
            trough_times=tuple((self.time[0] + place * (self.time[-1] - self.time[0])).tolist()),
            trough_bytes=tuple(size.tolist()),
            line_bytes=tuple(trend.at(max(begin, at)) for at in place.tolist()),
            onset=begin or None,
            bound=bound,
            change=change,
            change_low=change_low,
        )

    def _compare_ends(self) -> tuple[float, float]:
        """Return the growth from the first part to the last, and what is sure of it."""
        ends: list[tuple[float, float]] = []
        for troughs in self.views(WARM_UP):
            count = -(-troughs.size.size // _PARTS)
            first, last = troughs.size[:count], troughs.size[-count:]
            level = max(float(np.median(first)), 1.0)
            sure = float(last.min() - first.max()) - troughs.given_back
            ends.append((float(np.median(last)) / level - 1, sure / level))
        return max(ends, key=lambda end: end[1])


def _onsets(troughs: Troughs) -> Iterator[int]:
    """Yield the indices of troughs from which on there are enough."""
    for share in _ONSETS:
        first = troughs.size.size - troughs.since(share)
        if troughs.size.size - first >= LEAST_TROUGHS:
            yield first


def _misfit(troughs: Troughs, onset: int) -> float:
    return monotonic_trend.onset_residual(troughs.place, troughs.size, onset)


def _p_value(troughs: Troughs, onset: int, trend: MonotonicTrend) -> float:
    """Return the p of "no trend" since ``onset``, alone or against the level before."""
    if not onset:
        return trend.p
    return min(trend.p, monotonic_trend.onset_p(troughs.place, troughs.size, onset))


def _objection(troughs: Troughs, onset: int) -> str:
    """Return the reason why there is no leak from ``onset`` on; empty if there may be one."""
    x, y = troughs.place[onset:], troughs.size[onset:]
    trend = fit_trend(x, y)
    span = float(x[-1] - x[0])
    level = max(float(np.median(troughs.size[: max(3, troughs.size.size // 5)])), 1.0)
    if not trend.slope * span >= _GIVEN_BACK * troughs.given_back:
        return "it comes and goes by as much as it grows"
    # From the first trough on, the line counts for the whole run.
    if not trend.low * (span if onset else 1.0) >= LEAST_GROWTH * level:
        return f"it may grow by less than {format_exact(100 * LEAST_GROWTH, '%')}"
    if not trend.slope * span >= _RESOLUTIONS * troughs.resolution:
        return "it may have been lower between two samples"
    is_great = trend.slope * span >= _GREAT * troughs.given_back
    if not (p := _p_value(troughs, onset, trend)) < (_GREAT_ALPHA if is_great else ALPHA):
        return f"a trend can't be told from chance ({describe_p_value(p)})"
    return _other_shape(x, y) or _slowdown(troughs, onset, trend)


def _other_shape(x: Floats, y: Floats) -> str:
    """Return the shape that fits as well as a line; empty if none does."""
    line = monotonic_trend.line_residual(x, y)
    step = monotonic_trend.step_residual(y)
    curve = monotonic_trend.saturation_residual(x, y, _TIME_CONSTANTS)
    if not line < min(step, curve):
        return "it levels off" if curve < step else "a single step fits as well as a line"
    evidence = _evidence(line, monotonic_trend.two_step_residual(y), y)
    if not evidence > -_TWO_STEPS_COST * math.log(y.size):
        return "two steps fit as well as a line"
    return ""


def _evidence(residual: float, other: float, y: Floats) -> float:
    """Return twice the log likelihood ratio of a fit to another, from their sums of squares."""
    # What rounding leaves of a perfect fit.
    exact = 1e-18 * float(y.max()) ** 2
    return y.size * math.log((other + exact) / (residual + exact)) if exact else 0.0


def _slowdown(troughs: Troughs, onset: int, trend: MonotonicTrend) -> str:
    """Return the reason if growth since ``onset`` slows down; else nothing."""
    x, y = troughs.place, troughs.size
    middle = onset + (x.size - onset) // 2
    early, late = (
        fit_trend(x[onset : middle + 1], y[onset : middle + 1]),
        fit_trend(x[middle:], y[middle:]),
    )
    slower = late.slope < _SLOWER * early.slope
    if onset >= 3:
        before = fit_trend(x[: onset + 1], y[: onset + 1])
        slower |= trend.slope < _SLOWER_THAN_BEFORE * before.slope
    whole = _evidence(_misfit(troughs, onset), monotonic_trend.logarithm_residual(x, y), y)
    x, y = x[onset:], y[onset:]
    since = _evidence(
        monotonic_trend.line_residual(x, y), monotonic_trend.logarithm_residual(x, y), y
    )
    slower |= whole < 0 and since < _STRAIGHT_EVIDENCE
    return "it levels off" if slower else ""


def _suspect(series: _Series, troughs: Troughs, onset: int) -> LeakVerdict:
    verdict = series.verdict(LeakStatus.SUSPECTED, "", troughs, onset)
    since = f" from {format_percent(verdict.onset)} of the run on" if verdict.onset else ""
    least = "" if verdict.low is None else f", by {format_percent(verdict.low)} at least"
    return replace(verdict, reason=f"it keeps growing{since}{least}")


def _clear(series: _Series, margin: float) -> LeakVerdict | None:
    """Return the verdict "clean" if growth is ruled out; else None."""
    for start, share in _LEVEL_SINCE:
        for troughs in series.views(start):
            bound = _bound(troughs, start, series.since(start))
            if bound < share * margin:
                since = f" since {format_percent(start)} of the run" if start else ""
                at_most = format_percent(max(bound, 0.0))
                reason = f"its growth{since} is {at_most} at most"
                return series.verdict(LeakStatus.CLEAN, reason, troughs, bound=bound)
    return None


def _bound(troughs: Troughs, start: float, size: Floats) -> float:
    """Return the growth since ``start`` that is not ruled out, by ``troughs`` of all sizes since.

    With what sampling can hide, and with a last rise that is higher than any that came back.
    """
    level = max(float(np.median(troughs.size)), 1.0)
    bound = bound_growth(troughs.place, troughs.size, start) + troughs.resolution / 2 / level
    for samples in {*_LAST_SAMPLES, 1 + size.size // _LAST_PARTS}:
        lowest = sliding_window_view(size, min(samples, size.size)).min(axis=1)
        rise, given_back = float(lowest[-1]) - level, largest_fall(lowest)
        if rise > given_back:
            # It may have gone on as far since the lowest of the last samples.
            bound = max(bound, (2 * rise + given_back) / level)
    return bound


def _doubt(series: _Series, margin: float) -> LeakVerdict:
    """Return the verdict "inconclusive", by the troughs whose line has the narrowest interval."""
    views = series.views(WARM_UP)
    trends = [fit_trend(view.place, view.size) for view in views]
    narrowest = min(range(len(views)), key=lambda i: trends[i].high - trends[i].low)
    troughs = views[narrowest]
    bound = min(_bound(view, WARM_UP, series.since(WARM_UP)) for view in views)
    verdict = series.verdict(LeakStatus.INCONCLUSIVE, "", troughs, bound=_finite(bound))
    is_higher = (verdict.change_low or 0.0) >= LEAST_GROWTH
    shape = _other_shape(troughs.place, troughs.size) if is_higher else ""
    reason = shape or _objection(troughs, 0)
    limit = format_exact(100 * margin, "%")
    return replace(verdict, reason=f"{reason}, and growth of {limit} is not ruled out; run longer")


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
