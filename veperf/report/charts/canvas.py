"""What every figure begins and ends with: axes in the house's style, on a figure that has themes.

Imports seaborn, and with it matplotlib and pandas: import this module only where one is drawn.
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
from veperf.report.html.style import standalone

_LONGEST_LABEL = 44
_PIXELS_PER_INCH = 96
_NAME = "vp0figure"  # stands for the digest of the drawing while that is not known


class ThemedFigure(Figure):
    """A figure that a notebook shows as SVG in the colours of its theme, light or dark.

    pyplot does not know it, so that a cell does not show it twice. Its label says what is to be
    seen, for those who can't see it.
    """

    def _ipython_display_(self) -> None:
        from IPython.display import publish_display_data

        data = {"text/html": self.html(), "text/plain": f"<{self.get_label() or 'figure'}>"}
        publish_display_data(data)  # type: ignore[no-untyped-call]  # IPython is half typed

    def html(self) -> str:
        """The figure with the style that it needs; the same drawing is the same bytes."""
        alt = one_line(str(self.get_label())) or "figure"
        drawn = svg.inline(self, name=_NAME, alt=alt)
        digest = hashlib.sha256(drawn.encode()).hexdigest()[:8]
        # As wide as it was made, so that text is as large in every figure.
        width = f"max-width:{self.get_figwidth() * _PIXELS_PER_INCH:.0f}px"
        own = drawn.replace(_NAME, f"vp{digest}")
        return standalone(f'<div class="vp-drawing" style="{width}">{own}</div>')


def new_figure(width: float, height: float) -> ThemedFigure:
    """An empty figure of so many inches."""
    return ThemedFigure(figsize=(width, height), layout="constrained")


def new_axes(width: float, height: float) -> Axes:
    """Axes on a figure of their own, of so many inches."""
    with in_style():
        return new_figure(width, height).subplots()


def in_style() -> AbstractContextManager[None]:
    """Where axes are made in the house's style."""
    return mpl.rc_context({**sns.axes_style("ticks"), **sns.plotting_context("notebook", 0.8)})


def frame(ax: Axes) -> None:
    """Give ``ax`` the colours of the house and only the lines that it needs."""
    sns.despine(ax=ax)
    ax.tick_params(colors=MUTED, labelcolor=INK, width=0.8, length=3)
    for spine in ax.spines.values():
        spine.set_color(GRID)


def finished(ax: Axes, alt: str) -> Figure:
    """The figure of ``ax``; on one of ours ``alt`` says what is to be seen.

    Raises:
        UsageError: the axes belong to no figure.
    """
    figure = ax.get_figure(root=True)
    if figure is None:
        raise UsageError("these axes belong to no figure")
    if isinstance(figure, ThemedFigure):
        figure.set_label(alt)
    return figure


def label(text: str) -> str:
    """``text`` on one line, not too long, its dollars not taken for mathematics."""
    line = one_line(text)
    short = line if len(line) <= _LONGEST_LABEL else line[: _LONGEST_LABEL - 1] + "…"
    return short.replace("$", r"\$")


def log_ticks(axis: Axis, low: float, high: float) -> None:
    """As many ticks as a range of that size needs, whether it spans a decade or not."""
    decades = math.log10(high / low)
    subs = (1, 1.5, 2, 3, 5, 7) if decades < 0.8 else (1, 2, 5) if decades < 2.5 else (1,)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_minor_locator(NullLocator())
