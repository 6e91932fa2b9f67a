"""A load case in one process: one run at a rate, or a search for the highest rate."""

from msgspec.structs import replace

from veperf.core.errors import MeasureError
from veperf.core.load import LoadPlan, Search, Trial
from veperf.core.registry import LoadTask
from veperf.core.run import CaseResult, Failure
from veperf.loadtest.generator import DRAIN_S, ProgressCallback, keep_going, run_open_loop
from veperf.loadtest.result import (
    LoadResult,
    describe_starvation,
    is_within_limits,
    load_figures,
)
from veperf.loadtest.schedule import Schedule
from veperf.loadtest.search import find_saturation

# A rate far beyond the highest leaves a queue that is not worth waiting for.
_TRIAL_DRAIN_S = 1.0


def measure_load(
    case: str,
    task: LoadTask,
    plan: LoadPlan,
    seed: int,
    on_progress: ProgressCallback = keep_going,
) -> CaseResult:
    """Load ``task``'s system with arrivals as in ``plan``, drawn from ``seed``.

    A search's figures are those of the run that confirmed its result, and ``throughput``. It is
    invalid where a rate was given up in a trial during which the machine was too busy.

    Raises:
        MeasureError: ``on_progress`` stopped a search.
    """
    if isinstance(task.load, Search):
        return _search(case, task, task.load, plan, seed, on_progress)
    schedule = Schedule(task.load, plan.seconds, plan.warmup_s, plan.arrivals, seed)
    return case_result(case, run_open_loop(task.system, schedule, on_progress=on_progress))


def case_result(case: str, run: LoadResult) -> CaseResult:
    """Return ``run`` as the result of ``case``.

    An invalid run keeps its figures for display, with a failure that keeps verdicts from using
    them.
    """
    return CaseResult(
        case,
        figures=load_figures(run),
        latencies=run.latencies,
        stopped_after_s=run.schedule.seconds if run.stopped else None,
        failure=_failure(run.invalid),
        contention=run.contention,
    )


def to_trial(run: LoadResult, search: Search) -> Trial:
    """Return ``run`` as a trial of ``search``."""
    return Trial(
        rate=run.schedule.rate,
        seconds=run.schedule.seconds,
        achieved=run.achieved_rate,
        latency_p95_ms=run.latency.p95 if run.latency else None,
        latency_p99_ms=run.latency.p99 if run.latency else None,
        error_percent=run.error_percent,
        met=is_within_limits(run, search),
        invalid=run.invalid,
    )


def _search(
    case: str,
    task: LoadTask,
    search: Search,
    plan: LoadPlan,
    seed: int,
    on_progress: ProgressCallback,
) -> CaseResult:
    confirmed: LoadResult | None = None
    starved: dict[tuple[float, float], LoadResult] = {}

    def run(rate: float, seconds: float, drain_s: float) -> LoadResult:
        schedule = Schedule(rate, seconds, plan.warmup_s, plan.arrivals, seed)
        result = run_open_loop(task.system, schedule, drain_s=drain_s, on_progress=on_progress)
        if result.stopped:
            raise MeasureError("the search was ended before it found a rate")
        if describe_starvation(result.contention):
            starved[rate, seconds] = result
        return result

    def trial(rate: float) -> Trial:
        return to_trial(run(rate, plan.trial_s, _TRIAL_DRAIN_S), search)

    def confirm(rate: float) -> Trial:
        nonlocal confirmed
        confirmed = run(rate, plan.seconds, DRAIN_S)
        return to_trial(confirmed, search)

    saturation = find_saturation(trial, confirm, search)
    throughput = {"throughput": saturation.rate}
    if saturation.rate == 0:
        failure = _failure(saturation.trials[-1].invalid)
        result = CaseResult(case, figures=throughput, failure=failure)
    else:
        assert confirmed is not None, "a rate that the search returns has been confirmed"
        result = case_result(case, confirmed)
        result = replace(result, figures=result.figures | throughput)
    met = {(trial.rate, trial.seconds) for trial in saturation.trials if trial.met}
    for tried, missed in starved.items():
        if tried not in met:
            failure = _failure(f"in a trial that missed, {missed.invalid}")
            result = replace(result, failure=failure, contention=missed.contention)
            break
    return replace(result, trials=saturation.trials)


def _failure(invalid: str) -> Failure | None:
    return Failure("invalid", invalid) if invalid else None
