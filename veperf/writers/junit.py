"""JUnit XML, which every CI server shows.

The elements and attributes are those of the schema of Jenkins' xUnit plugin, ``junit-10.xsd``.
``time`` is what one operation takes, in seconds.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from veperf.model import ABRun, Run
from veperf.report.escape import one_line
from veperf.writers.facts import moment
from veperf.writers.figures import safe
from veperf.writers.judged import Judged, JudgedPairs, JudgedRun, Part, parts
from veperf.writers.tests import Test, tests_of
from veperf.writers.written import Written

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
