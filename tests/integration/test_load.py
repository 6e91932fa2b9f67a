"""Load cases in real worker processes, in a run with others."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from tests.support.runs import whole_run
from veperf.core.load import LoadPlan
from veperf.core.registry import select_cases
from veperf.core.run import CaseResult, Run
from veperf.core.sustained_rate import sustained_rate
from veperf.loadtest.histogram import Latencies
from veperf.measure.passes import Passes
from veperf.measure.run_profiles import PASSES, configure
from veperf.progress.display import NoProgress
from veperf.progress.estimate import TimeEstimate

ROOT = Path(__file__).parents[2]
LOADS = "tests.support.loads"
PLAN = LoadPlan(passes=2, seconds=0.5, warmup_s=0.1, trial_s=0.2, backlog_s=0.5, confirm_s=0.4)


@pytest.fixture(autouse=True)
def _import_from_the_root(monkeypatch):
    """Workers find the benchmarks of the tests."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def measure(
    select: Sequence[str], passes: int = 1, timeout_s: float = 30.0, plan: LoadPlan = PLAN
) -> Run:
    cases = select_cases(select, [LOADS])
    config = msgspec.structs.replace(
        configure("quick", seed=1, timeout_s=timeout_s), passes=passes, load=plan
    )
    result = list(Passes(config, (LOADS,), cases, NoProgress()).measure(range(passes)))
    return msgspec.structs.replace(whole_run(cases, result), config=config)


def results(run: Run) -> dict[str, CaseResult]:
    return {result.case: result for made in run.passes for result in made.results}


def is_machine_s_fault(result: CaseResult) -> bool:
    """Whether the generator did not get the CPU in time: others may be busy on the machine."""
    return result.failure is not None and "the machine was too busy" in result.failure.message


@pytest.mark.alone
def test_a_load_case_has_figures_and_a_histogram():
    """Every declared metric has a value a process; histograms merge; later passes skip it."""
    run = measure(["loads/desk"], passes=3)

    assert [2, 2, 0] == [len(result.results) for result in run.passes]
    for case in run.cases:
        results = [r for result in run.passes for r in result.results if r.case == case.id]
        assert all(metric.name in r.figures for metric in case.metrics for r in results)
        rate = case.params["rate"]
        assert isinstance(rate, int)
        assert [rate, rate] == pytest.approx([r.figures["achieved"] for r in results], rel=0.5)
        merged = Latencies.merged(r.latencies for r in results)
        assert merged.count == pytest.approx(2 * rate * PLAN.seconds, rel=0.5)
        latency = merged.percentiles()
        assert latency is not None
        assert latency.max == pytest.approx(
            max(r.figures["latency_max"] for r in results), rel=1e-3
        )
        assert all(r.failure is None or is_machine_s_fault(r) for r in results)


@pytest.mark.alone
def test_arrivals_are_the_run_s_seed_s():
    """A run that is repeated has as many arrivals in each pass as the first had."""
    first, second = (measure(["loads/desk[rate=100]"], passes=2) for _ in range(2))

    def offered(run: Run) -> list[float]:
        return [result.figures["offered"] for made in run.passes for result in made.results]

    # Counts of about 50 arrivals in half a second, over the time that offering them took.
    assert offered(first) == pytest.approx(offered(second), rel=0.02)
    assert offered(first)[0] != pytest.approx(offered(first)[1], rel=0.02)


@pytest.mark.alone
@pytest.mark.parametrize("by_trials", [False, True])
def test_a_search_goes_from_process_to_process(by_trials: bool):
    """The first estimates, the others confirm, and one that decides gives the rate that held."""
    plan = msgspec.structs.replace(PLAN, by_trials=by_trials)
    run = measure(["loads/busiest"], passes=6, plan=plan)
    searched = [result for made in run.passes for result in made.results]

    assert by_trials == any(trial.seconds == PLAN.trial_s for trial in searched[0].trials)
    confirmed = sustained_rate([trial for result in searched for trial in result.trials])
    rates = [r.figures["throughput"] for r in searched if "throughput" in r.figures]
    assert ([confirmed.rate] if confirmed else []) == rates
    assert confirmed is None or confirmed.rate < 700
    if confirmed:
        assert 2 <= len(searched) <= 6
        assert searched[-1].figures["latency_p95"] <= 100
        assert Latencies.merged([searched[-1].latencies]).count > 0
    else:
        assert 6 == len(searched), "it goes on as long as nothing is decided"


@pytest.mark.alone
def test_bad_loads_cost_only_themselves():
    """A load that breaks, falls behind or is none fails with words; the next case is whole."""
    run = measure(["loads/behind", "loads/raises", "loads/no_load", "loads/no_task", "loads/desk"])
    failures_ = results(run)

    failures = {case: r.failure for case, r in failures_.items() if r.failure}
    if "loads/desk" in failures:
        assert is_machine_s_fault(failures_["loads/desk"])
        del failures["loads/desk"]
    assert {
        "loads/behind": "invalid",
        "loads/raises": "raised",
        "loads/no_load": "raised",
        "loads/no_task": "raised",
    } == {case: failure.kind for case, failure in failures.items()}
    is_starved = is_machine_s_fault(failures_["loads/behind"])
    assert is_starved or "where 500 were scheduled" in failures["loads/behind"].message
    assert failures_["loads/behind"].figures["offered"] < 300
    assert "planted error" in failures["loads/raises"].message
    assert "sets up no load" in failures["loads/no_load"].message
    assert "declare it as level load" in failures["loads/no_task"].message


def test_progress_counts_load_cases_in_their_passes_only():
    """The total and the time left are those of the passes in which a case is measured."""
    cases = select_cases(["loads/desk", "loads/no_task"], [LOADS])
    config = configure("quick", seed=1)
    run = msgspec.structs.replace(whole_run(cases, []), config=config)
    estimate = TimeEstimate(run)

    assert PASSES["quick"] + 2 * config.load.passes == estimate.total
    assert estimate.seconds_left() is None
    estimate.started(0)
    estimate.finished(0, cases[-1], CaseResult(cases[-1].id))
    planned = 2 * config.load.passes * (config.load.warmup_s + config.load.seconds)
    assert estimate.seconds_left() == pytest.approx(planned, abs=1)
