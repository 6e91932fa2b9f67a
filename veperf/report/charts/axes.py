"""Small SVG charts with axes: lines, dots, bars, limits.

Like the strip plots they take a few hundred bytes where a matplotlib figure takes thousands, and
their colours follow the page. Series never differ by colour alone: every line has its name. What
lies beyond an axis is drawn as an arrow at its end, values with their number.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from veperf.core.escape import as_html
from veperf.core.text import format_exact
from veperf.report.charts.labels import (
    GAP,
    LINE,
    data_attribute,
    fit_end,
    fit_start,
    is_drawable,
    spread_lines,
    spread_names,
    text_width,
)

_WIDTH = 340
_LEFT, _TOP, _BOTTOM = 62, 16, 22
_LEAST_PLOT = 100
_LONGEST_LEFT = 200
_MOST_TICKS = 6

Shade = Literal["new", "base", "ink", "quiet"]
MarkShape = Literal["dots", "crosses", "rings", "bars"]
Point = tuple[float, float]

# A stroke of no length with round caps is a dot.
_MARKS: dict[MarkShape, str] = {
    "dots": "h0",
    "crosses": "m-4-4l8 8m0-8l-8 8",
    "rings": "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0",
    "bars": "m0-9v18",
}
# Their points are at the end of the axis: to the left, right, bottom and top.
_ARROWS = ("m4-4l-4 4l4 4", "m-4-4l4 4l-4 4", "m-4-4l4 4l4-4", "m-4 4l4-4l4 4")


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from ``low`` to ``high``, with its labelled ticks."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    logarithmic: bool = False
    label: Callable[[float], str] = format_exact
    """Writes the number of a value that lies beyond the axis."""

    def share(self, value: float) -> float:
        """Return the position of ``value``: 0 at the low end, 1 at the high one; never beyond."""
        low, high = self.low, self.high
        if self.logarithmic:
            if value <= 0:
                return 0.0
            value, low, high = math.log(value), math.log(low), math.log(high)
        return min(1.0, max(0.0, (value - low) / (high - low)))

    def side(self, value: float) -> int:
        """Return -1 or 1 for a ``value`` beyond the low or the high end, else 0."""
        return (value > self.high) - (value < self.low)


def log_axis(values: Iterable[float], label: Callable[[float], str]) -> Axis:
    """Return an axis around ``values``, all above zero, that spans at least a factor of 5."""
    finite = list(values)
    low, high = min(finite) / 1.2, max(finite) * 1.2
    widen = max(1.0, math.sqrt(5 * low / high))
    low, high = low / widen, high * widen
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = range(first, last + 1)
    every = max(1, math.ceil((last - first) / _MOST_TICKS))
    for steps in ((1, 2, 5), (1, 3), (1,)):
        at = [step * 10.0**n for n in decades for step in steps if n % every == 0]
        at = [tick for tick in at if low <= tick <= high]
        if len(at) <= _MOST_TICKS:
            break
    ticks = tuple((tick, label(tick)) for tick in at)
    return Axis(low, high, ticks, logarithmic=True, label=label)


def linear_axis(high: float, label: Callable[[float], str]) -> Axis:
    """Return an axis from zero to a little beyond ``high``, which is above zero."""
    step = round_step(high / 4)
    ticks = tuple((n * step, label(n * step)) for n in range(math.floor(high / step) + 1))
    return Axis(0.0, high * 1.05, ticks, label=label)


def row_axis(names: Sequence[str]) -> Axis:
    """Return an axis with a row for each of ``names``, the first on top."""
    last = len(names) - 1
    return Axis(-0.5, last + 0.5, tuple((last - i, name) for i, name in enumerate(names)))


def round_step(step: float) -> float:
    """Return the next step of 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= step * 0.999)


class Chart:
    """A chart while it is drawn: later parts lie above earlier ones, and texts above all."""

    def __init__(
        self,
        x: Axis,
        y: Axis,
        *,
        title: str,
        y_title: str = "",
        height: int = 170,
        left: int = _LEFT,
        right: int = 34,
    ) -> None:
        """Draw the axes.

        Args:
            x: the horizontal axis.
            y: the vertical axis.
            title: names the x axis, below it, as a quantity with its unit.
            y_title: names the y axis, above it.
            height: of the plot, without its margins.
            left: the margin, at the least; it grows with the labels, the longest of which are cut.
            right: the margin.
        """
        self._x, self._y = x, y
        widest = max((text_width(label) for _, label in y.ticks), default=0) + 8
        self._height, self._right = height, right
        longest = min(_LONGEST_LEFT, _WIDTH - right - _LEAST_PLOT)
        self._left = max(left, min(math.ceil(widest), longest))
        self._top = _TOP + (LINE + 2 if y_title else 0)
        self._bottom = self._top + height
        self._parts: list[str] = []
        self._texts: list[str] = []
        self._ends: list[tuple[float, str, Shade]] = []
        self._tops: list[tuple[float, str, Shade]] = []
        self._lines: list[tuple[Point, str, Shade]] = []
        self._beyond: dict[int, list[tuple[float, float]]] = {-1: [], 1: []}
        self._axes()
        self._full_height = self._bottom + _BOTTOM + (LINE + 2 if title else 0)
        if title:
            place = self._full_height - 4
            self._text(_WIDTH - right, place, fit_end(title, _WIDTH - right), "", anchor="end")
        if y_title:
            self._text(0, LINE - 1, fit_end(y_title, _WIDTH), "")

    def line(
        self, points: Iterable[Point], kind: Shade, *, name: str = "", dashes: str = ""
    ) -> None:
        """Draw a line through ``points``, with its ``name`` at the end."""
        at = [self._at(point) for point in points if is_drawable(*point)]
        if not at:
            return
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in at)
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        self._parts.append(f'<path class="vp-line vp-{kind}"{dashed} d="{path}"/>')
        if name:
            self._ends.append((at[-1][1], name, kind))

    def marks(
        self,
        points: Iterable[Point],
        kind: Shade,
        mark: MarkShape,
        *,
        texts: Sequence[str] = (),
        links: Sequence[str] = (),
    ) -> None:
        """Draw the same mark at each of ``points``; an arrow where one lies beyond the x axis.

        ``texts`` say what each is, and ``links`` lead on from it, for the script of the page.
        Points without a position are left out.
        """
        within: list[tuple[str, str, str]] = []
        beyond: list[tuple[str, str, str]] = []
        for index, (x, y) in enumerate(points):
            if math.isnan(x) or not math.isfinite(y):
                continue
            text = texts[index] if texts else ""
            link = links[index] if links else ""
            side = self._x.side(x)
            left, top = self._at((x, y))
            shape = _ARROWS[side > 0] if side else _MARKS[mark]
            (beyond if side else within).append((f"M{left:.1f} {top:.1f}{shape}", text, link))
            if side:
                self._beyond[side].append((top, x))
        for shape, entries in ((f"vp-{mark}", within), ("vp-arrow", beyond)):
            if entries:
                paths, descriptions, addresses = zip(*entries, strict=True)
                data = data_attribute("marks", descriptions) + data_attribute("links", addresses)
                path = "".join(paths)
                self._parts.append(f'<path class="{shape} vp-{kind}"{data} d="{path}"/>')

    def vertical_intervals(
        self, intervals: Iterable[tuple[float, float, float]], kind: Shade, *, thin: bool = False
    ) -> None:
        """Draw intervals, each a position and both ends; an end beyond the axis is an arrow.

        Those without an end are left out.
        """
        path = arrows = ""
        for x, low, high in intervals:
            if math.isnan(low) or math.isnan(high):
                continue
            (at, bottom), (_, top) = self._at((x, low)), self._at((x, high))
            path += f"M{at:.1f} {bottom:.1f}V{top:.1f}"
            arrows += f"M{at:.1f} {bottom:.1f}{_ARROWS[2]}" if self._y.side(low) < 0 else ""
            arrows += f"M{at:.1f} {top:.1f}{_ARROWS[3]}" if self._y.side(high) > 0 else ""
        self._intervals(path, arrows, kind, thin=thin)

    def horizontal_interval(self, y: float, low: float, high: float, kind: Shade) -> None:
        """Draw an interval in a row; an end beyond the axis is an arrow."""
        if math.isnan(low) or math.isnan(high):
            return
        (start, at), (end, _) = self._at((low, y)), self._at((high, y))
        arrows = f"M{start:.1f} {at:.1f}{_ARROWS[0]}" if self._x.side(low) < 0 else ""
        arrows += f"M{end:.1f} {at:.1f}{_ARROWS[1]}" if self._x.side(high) > 0 else ""
        self._intervals(f"M{start:.1f} {at:.1f}H{end:.1f}", arrows, kind, thin=True)

    def horizontal_line(self, y: float, kind: Shade, name: str, *, low: float, high: float) -> None:
        """Draw a dashed line at ``y`` from ``low`` to ``high`` on the x axis, its name above it."""
        (start, at), (end, _) = self._at((low, y)), self._at((high, y))
        self._parts.append(
            f'<path class="vp-limit vp-{kind}" d="M{start:.1f} {at:.1f}H{end:.1f}"/>'
        )
        self._lines.append(((start + 2, at - 3), name, kind))

    def vertical_line(self, x: float, kind: Shade, name: str) -> None:
        """Draw a dashed line at ``x`` over the whole height, its name on top."""
        at, _ = self._at((x, self._y.low))
        path = f"M{at:.1f} {self._top}V{self._bottom}"
        self._parts.append(f'<path class="vp-limit vp-{kind}" d="{path}"/>')
        self._tops.append((at, name, kind))

    def columns(
        self, edges: Sequence[float], heights: Sequence[float], *, texts: Sequence[str] = ()
    ) -> None:
        """Draw a column of each height between successive edges; ``texts`` say what each is."""
        paths: list[str] = []
        descriptions: list[str] = []
        for index, value in enumerate(heights):
            if value > 0:
                left, top = self._at((edges[index], value))
                right, _ = self._at((edges[index + 1], value))
                middle = (left + right) / 2
                paths.append(
                    f"M{middle:.1f} {top:.1f}H{left:.1f}V{self._bottom}H{right:.1f}V{top:.1f}z"
                )
                descriptions.append(texts[index] if texts else "")
        data = data_attribute("marks", descriptions)
        self._parts.append(f'<path class="vp-area"{data} d="{"".join(paths)}"/>')

    def bar(self, row: float, low: float, high: float, name: str, kind: Shade, text: str) -> None:
        """Draw a bar in a row, from ``low`` to ``high``, its name in the right margin."""
        (start, at), (end, _) = self._at((low, row)), self._at((high, row))
        path = f"M{start:.1f} {at:.1f}H{max(end, start + 1):.1f}"
        data = data_attribute("marks", [text])
        self._parts.append(f'<path class="vp-stage vp-{kind}"{data} d="{path}"/>')
        self._text(_WIDTH, at + 4, name, "", anchor="end")

    def svg(self, alt: str, data: str = "") -> str:
        """Return the chart; ``alt`` describes it for those who can't see it.

        ``data`` are attributes for the script of the page, a blank before each.
        """
        self._labels()
        return (
            f'<svg class="vp-strip vp-chart" viewBox="0 0 {_WIDTH} {self._full_height}" role="img" '
            f'aria-label="{as_html(alt)}"{data}>{"".join([*self._parts, *self._texts])}</svg>'
        )

    def _at(self, point: Point) -> Point:
        x, y = point
        return (
            self._left + self._x.share(x) * (_WIDTH - self._left - self._right),
            self._top + (1 - self._y.share(y)) * self._height,
        )

    def _intervals(self, path: str, arrows: str, kind: Shade, *, thin: bool) -> None:
        for shape, content in (("range" if thin else "bar", path), ("arrow", arrows)):
            if content:
                self._parts.append(f'<path class="vp-{shape} vp-{kind}" d="{content}"/>')

    def _labels(self) -> None:
        """Place the names whose places depend on each other."""
        ends = spread_lines([y + 4 for y, _, _ in self._ends], 10, self._bottom)
        for (_, name, kind), y in zip(self._ends, ends, strict=True):
            room = self._right - 5
            self._text(_WIDTH - self._right + 5, y, fit_start(name, room), kind)
        named = [(at, fit_start(name, _WIDTH / 2), kind) for at, name, kind in self._tops if name]
        middles = spread_names([(at, name) for at, name, _ in named], _WIDTH)
        for (_, name, kind), x in zip(named, middles, strict=True):
            self._text(x, self._top - 4, name, kind, anchor="middle")
        lines = spread_lines([y for (_, y), _, _ in self._lines], LINE - 2, self._bottom - 2)
        for ((x, _), name, kind), y in zip(self._lines, lines, strict=True):
            self._text(x, y, fit_start(name, _WIDTH - self._right - x), kind)
        for side, values in self._beyond.items():
            self._numbers_beyond(side, sorted(values))

    def _numbers_beyond(self, side: int, values: Sequence[tuple[float, float]]) -> None:
        """Write the number of each value beyond an end, or that of the farthest if too many."""
        at, anchor = (_WIDTH - self._right - 8, "end") if side > 0 else (self._left + 8, "")
        room = (_WIDTH - self._left - self._right) / 2 - 8
        tops = [top for top, _ in values]
        if all(b - a >= LINE for a, b in pairwise(tops)):
            for top, value in values:
                self._text(at, top + 4, fit_start(self._x.label(value), room), "ink", anchor=anchor)
            return
        farthest = max((value for _, value in values), key=lambda value: side * value)
        text = f"{len(values)} beyond, to {self._x.label(farthest)}"
        self._text(at, tops[len(tops) // 2] + 4, fit_start(text, room), "ink", anchor=anchor)

    def _axes(self) -> None:
        marks = ""
        end = 0.0
        for value, label in self._x.ticks:
            x, _ = self._at((value, self._y.low))
            marks += f"M{x:.1f} {self._bottom}v3"
            half = text_width(label) / 2
            # Where half of a label would stick out of the picture, it ends at the edge.
            is_last = x + half > _WIDTH
            if (_WIDTH - 2 * half if is_last else x - half) < end:
                continue  # it has no room beside the one before
            end = min(x + half, _WIDTH) + GAP
            anchor = "end" if is_last else "middle"
            self._text(_WIDTH if is_last else x, self._bottom + 15, label, "", anchor=anchor)
        for value, label in self._y.ticks:
            _, y = self._at((self._x.low, value))
            marks += f"M{self._left - 3} {y:.1f}h3"
            self._text(self._left - 6, y + 4, fit_end(label, self._left - 6), "", anchor="end")
        frame = f"M{self._left} {self._top}V{self._bottom}H{_WIDTH - self._right}"
        self._parts.append(f'<path class="vp-axis" d="{frame}{marks}"/>')

    def _text(
        self, x: float, y: float, text: str, kind: Shade | Literal[""], *, anchor: str = ""
    ) -> None:
        place = f' text-anchor="{anchor}"' if anchor else ""
        shade = f' class="vp-{kind}"' if kind else ""
        self._texts.append(f'<text x="{x:.1f}" y="{y:.1f}"{place}{shade}>{as_html(text)}</text>')
