"""Figures of results: each draws on ``ax`` or on new axes, and returns the figure.

Imports seaborn, and with it matplotlib and pandas: import this module only where a figure is drawn.
"""

import math
from collections.abc import Sequence

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from veperf.core.target import Target
from veperf.core.text import TIMES, choose_unit, format_change
from veperf.core.verdict import Change, TargetVerdict
from veperf.report.case_summary import measured_name, median_estimate
from veperf.report.charts.canvas import (
    axis_label,
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


def targets_figure(verdicts: Sequence[TargetVerdict], ax: Axes | None = None) -> Figure:
    """Draw the used share of each limit on a logarithmic axis: left of the line is within it.

    Shape and colour both show the status. Targets without a value, or with a limit or value that
    is not above zero, are left out.
    """
    drawn = [(u, v) for v in verdicts if (u := used_share(v, v.value)) is not None and u > 0]
    drawn.sort(key=lambda pair: pair[0])
    ax = ax or new_axes(5, 0.7 + 0.24 * max(1, len(drawn)))
    ax.set_xscale("log")
    ax.axvline(1, color=INK, linewidth=1.2)
    for y, (used, v) in enumerate(drawn):
        tone = target_mark(v).tone
        ends = [end for e in (v.low, v.high) if (end := used_share(v, e)) is not None and end > 0]
        if len(ends) == 2:
            ax.plot(ends, [y, y], color=TONES[tone], linewidth=2.4, solid_capstyle="round")
        ax.plot([used], [y], _MARKERS[tone], color=TONES[tone], markersize=7, markeredgewidth=0)
    ax.set_yticks(range(len(drawn)), labels=[axis_label(v.target.id) for _, v in drawn])
    style_axes(ax)
    low, high = ax.get_xlim()
    low, high = min(low, 0.5) / 1.15, max(high, 2) * 1.15
    ax.set_xlim(low, high)
    ax.set_ylim(-0.6, len(drawn) - 0.4)
    ax.axvspan(low, 1, color=TONES["pass"], alpha=0.07, linewidth=0)
    ax.axvspan(1, high, color=TONES["fail"], alpha=0.07, linewidth=0)
    set_log_ticks(ax.xaxis, low, high)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}{TIMES}"))
    for x, align, text in ((0.97, "right", "within its limit"), (1.03, "left", "beyond it")):
        transform = ax.get_xaxis_transform()
        ax.text(
            x, 1.02, text, ha=align, va="bottom", color=MUTED, size="small", transform=transform
        )
    return finish_figure(ax, "How much of its limit each target uses")


def values_figure(
    series: Series, base: Series | None = None, target: Target | None = None, ax: Axes | None = None
) -> Figure:
    """Draw a dot for each process and the interval of their median; ``base`` above.

    The limit of ``target`` is drawn where it is given in the unit of the series.
    """
    rows = [("baseline", base.by_clock(series.clock), BASE)] if base is not None else []
    rows.append(("this run", series.values, ACCENT))
    ax = ax or new_axes(6.4, 0.8 + 0.5 * len(rows))
    every_value = [v for _, row, _ in rows for v in row.tolist()]
    factor, unit = choose_unit(max(map(abs, every_value), default=1.0), series.unit)
    for y, (_, row, colour) in enumerate(rows):
        sns.stripplot(
            x=row * factor,
            y=[y] * len(row),
            orient="h",
            jitter=False,
            color=colour,
            alpha=0.7,
            ax=ax,
        )
        if (middle := median_estimate(row.tolist())) is not None:
            ends = [middle.low * factor, middle.high * factor]
            ax.plot(ends, [y, y], color=colour, linewidth=5, alpha=0.3)
            ax.plot([middle.value * factor], [y], "|", color=colour, markersize=18)
    if target is not None and target.unit == series.unit:
        ax.axvline(target.limit * factor, color=INK, linestyle="--", linewidth=1)
    ax.set_yticks(range(len(rows)), labels=[name for name, _, _ in rows])
    style_axes(ax)
    ax.set_xlabel(
        f"{axis_label(series.case)}: {axis_label(series.metric)}, {axis_label(unit)}", color=MUTED
    )
    return finish_figure(
        ax, f"{series.case}: a dot for each process, and the interval of their median"
    )


def changes_figure(changes: Sequence[Change], ax: Axes | None = None) -> Figure:
    """Draw each change with its interval; right of the line is worse, the worst on top.

    Shape and colour both show the status. Changes without a ratio are left out; of many only the
    most urgent are drawn. An interval may extend beyond the axes.
    """
    with_ratio = [(c, c.ratio) for c in changes if c.ratio is not None and math.isfinite(c.ratio)]
    with_ratio.sort(key=lambda pair: (change_mark(pair[0]).urgency, -pair[1]))
    drawn = with_ratio[:_MOST_CHANGES][::-1]
    ax = ax or new_axes(6.4, 0.9 + 0.24 * max(1, len(drawn)))
    ax.axvline(1, color=INK, linewidth=1.2)
    for y, (c, ratio) in enumerate(drawn):
        tone = change_mark(c).tone
        if c.low is not None and c.high is not None:
            ax.plot([c.low, c.high], [y, y], color=TONES[tone], linewidth=2.4)
        ax.plot([ratio], [y], _MARKERS[tone], color=TONES[tone], markersize=7, markeredgewidth=0)
    names = [axis_label(measured_name(c.case, c.metric)) for c, _ in drawn]
    ax.set_yticks(range(len(drawn)), labels=names)
    style_axes(ax)
    reach = max(0.05, *(1.25 * abs(ratio - 1) for _, ratio in drawn), 0.0)
    ax.set_xlim(1 - reach, 1 + reach)
    ax.set_ylim(-0.6, max(1, len(drawn)) - 0.4)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: format_change(x)))
    ax.set_xlabel("slower, or otherwise worse, to the right", color=MUTED)
    return finish_figure(ax, "The size of each change, with its interval")
