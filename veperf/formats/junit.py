"""Verdicts as JUnit XML, which every CI server shows.

The elements and attributes are those of the schema of Jenkins' xUnit plugin, ``junit-10.xsd``.
``time`` is the time of one operation, in seconds.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from veperf.core.ab_records import ABChange, ABPlace, ABRun
from veperf.core.errors import UsageError
from veperf.core.escape import one_line
from veperf.core.run import Failure, Run
from veperf.core.text import as_sentence, format_exact, format_quantity
from veperf.core.units import convert
from veperf.core.verdict import Change, ChangeStatus, Severity, TargetStatus, TargetVerdict, Verdict
from veperf.formats.exported import (
    ExportedFile,
    Judged,
    JudgedPairs,
    JudgedPart,
    JudgedRun,
    judged_parts,
    safe_text,
)
from veperf.formats.imported import parse_utc
from veperf.report.case_summary import measured_name
from veperf.report.tables import status
from veperf.stats.process_values import series_of

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
class JUnitTest:
    """A test case of the file."""

    suite: str
    group: str
    """Kind of verdict: targets, changes or ab."""
    name: str
    result: Result
    status: str
    """Status in a word or two."""
    message: str
    seconds: float = 0.0
    """Time of one operation."""


def junit_tests(part: JudgedPart) -> tuple[JUnitTest, ...]:
    """Return a test for each target, each comparison, and each case without a value."""
    match part:
        case JudgedRun():
            return (*map(_target_test, part.verdict.targets), *_case_tests(part.run, part.verdict))
        case JudgedPairs():
            return tuple(_ab_test(change, part.ab) for change in part.ab.changes)
    return _place_tests(part.place)


def _place_tests(place: ABPlace) -> tuple[JUnitTest, ...]:
    """Return the tests of one place, in suites of its own."""
    if place.comparison is None:
        return (
            JUnitTest(
                f"on {place.name}", "ab", "comparison", "error", "not measured", place.missing
            ),
        )
    tests = (_ab_test(change, place.comparison) for change in place.comparison.changes)
    return tuple(replace(test, suite=f"{test.suite} on {place.name}") for test in tests)


def _target_test(verdict: TargetVerdict) -> JUnitTest:
    result, unit = _OF_TARGET[verdict.status], verdict.target.unit
    measured = (
        f"measured {format_quantity(verdict.value, unit)}, " if verdict.value is not None else ""
    )
    limit = f"limit {format_exact(verdict.target.limit, unit)}"
    return JUnitTest(
        suite=verdict.target.id.partition("/")[0],
        group="targets",
        name=verdict.target.id,
        result="passed" if verdict.known_miss and result == "failure" else result,
        status=status.target_mark(verdict).word,
        message=f"{as_sentence(verdict.reason)} {as_sentence(measured + limit)}",
        seconds=_in_seconds(verdict.value, unit),
    )


def _case_tests(run: Run, verdict: Verdict) -> Iterator[JUnitTest]:
    suites = {case.id: case.suite for case in run.cases}
    measured = {series.case for series in series_of(run).values() if series.n}
    for change in verdict.changes:
        if change.case in measured:
            yield _change_test(change, suites[change.case], verdict.against)
    for case in run.cases:
        if case.id not in measured:
            yield _unmeasured_test(case.id, case.suite, verdict.failures.get(case.id))


def _change_test(change: Change, suite: str, against: str) -> JUnitTest:
    beside = f" Against {against}." if change.base is not None else ""
    return JUnitTest(
        suite=suite,
        group="changes",
        name=measured_name(change.case, change.metric),
        result=_OF_CHANGE[change.status],
        status=status.change_mark(change).word,
        message=as_sentence(change.reason) + beside,
        seconds=_in_seconds(change.new, change.unit),
    )


def _unmeasured_test(case: str, suite: str, failure: Failure | None) -> JUnitTest:
    reason = (
        f"{status.describe_failure(failure)}: {failure.message}" if failure else "gave no value"
    )
    kind = failure.kind if failure else "no value"
    return JUnitTest(suite, "changes", case, "error", kind, as_sentence(reason))


def _ab_test(change: ABChange, ab: ABRun) -> JUnitTest:
    result = _OF_CHANGE[change.status]
    return JUnitTest(
        suite=change.case.partition("/")[0],
        group="ab",
        name=measured_name(change.case, change.metric.name),
        result="passed" if result == "failure" and change.severity is not Severity.FAIL else result,
        status=status.CHANGE_MARKS[change.status].word,
        message=f"{as_sentence(change.reason)} {ab.new.name}, against {ab.base.name}.",
        seconds=_in_seconds(change.new, change.metric.unit),
    )


def _in_seconds(value: float | None, unit: str) -> float:
    try:
        return 0.0 if value is None else convert(value, unit, "s")
    except UsageError:
        return 0.0


# Valid in Unicode but not in XML 1.0; safe_text() has replaced the others.
_NO_XML = re.compile("[\ufffe\uffff]")


def write_junit(judged: Sequence[Judged]) -> ExportedFile:
    """Write the verdicts, with suites for each of ``judged`` and each place of a fleet."""
    parts = [part for item in judged for part in judged_parts(item)]
    root = ET.Element(
        "testsuites",
        {"name": "veperf"} | _counts([test for part in parts for test in junit_tests(part)]),
    )
    for part in parts:
        by_suite: dict[str, list[JUnitTest]] = {}
        for test in junit_tests(part):
            by_suite.setdefault(test.suite, []).append(test)
        root.extend(_suite_element(name, tests, part) for name, tests in by_suite.items())
    ET.indent(root, " ")
    return ExportedFile(
        '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
    )


def _suite_element(name: str, tests: Sequence[JUnitTest], part: JudgedPart) -> ET.Element:
    run = _run_of(part)
    created = parse_utc(run.created) if run else None
    timestamp = {"timestamp": f"{created:%Y-%m-%dT%H:%M:%S}"} if created else {}
    skipped = {"skipped": str(sum(test.result == "skipped" for test in tests))}
    suite = ET.Element("testsuite", {"name": _text(name)} | _counts(tests) | skipped | timestamp)
    properties = ET.SubElement(suite, "properties")
    for key, value in (_properties(run) if run else {}).items():
        ET.SubElement(properties, "property", name=key, value=_text(value))
    suite.extend(map(_test_element, tests))
    return suite


def _counts(tests: Sequence[JUnitTest]) -> dict[str, str]:
    return {
        "tests": str(len(tests)),
        "failures": str(sum(test.result == "failure" for test in tests)),
        "errors": str(sum(test.result == "error" for test in tests)),
    }


def _run_of(part: JudgedPart) -> Run | ABRun | None:
    match part:
        case JudgedRun():
            return part.run
        case JudgedPairs():
            return part.ab
    return part.place.comparison


def _properties(run: Run | ABRun) -> dict[str, str]:
    revision = run.new.revision if isinstance(run, ABRun) else run.revision
    return {
        "run": run.id,
        "commit": revision.commit,
        "machine": run.machine.name,
        "cpu": run.machine.cpu_model,
        "python": run.machine.python,
    }


def _test_element(test: JUnitTest) -> ET.Element:
    case = ET.Element(
        "testcase",
        classname=_text(f"{test.suite}.{test.group}"),
        name=_text(test.name),
        time=f"{test.seconds:.9f}",
    )
    message = _text(one_line(test.message))
    if test.result != "passed":
        result = ET.SubElement(case, test.result, type=_text(test.status), message=message)
        result.text = message
    elif message:
        ET.SubElement(case, "system-out").text = f"{_text(test.status)}: {message}"
    return case


def _text(text: str) -> str:
    return _NO_XML.sub("\ufffd", safe_text(text))
