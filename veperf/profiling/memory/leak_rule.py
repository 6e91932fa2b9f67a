"""Leak detection: a rule on the memory that a process holds after garbage collections."""

import math
from enum import StrEnum

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
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
from veperf.profiling.memory.growth_end import ends_low, is_over, jumps_are_over
from veperf.profiling.memory.troughs import (
    LEAST_TROUGHS,
    WINDOWS,
    Troughs,
    fall_troughs,
    rose_again,
    window_troughs,
)
from veperf.stats.growth_bound import bound_beside_curve, bound_growth
from veperf.stats.growth_shapes import LEVELS_OFF, RAMP, find_onset, rival_evidence
from veperf.stats.monotonic_trend import Floats, MonotonicTrend, fit_trend, onset_p

WARM_UP = 0.2
"""Share of the run, by time, in which growth is no sign of a leak: caches fill, code is loaded."""
MARGIN = 0.1
"""Growth over the run that a clean process stays below, as a share; published in targets.json."""
ALPHA = 0.01
"""Significance level of growth."""
LEAST_GROWTH = 0.01
"""Growth that counts, as a share of the memory before it."""
_STARTS = (WARM_UP, 0.4)
"""Shares of the run from which on a leak is looked for: what came before may have ended."""
_LEAST_AFTER_ONSET = 5
_GIVEN_BACK = 3.0
"""A leak grows by so many times what memory fell by at most since the warm-up."""
_RESOLUTIONS = 1.25
"""And by so many times what a trough may have been lower between two samples."""
_WALKS = 3.0
"""And by so many standard deviations of a random walk with the same steps: 1 walk in 370 does."""
_STRAIGHT_EVIDENCE = 5.0
"""BIC by which a line fits better than a curve that levels off: for a while, they are alike."""
_ENDED_EVIDENCE = 3.0
"""BIC by which growth has reached its end, where many windows show it."""
_FINE = 16
_LEVEL_SINCE = (0.0, 0.1, 0.2, 0.35, 0.5, 0.6)
"""From where on memory may be level to be clean."""
_SHARE_AFTER_GROWTH = 0.6
"""Share of the margin that is allowed where memory grew by more before."""
_SHARE_BESIDE_CURVE = 0.4
"""And beside a curve that levels off, which hides steps of a leak."""
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
    suspected if, after the first 20 or 40 % of the time, all of this holds:

    - they have a trend by Kendall's test from some onset on, corrected for autocorrelation;
    - Theil and Sen's line grows by 1 % at least, by the lower end of its 95 % interval;
    - it grows by 3 times what the troughs ever fell by since the warm-up, by more than sampling
      can hide, and by more than a random walk with the same steps;
    - it fits better than any shape of growth that has ended, or will (``rival_evidence``);
    - it is no rise that had fallen back before, at once and by as much (``rose_again``).

    Clean if growth is below ``margin``, a share, by the upper end of every 99 % interval, for lines
    and steps from any onset (``bound_growth``). Where memory grew by more before, less of the
    margin is allowed since then, or beside a curve that levels off, and what came before must be
    over: it must have paused at the end for longer than ever before, by more than chance
    (``is_over``). The end must have been seen low, between spikes.

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
    for start in _STARTS:
        if suspected := _suspect(series, start):
            return suspected
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

    @property
    def least(self) -> float:
        """The least memory, to which growth that is ruled out is relative; 1 byte at least."""
        return max(float(self.size.min()), 1.0)

    def views(self, start: float) -> list[Troughs]:
        """Return the troughs since ``start``, in every number of windows that is possible."""
        used = self.place >= start
        views = (window_troughs(self.place[used], self.size[used], windows) for windows in WINDOWS)
        return [view for view in views if view is not None]

    def after_falls(self, start: float) -> list[Troughs]:
        """Return the troughs after great falls since ``start``, if there are enough."""
        used = self.place >= start
        troughs = fall_troughs(self.place[used], self.size[used])
        return [troughs] if troughs else []

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
        begin = float(place[onset]) if onset or place[0] >= _STARTS[-1] else 0.0
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
            count = -(-len(troughs) // _PARTS)
            first, last = troughs.size[:count], troughs.size[-count:]
            level = max(float(np.median(first)), 1.0)
            sure = float(last.min() - first.max()) - troughs.given_back
            change = float(np.median(last) - np.median(first))
            ends.append((change / level, sure / level))
        return max(ends, key=lambda end: end[1])


def _p_value(troughs: Troughs, onset: int, trend: MonotonicTrend) -> float:
    """Return the p of "no trend" since ``onset``, alone or against the level before."""
    if not onset:
        return trend.p
    return min(trend.p, onset_p(troughs.place, troughs.size, onset))


def _suspect(series: _Series, start: float) -> LeakVerdict | None:
    """Return the verdict "suspected" if memory has grown since ``start``, and goes on; else None.

    Windows that are too long to show that growth has ended count only if shorter ones agree.
    """
    views = series.views(start)
    fell = {len(view): view.given_back for view in series.views(WARM_UP)}
    # Parts of a curve that levels off look straight, the more so by few troughs.
    enough = [view for view in views if start == WARM_UP or len(view) >= _FINE]
    for troughs in [*enough, *series.after_falls(start)]:
        onset = _onset(troughs)
        if _objection(troughs, onset, fell.get(len(troughs), 0.0)):
            continue
        if any(_has_ended(view) for view in views if len(view) >= _FINE):
            return None
        verdict = series.verdict(LeakStatus.SUSPECTED, "", troughs, onset)
        if _rose_again(series, verdict):
            return None
        since = f" from {format_percent(verdict.onset)} of the run on" if verdict.onset else ""
        least = "" if verdict.low is None else f", by {format_percent(verdict.low)} at least"
        return replace(verdict, reason=f"it keeps growing{since}{least}")
    return None


def _rose_again(series: _Series, verdict: LeakVerdict) -> bool:
    """Return whether the line of ``verdict`` may be a rise as another one that fell back."""
    growth = verdict.line_bytes[-1] - verdict.line_bytes[0]
    return growth > 0 and rose_again(series.size, growth)


def _onset(troughs: Troughs) -> int:
    """Return the index of the trough from which on memory grows, with enough troughs after."""
    place, _ = find_onset(troughs.place, troughs.size)
    before = int(np.count_nonzero(troughs.place < place))
    return min(before, len(troughs) - _LEAST_AFTER_ONSET)


def _objection(troughs: Troughs, onset: int, fell: float = 0.0) -> str:
    """Return the reason why there is no leak from ``onset`` on; empty if there may be one.

    ``fell`` is what such troughs fell by at most since the warm-up.
    """
    x, y = troughs.place[onset:], troughs.size[onset:]
    trend = fit_trend(x, y)
    span = float(x[-1] - x[0])
    level = max(float(np.median(troughs.size[: max(3, len(troughs) // 5)])), 1.0)
    growth = trend.slope * span
    if not growth >= _GIVEN_BACK * max(troughs.given_back, fell):
        return "it comes and goes by as much as it grows"
    # From the first trough on, the line counts for the whole run.
    if not trend.low * (span if onset else 1.0) >= LEAST_GROWTH * level:
        return f"it may grow by less than {format_exact(100 * LEAST_GROWTH, '%')}"
    if not growth >= _RESOLUTIONS * troughs.resolution:
        return "it may have been lower between two samples"
    if not (p := _p_value(troughs, onset, trend)) < ALPHA:
        return f"a trend can't be told from chance ({describe_p_value(p)})"
    if not growth >= _WALKS * float(np.diff(y).std()) * math.sqrt(y.size - 1):
        return "it may be a random walk"
    return _other_shape(troughs)


def _other_shape(troughs: Troughs) -> str:
    """Return the shape of ended growth that fits as well as a line; empty if none does."""
    evidence = rival_evidence(troughs.place, troughs.size)
    evidence[LEVELS_OFF] -= _STRAIGHT_EVIDENCE
    shape = min(evidence, key=lambda name: evidence[name])
    return shape if evidence[shape] <= 0 else ""


def _has_ended(troughs: Troughs) -> bool:
    """Return whether growth that has reached its end fits clearly better than a line."""
    return rival_evidence(troughs.place, troughs.size)[RAMP] < -_ENDED_EVIDENCE


def _clear(series: _Series, margin: float) -> LeakVerdict | None:
    """Return the verdict "clean" if growth is ruled out; else None."""
    place, size, least = series.place, series.size, series.least
    for start in _LEVEL_SINCE:
        allowed = _SHARE_AFTER_GROWTH * margin * (1 - start) if start else margin
        if start and not is_over(place, size, start, allowed * least):
            continue
        for troughs in series.views(start):
            bound = bound_growth(troughs.place, troughs.size, start) / least
            high = float(np.median(troughs.size)) + allowed / 2 * least
            if bound < allowed and ends_low(size[place >= start], high):
                since = f" since {format_percent(start)} of the run" if start else ""
                return _clean(series, troughs, since, bound)
    for troughs in series.views(0.0):
        growth, constant = bound_beside_curve(troughs.place, troughs.size)
        bound = growth / least
        allowed = _SHARE_BESIDE_CURVE * margin * (1 - constant)
        high = float(np.median(troughs.size[-LEAST_TROUGHS // 2 :])) + allowed / 2 * least
        if (
            bound < allowed
            and jumps_are_over(place, size, 1.0, allowed * least)
            and ends_low(size, high)
        ):
            return _clean(series, troughs, " beside a curve that levels off", bound)
    return None


def _clean(series: _Series, troughs: Troughs, since: str, bound: float) -> LeakVerdict:
    reason = f"its growth{since} is {format_percent(max(bound, 0.0))} at most"
    return series.verdict(LeakStatus.CLEAN, reason, troughs, bound=bound)


def _doubt(series: _Series, margin: float) -> LeakVerdict:
    """Return the verdict "inconclusive", by the troughs whose line has the narrowest interval."""
    views = series.views(WARM_UP)
    trends = [fit_trend(view.place, view.size) for view in views]
    narrowest = min(range(len(views)), key=lambda i: trends[i].high - trends[i].low)
    troughs = views[narrowest]
    bound = min(bound_growth(view.place, view.size, WARM_UP) for view in views) / series.least
    verdict = series.verdict(LeakStatus.INCONCLUSIVE, "", troughs, bound=_finite(bound))
    is_higher = (verdict.change_low or 0.0) >= LEAST_GROWTH
    shape = _other_shape(troughs) if is_higher else ""
    reason = shape or _objection(troughs, _onset(troughs)) or RAMP
    if is_higher and _rose_again(series, verdict):
        reason = "it had grown by as much before, and fell back"
    limit = format_exact(100 * margin, "%")
    return replace(verdict, reason=f"{reason}, and growth of {limit} is not ruled out; run longer")


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
