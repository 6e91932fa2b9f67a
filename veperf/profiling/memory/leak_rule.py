"""Leak detection: a rule on the memory that a process holds after garbage collections."""

from enum import StrEnum

import numpy as np
from msgspec import Struct
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
from veperf.stats import monotonic_trend
from veperf.stats.monotonic_trend import Floats, MonotonicTrend, fit_trend

WARM_UP = 0.2
"""Share of the run, by time, that is ignored at first: caches fill, code is loaded."""
LEAST_TROUGHS = 8
ALPHA = 0.01
_WEAK_ALPHA = 0.05
"""A trend with a p between ``ALPHA`` and this one is neither proven nor ruled out."""
LEAST_GROWTH = 0.01
"""Growth over the run, as a share of the memory at its beginning."""
_SECOND_HALF = 0.5
"""Memory that levels off or steps at first may still leak: from this share of the run on it is
judged again by itself."""
_WINDOWS = (32, 24, 16, 12, LEAST_TROUGHS)
_MIN_WINDOW_SAMPLES = 4
_TIME_CONSTANTS = (0.04, 0.08, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32)
"""Time constants of curves that level off, as shares of the run."""


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
    line through the troughs. None if there are too few."""
    low: float | None = None
    high: float | None = None
    """Ends of its 95 % interval; None if an end is open."""
    p: float | None = None
    """p-value of "no trend"."""
    trough_times: tuple[float, ...] = ()
    trough_bytes: tuple[float, ...] = ()
    line_bytes: tuple[float, ...] = ()
    """The fitted line at the times of the troughs."""

    def __repr__(self) -> str:
        grows = "" if self.growth is None else f", {format_change(1 + self.growth)} over the run"
        if self.low is not None and self.high is not None:
            grows += f" ({format_change_interval(1 + self.low, 1 + self.high)})"
        suspected = self.status is LeakStatus.SUSPECTED
        word = "a leak is suspected" if suspected else self.status.value
        return f"{word}{grows}: {self.reason}"

    def _repr_html_(self) -> str:
        points = tuple(zip(self.trough_times, self.trough_bytes, strict=True))
        line = tuple(zip(self.trough_times, self.line_bytes, strict=True))
        alt = "Memory at rest over time, and the line through it"
        return charts.html_card(repr(self), charts.memory_curve(points, alt, line=line, unit=""))


def judge_leak(times: ArrayLike, heap: ArrayLike) -> LeakVerdict:
    """Judge whether the memory of a process, ``heap`` at ``times`` (shape (n,) each), leaks.

    Sample the heap after a garbage collection if possible, when no garbage is left. Of the samples
    after the first 20 % of the time, the troughs count: the lowest in each of 8 to 32 windows, as
    many as give the line through them its narrowest interval. A leak is suspected if all of this
    holds:

    - there is a trend by Mann and Kendall's test, p < 0.01, corrected for autocorrelation;
    - Theil and Sen's line grows by 1 % at least over the run, by the lower end of its interval;
    - the line fits better than a single step, and than a curve that levels off; or it does so in
      the second half of the run;
    - memory does not come back: the last third of the troughs lies above the middle of the first.

    Inconclusive if fewer than 8 samples are left, which are too few troughs; or if all of it holds
    but p is between 0.01 and 0.05.

    Raises:
        UsageError: the two differ in shape, a value is no number or no size, or times don't
            ascend.
    """
    t, y = _checked(times, heap)
    verdict, is_other_shape = _judge(t, y, WARM_UP)
    if is_other_shape:
        later, _ = _judge(t, y, _SECOND_HALF)
        if later.status is LeakStatus.SUSPECTED:
            return later
    return verdict


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
    """Return the verdict on the samples after the share ``dropped`` of the run.

    And whether only a better fit of another shape speaks against a leak.
    """
    used = t >= t[0] + dropped * (t[-1] - t[0]) if t.size else np.zeros(0, dtype=np.bool_)
    if (left := int(np.count_nonzero(used))) < LEAST_TROUGHS:
        reason = f"{left} samples after the warm-up are too few: {LEAST_TROUGHS} are the least"
        return LeakVerdict(LeakStatus.INCONCLUSIVE, reason), False
    x, troughs, trend = _find_troughs(t[used], y[used])
    span = float(t[-1] - t[0])
    # Growth from next to nothing is relative to the first trough.
    start = trend.at(float(t[0]))
    scale = span / (start if start > 0 else max(float(troughs[0]), 1.0))
    objections = _objections(troughs, trend, trend.low * scale)
    other_shape = _other_shape(x, troughs, span)
    status = LeakStatus.CLEAN if objections or other_shape else LeakStatus.SUSPECTED
    if ALPHA <= trend.p < _WEAK_ALPHA and trend.low * scale >= LEAST_GROWTH and not other_shape:
        status = LeakStatus.INCONCLUSIVE
    verdict = LeakVerdict(
        status=status,
        reason=objections
        or other_shape
        or f"it keeps growing, by {format_percent(trend.low * scale)} at least",
        growth=trend.slope * scale,
        low=_finite(trend.low * scale),
        high=_finite(trend.high * scale),
        p=trend.p,
        trough_times=tuple(x.tolist()),
        trough_bytes=tuple(troughs.tolist()),
        line_bytes=tuple(trend.at(time) for time in x.tolist()),
    )
    return verdict, bool(other_shape) and not objections


def _find_troughs(t: Floats, y: Floats) -> tuple[Floats, Floats, MonotonicTrend]:
    """Return the troughs, in as many windows as give their line the narrowest interval."""
    fits: list[tuple[Floats, Floats, MonotonicTrend]] = []
    for windows in _WINDOWS:
        if windows == LEAST_TROUGHS or t.size >= windows * _MIN_WINDOW_SAMPLES:
            parts = np.array_split(np.arange(t.size), windows)
            lowest = np.array([part[np.argmin(y[part])] for part in parts])
            fits.append((t[lowest], y[lowest], fit_trend(t[lowest], y[lowest])))
    return min(fits, key=lambda fit: fit[2].high - fit[2].low)


def _objections(troughs: Floats, trend: MonotonicTrend, low: float) -> str:
    """Return the reason why there is no leak; empty if there may be one."""
    if not trend.p < ALPHA:
        return f"a trend can't be told from chance ({describe_p_value(trend.p)})"
    if not low >= LEAST_GROWTH:
        return f"it may grow by less than {format_exact(100 * LEAST_GROWTH, '%')}"
    third = troughs.size // 3
    if not troughs[-third:].min() > np.median(troughs[:third]):
        return "it returns to its level at the beginning"
    return ""


def _other_shape(x: Floats, troughs: Floats, span: float) -> str:
    """Return the shape that fits the troughs as well as a line; empty if none does."""
    line = monotonic_trend.line_residual(x, troughs)
    if not line < monotonic_trend.step_residual(troughs):
        return "a single step fits as well as a line"
    if not line < monotonic_trend.saturation_residual(
        x, troughs, [share * span for share in _TIME_CONSTANTS]
    ):
        return "it levels off"
    return ""


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
