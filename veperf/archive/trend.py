"""How a benchmark's figures went over the runs of one machine class, and where they moved."""

import math
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from veperf.archive.run_summary import Columns, Floats, Ints, RunFacts, columns_of
from veperf.archive.summary import Summary
from veperf.core.case import Better, Clock
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.stats.change_points import ChangePoint, change_points


@dataclass(frozen=True, slots=True)
class Shift:
    """A change point, and the runs on either side of it."""

    point: ChangePoint
    """Its ``index`` counts the trend's values."""
    good: RunFacts
    """The last run before the change."""
    bad: RunFacts
    """The first run after it."""
    worse: float
    """After by before, the other way round where higher is better: over 1 is worse."""

    @property
    def blame(self) -> str:
        """The commits among which the cause is, as git takes a range; empty where that is unknown.

        Also where both runs are of the same commit: then the cause is no commit.
        """
        old, new = self.good.commit, self.bad.commit
        return f"{old}..{new}" if old and new and old != new else ""

    @property
    def surroundings(self) -> tuple[str, ...]:
        """What else changed between the two runs, in words."""
        said = []
        if self.good.cpu_model != self.bad.cpu_model:
            said.append(f"the CPU became {self.bad.cpu_model or 'unknown'}")
        if self.good.python != self.bad.python:
            said.append(f"Python became {self.bad.python or 'unknown'}")
        if self.good.commit == self.bad.commit and not (self.good.dirty or self.bad.dirty):
            said.append("the commit is the same on both sides")
        if self.good.dirty or self.bad.dirty:
            said.append("there were uncommitted changes")
        return tuple(said)


@dataclass(frozen=True, slots=True, eq=False)
class Trend:
    """One metric of one case over the runs of one machine class, oldest first."""

    case: str
    metric: str
    unit: str
    better: Better
    clock: Clock
    """That by which most of the runs judge it."""
    machine: str
    runs: tuple[RunFacts, ...]
    values: Floats
    """Median over processes, shape (n,): that of each of ``runs``."""
    low: Floats
    """Its interval, shape (n,)."""
    high: Floats
    processes: Ints
    shifts: tuple[Shift, ...]

    @property
    def last_shift(self) -> Shift | None:
        """The latest of them."""
        return self.shifts[-1] if self.shifts else None


def trend(
    summary: Summary, case: str, *, metric: str = "", machine: str = "", last: int | None = None
) -> Trend:
    """The trend of ``metric`` of ``case``.

    Args:
        summary: of an archive.
        case: id of the case; that of a benchmark is its case with default parameters.
        metric: time where there is one, else the case's first, when not given.
        machine: the machine class; that of the last run that has the metric, when not given.
        last: only so many runs, the latest ones.

    Raises:
        UnknownBenchmarkError: no run has that case, metric or machine class.
        UsageError: ``last`` is below 1.
    """
    _check(last)
    columns = columns_of(summary.table)
    rows = _rows(columns.case.rows(case))
    if not rows.size:
        raise UnknownBenchmarkError(_unknown(f"benchmark {case!r}", case, columns.case.names))
    metric = metric or columns.main_metric(rows)
    metrics = columns.metric.among(rows)
    if metric not in metrics:
        raise UnknownBenchmarkError(_unknown(f"metric {metric!r} of {case}", metric, metrics))
    rows = rows[columns.metric.rows(metric)[rows]]
    classes = _classes(summary)
    machine = machine or classes[columns.run[rows].max()]
    known = sorted(set(classes[columns.run[rows]]))
    if machine not in known:
        raise UnknownBenchmarkError(_unknown(f"{case} of machine {machine!r}", machine, known))
    return _trend(summary, columns, rows[classes[columns.run[rows]] == machine], last)


def trends(
    summary: Summary, *, metric: str = "", machine: str = "", last: int | None = None
) -> tuple[Trend, ...]:
    """The trends of all cases that runs of one machine class have, the largest recent shift first.

    The recent shift is the latest; cases without one come after, by name. Arguments are those of
    ``trend``; cases that don't have ``metric`` are left out. The machine class is that of the last
    run when not given.

    Raises:
        UnknownBenchmarkError: no run has that metric or machine class.
        UsageError: ``last`` is below 1.
    """
    _check(last)
    columns = columns_of(summary.table)
    classes = _classes(summary)
    if not summary.runs:
        return ()
    machine = machine or summary.runs[-1].machine
    here = classes[columns.run] == machine
    if not here.any():
        raise UnknownBenchmarkError(_unknown(f"machine {machine!r}", machine, sorted(set(classes))))
    found: list[Trend] = []
    for case in columns.case.among(_rows(here)):
        rows = _rows(here & columns.case.rows(case))
        rows = rows[columns.metric.rows(metric or columns.main_metric(rows))[rows]]
        if rows.size:
            found.append(_trend(summary, columns, rows, last))
    if metric and not found:
        metrics = columns.metric.among(_rows(here))
        raise UnknownBenchmarkError(_unknown(f"metric {metric!r}", metric, metrics))
    return by_shift(found)


def by_shift(found: Iterable[Trend]) -> tuple[Trend, ...]:
    """The same, those with the largest latest shift first, those without one last, by name."""
    return tuple(sorted(found, key=lambda one: (-_size(one.last_shift), one.case, one.metric)))


def _trend(summary: Summary, columns: Columns, rows: Ints, last: int | None) -> Trend:
    """The trend in ``rows``, which have one case, one metric and one machine class."""
    rows = rows[np.argsort(columns.run[rows], kind="stable")]
    # A metric that is given in another unit now is another metric.
    unit = columns.unit.codes[rows[-1]]
    rows = rows[columns.unit.codes[rows] == unit]
    judged = rows[columns.judged[rows]]
    by_cpu = 2 * np.count_nonzero(columns.clock.rows("cpu")[judged]) > judged.size
    clock: Clock = "cpu" if by_cpu else "wall"
    rows = rows[columns.clock.rows(clock)[rows]][-(last or 0) :]
    better: Better = "lower" if columns.better.rows("lower")[rows[-1]] else "higher"
    runs = tuple(summary.runs[place] for place in columns.run[rows])
    values = columns.value[rows]
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
        shifts=_shifts(values, runs, better),
    )


def _shifts(values: Floats, runs: Sequence[RunFacts], better: Better) -> tuple[Shift, ...]:
    # Values without a logarithm are no part of the series: the run before is the last with one.
    places = np.flatnonzero(values > 0)
    return tuple(
        Shift(
            point=point,
            good=runs[places[np.searchsorted(places, point.index) - 1]],
            bad=runs[point.index],
            worse=point.ratio if better == "lower" else 1 / max(point.ratio, sys.float_info.min),
        )
        for point in change_points(values)
    )


def _size(shift: Shift | None) -> float:
    return abs(math.log(max(shift.worse, sys.float_info.min))) if shift else 0.0


def _classes(summary: Summary) -> NDArray[np.object_]:
    """The machine class of each run."""
    return np.array([run.machine for run in summary.runs], dtype=np.object_)


def _rows(where: NDArray[np.bool_]) -> Ints:
    return np.flatnonzero(where).astype(np.int32)


def _check(last: int | None) -> None:
    if last is not None and last < 1:
        raise UsageError(f"a trend takes 1 run or more, not {last}")


def _unknown(what: str, name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1) or [n for n in known if name in n][:1]
    if close:
        return f"no run has {what}; did you mean {close[0]}?"
    there = f"there are {', '.join(known[:5])}" if known else "the archive holds no figures yet"
    return f"no run has {what}; {there}"
