"""Figures of results: each draws on ``ax`` or on new axes, and returns the figure.

Imports seaborn, and with it matplotlib and pandas: import this module only where a figure is drawn.
"""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from veperf.core.target import Target
from veperf.core.text import TIMES, choose_unit, format_change, format_quantity
from veperf.core.verdict import Change, TargetVerdict
from veperf.report.case_summary import measured_name, median_estimate
from veperf.report.charts.canvas import (
    Row,
    axis_label,
    draw_rows,
    finish_figure,
    new_axes,
    set_log_ticks,
    style_axes,
)
from veperf.report.charts.limits_chart import used_share
from veperf.report.charts.svg import ACCENT, BASE, INK, MUTED, TONES
from veperf.report.tables.status import Tone, change_mark, target_mark
from veperf.stats.process_values import Series

_MARKERS: dict[Tone, str] = {"pass": "o", "warn": "^", "fail": "X", "quiet": "s"}
_MOST_CHANGES = 24
_MOST_REACH = 1.0


def targets_figure(verdicts: Sequence[TargetVerdict], ax: Axes | None = None) -> Figure:
    """Draw the used share of each limit on a logarithmic axis: left of the line is within it.

    Shape and colour both show the status. Targets without a value, or with a limit or value that
    is not above zero, are left out.
    """
    drawn = [
        (u, v) for v in verdicts if (u := used_share(v, v.value)) is not None and 0 < u < math.inf
    ]
    drawn.sort(key=lambda pair: pair[0])
    ax = ax or new_axes(6.4, 0.9 + 0.24 * max(1, len(drawn)))
    ax.set_xscale("log")
    low, high = _share_ends([used for used, _ in drawn])
    rows = []
    for used, v in drawn:
        tone = target_mark(v).tone
        ends = [end for e in (v.low, v.high) if (end := used_share(v, e)) is not None and end > 0]
        least, most = (min(ends), max(ends)) if len(ends) == 2 else (None, None)
        rows.append(Row(used, least, most, _MARKERS[tone], TONES[tone], f"{used:.3g}{TIMES}"))
    ax.set_yticks(range(len(drawn)), labels=[axis_label(v.target.id) for _, v in drawn])
    style_axes(ax)
    ax.axvline(1, color=INK, linewidth=1.2)
    draw_rows(ax, rows, (low, high))
    ax.axvspan(low, 1, color=TONES["pass"], alpha=0.07, linewidth=0)
    ax.axvspan(1, high, color=TONES["fail"], alpha=0.07, linewidth=0)
    set_log_ticks(ax.xaxis, low, high)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}{TIMES}"))
    ax.set_xlabel("used share of the limit", color=MUTED)
    for side, align, text in ((-6, "right", "within its limit"), (6, "left", "beyond it")):
        ax.annotate(
            text,
            (1, 1.0),
            xycoords=ax.get_xaxis_transform(),
            xytext=(side, 3),
            textcoords="offset points",
            ha=align,
            va="bottom",
            color=MUTED,
            size="small",
        )
    return finish_figure(ax, "How much of its limit each target uses")


def _share_ends(shares: Sequence[float]) -> tuple[float, float]:
    """Return both ends of a logarithmic axis around the limit and ``shares``."""
    low, high = min(0.4, *shares, 0.4) / 1.3, max(2.5, *shares, 2.5) * 1.3
    # On both sides of the limit there is room for the word above it.
    return min(low, high**-0.6), max(high, low**-0.6)


def values_figure(
    series: Series, base: Series | None = None, target: Target | None = None, ax: Axes | None = None
) -> Figure:
    """Draw a dot for each process and the interval of their median; ``base`` above.

    The limit of ``target`` is drawn where it is given in the unit of the series.
    """
    rows = [("baseline", base.by_clock(series.clock), BASE)] if base is not None else []
    rows.append(("this run", series.values, ACCENT))
    rows = [(name, row[np.isfinite(row)], colour) for name, row, colour in rows]
    ax = ax or new_axes(6.4, 0.8 + 0.5 * len(rows))
    every_value = [v for _, row, _ in rows for v in row.tolist()]
    factor, unit = choose_unit(max(map(abs, every_value), default=1.0), series.unit)
    for y, (_, row, colour) in enumerate(rows):
        ax.plot(row * factor, np.full(len(row), y), "o", color=colour, alpha=0.7, markersize=5)
        if (middle := median_estimate(row.tolist())) is not None:
            ends = [middle.low * factor, middle.high * factor]
            ax.plot(ends, [y, y], color=colour, linewidth=5, alpha=0.3, solid_capstyle="butt")
            ax.plot([middle.value * factor], [y], "|", color=colour, markersize=18)
    if target is not None and target.unit == series.unit and every_value:
        _draw_limit(ax, target.limit * factor, format_quantity(target.limit, target.unit))
    ax.set_yticks(range(len(rows)), labels=[name for name, _, _ in rows])
    style_axes(ax)
    ax.set_xlabel(
        f"{axis_label(series.case)}: {axis_label(series.metric)}, {axis_label(unit)}", color=MUTED
    )
    return finish_figure(
        ax, f"{series.case}: a dot for each process, and the interval of their median"
    )


def _draw_limit(ax: Axes, limit: float, text: str) -> None:
    """Draw the line of a limit, or say on which side it is, where it is far from the values."""
    low, high = ax.get_xlim()
    if low - (high - low) <= limit <= high + (high - low):
        ax.axvline(limit, color=INK, linestyle="--", linewidth=1)
        return
    is_right = limit > high
    ax.set_title(
        f"limit {text} →" if is_right else f"← limit {text}",
        loc="right" if is_right else "left",
        fontsize="small",
        color=MUTED,
    )


def changes_figure(changes: Sequence[Change], ax: Axes | None = None) -> Figure:
    """Draw each change with its interval; right of the line is worse, the worst on top.

    Shape and colour both show the status. Changes without a ratio are left out; of many only the
    most urgent are drawn. What is beyond the axis is an arrow, and a change there its number.
    """
    with_ratio = [(c, c.ratio) for c in changes if c.ratio is not None and math.isfinite(c.ratio)]
    with_ratio.sort(key=lambda pair: (change_mark(pair[0]).urgency, -pair[1]))
    drawn = with_ratio[:_MOST_CHANGES][::-1]
    ax = ax or new_axes(6.4, 0.9 + 0.24 * max(1, len(drawn)))
    rows = []
    for c, ratio in drawn:
        tone = change_mark(c).tone
        rows.append(Row(ratio, c.low, c.high, _MARKERS[tone], TONES[tone], format_change(ratio)))
    names = [axis_label(measured_name(c.case, c.metric)) for c, _ in drawn]
    ax.set_yticks(range(len(drawn)), labels=names)
    style_axes(ax)
    reach = max(
        0.05, min(_MOST_REACH, max((1.25 * abs(ratio - 1) for _, ratio in drawn), default=0.0))
    )
    ax.axvline(1, color=INK, linewidth=1.2)
    draw_rows(ax, rows, (1 - reach, 1 + reach))
    ax.xaxis.set_major_locator(MaxNLocator(4))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: format_change(x)))
    ax.set_xlabel("change; worse to the right", color=MUTED)
    return finish_figure(ax, "The size of each change, with its interval")
