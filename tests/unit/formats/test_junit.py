"""Verdicts as JUnit XML: failures, errors and skipped tests."""

import xml.etree.ElementTree as ET

import pytest
from msgspec.structs import replace

from tests.support.helpers import judged, plausible_baselines, plausible_run
from tests.support.runs import timed_run
from veperf.abtest.gate import decide_comparison
from veperf.core.ab_records import ABChange, ABConfig, ABRun, ABSide
from veperf.core.case import TIME, Metric
from veperf.core.errors import FAILED, UsageError
from veperf.core.policy import DEFAULT_POLICY
from veperf.core.run import Failure, Run
from veperf.core.target import Target, TargetSet
from veperf.core.verdict import (
    Change,
    ChangeStatus,
    Severity,
    TargetStatus,
    TargetVerdict,
    Verdict,
)
from veperf.formats.exported import Judged, JudgedPairs, JudgedRun
from veperf.formats.markdown import MARKER
from veperf.formats.writers import OUTPUT_FORMAT_NAMES, output_format, write_judged, write_run
from veperf.verdicts.gate import change_item, decide
from veperf.verdicts.run_items import run_items

RUN = timed_run({"mine/a": [1e3] * 6})
TARGET = Target("mine/a", 10.0, "us", "lower", "a")


def target(status: TargetStatus, *, known_miss: bool = False) -> TargetVerdict:
    return TargetVerdict(
        TARGET, status, "mine/a", 20.0, 19.0, 21.0, 0.97, 1.0, 6, known_miss, "twice its limit"
    )


def change(status: ChangeStatus) -> Change:
    return Change(
        "mine/a", "time", "ns", status, 900.0, 1000.0, 1.1, 1.06, 1.2, 0.95, 0.01, 0.02, 6, 6,
        "cpu", "10 % slower",
    )  # fmt: skip


def verdict(*found: TargetVerdict | Change, failures: dict[str, Failure] | None = None) -> Verdict:
    targets = tuple(f for f in found if isinstance(f, TargetVerdict))
    changes = tuple(f for f in found if isinstance(f, Change))
    limits = TargetSet("1", "", 10, 20, (TARGET,))
    items = [
        *run_items(RUN, targets, (), (), limits, DEFAULT_POLICY),
        *(change_item(c, DEFAULT_POLICY, 0.05, source="the baseline") for c in changes),
    ]
    return Verdict(RUN.id, decide(items), targets, changes, failures or {}, "the baseline")


def xml(run: Run, found: Verdict) -> ET.Element:
    return ET.fromstring(str(write_run(run, "junit", lambda: found).data))


def cases(found: Verdict) -> list[ET.Element]:
    return xml(RUN, found).findall("*/testcase")


def result(test: ET.Element) -> str:
    child = test.find("*")
    assert child is not None
    return "passed" if child.tag == "system-out" else child.tag


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (TargetStatus.PASS, "passed"),
        (TargetStatus.WARN, "passed"),
        (TargetStatus.FAIL, "failure"),
        (TargetStatus.ERROR, "error"),
        (TargetStatus.NOT_MEASURED, "error"),
    ],
)
def test_a_target(status: TargetStatus, expected: str):
    """A missed one is a failure, an unmeasured one an error; a warning passes, with a reason."""
    (test,) = cases(verdict(target(status)))

    assert expected == result(test)
    assert ("mine.targets", "mine/a") == (test.get("classname"), test.get("name"))
    assert "Twice its limit" in "".join(test.itertext())
    assert 20e-6 == pytest.approx(float(test.get("time", "")))


@pytest.mark.parametrize(
    "status", sorted(set(ChangeStatus) - {ChangeStatus.ONE_SIDED, ChangeStatus.NOT_MEASURED})
)
def test_a_comparison(status: ChangeStatus):
    """Slower is a failure; undecided or not compared is skipped, never passed."""
    (test, *_) = (t for t in cases(verdict(change(status))) if t.get("name") == "mine/a")

    passed = {ChangeStatus.OK, ChangeStatus.FASTER, ChangeStatus.SUSPECT}
    failed = {ChangeStatus.SLOWER: "failure", ChangeStatus.ERROR: "error"}
    expected = "passed" if status in passed else failed.get(status, "skipped")
    assert expected == result(test)
    assert "Against the baseline" in "".join(test.itertext())


def test_a_known_miss_is_no_failure():
    """A known miss passes, as for the exit code, under its own status."""
    (test,) = cases(verdict(target(TargetStatus.FAIL, known_miss=True)))

    assert "passed" == result(test)
    assert "known miss" in "".join(test.itertext())


def test_what_gave_no_value_is_an_error_with_its_message():
    """A failed case is one error, with or without a baseline."""
    crash = Failure("crashed", "killed by signal 11")
    run = plausible_run(failing={"transaction/encode": crash, "transaction/decode": crash})
    without, beside = judged(run), judged(run, plausible_baselines())

    for actual in (without, beside):
        root = xml(run, actual)
        errors = [t for t in root.iter("testcase") if t.find("error") is not None]
        assert ["transaction/decode", "transaction/encode"] == sorted(
            t.get("name", "") for t in errors
        )
        assert all("killed by signal 11" in "".join(t.itertext()) for t in errors)


def test_failures_are_there_where_the_gate_fails():
    """A slowdown that ends `veperf ci` with 1 is a failure in the file, and so is a miss."""
    slower = plausible_run(slower={"transaction/execution": 1.6})
    for run, code in ((slower, FAILED), (plausible_run(), FAILED)):
        actual = judged(run, plausible_baselines())
        root = xml(run, actual)
        names = {t.get("name") for t in root.iter("testcase") if t.find("failure") is not None}

        assert code == actual.decision.exit_code
        expected = {"transaction/validation"} | (
            {"transaction/execution"} if run is slower else set()
        )
        assert expected == names
        assert str(len(names)) == root.get("failures")


def ab_with(status: ChangeStatus, severity: Severity = Severity.NONE) -> JudgedPairs:
    """An A/B comparison of one benchmark."""
    actual = ABChange("mine/a", TIME, status, severity, "7 % slower", base=900.0, new=963.0)
    ab = ABRun(
        "ab-1", RUN.created, ABSide("main"), ABSide("working tree"),
        ABConfig((), (), 1, 1, 1, 60.0, 48, 0.05), RUN.machine, (actual,), (),
    )  # fmt: skip
    return JudgedPairs(ab, decide_comparison(ab))


@pytest.mark.parametrize(
    ("judged", "expected"),
    [
        (ab_with(ChangeStatus.SLOWER, Severity.FAIL), "failure"),
        (ab_with(ChangeStatus.SLOWER, Severity.WARN), "passed"),
        (ab_with(ChangeStatus.OK), "passed"),
        (ab_with(ChangeStatus.FASTER), "passed"),
        (ab_with(ChangeStatus.ERROR), "error"),
        (ab_with(ChangeStatus.INCONCLUSIVE), "skipped"),
        (ab_with(ChangeStatus.ONE_SIDED), "skipped"),
    ],
)
def test_old_and_new_side_by_side(judged: JudgedPairs, expected: str):
    """A slowdown that only warns passes, as it does for the exit code; undecided is skipped."""
    tests = ET.fromstring(str(write_judged([judged], "junit").data)).iter("testcase")
    (test,) = (test for test in tests if test.get("name") == "mine/a")

    assert expected == result(test)
    assert ("mine.ab", "mine/a") == (test.get("classname"), test.get("name"))
    assert "7 % slower. working tree, against main." in "".join(test.itertext())


def test_each_metric_of_a_comparison_is_a_test():
    """One that is slower is a failure, whatever the others of its benchmark are."""
    changes = [
        ABChange("mine/a", metric, status, severity, "as it is", base=1.0, new=2.0)
        for metric, status, severity in (
            (TIME, ChangeStatus.OK, Severity.NONE),
            (Metric("allocs/op", "allocs/op"), ChangeStatus.SLOWER, Severity.FAIL),
            (Metric("B/op", "B/op"), ChangeStatus.OK, Severity.NONE),
        )
    ]
    judged = ab_with(ChangeStatus.OK)
    ab = replace(judged.ab, changes=tuple(changes))

    content = write_judged([JudgedPairs(ab, decide_comparison(ab))], "junit").data

    root = ET.fromstring(str(content))
    assert {
        "mine/a": "passed", "mine/a · allocs/op": "failure", "mine/a · B/op": "passed",
    } == {test.get("name"): result(test) for test in root.iter("testcase")}  # fmt: skip
    assert "1" == root.get("failures")


def test_a_run_and_a_comparison_in_one_file():
    """JUnit XML and comments contain both verdicts; other formats write the run."""
    both: list[Judged] = [
        JudgedRun(RUN, verdict(target(TargetStatus.PASS))),
        ab_with(ChangeStatus.SLOWER, Severity.FAIL),
    ]

    root = ET.fromstring(str(write_judged(both, "junit").data))
    assert ("2", "1") == (root.get("tests"), root.get("failures"))
    assert 1 == str(write_judged(both, "comment").data).count(MARKER)
    assert "1 slower" in str(write_judged(both, "comment").data)
    assert write_judged(both, "go") == write_run(RUN, "go", lambda: verdict())
    with pytest.raises(UsageError, match="an A/B comparison has nothing"):
        write_judged(both[1:], "go")


def test_there_is_no_other_format():
    """The error names the known formats."""
    with pytest.raises(UsageError, match=r"no format 'xml'.*junit"):
        output_format("xml")

    assert len(OUTPUT_FORMAT_NAMES) == len(set(OUTPUT_FORMAT_NAMES))


def test_nothing_to_write_is_said():
    """A file that its reader would refuse is not written."""
    run = timed_run({"mine/a": [Failure("crashed", "killed")] * 3})

    for format in ("pytest-benchmark", "pyperf", "bencher", "go", "github-action-bigger"):
        with pytest.raises(UsageError, match="has nothing that can be written"):
            write_run(run, format, lambda: judged(run))
