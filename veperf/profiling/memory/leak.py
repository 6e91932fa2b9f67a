"""Does memory leak? A rule on what a process holds at rest, over time."""

from enum import StrEnum

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike

from veperf.core.errors import UsageError
from veperf.profiling.memory import charts
from veperf.stats import monotonic_trend
from veperf.stats.monotonic_trend import Floats, Trend, fit_trend

WARM_UP = 0.2
"""The first so much of a run, by time, says nothing: caches fill, code is loaded."""
LEAST_TROUGHS = 8
ALPHA = 0.01
_HINT = 0.05
"""A trend with a p below this, and not below ``ALPHA``, is neither proven nor ruled out."""
LEAST_GROWTH = 0.01
"""Of the memory at the beginning, over the run, for sure."""
_LATER = 0.5
"""What levels off or steps at first may still leak: from here on it is judged by itself."""
_WINDOWS = (32, 24, 16, 12, LEAST_TROUGHS)
_LEAST_IN_WINDOW = 4
_LEVELLING = (0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32)
"""Time constants of curves that level off, as shares of the run."""


class LeakStatus(StrEnum):
    """Does it leak?"""

    SUSPECTED = "suspected"
    CLEAN = "clean"
    INCONCLUSIVE = "inconclusive"


class LeakVerdict(Struct, frozen=True):
    """Whether memory leaks, and how much it grows."""

    status: LeakStatus
    reason: str
    growth: float | None = None
    """Over the whole run, as a share of the memory at its beginning: 0.1 is 10 %; by the line
    through the troughs. None where there are too few."""
    low: float | None = None
    high: float | None = None
    """Ends of its 95 % interval; None where that end is open."""
    p: float | None = None
    """Of "no trend"."""
    trough_times: tuple[float, ...] = ()
    trough_bytes: tuple[float, ...] = ()
    line_bytes: tuple[float, ...] = ()
    """The fitted line at the times of the troughs."""

    def __repr__(self) -> str:
        grows = "" if self.growth is None else f", {self.growth:+.1%} over the run"
        if self.low is not None and self.high is not None:
            grows += f" ({self.low:+.1%} to {self.high:+.1%})"
        suspected = self.status is LeakStatus.SUSPECTED
        word = "a leak is suspected" if suspected else self.status.value
        return f"{word}{grows}: {self.reason}"

    def _repr_html_(self) -> str:
        points = tuple(zip(self.trough_times, self.trough_bytes, strict=True))
        line = tuple(zip(self.trough_times, self.line_bytes, strict=True))
        alt = "Memory at rest over time, and the line through it"
        return charts.card(repr(self), charts.curve(points, alt, line=line, unit=""))


def judge_leak(times: ArrayLike, heap: ArrayLike) -> LeakVerdict:
    """Whether what a process holds, ``heap`` at ``times`` (shape (n,) each), keeps growing.

    Sample the heap after a garbage collection where you can: what is not garbage is left then. Of
    the samples after the first 20 % of the time, the troughs count: the lowest in each of 8 to 32
    windows, as many as give the line through them its narrowest interval. A leak is suspected
    where all of this holds:

    - there is a trend by Mann and Kendall's test, p < 0.01, corrected for autocorrelation;
    - Theil and Sen's line grows by 1 % at least over the run, by the lower end of its interval;
    - the line fits better than a single step, and than a curve that levels off; or it does so in
      the second half of the run;
    - memory does not come back: the last third of the troughs lies above the middle of the first.

    Inconclusive where fewer than 8 samples are left, which are too few troughs; or where all of it
    holds but that p is between 0.01 and 0.05.

    Raises:
        UsageError: the two differ in shape, or hold what is no number or no size, or times that
            don't ascend.
    """
    t, y = _checked(times, heap)
    found, excused = _judge(t, y, WARM_UP)
    if excused:
        later, _ = _judge(t, y, _LATER)
        if later.status is LeakStatus.SUSPECTED:
            return later
    return found


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


def _judge(t: Floats, y: Floats, dropped: float) -> tuple[LeakVerdict, bool]:
    """The verdict on what comes after the share ``dropped``.

    And whether nothing speaks against a leak but that another shape fits better.
    """
    kept = t >= t[0] + dropped * (t[-1] - t[0]) if t.size else np.zeros(0, dtype=np.bool_)
    if (left := int(np.count_nonzero(kept))) < LEAST_TROUGHS:
        reason = f"{left} samples after the warm-up are too few: {LEAST_TROUGHS} are the least"
        return LeakVerdict(LeakStatus.INCONCLUSIVE, reason), False
    x, troughs, trend = _closest(t[kept], y[kept])
    span = float(t[-1] - t[0])
    # What begins with next to nothing is measured by its first trough.
    start = trend.at(float(t[0]))
    scale = span / (start if start > 0 else max(float(troughs[0]), 1.0))
    objections = _objections(troughs, trend, trend.low * scale)
    other_shape = _other_shape(x, troughs, span)
    status = LeakStatus.CLEAN if objections or other_shape else LeakStatus.SUSPECTED
    if ALPHA <= trend.p < _HINT and trend.low * scale >= LEAST_GROWTH and not other_shape:
        status = LeakStatus.INCONCLUSIVE
    verdict = LeakVerdict(
        status=status,
        reason=objections
        or other_shape
        or f"it keeps growing, by {trend.low * scale:.1%} at least",
        growth=trend.slope * scale,
        low=_known(trend.low * scale),
        high=_known(trend.high * scale),
        p=trend.p,
        trough_times=tuple(x.tolist()),
        trough_bytes=tuple(troughs.tolist()),
        line_bytes=tuple(trend.at(time) for time in x.tolist()),
    )
    return verdict, bool(other_shape) and not objections


def _closest(t: Floats, y: Floats) -> tuple[Floats, Floats, Trend]:
    """The troughs, in so many windows as give their line the narrowest interval."""
    found: list[tuple[Floats, Floats, Trend]] = []
    for windows in _WINDOWS:
        if windows == LEAST_TROUGHS or t.size >= windows * _LEAST_IN_WINDOW:
            parts = np.array_split(np.arange(t.size), windows)
            lowest = np.array([part[np.argmin(y[part])] for part in parts])
            found.append((t[lowest], y[lowest], fit_trend(t[lowest], y[lowest])))
    return min(found, key=lambda one: one[2].high - one[2].low)


def _objections(troughs: Floats, trend: Trend, low: float) -> str:
    """Why there is no leak, in words; empty where there may be one."""
    if not trend.p < ALPHA:
        return f"a trend can't be told from chance (p = {trend.p:.2g})"
    if not low >= LEAST_GROWTH:
        return f"it may well grow by less than {LEAST_GROWTH:.0%}"
    third = troughs.size // 3
    if not troughs[-third:].min() > np.median(troughs[:third]):
        return "it comes back to where it was"
    return ""


def _other_shape(x: Floats, troughs: Floats, span: float) -> str:
    """The shape that fits the troughs no worse than a line, in words; empty where none does."""
    line = monotonic_trend.straight(x, troughs)
    if not line < monotonic_trend.step(troughs):
        return "a single step fits as well as a line"
    if not line < monotonic_trend.levelling_off(x, troughs, [share * span for share in _LEVELLING]):
        return "it levels off"
    return ""


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
