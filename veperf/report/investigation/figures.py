"""Figures of an investigation: all samples, and process values over the machine's state.

Imports seaborn, and with it matplotlib and pandas: import this module only where a figure is drawn.
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

from veperf.core.text import choose_unit, format_number
from veperf.report.charts.canvas import (
    axis_label,
    figure_style,
    finish_figure,
    new_axes,
    new_figure,
    style_axes,
)
from veperf.report.charts.svg import ACCENT, BASE, GRID, INK, MUTED
from veperf.report.investigation.processes import MeasuringProcess

if TYPE_CHECKING:
    import pandas as pd

_HEIGHT = 3.0
_BREADTH = 0.75
_PANEL_WIDTH, _PANEL_HEIGHT = 2.1, 2.2
_MOST_COLUMNS = 3
_MOST_NUMBERS = 2


@dataclass(frozen=True, slots=True)
class MachineFact:
    """A quantity that is known of each process beside its value."""

    name: str
    values: Sequence[float | None]

    @property
    def varies(self) -> bool:
        """Return whether the processes differ in it."""
        return len({format_number(value, 2) for value in self.values if value is not None}) > 1


def machine_facts(processes: Sequence[MeasuringProcess]) -> tuple[MachineFact, ...]:
    """Return the quantities that may explain the process values, without the constant ones."""
    known = (
        MachineFact("process, in order", [process.index for process in processes]),
        MachineFact("load average", [process.load for process in processes]),
        MachineFact("not on a CPU, %", [_percent(process.waited_ratio) for process in processes]),
        MachineFact("context switches in a sample", [process.switches for process in processes]),
        MachineFact(
            "CPU given to others, %", [_percent(process.steal_ratio) for process in processes]
        ),
        MachineFact("clock, MHz", [process.frequency_mhz for process in processes]),
        MachineFact("calibration run, µs", [_micro(process.yardstick_ns) for process in processes]),
    )
    return tuple(fact for fact in known if fact.varies)


def samples_figure(
    samples: "pd.DataFrame", processes: Sequence[MeasuringProcess], *, ax: Axes | None = None
) -> Figure:
    """Draw every sample in order, wall time and CPU time apart.

    ``samples`` has the columns ``process``, ``sample``, ``wall_ns`` and ``cpu_ns``, as of a run's
    ``samples()``. The bar is the process value, in ns.
    """
    ax = ax or new_axes(6.4, _HEIGHT)
    longest = samples["wall_ns"].max() if len(samples) else 1.0
    factor, unit = choose_unit(float(longest), "ns")
    each = samples["sample"].max() + 1 if len(samples) else 1
    at = samples["process"] + _BREADTH * ((samples["sample"] + 0.5) / each - 0.5)
    for column, name, colour, marker in (
        ("wall_ns", "wall time", BASE, "x"),
        ("cpu_ns", "CPU time", ACCENT, "o"),
    ):
        times = samples[column].to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isfinite(times).any():
            ax.plot(at, times * factor, marker, color=colour, markersize=5, alpha=0.7, label=name)
    for process in processes:
        if process.counts and process.value is not None:
            ends = [process.index - _BREADTH / 2, process.index + _BREADTH / 2]
            ax.plot(ends, [process.value * factor] * 2, color=INK, linewidth=1.4)
    style_axes(ax)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.grid(axis="y", color=GRID, linewidth=0.7)
    ax.set_xlabel("process, its samples in order", color=MUTED)
    ax.set_ylabel(f"one operation, {unit}", color=MUTED)
    if len(samples):
        ax.legend(frameon=False, labelcolor=INK, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    return finish_figure(ax, "Every sample of every process, in wall time and in CPU time")


def fact_figure(
    fact: MachineFact, processes: Sequence[MeasuringProcess], *, unit: str, ax: Axes | None = None
) -> Figure:
    """Draw process values over ``fact``; the two farthest from the median are numbered."""
    ax = ax or new_axes(_PANEL_WIDTH, _PANEL_HEIGHT)
    at = [
        (process.index, x, process.value)
        for process, x in zip(processes, fact.values, strict=True)
        if process.counts and process.value is not None and x is not None
    ]
    factor, shown_unit = choose_unit(max((abs(y) for _, _, y in at), default=1.0), unit)
    ax.plot([x for _, x, _ in at], [y * factor for _, _, y in at], "o", color=ACCENT, markersize=6)
    middle = median([y for _, _, y in at]) if at else 0.0
    for index, x, y in sorted(at, key=lambda dot: -abs(dot[2] - middle))[:_MOST_NUMBERS]:
        ax.annotate(
            str(index), (x, y * factor), xytext=(5, 3), textcoords="offset points", color=MUTED
        )
    style_axes(ax)
    ax.margins(x=0.15, y=0.1)
    ax.xaxis.set_major_locator(MaxNLocator(3, integer=fact.name.startswith("process")))
    ax.ticklabel_format(axis="x", useOffset=False)
    ax.set_xlabel(axis_label(fact.name), color=MUTED)
    ax.set_ylabel(axis_label(shown_unit), color=MUTED)
    return finish_figure(ax, f"The value of each process over {fact.name}")


def machine_figure(processes: Sequence[MeasuringProcess], *, unit: str) -> Figure:
    """Draw process values over each fact that varies, side by side."""
    varying = machine_facts(processes)
    columns = max(1, min(_MOST_COLUMNS, len(varying)))
    rows = max(1, math.ceil(len(varying) / columns))
    figure = new_figure(_PANEL_WIDTH * columns, _PANEL_HEIGHT * rows)
    with figure_style():
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for ax, fact in zip(panels.flat, varying, strict=False):
        fact_figure(fact, processes, unit=unit, ax=ax)
    for ax in panels.flat[len(varying) :]:
        ax.set_visible(False)
    for ax in panels[:, 1:].flat:
        ax.set_ylabel("")
    figure.set_label("The process values over each known fact of the machine")
    return figure


def _percent(ratio: float | None) -> float | None:
    return None if ratio is None else ratio * 100


def _micro(ns: float | None) -> float | None:
    return None if ns is None else ns / 1000
