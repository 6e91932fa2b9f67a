"""Figures of one benchmark in an A/B comparison, for notebooks.

Loads seaborn, and with it matplotlib and pandas: import this module only to draw.
"""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from veperf.core.ab_records import ABChange, ABConfig
from veperf.core.text import choose_unit, describe_margin, format_change, format_quantity, plural
from veperf.report.charts.canvas import (
    axis_label,
    figure_style,
    finish_figure,
    new_axes,
    new_figure,
    style_axes,
)
from veperf.report.charts.svg import ACCENT, BASE, INK, MUTED, TONES

# Shares of the level below this are drawn at it: they decide by far.
_MIN_SHARE = 1e-4


def plot_samples(change: ABChange, ax: Axes | None = None) -> Figure:
    """Draw each side's process values as dots, with all samples fainter below."""
    ax = ax or new_axes(6.4, 2.2)
    rows = (
        ("base", [p.base for p in change.pairs], [s for p in change.pairs for s in p.base_samples]),
        ("new", [p.new for p in change.pairs], [s for p in change.pairs for s in p.new_samples]),
    )
    values = [v for _, side_values, _ in rows for v in side_values]
    factor, unit = choose_unit(max(map(abs, values), default=1.0), change.metric.unit)
    low, high = _sample_ends(values, factor)
    for y, ((_, side_values, side_samples), colour) in enumerate(
        zip(rows, (BASE, ACCENT), strict=True)
    ):
        spread = np.random.default_rng(0).uniform(-0.12, 0.12, len(side_samples))
        xs = np.array(side_samples) * factor
        inside = (xs >= low) & (xs <= high)
        ax.plot(xs[inside], (y + 0.25 + spread)[inside], ".", color=colour, alpha=0.15)
        ax.plot(
            np.array(side_values) * factor, [y] * len(side_values), "o", color=colour, alpha=0.7
        )
        for place, align, beyond, farthest, text in (
            (low, "left", xs[xs < low], np.min, "← {}, to {}"),
            (high, "right", xs[xs > high], np.max, "{}, to {} →"),
        ):
            if beyond.size:
                number = format_quantity(float(farthest(beyond)) / factor, change.metric.unit)
                words = text.format(plural(beyond.size, "sample"), number)
                ax.text(place, y + 0.5, words, ha=align, va="center", size="small", color=MUTED)
    ax.set_xlim(low, high)
    ax.set_yticks(range(len(rows)), labels=[name for name, _, _ in rows])
    ax.set_ylim(1.75, -0.4)
    style_axes(ax)
    ax.set_xlabel(
        f"{axis_label(change.case)}: {axis_label(change.metric.name)}, {unit}", color=MUTED
    )
    return finish_figure(
        ax, f"{change.case}: base and new, a dot for each process, all samples below"
    )


def _sample_ends(values: Sequence[float], factor: float) -> tuple[float, float]:
    """Return both ends of an axis around process values: samples of a disturbed process go beyond.

    They would compress the others.
    """
    if not values:
        return 0.0, 1.0
    low, high = min(values) * factor, max(values) * factor
    room = max(high - low, 0.02 * abs(high), 1e-12)
    return low - 0.2 * room, high + 0.6 * room


def plot_pairs(change: ABChange, config: ABConfig, ax: Axes | None = None) -> Figure:
    """Draw how much worse the new code was in each pair, and the interval of all pairs."""
    ax = ax or new_axes(6.4, 2.6)
    worse = [_worse(change, p.base, p.new) for p in change.pairs]
    points = [(n, w) for n, w in enumerate(worse, 1) if math.isfinite(w)]
    _limits(ax, config)
    if change.low is not None and change.high is not None and change.ratio is not None:
        ax.axhspan(change.low - 1, change.high - 1, color=ACCENT, alpha=0.12, linewidth=0)
        ax.axhline(change.ratio - 1, color=ACCENT, linewidth=1.4)
    ax.plot([n for n, _ in points], [w for _, w in points], "o", color=ACCENT, markersize=5)
    style_axes(ax)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: format_change(1 + y)))
    ax.set_xlabel("pair", color=MUTED)
    ax.set_ylabel("new code is worse by", color=MUTED)
    return finish_figure(ax, f"{change.case}: how much worse the new code was in each pair")


def plot_looks(change: ABChange, config: ABConfig) -> Figure:
    """Draw the estimate at each look, and each test's p relative to its level: it decides at 1."""
    with figure_style():
        figure = new_figure(6.4, 4.2)
        above, below = figure.subplots(2, 1, sharex=True)
    looks = [look for look in change.path if look.ratio is not None]
    ns = [look.pairs for look in looks]
    _limits(above, config)
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
        style_axes(ax)
    above.yaxis.set_major_formatter(FuncFormatter(lambda y, _: format_change(1 + y)))
    above.set_ylabel("new code is worse by", color=MUTED)
    below.set_ylabel("p, as a share of\nwhat decides", color=MUTED)
    below.set_xlabel("pairs", color=MUTED)
    below.set_xticks(ns, labels=[str(n) for n in ns])
    below.yaxis.set_minor_locator(NullLocator())
    if looks:
        below.legend(frameon=False, labelcolor=INK, ncols=3)
    return finish_figure(below, f"{change.case}: estimate and tests at each look")


def _tests(change: ABChange) -> Iterator[tuple[str, str, str, list[float | None]]]:
    """Yield each test's p relative to its level, look by look; None where it can't decide yet."""

    def share(p: float | None, alpha: float) -> float | None:
        return max(_MIN_SHARE, p / alpha) if p is not None and alpha > 0 else None

    looks = change.path
    slower = [share(look.p_slower, look.alpha_change) for look in looks]
    faster = [share(look.p_faster, look.alpha_change) for look in looks]
    yield "slower", "X", TONES["fail"], slower
    yield "faster", "^", ACCENT, faster
    within = [share(look.p_equivalent, look.alpha_ok) for look in looks]
    yield describe_margin(change.margin), "o", TONES["pass"], within


def _limits(ax: Axes, config: ABConfig) -> None:
    """Draw the lines of no change, the smallest effect and the margin."""
    ax.axhline(0, color=INK, linewidth=1.2)
    for limit in (config.min_effect, config.margin):
        ax.axhline(limit, color=MUTED, linewidth=0.8, linestyle="--")


def _worse(change: ABChange, base: float, new: float) -> float:
    """Return by which share ``new`` is worse; NaN where ``base`` is not positive."""
    old, now = (base, new) if change.metric.better == "lower" else (new, base)
    return now / old - 1 if old > 0 else math.nan
