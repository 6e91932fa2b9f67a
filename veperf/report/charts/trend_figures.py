"""Trends as matplotlib figures, for notebooks of one's own.

Imports seaborn, and with it matplotlib and pandas: import this module only where one is drawn.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from veperf.archive.trend import Trend
from veperf.core import number_format
from veperf.report.case_summary import measured_name
from veperf.report.charts.canvas import finished, frame, in_style, label, new_axes, new_figure
from veperf.report.charts.svg import ACCENT, BASE, MUTED
from veperf.report.charts.trend_chart import levels, span
from veperf.report.tables.trend_tables import day, headline

_COLUMNS = 3
_MANY = 500


def trend(found: Trend, ax: Axes | None = None) -> Figure:
    """A dot a run with the interval of its median, the levels, and lines at the change points."""
    ax = ax or new_axes(7, 2.8)
    _draw(found, ax)
    ax.set_ylabel(f"{label(found.metric)}, {_scale(found)[1]}", color=MUTED)
    return finished(ax, headline(found))


def small_multiples(found: Sequence[Trend]) -> Figure:
    """A small picture for each trend, in the given order."""
    columns = min(_COLUMNS, max(1, len(found)))
    rows = max(1, -(-len(found) // columns))
    with in_style():
        figure = new_figure(3.2 * columns, 1.7 * rows)
        axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, one in zip(axes, found, strict=False):
        _draw(one, ax)
        ax.set_title(
            f"{label(measured_name(one.case, one.metric))}, {_scale(one)[1]}",
            fontsize="small",
            loc="left",
        )
    for ax in axes[len(found) :]:
        ax.set_axis_off()
    return finished(axes[0], f"{number_format.count(len(found), 'trend')}, one picture each")


def _draw(found: Trend, ax: Axes) -> None:
    factor, _ = _scale(found)
    places = range(len(found.values))
    values = found.values * factor
    errors = [(found.values - found.low) * factor, (found.high - found.values) * factor]
    few = len(found.values) <= _MANY
    if few:
        ax.errorbar(places, values, yerr=errors, fmt="none", ecolor=ACCENT, alpha=0.25)
    # Thousands of dots are a picture, not thousands of shapes.
    ax.plot(places, values, ".", color=ACCENT, markersize=4, rasterized=not few)
    for first, last, value in levels(found):
        ax.plot([first, last], [value * factor] * 2, color=BASE, linewidth=2)
    for shift in found.shifts:
        ax.axvline(shift.point.index - 0.5, color=MUTED, linestyle="--", linewidth=1)
        ax.annotate(
            number_format.change(shift.point.ratio),
            (shift.point.index - 0.5, 1),
            xycoords=("data", "axes fraction"),
            xytext=(2, 0),
            textcoords="offset points",
            va="top",
            fontsize="x-small",
            color=MUTED,
        )
    ax.set_ylim(*span([*values, *ax.get_ylim()]))
    frame(ax)
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _date(found, x)))


def _date(found: Trend, place: float) -> str:
    return day(found.runs[round(place)]) if 0 <= round(place) < len(found.runs) else ""


def _scale(found: Trend) -> tuple[float, str]:
    return number_format.scale(float(abs(found.values).max()), found.unit)
