"""A trend as a small chart: a dot for each run (or stretch of runs), levels, change points."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from veperf.archive.trend import Shift, Trend
from veperf.core import number_format
from veperf.report.charts.axes import Axis, Chart
from veperf.report.tables.trend_tables import day, effect, headline

_BLOCKS = "▁▂▃▄▅▆▇█"
_LEAST_SPAN_trend_line = 0.05


@dataclass(frozen=True, slots=True)
class Thin:
    """A series of few points: each the median of a stretch of the runs."""

    places: tuple[float, ...]
    """The middle of each stretch, in runs."""
    values: tuple[float, ...]


def thinned(found: Trend, most: int) -> Thin:
    """At most so many points of the series."""
    n = len(found.values)
    parts = np.array_split(np.arange(n), min(n, most))
    return Thin(
        tuple(float(part.mean()) for part in parts),
        tuple(float(np.median(found.values[part])) for part in parts),
    )


def bars(found: Trend, width: int) -> str:
    """The series as blocks, at most ``width`` of them, over a span of at least 5 %."""
    values = thinned(found, width).values
    low, high = min(values), max(values)
    least = _LEAST_SPAN_trend_line * abs(low + high) / 2
    if high - low < least:
        low, high = (low + high - least) / 2, (low + high + least) / 2
    if high == low:
        return _BLOCKS[len(_BLOCKS) // 2] * len(values)
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round((value - low) / (high - low) * top)] for value in values)


_MOST_DOTS = 100
_MOST_NAMES = 5
# Never so close that the noise of a quiet benchmark fills the picture.
_LEAST_SPAN = 0.05
_TICKS = 4


def picture(found: Trend, *, height: int = 110) -> str:
    """The chart as SVG; the largest shifts have their size beside them."""
    dots = thinned(found, _MOST_DOTS)
    y = _around([*dots.values, *(v for level in levels(found) for v in level[2:])], found.unit)
    chart = Chart(_dates(found), y, title="", height=height, right=16)
    named = sorted(found.shifts, key=_size, reverse=True)[:_MOST_NAMES]
    for shift in found.shifts:
        name = number_format.change(shift.point.ratio) if shift in named else ""
        chart.down(shift.point.index - 0.5, "quiet", name)
    chart.marks(zip(dots.places, dots.values, strict=True), "new", "dots")
    for first, last, value in levels(found):
        chart.line([(first, value), (last, value)], "base")
    said = "; ".join(f"{effect(found, s)} since {day(s.bad)}" for s in found.shifts)
    return chart.svg(f"{headline(found)}. {said}")


def levels(found: Trend) -> list[tuple[float, float, float]]:
    """First place, last place and median of each stretch between change points."""
    if not found.shifts:
        return []
    ends = [0, *(shift.point.index for shift in found.shifts), len(found.values)]
    medians = [found.shifts[0].point.before, *(shift.point.after for shift in found.shifts)]
    return [
        (first - 0.5, end - 0.5, value)
        for first, end, value in zip(ends, ends[1:], medians, strict=False)
    ]


def span(values: Iterable[float]) -> tuple[float, float]:
    """Both ends of an axis about ``values``, that need not reach down to zero."""
    shown = list(values)
    low, high = min(shown), max(shown)
    least = max(_LEAST_SPAN * max(abs(low), abs(high)), 1e-9)
    beyond = max(0.1 * (high - low), (least - (high - low)) / 2)
    return low - beyond, high + beyond


def _size(shift: Shift) -> float:
    return abs(shift.point.ratio - 1)


def _dates(found: Trend) -> Axis:
    n = len(found.runs)
    places = sorted({0, (n - 1) // 2, n - 1})
    ticks = tuple((float(place), day(found.runs[place])) for place in places)
    return Axis(-0.5, n - 0.5, ticks)


def _around(values: list[float], unit: str) -> Axis:
    low, high = span(values)
    rough = (high - low) / _TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    digits = max(2, math.ceil(math.log10(max(abs(low), abs(high)) / step)) + 1)
    ticks = [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return Axis(
        low, high, tuple((tick, number_format.quantity(tick, unit, digits)) for tick in ticks)
    )
