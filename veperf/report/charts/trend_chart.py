"""A trend as a small chart: a dot for each run or group of runs, levels, change points."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from veperf.archive.summary_tables import Floats, Ints
from veperf.archive.trend import Trend, TrendChange
from veperf.core.text import format_change, format_interval, format_quantity
from veperf.report.charts.axes import Axis, Chart, Point, round_step
from veperf.report.charts.labels import data_attribute, is_drawable
from veperf.report.tables.trend_tables import run_date, short_commit, trend_effect, trend_headline

_BLOCKS = "▁▂▃▄▅▆▇█"
_MOST_DOTS = 100
_MOST_RUNS = 5_000
_MOST_NAMES = 5
# Limit the zoom: the noise of a quiet benchmark must not fill the picture.
_LEAST_SPAN = 0.05
_TICKS = 4


def thin_series(trend: Trend, most: int) -> list[Point]:
    """Return at most ``most`` points, each the mean index and median value of adjacent runs."""
    parts = _parts(len(trend.values), most)
    medians = _part_medians(trend.values, len(parts)).tolist()
    return [((part[0] + part[-1]) / 2, m) for part, m in zip(parts, medians, strict=True)]


def _parts(n: int, most: int) -> list[range]:
    """Return ``n`` indices in ``most`` parts or fewer, the longer ones first."""
    count = min(n, most)
    size, longer = divmod(n, count)
    ends = [number * size + min(number, longer) for number in range(count + 1)]
    return [range(first, end) for first, end in pairwise(ends)]


def _part_medians(values: Floats, count: int) -> Floats:
    """Return the medians of so many ``_parts``, shape (count,)."""
    size, longer = divmod(values.size, count)
    border = longer * (size + 1)
    parts = values[:border].reshape(longer, size + 1), values[border:].reshape(-1, size)
    return np.concatenate([np.median(part, axis=1) for part in parts if part.size])


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
    trend: Trend,
    *,
    height: int = 110,
    reports: Mapping[str, str] = MappingProxyType({}),
    all_runs: bool = False,
) -> str:
    """Return the chart as SVG; the largest change points are labelled with their size.

    Args:
        trend: what is drawn.
        height: of the plot.
        reports: the address of each run's report, where it has one: its dot leads there.
        all_runs: put every run into the attributes, 60 bytes each and its link, for the script
            of the page to zoom and to copy; not those of more than 5,000.
    """
    dots = [dot for dot in thin_series(trend, _MOST_DOTS) if is_drawable(*dot)]
    if not dots:
        return ""
    y = _around(
        [*(value for _, value in dots), *(v for level in trend_levels(trend) for v in level[2:])],
        trend.unit,
    )
    chart = Chart(_dates(trend), y, title="", y_title=trend.metric, height=height, right=16)
    named = sorted(trend.change_points, key=_size, reverse=True)[:_MOST_NAMES]
    for change in trend.change_points:
        name = format_change(change.point.ratio) if change in named else ""
        chart.vertical_line(change.point.index - 0.5, "quiet", name)
    if len(trend.values) <= _MOST_DOTS:
        runs = range(len(trend.values))
        ends = zip(runs, trend.low.tolist(), trend.high.tolist(), strict=True)
        chart.vertical_intervals(ends, "new", thin=True)
    if all_runs and len(trend.values) <= _MOST_RUNS:
        chart.marks(dots, "new", "dots")
        data = _run_attributes(trend, reports)
    else:
        texts, links = _dot_texts(trend, reports)
        chart.marks(dots, "new", "dots", texts=texts, links=links)
        data = ""
    for first, last, value in trend_levels(trend):
        chart.line([(first, value), (last, value)], "base")
    changes = "; ".join(
        f"{trend_effect(trend, s)} since {run_date(s.bad)}" for s in trend.change_points
    )
    return chart.svg(f"{trend_headline(trend)}. {changes}", data)


def _dot_texts(trend: Trend, reports: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Return what each dot says and where it leads."""
    parts = _parts(len(trend.runs), _MOST_DOTS)
    medians = _part_medians(trend.values, len(parts)).tolist()
    drawn = [(part, m) for part, m in zip(parts, medians, strict=True) if math.isfinite(m)]
    texts = [_describe_runs(trend, part, median) for part, median in drawn]
    return texts, [reports.get(trend.runs[part[-1]].id, "") for part, _ in drawn]


def _run_attributes(trend: Trend, reports: Mapping[str, str]) -> str:
    """Return all runs, levels and change points as attributes; ``trends.js`` reads them."""
    runs = trend.runs
    commits = [f", {short_commit(run)}" if run.commit else "" for run in runs]
    numbers: dict[str, Floats | Ints] = {
        "values": trend.values,
        "low": trend.low,
        "high": trend.high,
        "counts": trend.processes,
    }
    data = "".join(
        f' data-{name}="{" ".join(f"{value:.6g}" for value in array.tolist())}"'
        for name, array in numbers.items()
    )
    times = [run.created_at for run in runs]
    known = [time for time in times if time is not None]
    if len(known) == len(runs):
        minutes = " ".join(f"{(time - min(known)).total_seconds() / 60:.0f}" for time in known)
        data += f' data-minutes="{minutes}" data-start="{min(known).timestamp() // 60:.0f}"'
    levels = ";".join(f"{a:g} {b:g} {value:.6g}" for a, b, value in trend_levels(trend))
    changes = [f"{c.point.index:g} {trend_effect(trend, c)}" for c in trend.change_points]
    return (
        data
        + data_attribute(
            "names", [f"{run_date(run)}{c}" for run, c in zip(runs, commits, strict=True)]
        )
        + data_attribute("links", [reports.get(run.id, "") for run in runs])
        + data_attribute("levels", [levels])
        + data_attribute("changes", changes)
        + data_attribute("unit", [trend.unit])
        + data_attribute("metric", [trend.metric])
    )


def _describe_runs(trend: Trend, indices: Sequence[int], median: float) -> str:
    """Return a dot's runs, commits and value in a line."""
    first, last = trend.runs[indices[0]], trend.runs[indices[-1]]
    value = format_quantity(median, trend.unit)
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
    finite = [value for value in values if is_drawable(value)] or [0.0]
    low, high = min(finite), max(finite)
    least = max(_LEAST_SPAN * max(abs(low), abs(high)), 1e-9)
    beyond = max(0.1 * (high - low), (least - (high - low)) / 2)
    return low - beyond, high + beyond


def _size(change: TrendChange) -> float:
    return abs(change.point.ratio - 1)


def _dates(trend: Trend) -> Axis:
    n = len(trend.runs)
    runs = {place: trend.runs[place] for place in sorted({0, (n - 1) // 2, n - 1})}
    is_one_day = n > 1 and len({run_date(run) for run in runs.values()}) == 1
    # Then commits tell them apart.
    labels = {p: (is_one_day and short_commit(run)) or run_date(run) for p, run in runs.items()}
    ticks = tuple((float(place), label) for place, label in labels.items())
    return Axis(-0.5, n - 0.5, ticks)


def _around(values: list[float], unit: str) -> Axis:
    low, high = axis_span(values)
    step = round_step((high - low) / _TICKS)
    digits = max(2, math.ceil(math.log10(max(abs(low), abs(high)) / step)) + 1)
    ticks = [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return Axis(low, high, tuple((tick, format_quantity(tick, unit, digits)) for tick in ticks))
