"""What a load run says, and what the judge makes of it."""

from collections.abc import Sequence

import pytest

from tests.support.runs import one_pass, whole_run
from tests.support.simulated import MS, Server, simulate
from veperf.core.case import LATENCY_METRICS, Case, Level, Metric
from veperf.core.errors import UsageError
from veperf.core.load import Search
from veperf.core.run import CaseResult, Run
from veperf.core.target import Target, TargetSet
from veperf.core.verdict import TargetStatus
from veperf.loadtest.result import LoadResult, case_result, is_within_limits, load_figures
from veperf.loadtest.schedule import Schedule
from veperf.verdicts.baseline import make_baseline
from veperf.verdicts.screen import compare_runs
from veperf.verdicts.targets import judge_targets

CASE = Case(
    "loads/desk",
    "loads/desk",
    "loads",
    Level.LOAD,
    "Serves.",
    metrics=(Metric("achieved", "tx/s", "higher"), *LATENCY_METRICS),
    targets={"latency_p95": "loads/latency_p95", "achieved": "loads/throughput"},
)
TARGETS = TargetSet(
    "1",
    "tests",
    10,
    20,
    (
        Target("loads/latency_p95", 100, "ms", "lower", "95th percentile"),
        Target("loads/throughput", 400, "tx/s", "higher", "rate"),
    ),
)
GOOD = Schedule(500, 2, 0.5, seed=1)
SEARCH = Search(100, 250, 0.1, start=100, highest=1_000)


def load_run(*, oversleeps_ns: int = 0, service_ns: int = MS) -> LoadResult:
    return simulate(lambda clock: Server(clock, service_ns), GOOD, oversleeps_ns=oversleeps_ns)


def run_of(results: Sequence[CaseResult]) -> Run:
    return whole_run([CASE], [one_pass([r], index) for index, r in enumerate(results)])


def test_figures_are_those_that_the_metrics_name():
    """A case that declares the metrics of load finds them, both rates and its stages in µs."""
    names = {metric.name for metric in LATENCY_METRICS}

    result = load_figures(load_run())
    rates = {"offered", "achieved", "shed_rate", "drain"}
    assert names | rates | {"cpu_generator", "cpu_serve"} == set(result)
    assert 1.5 == result["cpu_serve"]


def test_a_valid_run_is_judged():
    """Three processes' figures meet the targets that they meet."""
    result = case_result(CASE.id, load_run())
    verdicts = judge_targets(run_of([result] * 3), TARGETS)

    assert [TargetStatus.PASS] * 2 == [verdict.status for verdict in verdicts]


@pytest.mark.parametrize("invalid", [1, 2, 3])
def test_an_invalid_run_never_passes(invalid: int):
    """However good its figures, a run whose generator fell behind is not among the values."""
    good = case_result(CASE.id, load_run())
    bad = case_result(CASE.id, load_run(oversleeps_ns=20 * MS))
    assert bad.failure is not None
    assert "invalid" == bad.failure.kind
    assert bad.figures["latency_p95"] < 100, "what it measured would pass"
    assert bad.figures["achieved"] > 400

    run = run_of([bad] * invalid + [good] * (3 - invalid))
    for verdict in judge_targets(run, TARGETS):
        assert verdict.status in (TargetStatus.ERROR, TargetStatus.NOT_MEASURED)
        assert 3 - invalid == verdict.processes
    assert not is_within_limits(load_run(oversleeps_ns=20 * MS), SEARCH)


def test_load_cases_are_not_screened():
    """Three processes can show no slowdown: such a series would leave every run inconclusive."""
    run = run_of([case_result(CASE.id, load_run())] * 3)

    with pytest.raises(UsageError):
        make_baseline(run, "loads")
    assert () == compare_runs(run, run)


@pytest.mark.parametrize(
    ("search", "holds"),
    [
        (Search(50, 50, 0.0, 1, 1), True),
        (Search(0.5, 50, 0.0, 1, 1), False),
        (Search(50, 0.5, 0.0, 1, 1), False),
    ],
)
def test_a_search_s_limits_are_all_looked_at(search: Search, holds: bool):
    """Each percentile by itself decides."""
    assert holds == is_within_limits(load_run(), search)


def test_errors_decide_a_search():
    """Refusals beyond the limit miss, however fast the rest was."""
    run = simulate(lambda clock: Server(clock, 2 * MS, capacity=50), Schedule(600, 2, seed=1))

    assert run.error_percent > 1
    assert is_within_limits(run, Search(1e3, 1e3, 100, 1, 1))
    assert not is_within_limits(run, Search(1e3, 1e3, 1, 1, 1))
