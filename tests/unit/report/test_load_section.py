"""The load part of a report."""

import re

import pytest
from msgspec.structs import replace

from tests.support.helpers import BEHIND, judged, plausible_run, with_load
from veperf.core.run import CaseResult, Failure, Run
from veperf.report.html.fragment import Fragment
from veperf.report.sections.load_section import NOTHING
from veperf.report.view import ReportView


def _load(run: Run) -> Fragment:
    return ReportView(run, judged(run)).load


def _only(run: Run, *benchmarks: str) -> Run:
    kept = {case.id for case in run.cases if case.benchmark in benchmarks}
    return replace(
        run,
        cases=tuple(case for case in run.cases if case.id in kept),
        passes=tuple(
            replace(p, results=tuple(r for r in p.results if r.case in kept)) for p in run.passes
        ),
    )


def _without(run: Run, prefix: str) -> Run:
    """``run`` less every figure whose name begins with ``prefix``."""

    def kept(result: CaseResult) -> CaseResult:
        figures = {k: v for k, v in result.figures.items() if not k.startswith(prefix)}
        return replace(result, figures=figures)

    return replace(
        run, passes=tuple(replace(p, results=tuple(map(kept, p.results))) for p in run.passes)
    )


def test_a_run_without_load_says_so_in_one_line():
    """No empty headings, in HTML or in text."""
    section = _load(plausible_run(passes=3))

    assert f'<p class="vp-nothing">{NOTHING}</p>' == section.html
    assert NOTHING == section.text


def test_people_get_their_answers_in_the_order_of_their_questions():
    """What rate, at what latency, how it is spread, and where the CPU time goes."""
    headings = re.findall("<h3>(.*?)</h3>", _load(with_load(plausible_run())).html)

    assert [
        "What rate does it sustain?",
        "Latency against offered rate",
        "Latency: transaction/load",
        "Where the CPU time goes: transaction/load",
    ] == headings


def test_the_rate_is_compared_with_limit_and_goal():
    """How often it held, the distance to the limit, the share of the goal, and what gave out."""
    section = _load(with_load(plausible_run()))
    for text in (section.html, section.text):
        assert re.search(r"8,\d{3}\u202ftx/s", text)
        assert "held in 2 of 3" in text
        assert re.search(r"[67]\d\u202f% above its limit of 5,000\u202ftx/s\.", text)
        assert re.search(r"8\d\u202f% of the goal of 10,000\u202ftx/s\.", text)
        assert "the lowest rate that missed, the stage verify has the largest share" in text


@pytest.mark.parametrize(
    ("invalid", "text"),
    [
        ([(1, 5_000)], "void in process 2 of 3, because the generator fell behind"),
        ([(i, 5_000) for i in range(3)], "void in every process, because the generator fell"),
    ],
)
def test_what_is_invalid_is_said_loudly(invalid, text):
    """With the reason, in a box of its own, wherever figures of that case are shown."""
    section = _load(with_load(plausible_run(), invalid=invalid))
    boxes = re.findall('<div class="vp-failure">.*?</div>', section.html)

    assert text in section.text
    assert len(boxes) >= 2
    assert all(text in box for box in boxes)


def test_latencies_are_told_in_words():
    """Percentiles, offered and achieved rate, the generator's lag, and errors."""
    text = _load(with_load(plausible_run())).text

    assert re.search(r"p50 2\d\.\d\u202fms, p95 4\d\.\d\u202fms", text)
    assert re.search(r"Offered [45],\d{3}\u202ftx/s, achieved [45],\d{3}\u202ftx/s\.", text)
    assert re.search(r"generator\'s lag \(p99\) was 1\.\d\d\u202fms", text)
    assert "No errors." in text


def test_cpu_time_is_told_for_one_core():
    """60 µs a transaction are some 16,500 transactions a second, verification the largest part."""
    section = _load(with_load(plausible_run()))

    assert re.search(r"6\d\.\d\u202fµs of CPU time for one tx", section.text)
    assert re.search(r"a core that does nothing else reaches 16,\d{3}\u202ftx/s", section.text)
    assert "verify 4" in section.text


def test_a_run_without_stages_has_no_waterfall():
    """There is no heading for what was not measured."""
    assert "Where the CPU time goes" not in _load(_without(with_load(plausible_run()), "cpu_")).html


def test_a_search_alone_is_shown():
    """Without any load at a rate there is no table and no picture of one."""
    section = _load(_only(with_load(plausible_run()), "transaction/throughput"))

    assert "What rate does it sustain?" in section.html
    assert "Latency against" not in section.html


@pytest.mark.parametrize(
    "change", [{"figures": {}}, {"failure": BEHIND}, {"figures": {"throughput": 0.0}}]
)
def test_a_search_that_found_nothing_is_no_success(change):
    """No rate met, or every process invalid: nothing is said to be met."""
    run = _only(with_load(plausible_run()), "transaction/throughput")
    passes = tuple(
        replace(p, results=tuple(replace(r, **change) for r in p.results)) for p in run.passes
    )
    before_the_picture = _load(replace(run, passes=passes)).html.split("<figure>")[0]

    assert "vp-value" in before_the_picture
    assert "vp-pass" not in before_the_picture


def test_a_crash_leaves_a_line():
    """A load case that crashed in every process is in the table, as not measured."""
    run = _only(with_load(plausible_run()), "transaction/load")
    crashed = replace(BEHIND, kind="crashed")
    passes = tuple(
        replace(p, results=tuple(CaseResult(r.case, failure=crashed) for r in p.results))
        for p in run.passes
    )
    section = _load(replace(run, passes=passes))

    assert 5 == section.html.count("not measured</span>")
    assert "Latency: " not in section.html


def test_every_trial_is_in_the_folded_table():
    """With its rate, what it achieved, and why it is invalid."""
    run = with_load(plausible_run())
    html = _load(run).html
    (table,) = re.findall(r"<details><summary>\d+.trials</summary>(.*?)</details>", html)
    trials = [t for p in run.passes for r in p.results for t in r.trials]

    assert len(trials) == table.count("<tr><td>")
    assert 3 == table.count("○ void: the generator fell behind")


def test_reasons_that_differ_in_numbers_are_told_once():
    """Six processes of a busy machine waited for a CPU for six shares of the time."""
    run = with_load(plausible_run(), invalid=[(i, 5_000) for i in range(3)])
    busy = [
        replace(
            pass_,
            results=tuple(
                replace(r, failure=Failure("invalid", f"the system waited {60 + i} % of the time"))
                if r.failure and r.failure.kind == "invalid"
                else r
                for r in pass_.results
            ),
        )
        for i, pass_ in enumerate(run.passes)
    ]
    text = _load(replace(run, passes=tuple(busy))).text

    assert "because the system waited 60 % of the time (elsewhere alike). These figures" in text
    assert "waited 61 %" not in text
