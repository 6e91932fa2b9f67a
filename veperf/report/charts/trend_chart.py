"""A trend as a small chart: a dot for each run or group of runs, levels, change points."""

import math
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from veperf.archive.trend import Trend, TrendChange
from veperf.core.text import format_change, format_interval, format_quantity
from veperf.report.charts.axes import Axis, Chart, Point, round_step
from veperf.report.tables.trend_tables import run_date, short_commit, trend_effect, trend_headline

_BLOCKS = "▁▂▃▄▅▆▇█"
_MOST_DOTS = 100
_MOST_NAMES = 5
# Limit the zoom: the noise of a quiet benchmark must not fill the picture.
_LEAST_SPAN = 0.05
_TICKS = 4


def thin_series(trend: Trend, most: int) -> list[Point]:
    """Return at most ``most`` points, each the mean index and median value of adjacent runs."""
    n = len(trend.values)
    parts = np.array_split(np.arange(n), min(n, most))
    return [(float(part.mean()), float(np.median(trend.values[part]))) for part in parts]


def trend_blocks(trend: Trend, width: int) -> str:
    """Return the series as at most ``width`` block characters, over a span of at least 5 %."""
    values = [value for _, value in thin_series(trend, width)]
    low, high = min(values), max(values)
    least = _LEAST_SPAN * abs(low + high) / 2
    if high - low < least:
        low, high = (low + high - least) / 2, (low + high + least) / 2
    if high == low:
        return _BLOCKS[len(_BLOCKS) // 2] * len(values)
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round((value - low) / (high - low) * top)] for value in values)


def trend_chart(
    trend: Trend, *, height: int = 110, reports: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return the chart as SVG; the largest change points are labelled with their size.

    ``reports`` has the address of each run's report, where it has one: its dot leads there.
    """
    dots = thin_series(trend, _MOST_DOTS)
    y = _around(
        [*(value for _, value in dots), *(v for level in trend_levels(trend) for v in level[2:])],
        trend.unit,
    )
    chart = Chart(_dates(trend), y, title="", height=height, right=16)
    named = sorted(trend.change_points, key=_size, reverse=True)[:_MOST_NAMES]
    for change in trend.change_points:
        name = format_change(change.point.ratio) if change in named else ""
        chart.vertical_line(change.point.index - 0.5, "quiet", name)
    groups = np.array_split(np.arange(len(trend.runs)), len(dots))
    texts = [_describe_runs(trend, group.tolist()) for group in groups]
    links = [reports.get(trend.runs[group[-1]].id, "") for group in groups]
    chart.marks(dots, "new", "dots", texts=texts, links=links)
    for first, last, value in trend_levels(trend):
        chart.line([(first, value), (last, value)], "base")
    changes = "; ".join(
        f"{trend_effect(trend, s)} since {run_date(s.bad)}" for s in trend.change_points
    )
    return chart.svg(f"{trend_headline(trend)}. {changes}")


def _describe_runs(trend: Trend, indices: Sequence[int]) -> str:
    """Return a dot's runs, commits and value in a line."""
    first, last = trend.runs[indices[0]], trend.runs[indices[-1]]
    value = format_quantity(float(np.median(trend.values[indices])), trend.unit)
    if len(indices) > 1:
        return f"{len(indices)} runs, {run_date(first)} to {run_date(last)}: median {value}"
    low, high = float(trend.low[indices[0]]), float(trend.high[indices[0]])
    commit = f", {short_commit(first)}" if first.commit else ""
    interval = f" ({format_interval(low, high, trend.unit)})" if low < high else ""
    return f"{run_date(first)}{commit}: {value}{interval}"


def trend_levels(trend: Trend) -> list[tuple[float, float, float]]:
    """Return first index, last index and median of each level between change points."""
    if not trend.change_points:
        return []
    ends = [0, *(change.point.index for change in trend.change_points), len(trend.values)]
    medians = [
        trend.change_points[0].point.before,
        *(change.point.after for change in trend.change_points),
    ]
    return [
        (first - 0.5, end - 0.5, value)
        for first, end, value in zip(ends, ends[1:], medians, strict=False)
    ]


def axis_span(values: Iterable[float]) -> tuple[float, float]:
    """Return both ends of an axis around ``values`` that need not include zero."""
    finite = list(values)
    low, high = min(finite), max(finite)
    least = max(_LEAST_SPAN * max(abs(low), abs(high)), 1e-9)
    beyond = max(0.1 * (high - low), (least - (high - low)) / 2)
    return low - beyond, high + beyond


def _size(change: TrendChange) -> float:
    return abs(change.point.ratio - 1)


def _dates(trend: Trend) -> Axis:
    n = len(trend.runs)
    places = sorted({0, (n - 1) // 2, n - 1})
    ticks = tuple((float(place), run_date(trend.runs[place])) for place in places)
    return Axis(-0.5, n - 0.5, ticks)


def _around(values: list[float], unit: str) -> Axis:
    low, high = axis_span(values)
    step = round_step((high - low) / _TICKS)
    digits = max(2, math.ceil(math.log10(max(abs(low), abs(high)) / step)) + 1)
    ticks = [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return Axis(low, high, tuple((tick, format_quantity(tick, unit, digits)) for tick in ticks))
