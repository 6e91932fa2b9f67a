"""Figures of one benchmark in an A/B comparison, for notebooks.

Imports seaborn, and with it matplotlib and pandas: import this module only where one is drawn.
"""

import math
from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from veperf.core import number_format
from veperf.core.ab import ABChange
from veperf.report.charts.canvas import finished, frame, in_style, label, new_axes, new_figure
from veperf.report.charts.svg import ACCENT, BASE, INK, MUTED, TONES
from veperf.stats.pairs import PairRule

_RULE = PairRule()
# Shares below this are drawn at it: they decided long ago.
_LEAST = 1e-4


def samples(change: ABChange, ax: Axes | None = None) -> Figure:
    """Every process's value as a dot on either side, over all its samples, fainter."""
    ax = ax or new_axes(6.4, 2.2)
    rows = (
        ("base", [p.base for p in change.pairs], [s for p in change.pairs for s in p.base_samples]),
        ("new", [p.new for p in change.pairs], [s for p in change.pairs for s in p.new_samples]),
    )
    values = [v for _, found, _ in rows for v in found]
    factor, unit = number_format.scale(max(map(abs, values), default=1.0), change.metric.unit)
    for y, ((_, found, every), colour) in enumerate(zip(rows, (BASE, ACCENT), strict=True)):
        spread = np.random.default_rng(0).uniform(-0.12, 0.12, len(every))
        xs = np.array(every) * factor
        ax.plot(xs, y + 0.25 + spread, ".", color=colour, alpha=0.15)
        ax.plot(np.array(found) * factor, [y] * len(found), "o", color=colour, alpha=0.7)
    if values:
        # Samples of a disturbed process would push the rest together: what lies far out is cut.
        low, high = min(values) * factor, max(values) * factor
        room = max(high - low, 0.02 * abs(high))
        ax.set_xlim(low - 0.2 * room, high + 0.6 * room)
    ax.set_yticks(range(len(rows)), labels=[name for name, _, _ in rows])
    ax.set_ylim(1.6, -0.4)
    frame(ax)
    ax.set_xlabel(f"{label(change.case)}: {label(change.metric.name)}, {unit}", color=MUTED)
    return finished(ax, f"{change.case}: base and new, a dot for each process, all samples below")


def pairs(change: ABChange, ax: Axes | None = None) -> Figure:
    """How much worse the new code was in each pair, in order, and the interval of all of them."""
    ax = ax or new_axes(6.4, 2.6)
    worse = [_worse(change, p.base, p.new) for p in change.pairs]
    shown = [(n, w) for n, w in enumerate(worse, 1) if math.isfinite(w)]
    _limits(ax)
    if change.low is not None and change.high is not None and change.ratio is not None:
        ax.axhspan(change.low - 1, change.high - 1, color=ACCENT, alpha=0.12, linewidth=0)
        ax.axhline(change.ratio - 1, color=ACCENT, linewidth=1.4)
    ax.plot([n for n, _ in shown], [w for _, w in shown], "o", color=ACCENT, markersize=5)
    frame(ax)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: number_format.change(1 + y)))
    ax.set_xlabel("pair", color=MUTED)
    ax.set_ylabel("new code is worse by", color=MUTED)
    return finished(ax, f"{change.case}: how much worse the new code was in each pair")


def path(change: ABChange) -> Figure:
    """The estimate at each look, and how near each test was to deciding: it does at 1."""
    with in_style():
        figure = new_figure(6.4, 4.2)
        above, below = figure.subplots(2, 1, sharex=True)
    looks = [look for look in change.path if look.ratio is not None]
    ns = [look.pairs for look in looks]
    _limits(above)
    above.plot(ns, [(look.ratio or 1) - 1 for look in looks], "o-", color=ACCENT, markersize=5)
    ends = [(n, k.low, k.high) for n, k in zip(ns, looks, strict=True)]
    above.vlines(
        [n for n, low, high in ends if low is not None and high is not None],
        [low - 1 for _, low, high in ends if low is not None and high is not None],
        [high - 1 for _, low, high in ends if low is not None and high is not None],
        color=ACCENT, alpha=0.4, linewidth=3,
    )  # fmt: skip
    for name, marker, colour, values in _tests(change):
        reached = [(look.pairs, x) for look, x in zip(change.path, values, strict=True) if x]
        below.plot(
            [n for n, _ in reached], [x for _, x in reached], marker=marker, color=colour,
            linewidth=1.2, label=name,
        )  # fmt: skip
    below.axhline(1, color=INK, linewidth=1.2)
    below.set_yscale("log")
    for ax in (above, below):
        frame(ax)
    above.yaxis.set_major_formatter(FuncFormatter(lambda y, _: number_format.change(1 + y)))
    above.set_ylabel("new code is worse by", color=MUTED)
    below.set_ylabel("p, as a share of\nwhat decides", color=MUTED)
    below.set_xlabel("pairs", color=MUTED)
    below.set_xticks(ns, labels=[str(n) for n in ns])
    below.yaxis.set_minor_locator(NullLocator())
    if looks:
        below.legend(frameon=False, labelcolor=INK, ncols=3)
    return finished(below, f"{change.case}: estimate and tests at each look")


def _tests(change: ABChange) -> Iterator[tuple[str, str, str, list[float | None]]]:
    """Each test's p by what it may be at most, look by look; None where it can't decide yet."""

    def share(p: float | None, alpha: float) -> float | None:
        return max(_LEAST, p / alpha) if p is not None and alpha > 0 else None

    looks = change.path
    slower = [share(look.p_slower, look.alpha_change) for look in looks]
    faster = [share(look.p_faster, look.alpha_change) for look in looks]
    yield "slower", "X", TONES["fail"], slower
    yield "faster", "^", ACCENT, faster
    yield "no slower", "o", TONES["pass"], [share(k.p_equivalent, k.alpha_ok) for k in looks]


def _limits(ax: Axes) -> None:
    """No change, and what counts as none."""
    ax.axhline(0, color=INK, linewidth=1.2)
    for limit in (_RULE.min_effect, _RULE.margin):
        ax.axhline(limit, color=MUTED, linewidth=0.8, linestyle="--")


def _worse(change: ABChange, base: float, new: float) -> float:
    """By which share ``new`` is worse; NaN where that makes no sense."""
    old, now = (base, new) if change.metric.better == "lower" else (new, base)
    return now / old - 1 if old > 0 else math.nan
