"""Trends: a metric over the runs of one machine class, with its change points."""

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from veperf.archive.run_summary import RunFacts
from veperf.archive.series import CaseSeries, gather_series
from veperf.archive.summary import ArchiveSummary
from veperf.archive.summary_tables import Floats, Ints, column_values
from veperf.core.case import Clock, Direction
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.core.nearest_names import nearest_names
from veperf.stats.change_points import ChangePoint
from veperf.stats.drift import Drift, find_drift
from veperf.stats.long_series import windowed_change_points


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
    acknowledged: str = ""
    """Reason for which somebody acknowledged it, see ``acknowledgements``; else empty."""

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
    drift_acknowledged: str = ""
    """Reason for which somebody acknowledged the drift; else empty."""

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
    latest: tuple[str, CaseSeries] | None = None
    newest = -1
    for name, last_run in _classes_by_last_run(summary):
        if last_run < newest or machine not in ("", name):
            continue
        series = gather_series(summary.figures_in_parts(name, [case]), metric).get(case)
        if series is not None and series.run[-1] > newest:
            latest, newest = (name, series), int(series.run[-1])
    if latest is None:
        raise _unknown(summary, case, metric, machine)
    (trend,) = _trends(summary, latest[0], [latest[1]], last)
    return trend


def _classes_by_last_run(summary: ArchiveSummary) -> list[tuple[str, int]]:
    """Return the machine classes with the index of their last run, the latest first."""
    last = {name: index for index, name in enumerate(column_values(summary.facts, "machine"))}
    return sorted(last.items(), key=lambda item: -item[1])


def _unknown(
    summary: ArchiveSummary, case: str, metric: str, machine: str
) -> UnknownBenchmarkError:
    """Return the error that says what of the three no run has."""
    columns = summary.figures(cases=[case])
    rows = np.flatnonzero(columns.case.mask(case)).astype(np.int32)
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
    series = gather_series(summary.figures_in_parts(machine), metric)
    if not series:
        columns = summary.figures([machine])
        metrics = columns.metric.distinct(np.arange(columns.run.size, dtype=np.int32))
        if metrics:
            message = _unknown_name_message(f"metric {metric!r}", metric, metrics)
        else:
            known = sorted(summary.machines)
            message = _unknown_name_message(f"machine {machine!r}", machine, known)
        raise UnknownBenchmarkError(message)
    return sort_by_change(_trends(summary, machine, list(series.values()), last))


def sort_by_change(trends: Iterable[Trend]) -> tuple[Trend, ...]:
    """Sort trends by the size of their latest change, largest first; without one last, by name."""
    return tuple(
        sorted(
            trends, key=lambda trend: (-_change_size(trend.last_change), trend.case, trend.metric)
        )
    )


def _trends(
    summary: ArchiveSummary, machine: str, series: Sequence[CaseSeries], last: int | None
) -> list[Trend]:
    """Return the trends of a machine class's ``series``, which are searched for steps together."""
    end = slice(-(last or 0), None)
    values = [each.values[end] for each in series]
    points = windowed_change_points(values, summary.change_points(machine))
    summary.save_change_points()
    trends: list[Trend] = []
    places: Ints = np.empty(0, dtype=np.int32)
    runs: tuple[RunFacts, ...] = ()
    for each, own_values, own_points in zip(series, values, points, strict=True):
        # Most cases have the same runs.
        if not np.array_equal(places, each.run[end]):
            places = each.run[end]
            runs = tuple(summary.runs[place] for place in places.tolist())
        trends.append(
            Trend(
                case=each.case,
                metric=each.metric,
                unit=each.unit,
                better=each.better,
                clock=each.clock,
                machine=machine,
                runs=runs,
                values=own_values,
                low=each.low[end],
                high=each.high[end],
                processes=each.processes[end],
                change_points=_changes(own_values, runs, each.better, own_points),
                drift=find_drift(own_values, own_points[-1].index if own_points else 0),
            )
        )
    return trends


def _changes(
    values: Floats, runs: Sequence[RunFacts], better: Direction, points: Sequence[ChangePoint]
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
        for point in points
    )


def _change_size(change: TrendChange | None) -> float:
    return abs(math.log(max(change.worse, sys.float_info.min))) if change else 0.0


def _check_last(last: int | None) -> None:
    if last is not None and last < 1:
        raise UsageError(f"a trend needs at least 1 run, not {last}")


def _unknown_name_message(subject: str, name: str, known: Sequence[str]) -> str:
    if close := nearest_names(name, known, most=1):
        return f"no run has {subject}; did you mean {close[0]}?"
    hint = f"there are {', '.join(known[:5])}" if known else "none of these runs has figures"
    return f"no run has {subject}; {hint}"
