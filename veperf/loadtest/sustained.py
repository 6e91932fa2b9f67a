"""A search for the sustained rate in one of its processes: estimate, and a load to confirm it.

The first process estimates a rate, from a drained backlog or by trials, and confirms it by a load
of full length. The next ones go on from its trials, until ``core.sustained_rate`` has decided.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from veperf.core.errors import MeasureError
from veperf.core.load import GENERATOR, LoadPlan, LoadSoFar, Search, Trial
from veperf.core.registry import LoadTask
from veperf.core.run import CaseResult, Failure
from veperf.core.sustained_rate import (
    DECIDING,
    STEP,
    THROUGHPUT,
    rate_to_confirm,
    sustained_rate,
    tally_rates,
)
from veperf.loadtest.backlog import Backlog, drain_backlog
from veperf.loadtest.generator import ProgressCallback, never, run_open_loop
from veperf.loadtest.result import (
    LoadResult,
    case_result,
    describe_starvation,
    is_within_limits,
)
from veperf.loadtest.schedule import Schedule
from veperf.loadtest.search import find_rate, lowest_rate

BACKLOG_MARGIN = 0.6
"""Rate to confirm / capacity of a backlog: what waits is committed in larger blocks, arrivals at
random need some room, and a shared machine is a fifth slower some minutes later. At 0.9 half of the
rates missed, at 0.8 a third, and each that misses takes more loads."""
PUBLISHED_MARGIN = 0.95
"""The same for a published rate: that it misses is an answer, too."""
TRIALS_MARGIN = 0.95
"""Rate to confirm / highest rate that met in short trials."""
# A rate far beyond the highest leaves a queue that is not worth waiting for.
_DRAIN_S = 1.0
# A system that commits less than this of what is offered, for so long, has a queue without end.
# Nor is a load ended sooner for another reason: a short stall is no such queue.
_OVERLOAD_RATIO = 0.97
_OVERLOAD_S = 3.0
# Confirmations in one process, where there is no other.
_MOST_CONFIRMATIONS = 6
_STOPPED = "the search was ended before it found a rate"


def measure_sustained_rate(
    case: str,
    task: LoadTask,
    search: Search,
    plan: LoadPlan,
    seed: int,
    on_progress: ProgressCallback,
    earlier: Sequence[Trial],
    is_stopped: Callable[[], bool] = never,
) -> CaseResult:
    """Take the search for the rate that ``task``'s system sustains one process further.

    The figures are those of the confirming load if it held, ``capacity`` of the backlog, and
    ``throughput`` if the rate is decided: 0 where no rate is sustained. A process that the machine
    was too busy for is invalid.

    Args:
        case: id of the case.
        task: the load, set up.
        search: its limits.
        plan: durations and arrivals. With a single pass, this process decides.
        seed: of the arrivals.
        on_progress: as of ``run_open_loop``.
        earlier: trials of the processes before.
        is_stopped: as of ``run_open_loop``.

    Raises:
        MeasureError: ``on_progress`` or ``is_stopped`` stopped it.
    """
    return _SearchStep(case, task, search, plan, seed, on_progress, earlier, is_stopped).measure()


def is_missed(so_far: LoadSoFar, warmup_s: float, search: Search) -> bool:
    """Return whether a load misses the limits whatever is still to come."""
    is_over = (
        so_far.least_p95_ms > search.latency_p95_ms or so_far.least_p99_ms > search.latency_p99_ms
    )
    return is_over and so_far.elapsed_s >= warmup_s + _OVERLOAD_S


def is_overloaded(so_far: LoadSoFar, rate: float, warmup_s: float, search: Search) -> bool:
    """Return whether a load at ``rate`` can't hold any more, as its queue grows without end."""
    return (
        so_far.elapsed_s >= warmup_s + _OVERLOAD_S
        and so_far.achieved is not None
        and so_far.achieved < _OVERLOAD_RATIO * rate
        and (so_far.latency_p95_ms is None or so_far.latency_p95_ms > search.latency_p95_ms)
    )


def to_trial(run: LoadResult, search: Search) -> Trial:
    """Return ``run`` as a trial of ``search``."""
    is_void = bool(describe_starvation(run.contention))
    met = is_within_limits(run, search)
    missed = not met and not is_void
    return Trial(
        rate=run.schedule.rate,
        seconds=run.schedule.seconds,
        achieved=run.achieved_rate,
        latency_p95_ms=run.latency.p95 if run.latency else None,
        latency_p99_ms=run.latency.p99 if run.latency else None,
        error_percent=run.error_percent,
        met=met,
        invalid=run.invalid,
        void=is_void,
        gave_out=(GENERATOR if run.invalid else _largest_stage(run.costs)) if missed else "",
    )


def backlog_trial(backlog: Backlog) -> Trial:
    """Return a drained backlog as a trial, whose rate is the capacity."""
    reason = describe_starvation(backlog.contention)
    total = backlog.committed + backlog.errors
    return Trial(
        rate=backlog.capacity,
        seconds=backlog.seconds,
        achieved=backlog.capacity,
        latency_p95_ms=None,
        latency_p99_ms=None,
        error_percent=100 * backlog.errors / total if total else 0.0,
        met=backlog.capacity > 0 and not reason,
        invalid=reason,
        kind="backlog",
        void=bool(reason),
        gave_out=_largest_stage(backlog.costs),
    )


def _largest_stage(costs: dict[str, float]) -> str:
    return max(costs, key=lambda stage: costs[stage], default="")


@dataclass
class _SearchStep:
    """A process of a search."""

    case: str
    task: LoadTask
    search: Search
    plan: LoadPlan
    seed: int
    on_progress: ProgressCallback
    earlier: Sequence[Trial]
    is_stopped: Callable[[], bool]
    trials: list[Trial] = field(default_factory=list)

    @property
    def _all(self) -> list[Trial]:
        return [*self.earlier, *self.trials]

    def measure(self) -> CaseResult:
        backlog = self._drain_backlog()
        rate = rate_to_confirm(self._all)
        if rate is None:
            rate = self._estimate(backlog)
        figures = {"capacity": backlog.rate} if backlog and backlog.met else {}
        if rate is None:
            void = self.trials[-1].invalid
            result = CaseResult(self.case, figures=figures, failure=Failure("invalid", void))
        else:
            result = self._confirm(rate)
        figures = result.figures | figures
        return replace(result, figures=figures, trials=tuple(self.trials))

    def _drain_backlog(self) -> Trial | None:
        """Drain a backlog, unless it is only an estimate and no answer depends on another one."""
        is_enough = not self.plan.by_trials and self._is_estimated()
        if is_enough or not self.plan.backlog_s:
            return None
        items = round(self.search.highest * self.plan.backlog_s)
        backlog = drain_backlog(
            self.task.system, items, self.plan.backlog_s, is_stopped=self.is_stopped
        )
        if self.is_stopped():
            raise MeasureError(_STOPPED)
        self.trials.append(backlog_trial(backlog))
        return self.trials[-1]

    def _is_estimated(self) -> bool:
        """Return whether there are enough backlogs.

        They tell that a rate below a published one is no miss. At a published rate, or beyond all,
        the one that the rate came from is enough.
        """
        drained = sum(trial.kind == "backlog" and trial.met for trial in self.earlier)
        rate = rate_to_confirm(self.earlier)
        highest = max(self.search.published, default=math.inf)
        return drained >= (1 if rate is not None and rate >= highest else DECIDING)

    def _estimate(self, backlog: Trial | None) -> float | None:
        """Return the first rate to confirm; None where the machine was too busy to tell."""
        if self.plan.by_trials or backlog is None:
            answer = find_rate(self._try, self.search)
            return None if answer.rate is None else TRIALS_MARGIN * answer.rate
        if backlog.void:
            return None
        estimate = BACKLOG_MARGIN * backlog.rate
        near = [r for r in self.search.published if estimate < r <= PUBLISHED_MARGIN * backlog.rate]
        return min(max(near, default=estimate), self.search.highest)

    def _try(self, rate: float) -> Trial:
        load = self._run(rate, self.plan.trial_s, self.on_progress)
        if load.stopped:
            raise MeasureError(_STOPPED)
        self.trials.append(to_trial(load, self.search))
        return self.trials[-1]

    def _confirm(self, rate: float) -> CaseResult:
        """Confirm ``rate``, or one below it where that is clearly too much.

        Where there are no other processes, go on until a rate is decided.
        """
        lowest = lowest_rate(self.search)
        left = _MOST_CONFIRMATIONS if self.plan.passes == 1 else 1
        result = CaseResult(self.case)
        while left and rate >= lowest:
            trial, load = self._load(rate)
            if trial.kind == "trial":
                rate = STEP * min(rate, trial.achieved)
                continue
            left -= 1
            if trial.met or trial.void:
                # One that was ended was ended by the search: a stop by hand raises.
                result = replace(case_result(self.case, load), stopped_after_s=None)
            if (held := sustained_rate(self._all)) is not None:
                return replace(result, figures=result.figures | {THROUGHPUT: held.rate})
            rate = rate_to_confirm(self._all) or rate
        return result if rate >= lowest else CaseResult(self.case, figures={THROUGHPUT: 0.0})

    def _load(self, rate: float) -> tuple[Trial, LoadResult]:
        """Put on a load of full length, which is ended as soon as it can't hold any more.

        Where the first one at a rate gives way it is no confirmation: the rate is given up at once.
        """
        is_first = all(tally.rate != rate for tally in tally_rates(self._all))
        gave_way = missed = False

        def watch(so_far: LoadSoFar) -> bool:
            nonlocal gave_way, missed
            gave_way = gave_way or is_overloaded(so_far, rate, self.plan.warmup_s, self.search)
            missed = missed or is_missed(so_far, self.plan.warmup_s, self.search)
            return self.on_progress(so_far) and not (gave_way or missed)

        load = self._run(rate, self.plan.confirm_s, watch)
        if load.stopped and not (gave_way or missed):
            raise MeasureError(_STOPPED)
        trial = to_trial(load, self.search)
        if not (gave_way and is_first and not trial.void):
            trial = replace(trial, kind="confirmation")
        if gave_way or missed:
            trial = replace(trial, met=False)
        self.trials.append(trial)
        return trial, load

    def _run(self, rate: float, seconds: float, on_progress: ProgressCallback) -> LoadResult:
        # Other arrivals each time: one draw must not decide all loads at a rate.
        seed = self.seed + len(self.trials)
        schedule = Schedule(rate, seconds, self.plan.warmup_s, self.plan.arrivals, seed)
        return run_open_loop(
            self.task.system,
            schedule,
            drain_s=_DRAIN_S,
            on_progress=on_progress,
            is_stopped=self.is_stopped,
        )
