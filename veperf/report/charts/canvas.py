"""Axes and figures of matplotlib in the style of reports, in light and dark.

Imports seaborn, and with it matplotlib and pandas: import this module only where a figure is drawn.
"""

import hashlib
import math
from contextlib import AbstractContextManager

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from veperf.core.errors import UsageError
from veperf.core.escape import one_line
from veperf.report.charts import svg
from veperf.report.charts.svg import GRID, INK, MUTED
from veperf.report.html.fragment import standalone

_LONGEST_LABEL = 44
_PIXELS_PER_INCH = 96
_NAME = "vp0figure"  # in place of the digest of the drawing until that is known


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


def axis_label(text: str) -> str:
    """Return ``text`` on one line, shortened, with dollars not read as mathematics."""
    line = one_line(text)
    short = line if len(line) <= _LONGEST_LABEL else line[: _LONGEST_LABEL - 1] + "…"
    return short.replace("$", r"\$")


def set_log_ticks(axis: Axis, low: float, high: float) -> None:
    """Set as many ticks as the range needs, whether it spans a decade or not."""
    decades = math.log10(high / low)
    subs = (1, 1.5, 2, 3, 5, 7) if decades < 0.8 else (1, 2, 5) if decades < 2.5 else (1,)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_minor_locator(NullLocator())
