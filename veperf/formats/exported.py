"""Input and output of the writers: process values under safe names, verdicts, and file content.

The values are those by which a run is judged, in CPU time where a case is judged by that. Control
characters in names of other tools are made visible first, as the tools that read the files show
names in terminals and pages.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import msgspec

from veperf.abtest.fleet_verdict import Fleet, JudgedPlace
from veperf.core.ab_records import ABRun
from veperf.core.case import TIME, Case, Clock, Metric
from veperf.core.errors import UsageError
from veperf.core.escape import make_visible
from veperf.core.gate import GateDecision
from veperf.core.run import Machine, Run, Summary
from veperf.core.units import convert
from veperf.core.verdict import Verdict
from veperf.formats.imported import VALUE
from veperf.stats.hodges_lehmann import Estimate, estimate_median
from veperf.stats.process_values import series_of


@dataclass(frozen=True, slots=True)
class ExportedMetric:
    """A metric of a case, with at least one value."""

    case: Case
    metric: Metric
    clock: Clock
    name: str
    """Safe name of the case, unique in the run."""
    local_name: str
    """Safe name of the case without its suite, unique in that."""
    values: tuple[float, ...]
    """The finite values, one per process, in the metric's unit."""
    processes: tuple[int, ...]
    """Process of each value, counted from 0 among those that measured the case."""
    loops: int
    operations: int
    summary: Summary | None = None
    """Statistics of the values of which the only value is the center, where a file had these."""

    @property
    def is_time(self) -> bool:
        """True for the time of an operation, in ns."""
        return (self.metric.name, self.metric.unit) == (TIME.name, TIME.unit)

    @property
    def full_name(self) -> str:
        """Name of the case, and of the metric unless that is time, or has no name in its file."""
        is_named = not self.is_time and self.metric.name != VALUE
        return f"{self.name}/{self.metric_name}" if is_named else self.name

    @property
    def metric_name(self) -> str:
        """Safe name of the metric."""
        return safe_text(self.metric.name)

    @property
    def unit(self) -> str:
        """Safe unit of the metric."""
        return safe_text(self.metric.unit)

    @property
    def estimate(self) -> Estimate:
        """Median and interval of the values, or what a file said instead."""
        estimate = estimate_median(self.values)
        if (known := self.summary) is None or known.low is None or known.high is None:
            return estimate
        confidence = known.confidence or estimate.confidence
        return replace(estimate, low=known.low, high=known.high, confidence=confidence)


def exported_metrics(run: Run) -> tuple[ExportedMetric, ...]:
    """Return every metric of every case of ``run`` that has a finite value, in order."""
    series = series_of(run)
    names = unique_names([safe_text(name) for name in _own_names(run)])
    local_names = _local_names(run)
    metrics: list[ExportedMetric] = []
    for case, name in zip(run.cases, names, strict=True):
        for metric in case.metrics:
            case_series = series[case.id, metric.name]
            finite = [(i, v) for i, v in enumerate(case_series.values.tolist()) if math.isfinite(v)]
            if finite:
                processes, values = zip(*finite, strict=True)
                metrics.append(
                    ExportedMetric(
                        case,
                        metric,
                        case_series.clock,
                        name,
                        local_names[case.id],
                        values,
                        processes,
                        case_series.loops,
                        case_series.operations,
                        case_series.summary,
                    )
                )
    return tuple(metrics)


def _own_names(run: Run) -> list[str]:
    """Return the ids of the cases, of another tool's run without the suite that its reader gave.

    Only where a run has several packages, the names in them need not be unique.
    """
    if run.source == "veperf" or len({case.suite for case in run.cases}) > 1:
        return [case.id for case in run.cases]
    return [case.id.removeprefix(f"{case.suite}/") for case in run.cases]


def _local_names(run: Run) -> dict[str, str]:
    """Return the safe name of each case in its suite, by id."""
    by_suite: dict[str, list[Case]] = {}
    for case in run.cases:
        by_suite.setdefault(case.suite, []).append(case)
    return {
        case.id: name
        for suite, cases in by_suite.items()
        for case, name in zip(
            cases,
            unique_names([safe_text(case.id.removeprefix(f"{suite}/")) for case in cases]),
            strict=True,
        )
    }


def failed_note(run: Run) -> tuple[str, ...]:
    """Return a note on the cases that are not in a file as they have no value but a failure."""
    measured = {series.case for series in series_of(run).values() if series.n}
    failed = [safe_text(case) for case in run.first_failures if case not in measured]
    return left_out_note(failed, "as they failed")


def summarised_note(run: Run) -> tuple[str, ...]:
    """Return a note on the cases of which a file of values alone has no statistics."""
    summarised = [safe_text(s.case) for s in series_of(run).values() if s.summary is not None]
    return left_out_note(summarised, "as the format has values alone, statistics of them")


def values_in_seconds(figure: ExportedMetric) -> tuple[float, ...] | None:
    """Return the values in seconds, or None if it is not a time, or beyond the range of floats."""
    try:
        times_s = tuple(convert(value, figure.metric.unit, "s") for value in figure.values)
    except UsageError:
        return None
    return times_s if all(map(math.isfinite, times_s)) else None


def safe_text(text: str) -> str:
    """Return ``text`` on one line, with control characters made visible."""
    return make_visible(text, keep="")


def unique_names(names: Sequence[str], numbered: str = "{} ({})") -> list[str]:
    """Return ``names``, with a number added to repeated ones in the format ``numbered``."""
    originals = set(names)
    used: set[str] = set()
    free_names: list[str] = []
    for name in names:
        free, number = name, 1
        while free in used or (number > 1 and free in originals):
            number += 1
            free = numbered.format(name, number)
        used.add(free)
        free_names.append(free)
    return free_names


def left_out_note(names: Iterable[str], reason: str) -> tuple[str, ...]:
    """Return a note on the metrics that a format can't hold; none if there are none."""
    unique = list(dict.fromkeys(names))
    if not unique:
        return ()
    listing = ", ".join(unique[:5]) + (f" and {len(unique) - 5} more" if len(unique) > 5 else "")
    return (f"left out, {reason}: {listing}",)


def require_values(values: Sequence[object], run: Run, format: str) -> None:
    """Refuse to write a file without values; ``format`` is its name in the message.

    Raises:
        UsageError: ``values`` is empty.
    """
    if not values:
        raise UsageError(f"run {safe_text(run.id)} has nothing that can be written as {format}")


def python_version(machine: Machine) -> tuple[str, str]:
    """Split ``CPython 3.11.7`` into implementation and version; either may be empty."""
    implementation, _, version = safe_text(machine.python).rpartition(" ")
    return implementation, version


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """Content of a file: text, or bytes of a binary format."""

    data: str | bytes
    notes: tuple[str, ...] = ()
    """Notes for the user, such as on metrics that the format can't hold."""

    @property
    def encoded(self) -> bytes:
        """The content as bytes, text in UTF-8."""
        return self.data.encode() if isinstance(self.data, str) else self.data


def indented_json(document: object) -> str:
    """Encode ``document`` as indented JSON."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """A run, judged against targets and baselines."""

    run: Run
    verdict: Verdict

    @property
    def decision(self) -> GateDecision:
        """Decision of the gate."""
        return self.verdict.decision


@dataclass(frozen=True, slots=True)
class JudgedPairs:
    """An A/B comparison with its decision."""

    ab: ABRun
    decision: GateDecision


Judged: TypeAlias = JudgedRun | JudgedPairs | Fleet
JudgedPart: TypeAlias = JudgedRun | JudgedPairs | JudgedPlace
"""A verdict on one machine."""


def judged_parts(judged: Judged) -> tuple[JudgedPart, ...]:
    """Return the verdicts in ``judged``, one per machine."""
    return judged.places if isinstance(judged, Fleet) else (judged,)
