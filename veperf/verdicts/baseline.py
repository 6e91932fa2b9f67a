"""Recorded baselines: recording them from runs, and matching them with later runs."""

import math
import re
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec.structs import replace

from veperf.core.baseline import Baseline, BaselineSeries
from veperf.core.case import ASSUMED_UNIT, Level
from veperf.core.errors import UsageError
from veperf.core.run import SEVERAL_CPUS, Machine, PassesOnDemand, Run
from veperf.core.units import same_dimension_factor
from veperf.core.verdict import Change
from veperf.stats.process_values import Series, series_of

# Beyond this drift, the machine and not the code may have changed.
DRIFT_LIMIT = 0.10


def make_baseline(run: Run, suite: str) -> Baseline:
    """Record the process values of ``suite`` in ``run``, to screen later runs against.

    A series with a value that is no number is left out, and so is load: its few processes could
    never show a difference, and published targets judge it. Memory is recorded: its counts need no
    test.

    Raises:
        UsageError: no series is left.
    """
    return _make_baseline(run, suite, _recordable(run).get(suite, []))


def _make_baseline(run: Run, suite: str, recordable: Sequence[Series]) -> Baseline:
    """Record these series of a suite."""
    series = tuple(
        BaselineSeries(
            case=s.case,
            metric=s.metric,
            unit=s.unit,
            better=s.better,
            clock=s.clock,
            loops=s.loops,
            operations=s.operations,
            cpu=tuple(s.cpu.tolist()) if s.cpu.size and np.isfinite(s.cpu).all() else (),
            wall=tuple(s.wall.tolist()),
            exact=s.exact,
            summary=s.summary,
            definition=s.definition,
        )
        for s in recordable
    )
    if not series:
        raise UsageError(f"run {run.id} has no values of suite {suite!r} to make a baseline of")
    return Baseline(
        suite=suite,
        recorded=run.created,
        run=run.id,
        machine=run.machine,
        revision=run.revision,
        yardstick_ns=calibration_times_ns(run),
        series=series,
    )


def pool_baselines(sessions: Sequence[Baseline]) -> Baseline:
    """Pool the baselines of several sessions, of the same suite and machine, oldest first.

    Differences between sessions, such as address layouts and neighbours, then count as noise. A
    series has the processes of all sessions that recorded it, and the loops of the last.

    Raises:
        UsageError: there is none, or they are of different suites or machines.
    """
    if not sessions:
        raise UsageError("a baseline needs one run or more")
    last = sessions[-1]
    for session in sessions:
        if session.suite != last.suite:
            raise UsageError(
                f"a baseline is of one suite, but the runs are of {session.suite} and {last.suite}"
            )
        if different := machine_differences(last.machine, session.machine):
            raise UsageError(
                f"runs {session.run} and {last.run} are from different machines "
                f"({'; '.join(different)}): record a baseline of each"
            )
    if len(sessions) == 1:
        return last
    groups: dict[tuple[str, str, str, str], list[BaselineSeries]] = {}
    for session in sessions:
        for series in session.series:
            key = series.case, series.metric, series.unit, series.definition
            groups.setdefault(key, []).append(series)
    return replace(
        last,
        yardstick_ns=tuple(t for session in sessions for t in session.yardstick_ns),
        series=tuple(map(_pool_series, groups.values())),
        sessions=tuple(run for session in sessions for run in session.sessions or (session.run,)),
    )


def _pool_series(group: Sequence[BaselineSeries]) -> BaselineSeries:
    has_cpu = all(series.cpu for series in group)
    return replace(
        group[-1],
        clock="cpu" if all(series.clock == "cpu" for series in group) else "wall",
        cpu=tuple(value for series in group for value in series.cpu) if has_cpu else (),
        wall=tuple(value for series in group for value in series.wall),
        summary=None if len(group) > 1 else group[-1].summary,
    )


def baselines_of(run: Run) -> tuple[Baseline, ...]:
    """Record a baseline of each suite that ``run`` has values of."""
    return tuple(_make_baseline(run, suite, part) for suite, part in _recordable(run).items())


def match_baselines(
    run: Run, baselines: Sequence[Baseline]
) -> dict[tuple[str, str, str], tuple[Baseline, BaselineSeries]]:
    """Return the best recorded series by case, metric and unit, in the unit of ``run``.

    That is the latest from the machine and Python of ``run``, or else the latest of all. Values in
    another unit of the same dimension are converted: 100 ms of one file are 0.1 s of another.
    """
    best_last = sorted(
        baselines, key=lambda b: (not machine_differences(run.machine, b.machine), b.recorded)
    )
    units = {(case.id, metric.name): metric.unit for case in run.cases for metric in case.metrics}
    converted = (
        (b, _in_unit(s, units.get((s.case, s.metric), s.unit))) for b in best_last for s in b.series
    )
    return {(s.case, s.metric, s.unit): (b, s) for b, s in converted}


def _in_unit(series: BaselineSeries, unit: str) -> BaselineSeries:
    """Return ``series`` in ``unit``; unchanged where that measures something else."""
    factor = None if series.unit == unit else same_dimension_factor(series.unit, unit)
    if factor is None:
        return series
    return replace(
        series,
        unit=unit,
        cpu=tuple(value * factor for value in series.cpu),
        wall=tuple(value * factor for value in series.wall),
        summary=series.summary.times(factor) if series.summary else None,
    )


def baselines_used(
    run: Run, baselines: Sequence[Baseline], changes: Iterable[Change]
) -> tuple[Baseline, ...]:
    """Return those of ``baselines`` that ``changes``, of ``run``, were compared with."""
    best = match_baselines(run, baselines)
    matches = (best.get((c.case, c.metric, c.unit)) for c in changes)
    return tuple({id(match[0]): match[0] for match in matches if match is not None}.values())


def machine_differences(now: Machine, then: Machine) -> tuple[str, ...]:
    """Describe the differences that make times of two machines incomparable; empty if none do.

    A fact that is unknown of either, as in runs of other tools, is no difference.
    """
    if now == then and not now.cpu_model.startswith(SEVERAL_CPUS):
        return ()
    hardware = _differences(
        ("machine", now.host, then.host),
        ("machine class", now.name, then.name),
        ("CPU", now.cpu_model, then.cpu_model),
    )
    mixed = [m.cpu_model for m in (then, now) if m.cpu_model.startswith(SEVERAL_CPUS)]
    if mixed and not hardware:
        hardware = (f"CPUs of one side {mixed[0]}",)
    return hardware + python_differences(now, then)


def definition_differences(now: str, then: str) -> tuple[str, ...]:
    """Describe what makes a metric that is defined as ``now`` another one than ``then``.

    What is unknown of either is no difference, but a unit that is taken for granted is one.
    """
    if now == then or ("" in (now, then) and ASSUMED_UNIT not in (now, then)):
        return ()
    return (f"{then or 'with a unit'}, now {now or 'with a unit'}",)


def python_differences(now: Machine, then: Machine) -> tuple[str, ...]:
    """Describe the difference that makes counts incomparable, as ``machine_differences`` does.

    No hardware is in a count, but another Python or core of the kernels allocates otherwise.
    """
    return _differences(
        ("Python", _minor(now.python), _minor(then.python)),
        ("core", now.versions.get("core", ""), then.versions.get("core", "")),
    )


def _differences(*facts: tuple[str, str, str]) -> tuple[str, ...]:
    return tuple(
        f"{fact} {before}, now {after}"
        for fact, after, before in facts
        if after != before and not {after, before} & {"", "unknown"}
    )


def machine_drift(run: Run, baseline: Baseline) -> float | None:
    """Return the slowdown of the calibration run since ``baseline``: 0.1 is 10 %, None unknown."""
    then, now = baseline.yardstick_ns, calibration_times_ns(run)
    return float(np.median(now) / np.median(then)) - 1 if then and now else None


def calibration_times_ns(run: Run) -> tuple[float, ...]:
    """Return the time of the calibration run in each pass that has it, in ns."""
    if isinstance(run.passes, PassesOnDemand):
        return ()  # another tool has none
    return tuple(t for p in run.passes if (t := p.yardstick_ns) is not None and 0 < t < math.inf)


def describe_baselines(used: Iterable[Baseline]) -> str:
    """Return ``the baseline of 2026-11-20`` and the like; empty where there is none."""
    days = sorted({date_of(b.recorded) for b in used})
    if not days:
        return ""
    return f"the baseline{'s' if len(days) > 1 else ''} of {' and '.join(days)}"


def date_of(created: str) -> str:
    """Return the date of an ISO 8601 time."""
    return created[:10]


def _minor(python: str) -> str:
    """Return ``CPython 3.11`` of ``CPython 3.11.7``."""
    match = re.match(r".*?\d+\.\d+", python)
    return match[0] if match else python


def _recordable(run: Run) -> dict[str, list[Series]]:
    """Return the series of each suite that has any."""
    suites = {case.id: case.suite for case in run.cases if case.level is not Level.LOAD}
    recordable: dict[str, list[Series]] = {}
    for series in series_of(run).values():
        if series.case in suites and series.n > 0 and _is_finite(series):
            recordable.setdefault(suites[series.case], []).append(series)
    return recordable


def _is_finite(series: Series) -> bool:
    values = series.wall.tolist()
    if series.clock == "cpu":
        values += series.cpu.tolist()
    return all(map(math.isfinite, values))
