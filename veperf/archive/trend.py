"""Trends: a metric over the runs of one machine class, with its change points."""

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from veperf.archive.run_summary import RunFacts
from veperf.archive.summary import ArchiveSummary
from veperf.archive.summary_tables import FigureColumns, Floats, Ints
from veperf.core.case import Better, Clock, Direction
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.stats.change_points import ChangePoint
from veperf.stats.drift import Drift, find_drift
from veperf.stats.long_series import Memo, windowed_change_points

_KNOWN: tuple[Better, Better] = ("lower", "higher")
_FIGURES_AT_ONCE = 500_000
"""Figures that are in memory at once, where trends of all cases are made."""


@dataclass(frozen=True, slots=True)
class TrendChange:
    """A change point of a trend, and the runs on either side of it."""

    point: ChangePoint
    """Its ``index`` is an index into the trend's values."""
    good: RunFacts
    """The last run before the change."""
    bad: RunFacts
    """The first run after it."""
    worse: float
    """After divided by before, or the inverse if higher is better: over 1 is worse, or more where
    the better direction is unknown."""

    @property
    def commit_range(self) -> str:
        """Range of commits that contains the cause, as git takes it; empty where unknown.

        Also empty where both runs are of the same commit: then no commit is the cause.
        """
        old, new = self.good.commit, self.bad.commit
        return f"{old}..{new}" if old and new and old != new else ""

    @property
    def other_changes(self) -> tuple[str, ...]:
        """Other changes between the two runs, as phrases."""
        changes = []
        if self.good.cpu_model != self.bad.cpu_model:
            changes.append(f"the CPU became {self.bad.cpu_model or 'unknown'}")
        if self.good.python != self.bad.python:
            changes.append(f"Python became {self.bad.python or 'unknown'}")
        if self.good.commit == self.bad.commit and not (self.good.dirty or self.bad.dirty):
            changes.append("the commit is the same on both sides")
        if self.good.dirty or self.bad.dirty:
            changes.append("there were uncommitted changes")
        return tuple(changes)


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """The values of one metric of one case over the runs of a machine class, oldest first."""

    case: str
    metric: str
    unit: str
    better: Direction
    clock: Clock
    """Clock by which most of the runs judge it."""
    machine: str
    runs: tuple[RunFacts, ...]
    values: Floats
    """Median over processes of each run, in ``unit``, shape (n,)."""
    low: Floats
    """Lower end of its confidence interval, shape (n,)."""
    high: Floats
    processes: Ints
    change_points: tuple[TrendChange, ...]
    drift: Drift | None = None
    """Slow movement since the latest change point; None where the level stands still."""

    @property
    def last_change(self) -> TrendChange | None:
        """The latest change point."""
        return self.change_points[-1] if self.change_points else None


def case_trend(
    summary: ArchiveSummary,
    case: str,
    *,
    metric: str = "",
    machine: str = "",
    last: int | None = None,
) -> Trend:
    """Return the trend of ``metric`` of ``case``.

    Args:
        summary: the summary of an archive.
        case: id of the case; a benchmark's id means its case with default parameters.
        metric: by default time where measured, else the case's first metric.
        machine: the machine class; by default that of the last run that has the metric, or, where
            none is named, the case.
        last: use only so many of the latest runs.

    Raises:
        UnknownBenchmarkError: no run has that case, metric or machine class.
        UsageError: ``last`` is below 1.
    """
    _check_last(last)
    latest: tuple[FigureColumns, Ints] | None = None
    newest = -1
    for name, last_run in _classes_by_last_run(summary):
        if last_run < newest or machine not in ("", name):
            continue
        columns = summary.figures([name], [case])
        rows = _row_numbers(columns.case.mask(case))
        if rows.size:
            rows = rows[columns.metric.mask(metric or columns.main_metric(rows))[rows]]
        if rows.size and columns.run[rows].max() > newest:
            latest, newest = (columns, rows), int(columns.run[rows].max())
    if latest is None:
        raise _unknown(summary, case, metric, machine)
    trend = _trend(summary, *latest, last)
    summary.save_change_points()
    return trend


def _classes_by_last_run(summary: ArchiveSummary) -> list[tuple[str, int]]:
    """Return the machine classes with the index of their last run, the latest first."""
    last = {run.machine: index for index, run in enumerate(summary.runs)}
    return sorted(last.items(), key=lambda item: -item[1])


def _unknown(
    summary: ArchiveSummary, case: str, metric: str, machine: str
) -> UnknownBenchmarkError:
    """Return the error that says what of the three no run has."""
    columns = summary.figures(cases=[case])
    rows = _row_numbers(columns.case.mask(case))
    if not rows.size:
        known = list(summary.cases())
        return UnknownBenchmarkError(_unknown_name_message(f"benchmark {case!r}", case, known))
    metrics = columns.metric.distinct(rows)
    if metric and metric not in metrics:
        return UnknownBenchmarkError(
            _unknown_name_message(f"metric {metric!r} of {case}", metric, metrics)
        )
    machines = sorted({summary.runs[index].machine for index in columns.run[rows]})
    return UnknownBenchmarkError(
        _unknown_name_message(f"{case} of machine {machine!r}", machine, machines)
    )


def machine_trends(
    summary: ArchiveSummary, *, metric: str = "", machine: str = "", last: int | None = None
) -> tuple[Trend, ...]:
    """Return the trends of all cases of one machine class, sorted by ``sort_by_change``.

    Arguments are those of ``case_trend``; cases without ``metric`` are left out. The machine class
    is by default that of the last run.

    Raises:
        UnknownBenchmarkError: no run has that metric or machine class.
        UsageError: ``last`` is below 1.
    """
    _check_last(last)
    if not summary.runs:
        return ()
    machine = machine or summary.runs[-1].machine
    counts = summary.cases([machine])
    if not counts:
        known = sorted(summary.machines)
        raise UnknownBenchmarkError(_unknown_name_message(f"machine {machine!r}", machine, known))
    trends: list[Trend] = []
    metrics: set[str] = set()
    for cases in _in_parts(counts):
        columns = summary.figures([machine], cases)
        for case in cases:
            rows = _row_numbers(columns.case.mask(case))
            metrics.update(columns.metric.distinct(rows))
            rows = rows[columns.metric.mask(metric or columns.main_metric(rows))[rows]]
            if rows.size:
                trends.append(_trend(summary, columns, rows, last))
    if metric and not trends:
        message = _unknown_name_message(f"metric {metric!r}", metric, sorted(metrics))
        raise UnknownBenchmarkError(message)
    summary.save_change_points()
    return sort_by_change(trends)


def _in_parts(counts: Mapping[str, int]) -> Iterator[list[str]]:
    """Yield the cases in groups that have so many figures at most, or one case."""
    group: list[str] = []
    size = 0
    for case, count in counts.items():
        if group and size + count > _FIGURES_AT_ONCE:
            yield group
            group, size = [], 0
        group.append(case)
        size += count
    yield group


def sort_by_change(trends: Iterable[Trend]) -> tuple[Trend, ...]:
    """Sort trends by the size of their latest change, largest first; without one last, by name."""
    return tuple(
        sorted(
            trends, key=lambda trend: (-_change_size(trend.last_change), trend.case, trend.metric)
        )
    )


def _trend(summary: ArchiveSummary, columns: FigureColumns, rows: Ints, last: int | None) -> Trend:
    """Return the trend in ``rows``, which have one case, one metric and one machine class."""
    rows = rows[np.argsort(columns.run[rows], kind="stable")]
    # A metric whose unit has changed is another metric.
    unit = columns.unit.codes[rows[-1]]
    rows = rows[columns.unit.codes[rows] == unit]
    judged = rows[columns.judged[rows]]
    by_cpu = 2 * np.count_nonzero(columns.clock.mask("cpu")[judged]) > judged.size
    clock: Clock = "cpu" if by_cpu else "wall"
    rows = rows[columns.clock.mask(clock)[rows]][-(last or 0) :]
    better: Direction = next(
        (known for known in _KNOWN if columns.better.mask(known)[rows[-1]]), "unknown"
    )
    runs = tuple(summary.runs[index] for index in columns.run[rows])
    values = columns.value[rows]
    changes = _changes(values, runs, better, summary.change_points(runs[0].machine))
    return Trend(
        case=columns.case.names[columns.case.codes[rows[0]]],
        metric=columns.metric.names[columns.metric.codes[rows[0]]],
        unit=columns.unit.names[unit],
        better=better,
        clock=clock,
        machine=runs[0].machine,
        runs=runs,
        values=values,
        low=columns.low[rows],
        high=columns.high[rows],
        processes=columns.processes[rows],
        change_points=changes,
        drift=find_drift(values, changes[-1].point.index if changes else 0),
    )


def _changes(
    values: Floats, runs: Sequence[RunFacts], better: Direction, memo: Memo
) -> tuple[TrendChange, ...]:
    # Values of zero or less have no logarithm and are skipped, also in finding the run before.
    positive = np.flatnonzero(values > 0)
    return tuple(
        TrendChange(
            point=point,
            good=runs[positive[np.searchsorted(positive, point.index) - 1]],
            bad=runs[point.index],
            worse=point.ratio if better != "higher" else 1 / max(point.ratio, sys.float_info.min),
        )
        for point in windowed_change_points(values, memo)
    )


def _change_size(change: TrendChange | None) -> float:
    return abs(math.log(max(change.worse, sys.float_info.min))) if change else 0.0


def _row_numbers(mask: NDArray[np.bool_]) -> Ints:
    return np.flatnonzero(mask).astype(np.int32)


def _check_last(last: int | None) -> None:
    if last is not None and last < 1:
        raise UsageError(f"a trend needs at least 1 run, not {last}")


def _unknown_name_message(subject: str, name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1) or [n for n in known if name in n][:1]
    if close:
        return f"no run has {subject}; did you mean {close[0]}?"
    hint = f"there are {', '.join(known[:5])}" if known else "none of these runs has figures"
    return f"no run has {subject}; {hint}"
