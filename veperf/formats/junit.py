"""JUnit XML, which every CI server shows.

The elements and attributes are those of the schema of Jenkins' xUnit plugin, ``junit-10.xsd``.
``time`` is what one operation takes, in seconds.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from veperf.core import number_format
from veperf.core.ab import ABChange, ABPlace, ABRun
from veperf.core.errors import UsageError
from veperf.core.escape import one_line
from veperf.core.run import Failure, Run
from veperf.core.units import convert
from veperf.core.verdict import Change, ChangeStatus, Severity, TargetStatus, TargetVerdict, Verdict
from veperf.formats.exported_values import Written, moment, safe
from veperf.formats.judged import Judged, JudgedPairs, JudgedRun, Part, parts
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
    measured = (
        f"measured {number_format.quantity(found.value, unit)}, " if found.value is not None else ""
    )
    limit = f"limit {number_format.given(found.target.limit, unit)}"
    return Test(
        suite=found.target.id.partition("/")[0],
        group="targets",
        name=found.target.id,
        result="passed" if found.known_miss and result == "failure" else result,
        status=status.of_target(found.status, known_miss=found.known_miss).word,
        message=f"{number_format.sentence(found.reason)} {number_format.sentence(measured + limit)}",
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
        message=number_format.sentence(change.reason) + beside,
        seconds=_in_seconds(change.new, change.unit),
    )


def _unmeasured(case: str, suite: str, failure: Failure | None) -> Test:
    said = f"{status.failed(failure)}: {failure.message}" if failure else "gave no value"
    kind = failure.kind if failure else "no value"
    return Test(suite, "changes", case, "error", kind, number_format.sentence(said))


def _beside(change: ABChange, found: ABRun) -> Test:
    result = _OF_CHANGE[change.status]
    return Test(
        suite=change.case.partition("/")[0],
        group="ab",
        name=measured_name(change.case, change.metric.name),
        result="passed" if result == "failure" and change.severity is not Severity.FAIL else result,
        status=status.of_change(change.status).word,
        message=f"{number_format.sentence(change.reason)} {found.new.name}, against {found.base.name}.",
        seconds=_in_seconds(change.new, change.metric.unit),
    )


def _in_seconds(value: float | None, unit: str) -> float:
    try:
        return 0.0 if value is None else convert(value, unit, "s")
    except UsageError:
        return 0.0


# Valid in Unicode, not in XML 1.0; what else is not, safe() has spelt out.
_NO_XML = re.compile("[\ufffe\uffff]")


def write(judged: Sequence[Judged]) -> Written:
    """The file: for each of ``judged``, and each place of a fleet, its suites of benchmarks."""
    each = [part for one in judged for part in parts(one)]
    root = ET.Element(
        "testsuites",
        {"name": "veperf"} | _counts([test for part in each for test in tests_of(part)]),
    )
    for part in each:
        by_suite: dict[str, list[Test]] = {}
        for test in tests_of(part):
            by_suite.setdefault(test.suite, []).append(test)
        root.extend(_suite(name, found, part) for name, found in by_suite.items())
    ET.indent(root, " ")
    return Written(
        '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"
    )


def _suite(name: str, tests: Sequence[Test], part: Part) -> ET.Element:
    made = _made(part)
    when = moment(made.created) if made else None
    timestamp = {"timestamp": f"{when:%Y-%m-%dT%H:%M:%S}"} if when else {}
    skipped = {"skipped": str(sum(test.result == "skipped" for test in tests))}
    suite = ET.Element("testsuite", {"name": _text(name)} | _counts(tests) | skipped | timestamp)
    properties = ET.SubElement(suite, "properties")
    for key, value in (_properties(made) if made else {}).items():
        ET.SubElement(properties, "property", name=key, value=_text(value))
    suite.extend(map(_test, tests))
    return suite


def _counts(tests: Sequence[Test]) -> dict[str, str]:
    return {
        "tests": str(len(tests)),
        "failures": str(sum(test.result == "failure" for test in tests)),
        "errors": str(sum(test.result == "error" for test in tests)),
    }


def _made(part: Part) -> Run | ABRun | None:
    match part:
        case JudgedRun():
            return part.run
        case JudgedPairs():
            return part.ab
    return part.place.found


def _properties(made: Run | ABRun) -> dict[str, str]:
    revision = made.new.revision if isinstance(made, ABRun) else made.revision
    return {
        "run": made.id,
        "commit": revision.commit,
        "machine": made.machine.name,
        "cpu": made.machine.cpu_model,
        "python": made.machine.python,
    }


def _test(test: Test) -> ET.Element:
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
    return _NO_XML.sub("\ufffd", safe(text))
