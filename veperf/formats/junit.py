"""Verdicts as JUnit XML, which every CI server shows.

The elements and attributes are those of the schema of Jenkins' xUnit plugin, ``junit-10.xsd``.
``time`` is the time of one operation, in seconds.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from veperf.abtest.count_verdict import describe_counts
from veperf.abtest.fleet_verdict import JudgedPlace
from veperf.abtest.guardrails import describe_guardrail, guardrail_warnings
from veperf.core.ab_records import ABChange, ABRun
from veperf.core.case import TIME
from veperf.core.errors import UsageError
from veperf.core.escape import one_line
from veperf.core.gate import Answer, Effect, GateDecision, GateItem, Question
from veperf.core.run import Run
from veperf.core.text import as_sentence, format_exact, format_quantity
from veperf.core.units import convert
from veperf.core.verdict import Verdict
from veperf.formats.exported import (
    ExportedFile,
    Judged,
    JudgedPairs,
    JudgedPart,
    JudgedRun,
    judged_parts,
    safe_text,
)
from veperf.formats.imported import VALUE, parse_utc
from veperf.report.case_summary import measured_name
from veperf.report.tables import status

Result = Literal["passed", "failure", "error", "skipped"]

_RESULTS: dict[Effect, Result] = {
    Effect.PASS: "passed",
    Effect.NOTE: "passed",
    Effect.WARN: "passed",
    Effect.INCONCLUSIVE: "skipped",
    Effect.FAIL: "failure",
    Effect.ERROR: "error",
}
_UNANSWERED = frozenset(
    {
        Answer.CHANGED,
        Answer.INCONCLUSIVE,
        Answer.NOT_COMPARABLE,
        Answer.NEW,
        Answer.MISSING,
        Answer.NOT_MEASURED,
    }
)
"""Answers that are skipped where they don't fail: they are no pass."""
_GROUPS: dict[Question, str] = {
    Question.TARGET: "targets",
    Question.CHANGE: "changes",
    Question.COUNT: "changes",
    Question.LOAD: "loads",
    Question.PRESENCE: "presence",
}
_WHOLE = "comparison"


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
    """Return a test for each question of the gate, with its reason and the figures beside it."""
    match part:
        case JudgedRun():
            return tuple(_run_test(item, part) for item in part.decision.items)
        case JudgedPairs():
            return tuple(_pair_tests(part.ab, part.decision))
    return _place_tests(part)


def _place_tests(judged: JudgedPlace) -> tuple[JUnitTest, ...]:
    """Return the tests of one place, in suites of its own."""
    place = judged.place
    if place.comparison is None:
        return tuple(
            JUnitTest(f"on {place.name}", "ab", _WHOLE, _result(item), item.answer, place.missing)
            for item in judged.decision.items
        )
    tests = _pair_tests(place.comparison, judged.decision)
    return tuple(replace(test, suite=f"{test.suite} on {place.name}") for test in tests)


def _result(item: GateItem) -> Result:
    result = _RESULTS[item.effect]
    return "skipped" if result == "passed" and item.answer in _UNANSWERED else result


def _run_test(item: GateItem, judged: JudgedRun) -> JUnitTest:
    suites = {case.id: case.suite for case in judged.run.cases}
    suite = suites.get(item.case) or (item.case or item.target).partition("/")[0]
    metric = item.metric or TIME.name
    facts, seconds = _figures(item, metric, judged.verdict)
    return JUnitTest(
        suite=suite or judged.run.id,
        group=_GROUPS[item.question],
        name=item.target or (measured_name(item.case, metric) if item.case else _WHOLE),
        result=_result(item),
        status="known miss" if item.known_miss is not None else str(item.answer),
        message=" ".join(filter(None, [as_sentence(item.reason), facts])),
        seconds=seconds,
    )


_COMPARED = (Question.CHANGE, Question.COUNT)


def _figures(item: GateItem, metric: str, verdict: Verdict) -> tuple[str, float]:
    """Return the figures that an answer is about, as a sentence, and the time in seconds."""
    for target in verdict.targets:
        if target.target.id == item.target and target.case == (item.case or None):
            unit = target.target.unit
            limit = f"limit {format_exact(target.target.limit, unit)}"
            value = (
                f"measured {format_quantity(target.value, unit)}, "
                if target.value is not None
                else ""
            )
            return as_sentence(value + limit), _in_seconds(target.value, unit)
    for change in verdict.changes:
        if item.question in _COMPARED and (change.case, change.metric) == (item.case, metric):
            source = f"Against {item.source}." if item.source else ""
            return source, _in_seconds(change.new, change.unit)
    return "", 0.0


def _pair_tests(ab: ABRun, decision: GateDecision) -> Iterator[JUnitTest]:
    # As the gate's items name them: the metric that decides a benchmark has no name there.
    is_timed = ab.config.decide_by == "time"
    changes = {
        (
            change.case,
            change.metric.name if is_timed and change.metric.name not in (TIME.name, VALUE) else "",
        ): change
        for change in ab.changes
    }
    for item in decision.items:
        if item.guardrail or (item.question is Question.COUNT and item.metric):
            continue
        if (change := changes.get((item.case, item.metric))) is not None:
            yield _ab_test(change, ab, _result(item))
        else:
            suite = item.case.partition("/")[0] or ab.new.name
            name = item.case or _WHOLE
            yield JUnitTest(suite, "ab", name, _result(item), item.answer, item.reason)


def _ab_test(change: ABChange, ab: ABRun, result: Result) -> JUnitTest:
    warnings = "".join(
        f" Warning: {describe_guardrail(guardrail)}." for guardrail in guardrail_warnings(change)
    )
    counts = as_sentence(describe_counts(change))
    sides = f"{ab.new.name}, against {ab.base.name}."
    return JUnitTest(
        suite=change.case.partition("/")[0],
        group="ab",
        name=measured_name(change.case, change.metric.name),
        result=result,
        status=status.margin_mark(change.status, change.margin).word,
        message=f"{' '.join(filter(None, (as_sentence(change.reason), counts, sides)))}{warnings}",
        seconds=_in_seconds(change.paired_new, change.metric.unit),
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
