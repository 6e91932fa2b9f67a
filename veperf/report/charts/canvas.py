"""Axes and figures of matplotlib in the style of reports, in light and dark.

Imports seaborn, and with it matplotlib and pandas: import this module only where a figure is drawn.
"""

import hashlib
import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.markers import CARETLEFT, CARETRIGHT
from matplotlib.ticker import LogLocator, NullLocator

from veperf.core.errors import UsageError
from veperf.core.escape import one_line
from veperf.report.charts import svg
from veperf.report.charts.labels import fit_start
from veperf.report.charts.svg import GRID, INK, MUTED
from veperf.report.html.fragment import standalone

_LONGEST_LABEL = 270
_MANY_DECADES = 6
# Markers whose points lie on the value: they do not leave the axes.
_LEFT_ARROW, _RIGHT_ARROW = CARETLEFT, CARETRIGHT
_PIXELS_PER_INCH = 96
_NAME = "vp0figure"  # in place of the digest of the drawing until that is known


@dataclass(frozen=True, slots=True)
class Row:
    """A value in a row of a figure, with its interval."""

    value: float
    low: float | None
    high: float | None
    marker: str
    colour: str
    number: str
    """The value in words, for one that lies beyond the axis."""


class ThemedFigure(Figure):
    """A figure that a notebook shows as SVG in the colours of its theme, light or dark.

    pyplot does not know it, so that a cell does not show it twice. Its label describes it for
    those who can't see it.
    """

    def _ipython_display_(self) -> None:
        from IPython.display import publish_display_data

        data = {"text/html": self.html(), "text/plain": f"<{self.get_label() or 'figure'}>"}
        publish_display_data(data)  # type: ignore[no-untyped-call]  # IPython is half typed

    def html(self) -> str:
        """Return the figure with its style; the same drawing gives the same bytes."""
        alt = one_line(str(self.get_label())) or "figure"
        drawn = svg.inline_svg(self, name=_NAME, alt=alt)
        digest = hashlib.sha256(drawn.encode()).hexdigest()[:8]
        # At its original width, so that text has the same size in every figure.
        width = f"max-width:{self.get_figwidth() * _PIXELS_PER_INCH:.0f}px"
        content = drawn.replace(_NAME, f"vp{digest}")
        return standalone(f'<div class="vp-drawing" style="{width}">{content}</div>')


def new_figure(width: float, height: float) -> ThemedFigure:
    """Return an empty figure, sizes in inches."""
    return ThemedFigure(figsize=(width, height), layout="constrained")


def new_axes(width: float, height: float) -> Axes:
    """Return axes on a figure of their own, sizes in inches."""
    with figure_style():
        return new_figure(width, height).subplots()


def figure_style() -> AbstractContextManager[None]:
    """Return a context in which new axes have the style of reports."""
    return mpl.rc_context({**sns.axes_style("ticks"), **sns.plotting_context("notebook", 0.8)})


def style_axes(ax: Axes) -> None:
    """Give ``ax`` the colours of reports, and remove needless lines."""
    sns.despine(ax=ax)
    ax.tick_params(colors=MUTED, labelcolor=INK, width=0.8, length=3)
    for spine in ax.spines.values():
        spine.set_color(GRID)


def finish_figure(ax: Axes, alt: str) -> Figure:
    """Return the figure of ``ax``; ``alt`` becomes the description of a themed figure.

    Raises:
        UsageError: the axes belong to no figure.
    """
    figure = ax.get_figure(root=True)
    if figure is None:
        raise UsageError("these axes belong to no figure")
    if isinstance(figure, ThemedFigure):
        figure.set_label(alt)
    return figure


def axis_label(text: str, longest: float = _LONGEST_LABEL) -> str:
    """Return ``text`` on one line, at most so wide, with dollars not read as mathematics.

    ``longest`` is in pixels of a figure that is shown at its size.
    """
    return fit_start(one_line(text), longest).replace("$", r"\$")


def draw_rows(ax: Axes, rows: Sequence[Row], ends: tuple[float, float]) -> None:
    """Draw a mark and its interval in each row, from the bottom, on an axis that has ``ends``.

    An interval ends in an arrow where it goes beyond an end, and a value there is its number. The
    pictures of notebooks have no clipping, so that nothing may be drawn beyond the axes.
    """
    low_end, high_end = ends
    for y, row in enumerate(rows):
        if row.low is not None and row.high is not None and math.isfinite(row.low + row.high):
            inside = [min(max(end, low_end), high_end) for end in (row.low, row.high)]
            ax.plot(inside, [y, y], color=row.colour, linewidth=2.4, solid_capstyle="butt")
        is_below, is_above = row.value < low_end, row.value > high_end
        if is_below or (row.low is not None and row.low < low_end):
            ax.plot([low_end], [y], marker=_LEFT_ARROW, color=row.colour, markersize=7)
        if is_above or (row.high is not None and row.high > high_end):
            ax.plot([high_end], [y], marker=_RIGHT_ARROW, color=row.colour, markersize=7)
        if not (is_below or is_above):
            ax.plot([row.value], [y], row.marker, color=row.colour, markersize=7, markeredgewidth=0)
            continue
        ax.annotate(
            row.number,
            (high_end if is_above else low_end, y),
            xytext=(-8 if is_above else 8, 0),
            textcoords="offset points",
            ha="right" if is_above else "left",
            va="center",
            color=INK,
            fontsize="small",
        )
    ax.set_xlim(low_end, high_end)
    ax.set_ylim(-0.6, max(1, len(rows)) - 0.4)


def set_log_ticks(axis: Axis, low: float, high: float) -> None:
    """Set as many ticks as the range needs, whether it spans a decade or not."""
    decades = math.log10(high / low)
    subs = (1, 1.5, 2, 3, 5, 7) if decades < 0.8 else (1, 2, 5) if decades < 2.5 else (1,)
    axis.set_major_locator(LogLocator(subs=subs, numticks=5 if decades > _MANY_DECADES else None))
    axis.set_minor_locator(NullLocator())
