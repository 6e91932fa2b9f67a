"""What was judged, as tests that pass, fail, end in error or are skipped.

A test is a target, or the comparison of a metric of a case with its baseline or with old code. A
failure is a missed target or a slowdown, an error what could not be measured; skipped is what was
not judged, such as what has no baseline, or decided nothing. Warnings pass, with their reason as
message.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from veperf.errors import UsageError
from veperf.judge.series import series_of
from veperf.model import (
    ABChange,
    ABPlace,
    ABRun,
    Change,
    ChangeStatus,
    Failure,
    Run,
    Severity,
    TargetStatus,
    TargetVerdict,
    Verdict,
)
from veperf.report import status, words
from veperf.report.summary import measured_name
from veperf.units import convert
from veperf.writers.judged import JudgedPairs, JudgedRun, Part

Result = Literal["passed", "failure", "error", "skipped"]

_OF_TARGET: dict[TargetStatus, Result] = {
    TargetStatus.PASS: "passed",
    TargetStatus.WARN: "passed",
    TargetStatus.FAIL: "failure",
    TargetStatus.ERROR: "error",
    TargetStatus.NOT_MEASURED: "skipped",
}
_OF_CHANGE: dict[ChangeStatus, Result] = {
    ChangeStatus.OK: "passed",
    ChangeStatus.FASTER: "passed",
    ChangeStatus.SUSPECT: "passed",
    ChangeStatus.SLOWER: "failure",
    ChangeStatus.ERROR: "error",
    ChangeStatus.INCONCLUSIVE: "skipped",
    ChangeStatus.NOT_ENOUGH: "skipped",
    ChangeStatus.OTHER_MACHINE: "skipped",
    ChangeStatus.NO_BASELINE: "skipped",
    ChangeStatus.ONE_SIDED: "skipped",
}


@dataclass(frozen=True, slots=True)
class Test:
    """One of them."""

    suite: str
    group: str
    """What kind of question it answers."""
    name: str
    result: Result
    status: str
    """In a word or two."""
    message: str
    seconds: float = 0.0
    """What one operation takes."""


def tests_of(part: Part) -> tuple[Test, ...]:
    """A test for each target and each comparison, and for each case that gave no value."""
    match part:
        case JudgedRun():
            return (*map(_target, part.verdict.targets), *_cases(part.run, part.verdict))
        case JudgedPairs():
            return tuple(_beside(change, part.ab) for change in part.ab.changes)
    return _at(part.place)


def _at(place: ABPlace) -> tuple[Test, ...]:
    """The tests of one place, in suites of its own."""
    if place.found is None:
        return (
            Test(f"on {place.name}", "ab", "comparison", "error", "not measured", place.missing),
        )
    tests = (_beside(change, place.found) for change in place.found.changes)
    return tuple(replace(test, suite=f"{test.suite} on {place.name}") for test in tests)


def _target(found: TargetVerdict) -> Test:
    result, unit = _OF_TARGET[found.status], found.target.unit
    measured = f"measured {words.quantity(found.value, unit)}, " if found.value is not None else ""
    limit = f"limit {words.given(found.target.limit, unit)}"
    return Test(
        suite=found.target.id.partition("/")[0],
        group="targets",
        name=found.target.id,
        result="passed" if found.known_miss and result == "failure" else result,
        status=status.of_target(found.status, known_miss=found.known_miss).word,
        message=f"{words.sentence(found.reason)} {words.sentence(measured + limit)}",
        seconds=_in_seconds(found.value, unit),
    )


def _cases(run: Run, verdict: Verdict) -> Iterator[Test]:
    suites = {case.id: case.suite for case in run.cases}
    measured = {series.case for series in series_of(run).values() if series.n}
    for change in verdict.changes:
        if change.case in measured:
            yield _change(change, suites[change.case], verdict.against)
    for case in run.cases:
        if case.id not in measured:
            yield _unmeasured(case.id, case.suite, verdict.failures.get(case.id))


def _change(change: Change, suite: str, against: str) -> Test:
    beside = f" Against {against}." if change.base is not None else ""
    return Test(
        suite=suite,
        group="changes",
        name=measured_name(change.case, change.metric),
        result=_OF_CHANGE[change.status],
        status=status.of_change(change.status).word,
        message=words.sentence(change.reason) + beside,
        seconds=_in_seconds(change.new, change.unit),
    )


def _unmeasured(case: str, suite: str, failure: Failure | None) -> Test:
    said = f"{status.failed(failure)}: {failure.message}" if failure else "gave no value"
    kind = failure.kind if failure else "no value"
    return Test(suite, "changes", case, "error", kind, words.sentence(said))


def _beside(change: ABChange, found: ABRun) -> Test:
    result = _OF_CHANGE[change.status]
    return Test(
        suite=change.case.partition("/")[0],
        group="ab",
        name=measured_name(change.case, change.metric.name),
        result="passed" if result == "failure" and change.severity is not Severity.FAIL else result,
        status=status.of_change(change.status).word,
        message=f"{words.sentence(change.reason)} {found.new.name}, against {found.base.name}.",
        seconds=_in_seconds(change.new, change.metric.unit),
    )


def _in_seconds(value: float | None, unit: str) -> float:
    try:
        return 0.0 if value is None else convert(value, unit, "s")
    except UsageError:
        return 0.0
