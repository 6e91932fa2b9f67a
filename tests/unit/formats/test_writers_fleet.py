"""Fleet comparisons in the formats of verdicts."""

import xml.etree.ElementTree as ET

import pytest

from tests.support.ab_runs import ab_run, change
from tests.support.fleets import at, fleet, lacking
from tests.support.helpers import HOSTILE
from veperf.core.ab_records import ABPlace
from veperf.core.errors import UsageError
from veperf.core.verdict import ChangeStatus, Severity
from veperf.formats.writers import write_judged

SLOW = change("mine/work", ChangeStatus.SLOWER, ratio=1.1, severity=Severity.FAIL)
GOOD = change("mine/work", ChangeStatus.OK)
FOUND = fleet(at("small", GOOD), at("large", SLOW), lacking("gpu"))


def test_each_place_has_its_tests() -> None:
    """A slower place is a failure, a missing one an error, each under its own name."""
    root = ET.fromstring(str(write_judged([FOUND.view], "junit").data))

    assert ["mine on small", "mine on large", "on gpu"] == [
        suite.get("name") for suite in root.iter("testsuite")
    ]
    assert [(0, 0), (1, 0), (0, 1)] == [
        (int(suite.get("failures", "")), int(suite.get("errors", "")))
        for suite in root.iter("testsuite")
    ]
    assert ("3", "1", "1") == (root.get("tests"), root.get("failures"), root.get("errors"))
    (error,) = root.iter("error")
    assert "no worker came" in (error.get("message") or "")


@pytest.mark.parametrize("format", ["summary", "comment"])
def test_markdown_holds_the_table(format: str) -> None:
    """The table has a column per place."""
    written = str(write_judged([FOUND.view], format).data)

    assert "| Benchmark | small | large | gpu |" in written
    assert 1 == written.count("### ")
    assert len(written.encode()) < 64_000


def test_other_formats_say_that_they_can_t() -> None:
    """Formats of runs refuse a fleet comparison."""
    with pytest.raises(UsageError, match="nothing that can be written as go"):
        write_judged([FOUND.view], "go")


@pytest.mark.parametrize("format", ["junit", "summary", "comment"])
def test_hostile_names_stay_text(format: str) -> None:
    """Hostile names of places and reasons stay text."""
    evil = fleet(ABPlace(HOSTILE, ab_run(SLOW)), ABPlace("x", None, HOSTILE))
    written = str(write_judged([evil.view], format).data)

    assert "\x1b" not in written
    assert "\u202e" not in written
    if format == "junit":
        assert 2 == len(list(ET.fromstring(written).iter("testcase")))
    else:
        assert "<script" not in written.replace("\\<", "")
