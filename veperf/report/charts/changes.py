"""A chart of all changes of a run: it shows whether one benchmark moved, or the machine."""

import math
from collections.abc import Sequence
from statistics import median

from veperf.core.text import (
    format_change,
    format_change_interval,
    format_metric_effect,
    format_quantity,
    plural,
)
from veperf.core.verdict import Change
from veperf.report.case_summary import measured_name
from veperf.report.charts.axes import Axis, Chart, MarkShape, Point, Shade
from veperf.report.html.links import NO_LINKS, Links
from veperf.report.tables.status import Tone, change_mark

_LEVELS = 7
_REACHES = (0.05, 0.1, 0.2, 0.5, 1.0)
_TITLE = "change; worse to the right"
MARKS: dict[Tone, tuple[Shade, MarkShape]] = {
    "fail": ("ink", "crosses"),
    "warn": ("base", "rings"),
    "pass": ("new", "dots"),
    "quiet": ("quiet", "rings"),
}
"""Colour and shape of a status."""


def changes_chart(changes: Sequence[Change], links: Links = NO_LINKS) -> str:
    """Return a chart with a mark at the ratio of each change; empty where none has one.

    Changes beyond the axis are arrows at its end, with their number.
    """
    with_ratio = sorted(
        (c for c in changes if c.ratio is not None and not math.isnan(c.ratio)), key=_size
    )
    if not with_ratio:
        return ""
    largest = max(abs(_size(change)) for change in with_ratio)
    reach = next((r for r in _REACHES if r >= largest), _REACHES[-1])
    chart = Chart(
        _axis(reach), Axis(-0.5, _LEVELS - 0.5, ()), title=_TITLE, height=86, left=30, right=30
    )
    chart.vertical_line(0.0, "quiet", "")
    for tone, (kind, mark) in MARKS.items():
        drawn = [(n, c) for n, c in enumerate(with_ratio) if change_mark(c).tone == tone]
        points: list[Point] = [(_size(c), level % _LEVELS) for level, c in drawn]
        texts = [_describe(c) for _, c in drawn]
        chart.marks(points, kind, mark, texts=texts, links=[links.of(c.case) for _, c in drawn])
    return chart.svg(describe_changes(with_ratio))


def describe_changes(changes: Sequence[Change]) -> str:
    """Return the counts and the median of all changes.

    If it is far from zero, the machine has changed, not the code.
    """
    ratios = [c.ratio for c in changes if c.ratio is not None]
    if not ratios:
        return ""
    known = [c.ratio for c in changes if c.ratio is not None and c.better != "unknown"]
    worse = sum(ratio > 1 for ratio in known)
    neither = len(ratios) - len(known)
    counts = f"{worse} worse, {len(known) - worse} better"
    counts += f", {neither} of unknown direction" if neither else ""
    return f"{plural(len(ratios), 'comparison')}: {counts}, median {format_change(median(ratios))}."


def _describe(change: Change) -> str:
    """Return a change in a line: its name, size, interval and both values."""
    effect = format_metric_effect(change.ratio, change.metric, change.better)
    interval = format_change_interval(change.low, change.high) if change.low is not None else ""
    values = f"{format_quantity(change.base, change.unit)} → "
    values += format_quantity(change.new, change.unit)
    name = measured_name(change.case, change.metric)
    sure = f" ({interval})" if interval else ""
    return f"{name}: {effect}{sure}; {values}; {change_mark(change).word}"


def _size(change: Change) -> float:
    return (change.ratio or 1.0) - 1


def _axis(reach: float) -> Axis:
    step = reach / 2
    ticks = tuple((n * step, format_change(1 + n * step)) for n in range(-2, 3))
    return Axis(-reach * 1.05, reach * 1.05, ticks, label=lambda size: format_change(1 + size))
