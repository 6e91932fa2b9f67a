"""A chart of all changes of a run: it shows whether one benchmark moved, or the machine."""

from collections.abc import Sequence
from statistics import median

from veperf.core.text import format_change, plural
from veperf.core.verdict import Change
from veperf.report.charts.axes import Axis, Chart, MarkShape, Point, Shade
from veperf.report.tables.status import Tone, change_mark

_LEVELS = 7
_REACHES = (0.05, 0.1, 0.2, 0.5)
MARKS: dict[Tone, tuple[Shade, MarkShape]] = {
    "fail": ("ink", "crosses"),
    "warn": ("base", "rings"),
    "pass": ("new", "dots"),
    "quiet": ("quiet", "rings"),
}
"""Colour and shape of a status."""


def changes_chart(changes: Sequence[Change]) -> str:
    """Return a chart with a mark at the ratio of each change; empty where none has one.

    Changes beyond the axis are drawn at its end.
    """
    with_ratio = sorted((c for c in changes if c.ratio is not None), key=_size)
    if not with_ratio:
        return ""
    largest = max(abs(_size(change)) for change in with_ratio)
    reach = next((r for r in _REACHES if r >= largest), _REACHES[-1])
    chart = Chart(_axis(reach), Axis(-0.5, _LEVELS - 0.5, ()), title="", height=86, right=16)
    chart.vertical_line(0.0, "quiet", "")
    for tone, (kind, mark) in MARKS.items():
        points: list[Point] = [
            (_size(c), level % _LEVELS)
            for level, c in enumerate(with_ratio)
            if change_mark(c).tone == tone
        ]
        chart.marks(points, kind, mark)
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


def _size(change: Change) -> float:
    return (change.ratio or 1.0) - 1


def _axis(reach: float) -> Axis:
    step = reach / 2
    ticks = tuple((n * step, format_change(1 + n * step)) for n in range(-2, 3))
    return Axis(-reach * 1.05, reach * 1.05, ticks)
