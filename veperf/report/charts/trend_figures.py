"""Trends as matplotlib figures, for notebooks.

Imports seaborn, and with it matplotlib and pandas: import this module only where a figure is drawn.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
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
_MANY = 500


def trend_figure(trend: Trend, ax: Axes | None = None) -> Figure:
    """Draw a dot and an interval for each run, the levels, and lines at the change points."""
    ax = ax or new_axes(7, 2.8)
    _draw(trend, ax)
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
        _draw(trend, ax)
        ax.set_title(
            f"{axis_label(measured_name(trend.case, trend.metric))}, {_scale(trend)[1]}",
            fontsize="small",
            loc="left",
        )
    for ax in axes[len(trends) :]:
        ax.set_axis_off()
    return finish_figure(axes[0], f"{plural(len(trends), 'trend')}, a picture each")


def _draw(trend: Trend, ax: Axes) -> None:
    factor, _ = _scale(trend)
    places = range(len(trend.values))
    values = trend.values * factor
    errors = [(trend.values - trend.low) * factor, (trend.high - trend.values) * factor]
    few = len(trend.values) <= _MANY
    if few:
        ax.errorbar(places, values, yerr=errors, fmt="none", ecolor=ACCENT, alpha=0.25)
    # Thousands of dots become an image instead of thousands of shapes.
    ax.plot(places, values, ".", color=ACCENT, markersize=4, rasterized=not few)
    for first, last, value in trend_levels(trend):
        ax.plot([first, last], [value * factor] * 2, color=BASE, linewidth=2)
    for change in trend.change_points:
        ax.axvline(change.point.index - 0.5, color=MUTED, linestyle="--", linewidth=1)
        ax.annotate(
            format_change(change.point.ratio),
            (change.point.index - 0.5, 1),
            xycoords=("data", "axes fraction"),
            xytext=(2, 0),
            textcoords="offset points",
            va="top",
            fontsize="x-small",
            color=MUTED,
        )
    ax.set_ylim(*axis_span([*values, *ax.get_ylim()]))
    style_axes(ax)
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _date(trend, x)))


def _date(trend: Trend, place: float) -> str:
    return run_date(trend.runs[round(place)]) if 0 <= round(place) < len(trend.runs) else ""


def _scale(trend: Trend) -> tuple[float, str]:
    return choose_unit(float(abs(trend.values).max()), trend.unit)
