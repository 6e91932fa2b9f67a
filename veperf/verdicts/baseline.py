"""Recorded baselines: made from a run, and found again for a later one."""

import math
import re
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec.structs import replace

from veperf.core.case import Level
from veperf.core.errors import UsageError
from veperf.core.run import Machine, Run
from veperf.core.verdict import Baseline, BaselineSeries, Change
from veperf.stats.process_values import Series, series_of

# More than this and the machine, not the code, may be what changed.
DRIFT_LIMIT = 0.10


def make_baseline(run: Run, suite: str) -> Baseline:
    """What ``run`` measured of ``suite``, for later runs to be screened against.

    A series with a value that is no number is left out, and so is load: its few processes could
    never show a difference. Published targets judge that. Memory is recorded: its counts differ,
    or don't, without any test.

    Raises:
        UsageError: that leaves nothing.
    """
    cases = {case.id for case in run.cases if case.suite == suite}
    series = tuple(
        BaselineSeries(
            case=s.case,
            metric=s.metric,
            unit=s.unit,
            better=s.better,
            clock=s.clock,
            loops=s.loops,
            operations=s.operations,
            cpu=tuple(s.cpu.tolist()) if np.isfinite(s.cpu).all() else (),
            wall=tuple(s.wall.tolist()),
        )
        for s in _recordable(run)
        if s.case in cases
    )
    if not series:
        raise UsageError(f"run {run.id} has no values of suite {suite!r} to make a baseline of")
    return Baseline(
        suite=suite,
        recorded=run.created,
        run=run.id,
        machine=run.machine,
        revision=run.revision,
        yardstick_ns=yardsticks_ns(run),
        series=series,
    )


def pooled(sessions: Sequence[Baseline]) -> Baseline:
    """One baseline of several of the same suite and machine, a session each, oldest first.

    What differs between sessions, as layouts of memory and neighbours do, then counts as noise.
    A series has the processes of all sessions that recorded it, and the loops of the last.

    Raises:
        UsageError: there is none, or they are of different suites or machines.
    """
    if not sessions:
        raise UsageError("a baseline needs one run or more")
    last = sessions[-1]
    for one in sessions:
        if one.suite != last.suite:
            raise UsageError(f"runs of {one.suite} and of {last.suite} are no one baseline")
        if found := differences(last.machine, one.machine):
            raise UsageError(
                f"runs {one.run} and {last.run} are not of one machine ({'; '.join(found)}): "
                "record a baseline of each"
            )
    if len(sessions) == 1:
        return last
    groups: dict[tuple[str, str, str], list[BaselineSeries]] = {}
    for one in sessions:
        for series in one.series:
            groups.setdefault((series.case, series.metric, series.unit), []).append(series)
    return replace(
        last,
        yardstick_ns=tuple(t for one in sessions for t in one.yardstick_ns),
        series=tuple(map(_joined, groups.values())),
        sessions=tuple(run for one in sessions for run in one.sessions or (one.run,)),
    )


def _joined(group: Sequence[BaselineSeries]) -> BaselineSeries:
    has_cpu = all(series.cpu for series in group)
    return replace(
        group[-1],
        clock="cpu" if all(series.clock == "cpu" for series in group) else "wall",
        cpu=tuple(value for series in group for value in series.cpu) if has_cpu else (),
        wall=tuple(value for series in group for value in series.wall),
    )


def baselines_of(run: Run) -> tuple[Baseline, ...]:
    """A baseline for each suite that ``run`` has values of."""
    measured = {s.case for s in _recordable(run)}
    suites = dict.fromkeys(case.suite for case in run.cases if case.id in measured)
    return tuple(make_baseline(run, suite) for suite in suites)


def matching(
    run: Run, baselines: Sequence[Baseline]
) -> dict[tuple[str, str, str], tuple[Baseline, BaselineSeries]]:
    """The best recording there is by case, metric and unit.

    That is the latest from the machine and Python of ``run``, or just the latest where none is.
    """
    best_last = sorted(
        baselines, key=lambda b: (not differences(run.machine, b.machine), b.recorded)
    )
    return {(s.case, s.metric, s.unit): (b, s) for b in best_last for s in b.series}


def compared_with(
    run: Run, baselines: Sequence[Baseline], changes: Iterable[Change]
) -> tuple[Baseline, ...]:
    """Those of ``baselines`` that ``changes``, of ``run``, were measured against."""
    best = matching(run, baselines)
    found = (best.get((c.case, c.metric, c.unit)) for c in changes)
    return tuple({id(f[0]): f[0] for f in found if f is not None}.values())


def differences(here: Machine, there: Machine) -> tuple[str, ...]:
    """What forbids to compare figures of two machines, in words; empty where nothing does.

    What is unknown of either, as in runs of other tools, forbids nothing.
    """
    facts = (
        ("machine class", here.name, there.name),
        ("CPU", here.cpu_model, there.cpu_model),
        ("Python", _minor(here.python), _minor(there.python)),
    )
    return tuple(
        f"{what} {then}, now {now}"
        for what, now, then in facts
        if now != then and not {now, then} & {"", "unknown"}
    )


def drift(run: Run, baseline: Baseline) -> float | None:
    """How much slower the machine's yardstick is than then: 0.1 is 10 %; None where unknown."""
    then, now = baseline.yardstick_ns, yardsticks_ns(run)
    return float(np.median(now) / np.median(then)) - 1 if then and now else None


def yardsticks_ns(run: Run) -> tuple[float, ...]:
    """What the yardstick took in each pass that has it."""
    return tuple(t for p in run.passes if (t := p.yardstick_ns) is not None and 0 < t < math.inf)


def day(created: str) -> str:
    """The date of an ISO 8601 time."""
    return created[:10]


def _minor(python: str) -> str:
    """``CPython 3.11`` of ``CPython 3.11.7``."""
    found = re.match(r".*?\d+\.\d+", python)
    return found[0] if found else python


def _recordable(run: Run) -> list[Series]:
    loads = {case.id for case in run.cases if case.level is Level.LOAD}
    return [
        s
        for s in series_of(run).values()
        if s.case not in loads and s.n > 0 and np.isfinite([*s.wall, *s.values]).all()
    ]
