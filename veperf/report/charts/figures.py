"""Figures for notebooks and reports: each draws on ``ax`` or on new axes, and returns the figure.

Imports seaborn, and with it matplotlib and pandas: import this module only where one is drawn.
"""

import math
from collections.abc import Sequence
from statistics import geometric_mean

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from veperf.core import number_format
from veperf.core.verdict import Change, Target, TargetVerdict
from veperf.report.case_summary import estimate, measured_name
from veperf.report.charts.canvas import finished, frame, label, log_ticks, new_axes
from veperf.report.charts.scaling import Curve
from veperf.report.charts.svg import ACCENT, BASE, GRID, INK, MUTED, TONES
from veperf.report.tables import result_tables
from veperf.report.tables.status import Tone
from veperf.stats.process_values import Series

_MARKERS: dict[Tone, str] = {"pass": "o", "warn": "^", "fail": "X", "quiet": "s"}
_MOST_CHANGES = 24


def targets(verdicts: Sequence[TargetVerdict], ax: Axes | None = None) -> Figure:
    """How much of each limit is used, on a logarithmic axis: left of the line is within it.

    Shape and colour both say the status. Targets without a value, or with a limit or value that
    is not above zero, have no place on such an axis and are left out.
    """
    drawn = [(u, v) for v in verdicts if (u := _used(v, v.value)) is not None and u > 0]
    drawn.sort(key=lambda pair: pair[0])
    ax = ax or new_axes(5, 0.7 + 0.24 * max(1, len(drawn)))
    ax.set_xscale("log")
    ax.axvline(1, color=INK, linewidth=1.2)
    for y, (used, v) in enumerate(drawn):
        tone = result_tables.target_mark(v).tone
        ends = [end for e in (v.low, v.high) if (end := _used(v, e)) is not None and end > 0]
        if len(ends) == 2:
            ax.plot(ends, [y, y], color=TONES[tone], linewidth=2.4, solid_capstyle="round")
        ax.plot(
            [used],
            [y],
            _MARKERS[tone],
            color=TONES[tone],
            markersize=7,
            markeredgewidth=0,
        )
    ax.set_yticks(range(len(drawn)), labels=[label(v.target.id) for _, v in drawn])
    frame(ax)
    low, high = ax.get_xlim()
    low, high = min(low, 0.5) / 1.15, max(high, 2) * 1.15
    ax.set_xlim(low, high)
    ax.set_ylim(-0.6, len(drawn) - 0.4)
    ax.axvspan(low, 1, color=TONES["pass"], alpha=0.07, linewidth=0)
    ax.axvspan(1, high, color=TONES["fail"], alpha=0.07, linewidth=0)
    log_ticks(ax.xaxis, low, high)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}{number_format.TIMES}"))
    for x, side, said in ((0.97, "right", "within its limit"), (1.03, "left", "beyond it")):
        where = ax.get_xaxis_transform()
        ax.text(x, 1.02, said, ha=side, va="bottom", color=MUTED, size="small", transform=where)
    return finished(ax, "How much of its limit each target uses")


def values(
    series: Series,
    base: Series | None = None,
    target: Target | None = None,
    ax: Axes | None = None,
) -> Figure:
    """A dot for each process and the interval of their median; ``base`` above, in another colour.

    The limit of ``target`` is drawn where it is given in the unit of the series.
    """
    rows = [("baseline", base.on(series.clock), BASE)] if base is not None else []
    rows.append(("this run", series.values, ACCENT))
    ax = ax or new_axes(6.4, 0.8 + 0.5 * len(rows))
    shown = [v for _, found, _ in rows for v in found.tolist()]
    factor, unit = number_format.scale(max(map(abs, shown), default=1.0), series.unit)
    for y, (_, found, colour) in enumerate(rows):
        sns.stripplot(
            x=found * factor,
            y=[y] * len(found),
            orient="h",
            jitter=False,
            color=colour,
            alpha=0.7,
            ax=ax,
        )
        if (middle := estimate(found.tolist())) is not None:
            ends = [middle.low * factor, middle.high * factor]
            ax.plot(ends, [y, y], color=colour, linewidth=5, alpha=0.3)
            ax.plot([middle.value * factor], [y], "|", color=colour, markersize=18)
    if target is not None and target.unit == series.unit:
        ax.axvline(target.limit * factor, color=INK, linestyle="--", linewidth=1)
    ax.set_yticks(range(len(rows)), labels=[name for name, _, _ in rows])
    frame(ax)
    ax.set_xlabel(f"{label(series.case)}: {label(series.metric)}, {label(unit)}", color=MUTED)
    return finished(ax, f"{series.case}: a dot for each process, and the interval of their median")


def changes(found: Sequence[Change], ax: Axes | None = None) -> Figure:
    """The size of each change with its interval, right of the line being worse; worst on top.

    Shape and colour both say the status. Changes without a ratio have no place; of many only the
    most urgent are drawn. An interval may leave the picture.
    """
    sized = [(c, c.ratio) for c in found if c.ratio is not None and math.isfinite(c.ratio)]
    sized.sort(key=lambda pair: (result_tables.change_mark(pair[0]).urgency, -pair[1]))
    drawn = sized[:_MOST_CHANGES][::-1]
    ax = ax or new_axes(6.4, 0.9 + 0.24 * max(1, len(drawn)))
    ax.axvline(1, color=INK, linewidth=1.2)
    for y, (c, ratio) in enumerate(drawn):
        tone = result_tables.change_mark(c).tone
        if c.low is not None and c.high is not None:
            ax.plot([c.low, c.high], [y, y], color=TONES[tone], linewidth=2.4)
        ax.plot([ratio], [y], _MARKERS[tone], color=TONES[tone], markersize=7, markeredgewidth=0)
    names = [label(measured_name(c.case, c.metric)) for c, _ in drawn]
    ax.set_yticks(range(len(drawn)), labels=names)
    frame(ax)
    reach = max(0.05, *(1.25 * abs(ratio - 1) for _, ratio in drawn), 0.0)
    ax.set_xlim(1 - reach, 1 + reach)
    ax.set_ylim(-0.6, max(1, len(drawn)) - 0.4)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: number_format.change(x)))
    ax.set_xlabel("slower, or otherwise worse, to the right", color=MUTED)
    return finished(ax, "The size of each change, with its interval")


def scaling(curve: Curve, ax: Axes | None = None) -> Figure:
    """The points of a curve with intervals and the fitted power law, both axes logarithmic."""
    ax = ax or new_axes(4.4, 2.6)
    xs = [p.x for p in curve.points]
    ys = [p.y.value for p in curve.points]
    factor, unit = number_format.scale(max(ys), curve.unit)
    if curve.exponent is not None:
        ax.set_xscale("log")
        ax.set_yscale("log")
        ax.plot(*_power_law(curve, factor), color=MUTED, linewidth=1.2, linestyle="--")
    ax.errorbar(
        xs,
        [y * factor for y in ys],
        yerr=[
            [(p.y.value - p.y.low) * factor for p in curve.points],
            [(p.y.high - p.y.value) * factor for p in curve.points],
        ],
        fmt="o",
        color=ACCENT,
        markersize=6,
        capsize=3,
        linewidth=1.4,
    )
    ax.set_xticks(xs, labels=[number_format.given(x) for x in xs])
    frame(ax)
    ax.grid(axis="y", color=GRID, linewidth=0.7)
    ax.xaxis.set_minor_locator(NullLocator())
    if curve.exponent is not None:
        log_ticks(ax.yaxis, *ax.get_ylim())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: number_format.given(y)))
    ax.set_xlabel(label(curve.parameter), color=MUTED)
    ax.set_ylabel(f"{label(curve.metric)}, {label(unit)}", color=MUTED)
    return finished(ax, f"{curve.name}, both axes logarithmic")


def _used(verdict: TargetVerdict, value: float | None) -> float | None:
    """``value`` as a share of the limit, over 1 being a miss whatever the direction."""
    limit = verdict.target.limit
    if value is None or limit <= 0:
        return None
    if verdict.target.better == "lower":
        return value / limit
    return limit / value if value > 0 else None


def _power_law(curve: Curve, factor: float) -> tuple[list[float], list[float]]:
    """Both ends of the fitted line, which goes through the mean of the logarithms."""
    points, slope = curve.points, curve.exponent or 0.0
    x = geometric_mean([p.x for p in points])
    y = geometric_mean([p.y.value for p in points]) * factor
    ends = [points[0].x, points[-1].x]
    return ends, [y * (end / x) ** slope for end in ends]
