"""Small SVG charts with axes: lines, dots, bars, limits.

Like the strip plots they take a few hundred bytes where a matplotlib figure takes thousands, and
their colours follow the page. Series never differ by colour alone: every line has its name.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from veperf.core.escape import as_html, one_line

_WIDTH = 340
_LEFT, _TOP, _BOTTOM = 62, 16, 22
# Between the middles of two labels, one above the other; between two side by side.
_LINE, _GAP = 12, 4
# The width of a letter is this or less, on average.
_LETTER = 6.6
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


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis from ``low`` to ``high``, with its labelled ticks."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """Return the position of ``value``: 0 at the low end, 1 at the high one; never beyond."""
        low, high = self.low, self.high
        if self.logarithmic:
            if value <= 0:
                return 0.0
            value, low, high = math.log(value), math.log(low), math.log(high)
        return min(1.0, max(0.0, (value - low) / (high - low)))


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
    return Axis(low, high, tuple((tick, label(tick)) for tick in at), logarithmic=True)


def linear_axis(high: float, label: Callable[[float], str]) -> Axis:
    """Return an axis from zero to a little beyond ``high``, which is above zero."""
    step = round_step(high / 4)
    ticks = tuple((n * step, label(n * step)) for n in range(math.floor(high / step) + 1))
    return Axis(0.0, high * 1.05, ticks)


def row_axis(names: Sequence[str]) -> Axis:
    """Return an axis with a row for each of ``names``, the first on top."""
    last = len(names) - 1
    return Axis(-0.5, last + 0.5, tuple((last - i, name) for i, name in enumerate(names)))


def round_step(step: float) -> float:
    """Return the next step of 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= step * 0.999)


def text_width(text: str) -> float:
    """Return about how wide ``text`` is in a chart, rather more than less."""
    return _LETTER * len(text)


def _fitting(text: str, width: float) -> str:
    """Return the end of ``text`` that ``width`` has room for."""
    most = int(width / _LETTER)
    return text if len(text) <= most else f"…{text[len(text) - most + 1 :]}"


class Chart:
    """A chart while it is drawn: later parts lie above earlier ones, and texts above all."""

    def __init__(
        self,
        x: Axis,
        y: Axis,
        *,
        title: str,
        height: int = 170,
        left: int = _LEFT,
        right: int = 34,
    ) -> None:
        """``title`` names the x axis; ``height`` is the plot's, the others are its margins.

        The left margin grows with the labels of the y axis, the longest of which are cut.
        """
        self._x, self._y = x, y
        widest = max((text_width(label) for _, label in y.ticks), default=0) + 8
        self._height, self._right = height, right
        self._left = max(left, min(math.ceil(widest), _LONGEST_LEFT))
        self._parts: list[str] = []
        self._texts: list[str] = []
        self._ends: list[tuple[float, str, Shade]] = []
        self._tops: list[tuple[float, str, Shade]] = []
        self._axes(title)

    def line(
        self, points: Iterable[Point], kind: Shade, *, name: str = "", dashes: str = ""
    ) -> None:
        """Draw a line through ``points``, with its ``name`` at the end."""
        at = [self._at(point) for point in points]
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
        """Draw the same mark at each of ``points``.

        ``texts`` say what each is, and ``links`` lead on from it, for the script of the page.
        """
        at = [self._at(point) for point in points]
        if at:
            path = "".join(f"M{x:.1f} {y:.1f}{_MARKS[mark]}" for x, y in at)
            data = _data("marks", texts) + _data("links", links)
            self._parts.append(f'<path class="vp-{mark} vp-{kind}"{data} d="{path}"/>')

    def vertical_interval(self, x: float, low: float, high: float, kind: Shade) -> None:
        """Draw a vertical interval from ``low`` to ``high`` at ``x``."""
        (at, bottom), (_, top) = self._at((x, low)), self._at((x, high))
        self._parts.append(f'<path class="vp-bar vp-{kind}" d="M{at:.1f} {bottom:.1f}V{top:.1f}"/>')

    def horizontal_line(self, y: float, kind: Shade, name: str, *, low: float, high: float) -> None:
        """Draw a dashed line at ``y`` from ``low`` to ``high`` on the x axis, its name above it."""
        (start, at), (end, _) = self._at((low, y)), self._at((high, y))
        self._parts.append(
            f'<path class="vp-limit vp-{kind}" d="M{start:.1f} {at:.1f}H{end:.1f}"/>'
        )
        self._text(start + 2, at - 3, name, kind)

    def vertical_line(self, x: float, kind: Shade, name: str) -> None:
        """Draw a dashed line at ``x`` over the whole height, its name on top."""
        at, _ = self._at((x, self._y.low))
        bottom = _TOP + self._height
        self._parts.append(f'<path class="vp-limit vp-{kind}" d="M{at:.1f} {_TOP}V{bottom}"/>')
        self._tops.append((at, name, kind))

    def columns(self, edges: Sequence[float], heights: Sequence[float]) -> None:
        """Draw a column of each height between successive edges."""
        bottom = _TOP + self._height
        path = "".join(
            f"M{left:.1f} {bottom}V{top:.1f}H{right:.1f}V{bottom}"
            for low, high, value in zip(edges, edges[1:], heights, strict=False)
            for left, top in [self._at((low, value))]
            for right, _ in [self._at((high, value))]
            if value > 0
        )
        self._parts.append(f'<path class="vp-area" d="{path}"/>')

    def bar(self, row: float, low: float, high: float, name: str, kind: Shade) -> None:
        """Draw a bar in a row, from ``low`` to ``high``, its name in the right margin."""
        (start, at), (end, _) = self._at((low, row)), self._at((high, row))
        path = f"M{start:.1f} {at:.1f}H{max(end, start + 1):.1f}"
        self._parts.append(f'<path class="vp-stage vp-{kind}" d="{path}"/>')
        self._text(_WIDTH, at + 4, name, "", anchor="end")

    def svg(self, alt: str) -> str:
        """Return the chart; ``alt`` describes it for those who can't see it."""
        for (_, name, kind), y in zip(self._ends, _spread_labels(self._ends, _LINE), strict=True):
            self._text(_WIDTH - self._right + 5, y + 4, name, kind)
        for (_, name, kind), x in zip(self._tops, _spread_names(self._tops), strict=True):
            self._text(x, _TOP - 4, name, kind, anchor="middle")
        return (
            f'<svg class="vp-strip vp-chart" viewBox="0 0 {_WIDTH} '
            f'{_TOP + self._height + _BOTTOM}" role="img" aria-label="{as_html(alt)}">'
            f"{''.join([*self._parts, *self._texts])}</svg>"
        )

    def _at(self, point: Point) -> Point:
        x, y = point
        return (
            self._left + self._x.share(x) * (_WIDTH - self._left - self._right),
            _TOP + (1 - self._y.share(y)) * self._height,
        )

    def _axes(self, title: str) -> None:
        bottom = _TOP + self._height
        marks = ""
        end = text_width(title)
        for value, label in self._x.ticks:
            x, _ = self._at((value, self._y.low))
            marks += f"M{x:.1f} {bottom}v3"
            half = text_width(label) / 2
            # Where half of a label would stick out of the picture, it ends at the edge.
            is_last = x + half > _WIDTH
            if (_WIDTH - 2 * half if is_last else x - half) < end:
                continue  # it has no room beside the one before
            end = min(x + half, _WIDTH) + 2
            anchor = "end" if is_last else "middle"
            self._text(_WIDTH if is_last else x, bottom + 15, label, "", anchor=anchor)
        for value, label in self._y.ticks:
            _, y = self._at((self._x.low, value))
            marks += f"M{self._left - 3} {y:.1f}h3"
            self._text(self._left - 6, y + 4, _fitting(label, self._left - 6), "", anchor="end")
        frame = f"M{self._left} {_TOP}V{bottom}H{_WIDTH - self._right}"
        self._parts.append(f'<path class="vp-axis" d="{frame}{marks}"/>')
        self._text(0, bottom + 15, title, "")

    def _text(
        self, x: float, y: float, text: str, kind: Shade | Literal[""], *, anchor: str = ""
    ) -> None:
        place = f' text-anchor="{anchor}"' if anchor else ""
        shade = f' class="vp-{kind}"' if kind else ""
        self._texts.append(f'<text x="{x:.1f}" y="{y:.1f}"{place}{shade}>{as_html(text)}</text>')


def _data(name: str, entries: Sequence[str]) -> str:
    """Return an attribute with ``entries``, bars between them; nothing where all are empty."""
    if not any(entries):
        return ""
    joined = "|".join(one_line(entry).replace("|", "/") for entry in entries)
    return f' data-{name}="{as_html(joined)}"'


def _spread_names(names: Sequence[tuple[float, str, Shade]]) -> list[float]:
    """Return the middles of ``names`` side by side, moved so that they neither overlap nor leave.

    First to the right, away from each other, then back from the right edge.
    """
    middles = [place for place, _, _ in names]
    halves = [text_width(name) / 2 for _, name, _ in names]
    order = sorted(range(len(middles)), key=lambda i: middles[i])
    free = 0.0
    for index in order:
        middles[index] = max(middles[index], free + halves[index])
        free = middles[index] + halves[index] + _GAP
    edge = float(_WIDTH)
    for index in reversed(order):
        middles[index] = min(middles[index], edge - halves[index])
        edge = middles[index] - halves[index] - _GAP
    return middles


def _spread_labels(labels: Sequence[tuple[float, str, Shade]], gap: float) -> list[float]:
    """Return the positions of ``labels``, in their order, moved so that they don't overlap."""
    moved = [place for place, _, _ in labels]
    last = -math.inf
    for index in sorted(range(len(moved)), key=lambda i: moved[i]):
        moved[index] = last = max(moved[index], last + gap)
    return moved
