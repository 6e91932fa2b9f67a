"""Figures of memory in the tables of a run."""

from tests.support.helpers import TARGETS
from tests.support.runs import case, one_pass, timed, whole_run
from veperf.archive.baselines import load_targets
from veperf.core import number_format
from veperf.core.case import MEMORY_METRICS, TIME
from veperf.core.run import CaseResult, Failure, Run
from veperf.report import text
from veperf.report.case_summary import summarise
from veperf.report.view import ReportView
from veperf.verdicts.verdict import verdict

FIGURES = {"memory_peak": 3_860.0, "memory_total": 43_581.0, "memory_allocations": 373.5}


def run(*, memory: dict[str, float], failure: Failure | None = None) -> Run:
    metrics = (TIME, *MEMORY_METRICS) if memory or failure else (TIME,)
    cases = [case("shop/sell", metrics=metrics)]
    passes = [one_pass([timed("shop/sell", 500.0 + i)], i) for i in range(6)]
    if memory or failure:
        weighed = CaseResult("shop/sell", figures=memory, failure=failure)
        passes += [one_pass([weighed], i) for i in range(6, 9)]
    return whole_run(cases, passes)


def view(found: Run) -> ReportView:
    return ReportView(found, verdict(found, load_targets(TARGETS)))


def test_memory_has_a_table_of_its_own():
    """One row a case, in the terminal and the report; no row or card for each figure."""
    found = run(memory=FIGURES)
    assert 1 == text.run(found).partition("Memory ")[0].count("shop/sell")
    for shown in (text.run(found).partition("Memory ")[2], view(found).memory.text):
        row = next(line for line in shown.splitlines() if line.startswith("shop/sell"))
        assert ["shop/sell", "3.77", "KiB", "42.6", "KiB", "374", "3"] == row.replace(
            "\u202f", " "
        ).split()
    assert 1 == view(found).benchmarks.html.count("<article")
    assert "Memory of one operation" in view(found).memory.html
    assert "by one operation of 1 cases; most by shop/sell: 3.77" in view(found).memory.html


def test_without_memory_nothing_is_said_of_it():
    """Runs from before, and those that did not ask for it."""
    found = run(memory={})

    assert "Memory" not in text.run(found)
    assert "did not measure memory" in view(found).memory.text
    assert {"time"} == {one.series.metric for one in summarise(found)}


def test_memory_that_could_not_be_measured_leaves_the_time():
    """The row says so; the time is judged by the passes that have it."""
    found = run(memory={}, failure=Failure("crashed", "exit code 7"))
    shown = text.run(found)

    assert "502 ns" in shown.partition("Memory ")[0].replace("\u202f", " ")
    assert number_format.MISSING in shown.partition("Memory ")[2]
