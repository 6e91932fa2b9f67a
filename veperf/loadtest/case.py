"""A load case in one process: one run at a rate, or a step of a search for the highest rate."""

from collections.abc import Callable, Sequence

from veperf.core.load import LoadPlan, Search, Trial
from veperf.core.registry import LoadTask
from veperf.core.run import CaseResult
from veperf.loadtest.generator import ProgressCallback, keep_going, never, run_open_loop
from veperf.loadtest.result import case_result
from veperf.loadtest.schedule import Schedule
from veperf.loadtest.sustained import measure_sustained_rate


def measure_load(
    case: str,
    task: LoadTask,
    plan: LoadPlan,
    seed: int,
    on_progress: ProgressCallback = keep_going,
    earlier: Sequence[Trial] = (),
    is_stopped: Callable[[], bool] = never,
) -> CaseResult:
    """Load ``task``'s system with arrivals as in ``plan``, drawn from ``seed``.

    A search goes on from the trials of ``earlier`` processes: see ``measure_sustained_rate``.

    Raises:
        MeasureError: ``on_progress`` or ``is_stopped`` stopped a search.
    """
    if isinstance(task.load, Search):
        return measure_sustained_rate(
            case, task, task.load, plan, seed, on_progress, earlier, is_stopped
        )
    seconds = plan.seconds_at(task.load)
    schedule = Schedule(task.load, seconds, plan.warmup_s, plan.arrivals, seed, shape=plan.shape)
    load = run_open_loop(task.system, schedule, on_progress=on_progress, is_stopped=is_stopped)
    return case_result(case, load)
