"""The table of situations in docs/verdicts.md, row by row: answer, outcome and exit codes."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace

from tests.support.ab_runs import ab_run, change
from tests.support.fleets import at, lacking
from tests.support.runs import CRASH, MACHINE, timed_run, whole_run
from veperf.abtest.fleet_verdict import decide_fleet
from veperf.abtest.gate import decide_comparison
from veperf.core.ab_records import ABChange, ABGuardrail
from veperf.core.case import Case, Level, Metric
from veperf.core.gate import GateDecision
from veperf.core.options import CompareOptions
from veperf.core.policy import GatePolicy
from veperf.core.run import CaseResult, Failure, Run
from veperf.core.target import Target, TargetSet
from veperf.core.verdict import ChangeStatus, Severity
from veperf.formats.readers import read_runs
from veperf.formats.virtengine import GoBenchmarks, with_listing
from veperf.verdicts.baseline import baselines_of
from veperf.verdicts.verdict import decide_runs, run_verdict, screen_runs

PAGE = Path(__file__).resolve().parents[3] / "docs" / "verdicts.md"
ROW = re.compile(
    r"^\| (?P<situation>[^|]+) \| (?P<answer>[a-z ]+) \| (?P<outcome>[a-z]+) "
    r"\| (?P<code>\d) \| (?P<strict>\d) \|$",
    re.MULTILINE,
)
ROWS = [match.groups() for match in ROW.finditer(PAGE.read_text(encoding="utf-8"))]

Decide = Callable[[GatePolicy], GateDecision]

STEADY = (99.0, 99.5, 99.8, 100.0, 100.2, 100.5)
NOISY = (60.0, 80.0, 100.0, 120.0, 140.0, 160.0)
LIMITS = TargetSet("1", "", 10, 20, (Target("demo/a", 1000, "ns", "lower", "Works."),))
NONE = TargetSet("1", "", 10, 20, ())
ELSEWHERE = replace(MACHINE, cpu_model="Other 1")
ALLOCATIONS = Metric("memory_allocations", "allocations")
VOID = Failure("invalid", "the machine was too busy")


def scaled(factor: float, values: Sequence[float] = STEADY) -> list[float]:
    return [factor * value for value in values]


def targeted(
    times: Sequence[float | Failure], *, known: bool = False, select: tuple[str, ...] = ()
) -> Decide:
    """A run whose only target is answered by ``demo/a``."""
    run = timed_run({"demo/a": times}, targets={"demo/a": "demo/a"})
    return judged(replace(run, config=replace(run.config, select=select)), LIMITS, known=known)


def judged(
    run: Run, limits: TargetSet = NONE, base: Run | None = None, *, known: bool = False
) -> Decide:
    recorded = baselines_of(base) if base else ()
    misses = ["demo/a"] if known else []
    return lambda policy: run_verdict(run, limits, recorded, misses, policy).decision


def screened(
    base: Sequence[float], new: Sequence[float], metric: Metric | None = None, **more: float
) -> Decide:
    """A run against a baseline."""
    if metric is None:
        return judged(timed_run({"demo/a": new}), base=timed_run({"demo/a": base}))
    return judged(figures(metric, new), base=figures(metric, base))


def figures(metric: Metric, values: Sequence[float]) -> Run:
    """A run of one case with a metric of its own."""
    one = Case("demo/a", "demo/a", "demo", Level.MICRO, "Works.", metrics=(metric,))
    empty = timed_run({"demo/a": values})
    passes = [
        replace(pass_, results=(CaseResult("demo/a", figures={metric.name: value}),))
        for pass_, value in zip(empty.passes, values, strict=True)
    ]
    return whole_run([one], passes)


def void_load() -> Decide:
    load = Case(
        "demo/load", "demo/load", "demo", Level.LOAD, "Works.",
        metrics=(Metric("latency_p99", "ms"),), targets={"latency_p99": "demo/p99"},
    )  # fmt: skip
    limits = TargetSet("1", "", 10, 20, (Target("demo/p99", 5, "ms", "lower", "Works."),))
    passes = [
        replace(pass_, results=(CaseResult("demo/load", failure=VOID),))
        for pass_ in timed_run({"demo/load": STEADY[:3]}).passes
    ]
    return judged(whole_run([load], passes), limits)


def two_runs(base: Run, new: Run) -> Decide:
    def decide(policy: GatePolicy) -> GateDecision:
        changes = screen_runs(base, new, CompareOptions(), policy)
        return decide_runs(base, new, changes, policy)

    return decide


def with_target(run: Run, case: str, metric: str = "time") -> Run:
    cases = (replace(c, targets={metric: case}) if c.id == case else c for c in run.cases)
    return replace(run, cases=tuple(cases))


def pairs(*changes: ABChange, stopped: Literal["", "time", "hand"] = "") -> Decide:
    return lambda policy: decide_comparison(ab_run(*changes, stopped=stopped), policy)


def printed(*changes: ABChange) -> Decide:
    """Changes of results that programs print."""
    run = ab_run(*changes)
    run = replace(run, config=replace(run.config, results_format="go"))
    return lambda policy: decide_comparison(run, policy)


def guarded() -> ABChange:
    worse = ABGuardrail(
        "mean", "ns", ChangeStatus.SLOWER, Severity.WARN, "mean 18 % higher",
        base=100.0, new=118.0, ratio=1.18, low=1.1, high=1.2, pairs=8,
    )  # fmt: skip
    return replace(change("mine/a", ChangeStatus.OK), guardrails=(worse,))


def go(text: str) -> Decide:
    """A file of a Go package, of which two benchmarks are listed and one has a target."""
    listed = GoBenchmarks("1", "m", {"p": {"BenchmarkA": {"ns/op": "demo/a"}, "BenchmarkB": {}}})
    (imported,) = read_runs(text.encode(), "bench.txt", format="go")
    return judged(with_listing(imported.run, listed), LIMITS)


def csv(values: Sequence[str], metric: str = "time", unit: str = "ms") -> Run:
    """A table of one benchmark."""
    lines = (f"f,{metric},{unit},{value}\n" for value in values)
    table = "benchmark,metric,unit,value\n" + "".join(lines)
    return read_runs(table.encode(), "table.csv")[0].run


def rows(*names: str) -> str:
    return "pkg: m/p\n" + "".join(f"{name} 100 500 ns/op\n" * 6 for name in names)


OK, SLOWER = ChangeStatus.OK, ChangeStatus.SLOWER
TWO = timed_run({"demo/a": STEADY, "demo/b": STEADY})
ONE = timed_run({"demo/a": STEADY})
COUNTED = replace(
    ONE,
    cases=tuple(
        replace(case, metrics=(*case.metrics, Metric("allocs", "allocs/op"))) for case in ONE.cases
    ),
    passes=tuple(
        replace(pass_, results=tuple(replace(r, figures={"allocs": 4.0}) for r in pass_.results))
        for pass_ in ONE.passes
    ),
)
FAILING = timed_run({"demo/a": STEADY, "demo/b": [CRASH] * 6})

SITUATIONS: Mapping[str, Decide] = {
    "a target is met, or missed by up to 10 %": targeted(scaled(10.5)),
    "a target is missed by up to 20 %": targeted(scaled(11.5)),
    "a target is missed by more": targeted(scaled(13)),
    "a target is missed, and known to be": targeted(scaled(30), known=True),
    "a target has fewer than three processes": targeted(STEADY[:2]),
    "a target has no benchmark that answers it": judged(timed_run({"demo/x": STEADY}), LIMITS),
    "a target is of a benchmark that was not selected": judged(
        replace(
            timed_run({"demo/x": STEADY}, targets={"demo/x": "demo/x"}),
            config=replace(ONE.config, select=("demo/x",)),
        ),
        replace(LIMITS, targets=(*LIMITS.targets, Target("demo/x", 1000, "ns", "lower", ""))),
    ),
    "the load of a target is void in every process": void_load(),
    "a benchmark failed in every process": targeted([CRASH] * 6),
    "a benchmark failed in one process": targeted([CRASH, *STEADY[1:]]),
    "against a baseline, a slowdown is ruled out": screened(STEADY, STEADY),
    "against a baseline, it is faster": screened(STEADY, scaled(0.5)),
    "against a baseline, it is surely slower by more than 20 %": screened(STEADY, scaled(2)),
    "against a baseline, it is slower, but not surely by 20 %": screened(STEADY, scaled(1.1)),
    "against a baseline, nothing is certain": screened(NOISY, NOISY),
    "against a baseline, it changed, and which direction is better is not known": screened(
        scaled(1), scaled(2), Metric("score", "points", "unknown")
    ),
    "against a baseline, a count grew by more than 5 %": screened(
        [100.0] * 3, [110.0] * 3, ALLOCATIONS
    ),
    "against a baseline, a count that varies grew tenfold": screened(
        [100.0] * 9 + [1000.0], [1000.0] * 10, ALLOCATIONS
    ),
    "against a baseline, a count varies too much to tell": screened(
        [100.0, 100.0, 1000.0], [1000.0] * 3, ALLOCATIONS
    ),
    "against a baseline, a metric is gone": judged(ONE, base=COUNTED),
    "against a baseline of another machine, with targets that are met": judged(
        timed_run({"demo/a": STEADY}, targets={"demo/a": "demo/a"}),
        LIMITS,
        timed_run({"demo/a": STEADY}, machine=ELSEWHERE),
    ),
    "against a baseline of another machine, with no target": judged(
        ONE, NONE, timed_run({"demo/a": STEADY}, machine=ELSEWHERE)
    ),
    "a benchmark has no baseline, and others have": judged(TWO, NONE, ONE),
    "a run has no target and no baseline": judged(ONE),
    "two runs have nothing in common": two_runs(ONE, timed_run({"demo/x": STEADY})),
    "of two runs, the old one has a benchmark without a target that is gone": two_runs(TWO, ONE),
    "of two runs, the old one has a metric without a target that is gone": two_runs(COUNTED, ONE),
    "of two runs, the old one has a metric with a target that is gone": two_runs(
        with_target(COUNTED, "demo/a", "allocs"), ONE
    ),
    "of two runs, the old one has a benchmark with a target that is gone": two_runs(
        with_target(TWO, "demo/b"), ONE
    ),
    "in a file, a value is no number, or a time is 0": two_runs(
        csv(["5"] * 10), csv(["5"] * 9 + ["nan"])
    ),
    "a file of Go ends with a bare FAIL": go(rows("BenchmarkA") + "FAIL\n"),
    "of two files, one has times without a unit": two_runs(
        csv(["5"] * 10), csv(["5"] * 10, unit="")
    ),
    "of two files, one has a wait of 0": two_runs(csv(["5"] * 10, "wait"), csv(["0"] * 10, "wait")),
    "of two runs, a benchmark failed in the old one": two_runs(FAILING, TWO),
    "of two runs, a benchmark failed in the new one": two_runs(TWO, FAILING),
    "a listed Go benchmark with a target is not in the file": go(rows("BenchmarkB")),
    "a listed Go benchmark lacks the figure that answers its target": go(
        "pkg: m/p\n" + "BenchmarkA 100 64 B/op\n" * 6
    ),
    "a Go benchmark that is not listed is in the file, beside listed ones": go(
        rows("BenchmarkA", "BenchmarkC")
    ),
    "side by side, a slowdown is ruled out": pairs(change("mine/a", OK)),
    "side by side, it is surely slower by more than 5 %": pairs(
        change("mine/a", SLOWER, ratio=1.07)
    ),
    "side by side, it is slower, but not surely by 5 %": pairs(
        change("mine/a", SLOWER, ratio=1.04)
    ),
    "side by side, a guardrail is worse": pairs(guarded()),
    "side by side, it is undecided by the last look": pairs(
        change("mine/a", ChangeStatus.INCONCLUSIVE)
    ),
    "side by side, it is undecided when the time runs out": pairs(
        change("mine/a", ChangeStatus.INCONCLUSIVE), stopped="time"
    ),
    "side by side, the time ran out before its first pair": pairs(
        change("mine/a", OK), change("mine/b", ChangeStatus.NOT_MEASURED), stopped="time"
    ),
    "side by side, it failed": pairs(change("mine/a", ChangeStatus.ERROR), change("mine/b", OK)),
    "side by side, it is on one side only, and others are on both": pairs(
        change("mine/a", ChangeStatus.ONE_SIDED), change("mine/b", OK)
    ),
    "side by side, a Go benchmark or a printed result is only in the base": printed(
        change("mine/a", ChangeStatus.ONE_SIDED), change("mine/b", OK)
    ),
    "side by side, nothing is on both sides": pairs(change("mine/a", ChangeStatus.ONE_SIDED)),
    "a machine class has no result": lambda policy: decide_fleet(
        [at("small", change("mine/a", OK)), lacking("large")], policy
    ),
}


def test_the_table_has_every_situation() -> None:
    """Each row is built here, and each that is built has a row."""
    assert list(SITUATIONS) == [row[0] for row in ROWS]


@pytest.mark.parametrize(
    ("situation", "answer", "outcome", "code", "strict"), ROWS, ids=[row[0] for row in ROWS]
)
def test_a_row_is_as_the_table_says(
    situation: str, answer: str, outcome: str, code: str, strict: str
) -> None:
    """Its answer is among the questions, and the outcome and both exit codes are what it ends in.

    In one headline, with a rule and a reason for every question.
    """
    decision = SITUATIONS[situation](GatePolicy())
    strictly = SITUATIONS[situation](GatePolicy(strict=True))

    assert outcome == decision.outcome
    assert (int(code), int(strict)) == (decision.exit_code, strictly.exit_code)
    assert answer in [item.answer for item in decision.items]
    assert decision.headline
    assert all(item.rule and item.reason for item in decision.items)
