"""Trends as matplotlib figures, for notebooks.

Imports seaborn, and with it matplotlib and pandas: import this module only where a figure is drawn.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.markers import CARETDOWN, CARETUP
from matplotlib.ticker import FuncFormatter, MaxNLocator

from veperf.archive.trend import Trend
from veperf.core.text import choose_unit, format_change, plural
from veperf.report.case_summary import measured_name
from veperf.report.charts.canvas import (
    axis_label,
    figure_style,
    finish_figure,
    new_axes,
    new_figure,
    style_axes,
)
from veperf.report.charts.svg import ACCENT, BASE, MUTED
from veperf.report.charts.trend_chart import axis_span, trend_levels
from veperf.report.tables.trend_tables import run_date, trend_headline

_COLUMNS = 3
_TITLE = 230
_MANY = 500


def trend_figure(trend: Trend, ax: Axes | None = None) -> Figure:
    """Draw a dot and an interval for each run, the levels, and lines at the change points."""
    ax = ax or new_axes(7, 2.8)
    _draw(trend, ax, ticks=4, room=0.12, align="bottom")
    ax.set_ylabel(f"{axis_label(trend.metric)}, {_scale(trend)[1]}", color=MUTED)
    return finish_figure(ax, trend_headline(trend))


def trend_small_multiples(trends: Sequence[Trend]) -> Figure:
    """Draw a small picture for each trend, in the given order."""
    columns = min(_COLUMNS, max(1, len(trends)))
    rows = max(1, -(-len(trends) // columns))
    with figure_style():
        figure = new_figure(3.2 * columns, 1.7 * rows)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, trend in zip(axes, trends, strict=False):
        _draw(trend, ax, ticks=2, room=0.25, align="top")
        ax.set_title(
            f"{axis_label(measured_name(trend.case, trend.metric), _TITLE)}, {_scale(trend)[1]}",
            fontsize="x-small",
            loc="left",
        )
    for ax in axes[len(trends) :]:
        ax.set_axis_off()
    return finish_figure(axes[0], f"{plural(len(trends), 'trend')}, a picture each")


def _draw(
    trend: Trend, ax: Axes, *, ticks: int, room: float, align: Literal["top", "bottom"]
) -> None:
    """Draw ``trend``; a name takes ``room``, as a share of the width.

    It stands above the axes, aligned at its bottom, or in them.
    """
    factor, _ = _scale(trend)
    places = range(len(trend.values))
    values = trend.values * factor
    few = len(trend.values) <= _MANY
    bottom, top = axis_span([*values, *(level[2] * factor for level in trend_levels(trend))])
    if few:
        # Pictures of notebooks have no clipping: an interval ends at the axes.
        low, high = (np.clip(end * factor, bottom, top) for end in (trend.low, trend.high))
        ax.vlines(places, low, high, color=ACCENT, alpha=0.25)
        for end, is_beyond, marker in (
            (bottom, trend.low * factor < bottom, CARETDOWN),
            (top, trend.high * factor > top, CARETUP),
        ):
            beyond = np.flatnonzero(is_beyond)
            ax.plot(beyond, np.full(len(beyond), end), ls="", marker=marker, color=ACCENT)
    # Thousands of dots become an image instead of thousands of shapes.
    ax.plot(places, values, ".", color=ACCENT, markersize=4, rasterized=not few)
    for first, last, value in trend_levels(trend):
        ax.plot([first, last], [value * factor] * 2, color=BASE, linewidth=2)
    last = len(trend.values) - 1
    free = 0.0
    for change in trend.change_points:
        at = change.point.index - 0.5
        ax.axvline(at, color=MUTED, linestyle="--", linewidth=1)
        share = at / max(1, last)
        is_late = share > 1 - room
        if share - room * is_late < free:
            continue
        free = share + room
        ax.annotate(
            format_change(change.point.ratio),
            (at, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-2 if is_late else 2, 0),
            textcoords="offset points",
            ha="right" if is_late else "left",
            va=align,
            fontsize="x-small",
            color=MUTED,
        )
    ax.set_xlim(-0.5, last + 0.5)
    ax.set_ylim(bottom, top)
    style_axes(ax)
    ax.xaxis.set_major_locator(MaxNLocator(ticks, integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(5))
    ax.ticklabel_format(axis="y", useOffset=False, style="plain")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _date(trend, x)))


def _date(trend: Trend, place: float) -> str:
    return run_date(trend.runs[round(place)]) if 0 <= round(place) < len(trend.runs) else ""


def _scale(trend: Trend) -> tuple[float, str]:
    finite = trend.values[np.isfinite(trend.values)]
    return choose_unit(float(abs(finite).max()) if finite.size else 1.0, trend.unit)
