"""Strip plots of values, and forest plots of an interval in a table row, as SVG.

A matplotlib figure takes ten times the bytes, and a report has dozens of these. Dots are strokes
of no length with round caps: a dozen of them are one short path.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from veperf.core.escape import as_html
from veperf.core.text import (
    choose_unit,
    format_change,
    format_change_interval,
    format_interval,
    format_number,
    format_quantity,
)
from veperf.report.charts.axes import round_step
from veperf.report.charts.labels import GAP, data_attribute, fit_end, is_drawable, text_width

_WIDTH = 340
_LEFT, _RIGHT = 62, 8
_ROW = 22
_AXIS = 20
_DIGITS = 4


Kind = Literal["base", "new"]


@dataclass(frozen=True, slots=True)
class StripRow:
    """A row of a strip plot: a value for each process, and the interval of their median."""

    label: str
    kind: Kind
    values: Sequence[float]
    middle: float | None
    low: float | None
    high: float | None


def strip_plot(
    rows: Sequence[StripRow], *, quantity: str, unit: str, limit: float | None, alt: str
) -> str:
    """Return dots for the values, a bar for the interval, and a dashed line at a near ``limit``.

    All in ``unit``; the axis is linear, and names the ``quantity`` where there is room for it.
    Rows without finite values are left out.
    """
    rows = [row for row in rows if any(map(math.isfinite, row.values))]
    if not rows:
        return ""
    drawn = [v for row in rows for v in (*row.values, row.low, row.high) if v is not None]
    drawn = [v for v in drawn if math.isfinite(v)]
    near = limit is not None and min(drawn) / 2 <= limit <= max(drawn) * 2
    axis = _Axis.around([*drawn, *([limit] if limit is not None and near else [])])
    bottom = 6 + _ROW * len(rows)
    parts = [_axis(axis, bottom, quantity, unit)]
    if limit is not None and near:
        x = axis.x(limit)
        parts.append(f'<path class="vp-limit" d="M{x:.1f} 2V{bottom}"/>')
    for index, row in enumerate(rows):
        parts.append(_row(row, axis, 6 + _ROW * index + _ROW / 2, unit))
    _, shown_unit = _scale(axis, unit)
    return (
        f'<svg class="vp-strip" viewBox="0 0 {_WIDTH} {bottom + _AXIS}" role="img" '
        f'data-unit="{as_html(shown_unit)}" '
        f'aria-label="{as_html(alt)}">{"".join(parts)}</svg>'
    )


def forest_plot(low: float, middle: float, high: float, *, reach: float, alt: str = "") -> str:
    """Return a change's interval on an axis from -reach to +reach with a line at no change.

    All four are a ratio minus 1; an interval that exceeds the reach ends in an arrow, and a change
    that does is its number beside the arrow. Without ``alt`` the plot is hidden from screen
    readers, for use beside its figures. It is empty where one of them is no number.
    """
    if not is_drawable(low, middle, high):
        return ""

    def x(value: float) -> float:
        return 60 + 56 * max(-1.0, min(1.0, value / reach))

    attributes = f'role="img" aria-label="{as_html(alt)}"' if alt else 'aria-hidden="true"'
    arrows = ("M8 5L4 8L8 11" if low < -reach else "") + (
        "M112 5L116 8L112 11" if high > reach else ""
    )
    mark = f'<path class="vp-dots" d="M{x(middle):.1f} 8h0"/>'
    if abs(middle) > reach:
        place = '108" text-anchor="end' if middle > 0 else "12"
        mark = f'<text x="{place}" y="12">{format_change(1 + middle)}</text>'
        arrows += "M112 5L116 8L112 11" if middle > 0 else "M8 5L4 8L8 11"
    interval = format_change_interval(1 + low, 1 + high)
    data = data_attribute("marks", [f"{format_change(1 + middle)} ({interval})"])
    return (
        f'<svg class="vp-forest" viewBox="0 0 120 16" {attributes}{data}>'
        f'<path class="vp-zero" d="M60 0V16"/><path d="M{x(low):.1f} 8H{x(high):.1f}{arrows}"/>'
        f"{mark}</svg>"
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    ticks: tuple[float, ...]

    @classmethod
    def around(cls, values: Sequence[float]) -> "_Axis":
        low, high = min(values), max(values)
        # Limit the zoom: a difference of a thousandth must not fill the picture.
        span = max(high - low, abs(high) * 0.02, 1e-12)
        low, high = (low + high - span) / 2 - 0.06 * span, (low + high + span) / 2 + 0.06 * span
        step = round_step((high - low) / 4)
        first = math.ceil(low / step)
        ticks = tuple(n * step for n in range(first, math.floor(high / step) + 1))
        return cls(low, high, ticks)

    def x(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _axis(axis: _Axis, y: float, quantity: str, unit: str) -> str:
    factor, shown_unit = _scale(axis, unit)
    step = axis.ticks[1] - axis.ticks[0] if len(axis.ticks) > 1 else axis.high - axis.low
    largest = max((abs(t) for t in axis.ticks), default=1.0)
    digits = max(2, math.ceil(math.log10(max(largest / step, 1))) + 2)
    labels, end = "", 0.0
    for tick in axis.ticks:
        label = _tick(tick * factor, digits)
        half = text_width(label) / 2
        x = min(axis.x(tick), _WIDTH - half)
        if x - half < (end or _LEFT - half):
            continue  # it has no room beside the one before
        labels += f'<text x="{x:.1f}" y="{y + 14:g}" text-anchor="middle">{label}</text>'
        end = x + half + GAP
    title = f"{quantity}, {shown_unit}"
    room = max(_LEFT, axis.x(axis.ticks[0])) - _half(axis, factor, digits) - GAP
    title = title if text_width(title) <= room else fit_end(shown_unit, room)
    marks = "".join(f"M{axis.x(t):.1f} {y:g}v3" for t in axis.ticks)
    return (
        f'<path class="vp-axis" d="M{_LEFT} {y:g}H{_WIDTH - _RIGHT}{marks}"/>{labels}'
        f'<text x="0" y="{y + 14:g}">{as_html(title)}</text>'
    )


def _scale(axis: _Axis, unit: str) -> tuple[float, str]:
    return choose_unit(min(map(abs, axis.ticks or (axis.high,))), unit)


def _half(axis: _Axis, factor: float, digits: int) -> float:
    """Return half of the width of the first label."""
    return text_width(_tick(axis.ticks[0] * factor, digits)) / 2


def _tick(value: float, digits: int) -> str:
    digits_text = format_number(value, digits)
    return digits_text.rstrip("0").rstrip(".") if "." in digits_text else digits_text


def _row(row: StripRow, axis: _Axis, y: float, unit: str) -> str:
    factor, _ = _scale(axis, unit)
    finite = [v for v in row.values if math.isfinite(v)]
    # Neighbours alternate between three levels, so that equal values don't hide each other.
    dots = "".join(f"M{axis.x(v):.1f} {y + (i % 3 - 1) * 4:g}h0" for i, v in enumerate(finite))
    bar = description = ""
    if row.low is not None and row.high is not None and is_drawable(row.low, row.high):
        interval = format_interval(row.low, row.high, unit, _DIGITS)
        description = f"{format_quantity(row.middle, unit, _DIGITS)}, {interval}"
        bar = f'<path class="vp-bar" d="M{axis.x(row.low):.1f} {y:g}H{axis.x(row.high):.1f}"/>'
    middle = ""
    if row.middle is not None and math.isfinite(row.middle):
        middle = f'<path class="vp-middle" d="M{axis.x(row.middle):.1f} {y - 8:g}v16"/>'
    label = as_html(fit_end(row.label, _LEFT))
    median = data_attribute("median", [description])
    values = data_attribute("marks", [format_number(v * factor, _DIGITS) for v in finite])
    return (
        f'<text x="0" y="{y + 4:g}">{label}</text><g class="vp-{row.kind}"{median}>{bar}'
        f'<path class="vp-dots"{values} d="{dots}"/>{middle}</g>'
    )
