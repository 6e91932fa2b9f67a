"""Figures of one case: every sample, and how values go with the state of the machine.

Imports seaborn, and with it matplotlib and pandas: import this module only where one is drawn.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from veperf.core import number_format
from veperf.report.charts.canvas import finished, frame, in_style, label, new_axes, new_figure
from veperf.report.charts.svg import ACCENT, BASE, GRID, INK, MUTED
from veperf.report.investigation.processes import Process

if TYPE_CHECKING:
    import pandas as pd

_HEIGHT = 3.0
_BREADTH = 0.75
_PANEL_WIDTH, _PANEL_HEIGHT = 2.1, 2.2
_MOST_COLUMNS = 3
_MOST_NUMBERS = 2


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is known of each process beside its value."""

    name: str
    of: Sequence[float | None]

    @property
    def varies(self) -> bool:
        """Whether there is anything to be seen in it."""
        return len({number_format.number(value, 2) for value in self.of if value is not None}) > 1


def facts(found: Sequence[Process]) -> tuple[Fact, ...]:
    """What may have to do with the value of a process; those that say nothing are left out."""
    all_of_them = (
        Fact("process, in order", [one.index for one in found]),
        Fact("load average", [one.load for one in found]),
        Fact("not on a CPU, %", [_percent(one.waited_ratio) for one in found]),
        Fact("lost the CPU, times a sample", [one.switches for one in found]),
        Fact("CPU given to others, %", [_percent(one.steal_ratio) for one in found]),
        Fact("clock, MHz", [one.frequency_mhz for one in found]),
        Fact("yardstick, µs", [_micro(one.yardstick_ns) for one in found]),
    )
    return tuple(fact for fact in all_of_them if fact.varies)


def samples(taken: "pd.DataFrame", found: Sequence[Process], *, ax: Axes | None = None) -> Figure:
    """Every sample in the order in which it was taken, wall time and CPU time apart.

    ``taken`` has the columns ``process``, ``sample``, ``wall_ns`` and ``cpu_ns``, as of a run's
    ``samples()``. The bar is the value that a process contributes, in ns.
    """
    ax = ax or new_axes(6.4, _HEIGHT)
    longest = taken["wall_ns"].max() if len(taken) else 1.0
    factor, unit = number_format.scale(float(longest), "ns")
    each = taken["sample"].max() + 1 if len(taken) else 1
    at = taken["process"] + _BREADTH * ((taken["sample"] + 0.5) / each - 0.5)
    for column, name, colour, marker in (
        ("wall_ns", "wall time", BASE, "x"),
        ("cpu_ns", "CPU time", ACCENT, "o"),
    ):
        times = taken[column].to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isfinite(times).any():
            ax.plot(at, times * factor, marker, color=colour, markersize=5, alpha=0.7, label=name)
    for one in found:
        if one.counts and one.value is not None:
            ends = [one.index - _BREADTH / 2, one.index + _BREADTH / 2]
            ax.plot(ends, [one.value * factor] * 2, color=INK, linewidth=1.4)
    frame(ax)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(axis="y", color=GRID, linewidth=0.7)
    ax.set_xlabel("process, its samples in order", color=MUTED)
    ax.set_ylabel(f"one operation, {unit}", color=MUTED)
    if len(taken):
        ax.legend(frameon=False, labelcolor=INK, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    return finished(ax, "Every sample of every process, in wall time and in CPU time")


def against(fact: Fact, found: Sequence[Process], *, unit: str, ax: Axes | None = None) -> Figure:
    """The value of each process over ``fact``; the two farthest from the median have a number."""
    ax = ax or new_axes(_PANEL_WIDTH, _PANEL_HEIGHT)
    at = [
        (one.index, x, one.value)
        for one, x in zip(found, fact.of, strict=True)
        if one.counts and one.value is not None and x is not None
    ]
    factor, shown_unit = number_format.scale(max((abs(y) for _, _, y in at), default=1.0), unit)
    ax.plot([x for _, x, _ in at], [y * factor for _, _, y in at], "o", color=ACCENT, markersize=6)
    middle = median([y for _, _, y in at]) if at else 0.0
    for index, x, y in sorted(at, key=lambda dot: -abs(dot[2] - middle))[:_MOST_NUMBERS]:
        ax.annotate(
            str(index), (x, y * factor), xytext=(5, 3), textcoords="offset points", color=MUTED
        )
    frame(ax)
    ax.margins(x=0.15, y=0.1)
    ax.xaxis.set_major_locator(MaxNLocator(3, integer=fact.name.startswith("process")))
    ax.ticklabel_format(axis="x", useOffset=False)
    ax.set_xlabel(label(fact.name), color=MUTED)
    ax.set_ylabel(label(shown_unit), color=MUTED)
    return finished(ax, f"The value of each process over {fact.name}")


def machine(found: Sequence[Process], *, unit: str) -> Figure:
    """The values of the processes over each fact that varies, side by side."""
    shown = facts(found)
    columns = max(1, min(_MOST_COLUMNS, len(shown)))
    rows = max(1, math.ceil(len(shown) / columns))
    figure = new_figure(_PANEL_WIDTH * columns, _PANEL_HEIGHT * rows)
    with in_style():
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for ax, fact in zip(panels.flat, shown, strict=False):
        against(fact, found, unit=unit, ax=ax)
    for ax in panels.flat[len(shown) :]:
        ax.set_visible(False)
    for ax in panels[:, 1:].flat:
        ax.set_ylabel("")
    figure.set_label("The value of each process over each fact known of the machine")
    return figure


def _percent(ratio: float | None) -> float | None:
    return None if ratio is None else ratio * 100


def _micro(ns: float | None) -> float | None:
    return None if ns is None else ns / 1000
