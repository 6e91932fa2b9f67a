"""Figures for notebooks and reports: each draws on ``ax``, or on a new figure, and returns it.

Imports seaborn, and with it matplotlib and pandas: import this module only where one is drawn.
"""

import math
from collections.abc import Sequence
from statistics import geometric_mean

import matplotlib as mpl
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from veperf.errors import UsageError
from veperf.judge.series import Series
from veperf.model import Target, TargetVerdict
from veperf.report import tables, words
from veperf.report.escape import one_line
from veperf.report.palette import ACCENT, BASE, GRID, INK, MUTED, TONES
from veperf.report.scaling import Curve
from veperf.report.status import Tone
from veperf.report.summary import estimate

_MARKERS: dict[Tone, str] = {"pass": "o", "warn": "^", "fail": "X", "quiet": "s"}
_LONGEST_LABEL = 44


def targets(verdicts: Sequence[TargetVerdict], ax: Axes | None = None) -> Figure:
    """How much of each limit is used, on a logarithmic axis: left of the line is within it.

    Shape and colour both say the status. Targets without a value, or with a limit or value that
    is not above zero, have no place on such an axis and are left out.
    """
    drawn = [(u, v) for v in verdicts if (u := _used(v, v.value)) is not None and u > 0]
    drawn.sort(key=lambda pair: pair[0])
    ax = ax or _axes(5, 0.7 + 0.24 * max(1, len(drawn)))
    ax.set_xscale("log")
    ax.axvline(1, color=INK, linewidth=1.2)
    for y, (used, v) in enumerate(drawn):
        tone = tables.target_mark(v).tone
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
    ax.set_yticks(range(len(drawn)), labels=[_label(v.target.id) for _, v in drawn])
    _frame(ax)
    low, high = ax.get_xlim()
    low, high = min(low, 0.5) / 1.15, max(high, 2) * 1.15
    ax.set_xlim(low, high)
    ax.set_ylim(-0.6, len(drawn) - 0.4)
    ax.axvspan(low, 1, color=TONES["pass"], alpha=0.07, linewidth=0)
    ax.axvspan(1, high, color=TONES["fail"], alpha=0.07, linewidth=0)
    _log_ticks(ax.xaxis, low, high)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}{words.TIMES}"))
    for x, side, said in ((0.97, "right", "within its limit"), (1.03, "left", "beyond it")):
        where = ax.get_xaxis_transform()
        ax.text(x, 1.02, said, ha=side, va="bottom", color=MUTED, size="small", transform=where)
    return _figure(ax)


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
    ax = ax or _axes(6.4, 0.8 + 0.5 * len(rows))
    shown = [v for _, found, _ in rows for v in found.tolist()]
    factor, unit = words.scale(max(map(abs, shown), default=1.0), series.unit)
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
    _frame(ax)
    ax.set_xlabel(f"{_label(series.case)}: {_label(series.metric)}, {unit}", color=MUTED)
    return _figure(ax)


def scaling(curve: Curve, ax: Axes | None = None) -> Figure:
    """The points of a curve with intervals and the fitted power law, both axes logarithmic."""
    ax = ax or _axes(4.4, 2.6)
    xs = [p.x for p in curve.points]
    ys = [p.y.value for p in curve.points]
    factor, unit = words.scale(max(ys), curve.unit)
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
    ax.set_xticks(xs, labels=[words.given(x) for x in xs])
    _frame(ax)
    ax.grid(axis="y", color=GRID, linewidth=0.7)
    ax.xaxis.set_minor_locator(NullLocator())
    if curve.exponent is not None:
        _log_ticks(ax.yaxis, *ax.get_ylim())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: words.given(y)))
    ax.set_xlabel(_label(curve.parameter), color=MUTED)
    ax.set_ylabel(f"{_label(curve.metric)}, {unit}", color=MUTED)
    return _figure(ax)


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


def _log_ticks(axis: Axis, low: float, high: float) -> None:
    """As many ticks as a range of that size needs, whether it spans a decade or not."""
    decades = math.log10(high / low)
    subs = (1, 1.5, 2, 3, 5, 7) if decades < 0.8 else (1, 2, 5) if decades < 2.5 else (1,)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_minor_locator(NullLocator())


def _axes(width: float, height: float) -> Axes:
    """New axes, not known to pyplot, so that a notebook does not show their figure twice."""
    with mpl.rc_context({**sns.axes_style("ticks"), **sns.plotting_context("notebook", 0.8)}):
        return Figure(figsize=(width, height), layout="constrained").subplots()


def _frame(ax: Axes) -> None:
    sns.despine(ax=ax)
    ax.tick_params(colors=MUTED, labelcolor=INK, width=0.8, length=3)
    for spine in ax.spines.values():
        spine.set_color(GRID)


def _figure(ax: Axes) -> Figure:
    figure = ax.get_figure(root=True)
    if figure is None:
        raise UsageError("these axes belong to no figure")
    return figure


def _label(text: str) -> str:
    """``text`` on one line, not too long, its dollars not taken for mathematics."""
    line = one_line(text)
    short = line if len(line) <= _LONGEST_LABEL else line[: _LONGEST_LABEL - 1] + "…"
    return short.replace("$", r"\$")
