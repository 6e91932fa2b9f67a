"""The first screen: the headline, what to do about each answer, and every target."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.helpers import TARGETS, plausible_run, with_load
from tests.support.runs import one_pass, whole_run
from veperf.archive.baselines import load_targets
from veperf.core.case import TIME, Case, Level, Metric
from veperf.core.run import CaseResult, Failure, Run, Sample
from veperf.core.stages import describe_largest_stage
from veperf.core.units import convert
from veperf.core.verdict import Verdict
from veperf.report import rendering
from veperf.report.pages.notebook_cells import render_cells
from veperf.report.sections.next_steps import next_steps
from veperf.report.view import ReportView
from veperf.verdicts.baseline import baselines_of
from veperf.verdicts.verdict import run_verdict

PUBLISHED = load_targets(TARGETS)
NOTEBOOK = Path(__file__).parents[3] / "notebooks" / "run.ipynb"
SUITES = ("transaction", "verification", "bidding", "zk_proof", "memory")
TIMED = {
    "transaction": "transaction/execution",
    "verification": "verification/scoring",
    "bidding": "bidding/signing",
    "zk_proof": "zk_proof/nonce",
}
VOID = Failure("invalid", "the machine was too busy")
_JITTER = (0.99, 0.995, 0.998, 1.0, 1.002, 1.005) * 2


def every_target(
    shares: Mapping[str, float] | None = None,
    void: tuple[str, ...] = (),
    slower: Mapping[str, float] | None = None,
) -> Run:
    """A run with a case for each published target, half its limit; ``shares`` of it for others.

    Where latency and throughput are concerned the case is a load, of which some are ``void``.
    """
    cases, passes = [], []
    for target in PUBLISHED.targets:
        metric, level = TIME, Level.MICRO
        name = target.id.partition("/")[2]
        if target.id.startswith("memory/"):  # figures of a process, and no times of an operation
            metric = Metric(name, target.unit)
        elif name.startswith("latency_") or target.unit not in ("ns", "ms"):
            metric, level = Metric(name, target.unit, target.better), Level.LOAD
        suite = target.id.partition("/")[0]
        cases.append(
            Case(
                target.id,
                target.id,
                suite,
                level,
                "Works.",
                metrics=(metric,),
                targets={metric.name: target.id},
            )
        )
    for index, jitter in enumerate(_JITTER):
        results = []
        for case, target in zip(cases, PUBLISHED.targets, strict=True):
            usual = 0.5 if target.better == "lower" else 2.0
            value = target.limit * (shares or {}).get(target.id, usual) * jitter
            value *= (slower or {}).get(target.id, 1.0)
            if case.id in void:
                results.append(CaseResult(case.id, failure=VOID))
            elif case.metrics == (TIME,):
                ns = round(1000 * convert(value, target.unit, "ns"))
                results.append(CaseResult(case.id, loops=1000, samples=(Sample(ns, ns, 0),) * 4))
            else:
                figures = {case.metrics[0].name: value}
                results.append(CaseResult(case.id, figures=figures))
        passes.append(one_pass(results, index))
    return whole_run(cases, passes)


def judged(run: Run, base: Run | None = None) -> Verdict:
    return run_verdict(run, PUBLISHED, baselines_of(base) if base else ())


def answers(run: Run, base: Run | None = None) -> str:
    return rendering.answers_text(judged(run, base)).replace("\u202f", " ")


MIXED = every_target(
    {"transaction/validation": 5.4, "zk_proof/nonce": 1.15, "zk_proof/proof_id": 3}
)


def test_the_headline_counts_every_target():
    """Those that aren't met add up with those that are, by their answers."""
    headline = judged(every_target({"transaction/validation": 5.4}, ("bidding/throughput",)))

    published = len(PUBLISHED.targets)
    assert headline.decision.headline.replace("\u202f", " ").startswith(
        f"{published - 2} of {published} targets met, "
        "1 known miss (transaction/validation, 5.4 times its limit), "
        "1 not measured (bidding/throughput); no baseline"
    )


def test_every_target_is_named_by_suite_with_its_answer():
    """All of them, in a terminal's 80 columns and on the page, those that aren't met first."""
    verdict = judged(MIXED)
    grid = ReportView(MIXED, verdict).targets
    tables = re.findall("<table>(.*?)</table>", grid.html)
    lines = answers(MIXED).splitlines()[1:]

    assert len(SUITES) == len(tables)
    for suite, table in zip(SUITES, tables, strict=True):
        names = re.findall(r"<th scope=row>([a-z0-9_]+)", table)
        published = [t.id for t in PUBLISHED.targets if t.id.startswith(f"{suite}/")]
        assert sorted(published) == sorted(f"{suite}/{name}" for name in names)
        assert all(any(f" {name} " in line for line in lines) for name in names)
    assert ["proof_id", "nonce"] == re.findall(r"<th scope=row>([a-z0-9_]+)", tables[3])[:2]
    assert "7 of 9 met" in tables[3]
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("name", "shares", "void", "step"),
    [
        (
            "zk_proof/nonce",
            {"zk_proof/nonce": 5.4},
            (),
            "✗ missed zk_proof/nonce: 5.39 µs (at most 1 µs), 5.4 times its limit\n"
            "  $ veperf profile zk_proof/nonce",
        ),
        (
            "transaction/latency_p95",
            {"transaction/latency_p95": 2.5},
            (),
            "✗ missed transaction/latency_p95: 250 ms (at most 100 ms), 2.5 times its limit\n"
            "  $ veperf load transaction/latency_p95",
        ),
        (
            "bidding/throughput",
            {},
            ("bidding/throughput",),
            "○ not measured bidding/throughput: the machine was too busy\n"
            "  $ veperf run bidding/throughput",
        ),
        (
            "memory/gc_pause",
            {"memory/gc_pause": 1.15},
            (),
            "▲ narrowly missed memory/gc_pause: 115 ms (at most 100 ms), 15 % over its limit:\n"
            "  a failure past 20 %\n  $ veperf run memory/gc_pause",
        ),
    ],
)
def test_each_answer_leads_on(name, shares, void, step):
    """A line with value, limit and reason, and the command that shows more, to be copied."""
    run = every_target(shares, void)
    html = ReportView(run, judged(run)).headline.html
    command = step.rpartition("$ ")[2]

    assert f"\n\n{step}\n" in answers(run)
    assert f"<code>{command}</code>" in html


@pytest.mark.parametrize("suite", sorted(TIMED))
def test_a_planted_slowdown_of_any_suite_is_on_the_first_screen(suite):
    """After the headline, before the targets: by how much, from what, and how to confirm it."""
    case = TIMED[suite]
    run = every_target(slower={case: 1.4})
    verdict = judged(run, every_target())
    page = render_cells(NOTEBOOK, ReportView(run, verdict))
    (line,) = re.findall(rf"<li>[^\n]*?<b>{case}</b>.*?</li>", page)

    assert re.search(r"1 slower \(.*by 40", verdict.decision.headline)
    assert f"veperf ab abc1234 {case}" in line
    assert re.search(r"40\.\d\u202f% slower \(.*, was ", line)
    assert page.index("vp-banner") < page.index(line) < page.index("vp-grid")


def test_a_row_shows_the_metric_that_its_verdict_is_about():
    """A load's row has the percentile of the tightest target, and that one's distance."""
    run = with_load(plausible_run())
    verdict = run_verdict(run, PUBLISHED)
    html = ReportView(run, verdict).overview.html
    row = next(r for r in html.split("<tr>") if ">transaction/load<" in r)
    (p95,) = (v for v in verdict.targets if v.target.id == "transaction/latency_p95")

    assert re.search(r'data-name="Value">p95 \d', row)
    assert p95.distance in row


def test_the_largest_stage_is_none_of_the_generator():
    """Nor is a single stage said to have the most."""
    case = MIXED.cases[0]
    figures = {"cpu_generator": 90.0, "cpu_verify": 30.0, "cpu_commit": 10.0}

    assert "75\u202f% of the CPU time is in verify" == describe_largest_stage(
        case, [CaseResult(case.id, figures=figures)]
    )
    assert "" == describe_largest_stage(case, [CaseResult(case.id, figures={"cpu_verify": 3.0})])


LOAD = ("transaction/latency_p95", "transaction/latency_p99", "transaction/error_rate")


def of_one_load(run: Run) -> Run:
    """``run`` with the targets of ``LOAD`` answered by one case, whose load was void."""
    kept = [case for case in run.cases if case.id not in LOAD[1:]]
    metrics = tuple(m for case in run.cases if case.id in LOAD for m in case.metrics)
    targets = {m: t for case in run.cases if case.id in LOAD for m, t in case.targets.items()}
    cases = [
        replace(case, metrics=metrics, targets=targets) if case.id == LOAD[0] else case
        for case in kept
    ]
    passes = [
        replace(pass_, results=tuple(r for r in pass_.results if r.case not in LOAD[1:]))
        for pass_ in run.passes
    ]
    return replace(run, cases=tuple(cases), passes=tuple(passes))


def test_targets_of_a_void_load_share_a_line():
    """They have one reason, and one command; the load is void, and has not failed."""
    verdict = judged(of_one_load(every_target(void=LOAD)))

    assert 3 == sum(not target.is_met for target in verdict.targets)
    assert [("○ not measured", "transaction/latency_p95, latency_p99, error_rate")] == [
        (step.mark.label, step.name) for step in next_steps(verdict)
    ]
    assert "○ transaction/latency_p95 is void: the machine was too busy" in rendering.verdict_text(
        verdict
    )


def test_targets_stay_on_the_first_screen_however_many_are_missed():
    """Of what to do next four lines are unfolded; the others are all there."""
    missed = [t.id for t in PUBLISHED.targets if t.better == "lower" and not t.known_miss][:12]
    run = every_target(dict.fromkeys(missed, 5.0))
    html = ReportView(run, judged(run)).headline.html
    unfolded, _, folded = html.partition("<details>")

    assert (4, 8) == (unfolded.count("<li>"), folded.count("<li>"))
    assert "<summary>8 more, with what to do about each</summary>" in folded


def test_targets_of_a_suite_that_were_measured_too_seldom_share_a_line():
    """A quick look answers none of them: that is said once, with one command for the suite."""
    run = every_target()
    steps = next_steps(judged(replace(run, passes=run.passes[:2])))
    shared = [step for step in steps if step.evidence.startswith("measured by 2 processes")]
    names = [name for step in shared for name in step.name.split(", ")]

    assert len(steps) < len(PUBLISHED.targets) / 3
    assert len(shared) == len({step.name.partition("/")[0] for step in shared})
    assert all(f"veperf run {step.name.partition('/')[0]}" == step.command for step in shared)
    assert len(names) <= 7 * len(shared)
