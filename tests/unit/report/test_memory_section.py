"""Figures of memory in the tables of a run."""

from tests.support.helpers import TARGETS
from tests.support.runs import case, one_pass, timed, whole_run
from veperf.archive.baselines import load_targets
from veperf.core.case import MEMORY_METRICS, TIME
from veperf.core.run import CaseResult, Failure, Run
from veperf.core.text import MISSING
from veperf.report import rendering
from veperf.report.case_summary import summarise_cases
from veperf.report.view import ReportView
from veperf.verdicts.verdict import run_verdict

FIGURES = {"memory_peak": 3_860.0, "memory_total": 43_581.0, "memory_allocations": 373.5}


def run(*, memory: dict[str, float], failure: Failure | None = None) -> Run:
    metrics = (TIME, *MEMORY_METRICS) if memory or failure else (TIME,)
    cases = [case("shop/sell", metrics=metrics)]
    passes = [one_pass([timed("shop/sell", 500.0 + i)], i) for i in range(6)]
    if memory or failure:
        weighed = CaseResult("shop/sell", figures=memory, failure=failure)
        passes += [one_pass([weighed], i) for i in range(6, 9)]
    return whole_run(cases, passes)


def view(run: Run) -> ReportView:
    return ReportView(run, run_verdict(run, load_targets(TARGETS)))


def test_memory_has_a_table_of_its_own():
    """One row a case, in the terminal and the report; no row or card for each figure."""
    measured = run(memory=FIGURES)
    assert 1 == rendering.run_text(measured).partition("Memory ")[0].count("shop/sell")
    for text in (rendering.run_text(measured).partition("Memory ")[2], view(measured).memory.text):
        row = next(line for line in text.splitlines() if line.startswith("shop/sell"))
        assert ["shop/sell", "3.77", "KiB", "42.6", "KiB", "374", "3"] == row.replace(
            "\u202f", " "
        ).split()
    assert 1 == view(measured).benchmarks.html.count("<article")
    assert "Memory of one operation" in view(measured).memory.html
    assert "by one operation of 1 cases; most by shop/sell: 3.77" in view(measured).memory.html


def test_without_memory_nothing_is_said_of_it():
    """Runs from before, and those that did not ask for it."""
    measured = run(memory={})

    assert "Memory" not in rendering.run_text(measured)
    assert "did not measure memory" in view(measured).memory.text
    assert {"time"} == {metric.series.metric for metric in summarise_cases(measured)}


def test_memory_that_could_not_be_measured_leaves_the_time():
    """The row says so; the time is judged by the passes that have it."""
    measured = run(memory={}, failure=Failure("crashed", "exit code 7"))
    text = rendering.run_text(measured)

    assert "502 ns" in text.partition("Memory ")[0].replace("\u202f", " ")
    assert MISSING in text.partition("Memory ")[2]
