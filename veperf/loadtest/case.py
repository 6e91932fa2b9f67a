"""A load case in one process: one run at a rate, or a search for the highest rate."""

from msgspec.structs import replace

from veperf.core.errors import MeasureError
from veperf.core.load import LoadPlan, Search, Trial
from veperf.core.registry import LoadTask
from veperf.core.run import CaseResult, Failure
from veperf.loadtest.generator import DRAIN_S, Watch, look_away, run_load
from veperf.loadtest.result import LoadResult, figures, meets
from veperf.loadtest.schedule import Schedule
from veperf.loadtest.search import find_saturation

# A rate far beyond the highest leaves a queue that it is no use to wait for.
_TRIAL_DRAIN_S = 1.0


def measure_load(
    case: str, task: LoadTask, plan: LoadPlan, seed: int, watch: Watch = look_away
) -> CaseResult:
    """Put the load on ``task``'s system, with arrivals as ``plan`` wants them, drawn from ``seed``.

    A search's figures are those of the run that confirmed its result, and ``throughput``.

    Raises:
        MeasureError: ``watch`` has ended a search.
    """
    if isinstance(task.load, Search):
        return _search(case, task, task.load, plan, seed, watch)
    schedule = Schedule(task.load, plan.seconds, plan.warmup_s, plan.arrivals, seed)
    return case_result(case, run_load(task.system, schedule, watch=watch))


def case_result(case: str, run: LoadResult) -> CaseResult:
    """``run`` as the result of ``case``.

    An invalid run has its figures, for the eye, and a failure that keeps verdicts from using them.
    """
    return CaseResult(
        case,
        figures=figures(run),
        latencies=run.latencies,
        stopped_after_s=run.schedule.seconds if run.stopped else None,
        failure=_failure(run.invalid),
    )


def trial_of(run: LoadResult, search: Search) -> Trial:
    """What a search needs to know of ``run``."""
    return Trial(
        rate=run.schedule.rate,
        seconds=run.schedule.seconds,
        achieved=run.achieved_rate,
        latency_p95_ms=run.latency.p95 if run.latency else None,
        latency_p99_ms=run.latency.p99 if run.latency else None,
        error_percent=run.error_percent,
        met=meets(run, search),
        invalid=run.invalid,
    )


def _search(
    case: str, task: LoadTask, search: Search, plan: LoadPlan, seed: int, watch: Watch
) -> CaseResult:
    last: LoadResult | None = None

    def run(rate: float, seconds: float, drain_s: float) -> LoadResult:
        schedule = Schedule(rate, seconds, plan.warmup_s, plan.arrivals, seed)
        found = run_load(task.system, schedule, drain_s=drain_s, watch=watch)
        if found.stopped:
            raise MeasureError("the search was ended before it had found a rate")
        return found

    def trial(rate: float) -> Trial:
        return trial_of(run(rate, plan.trial_s, _TRIAL_DRAIN_S), search)

    def confirm(rate: float) -> Trial:
        nonlocal last
        last = run(rate, plan.seconds, DRAIN_S)
        return trial_of(last, search)

    found = find_saturation(trial, confirm, search)
    throughput = {"throughput": found.rate}
    if found.rate == 0:
        failure = _failure(found.trials[-1].invalid)
        return CaseResult(case, figures=throughput, trials=found.trials, failure=failure)
    assert last is not None, "a rate that was found has been confirmed"
    result = case_result(case, last)
    return replace(result, figures=result.figures | throughput, trials=found.trials)


def _failure(invalid: str) -> Failure | None:
    return Failure("invalid", invalid) if invalid else None
