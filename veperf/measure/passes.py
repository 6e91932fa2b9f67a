"""Passes of a run, each a fresh process that measures every case once.

Passes that measure memory come last, after all that measure time. As they count, and time nothing,
they run side by side: one on each CPU, or some more that share them, so that none idles at the end.
"""

import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Protocol

from msgspec.structs import replace

from veperf.core.case import Case, Level
from veperf.core.errors import MeasureError, WorkerTimeoutError
from veperf.core.load import LoadSoFar, Trial
from veperf.core.run import CaseResult, Config, Failure, HotLine, Pass
from veperf.core.sustained_rate import sustained_rate
from veperf.measure.case_samples import measure_memory, measure_time, misses_limit
from veperf.measure.cpus import choose_cpu, processes_at_once, stay_off, usable_cpus
from veperf.measure.machine import CpuTimes, frequency_mhz, load_average
from veperf.measure.pass_budget import PassBudget
from veperf.measure.protocol import (
    CalibrationMeasured,
    CaseClosed,
    CloseCase,
    LinesSampled,
    LoadFinished,
    LoadTicked,
    MeasureCalibration,
    OpenCase,
    RunLoad,
    SampleLines,
)
from veperf.measure.worker_client import (
    START_TIMEOUT_S,
    RequestFailedError,
    Worker,
    as_failure,
    expect_reply,
    start_worker,
)

_TIMEOUTS_BEFORE_GIVING_UP = 2
_SAMPLED_S = 0.4
"""CPU time: some hundred samples by the slowest kernel's tick."""
_STAGED_PASSES = 2
"""Number of passes, the first ones, that measure stages: they are means for a chart of shares."""


class PassProgress(Protocol):
    """Receiver of progress, called by one thread at a time outside timed stretches."""

    def case_started(self, index: int, case: Case) -> None:
        """Pass ``index`` begins with ``case``."""

    def case_finished(self, index: int, case: Case, result: CaseResult) -> None:
        """Pass ``index`` is done with ``case``."""

    def load_started(self, interrupt: Callable[[], object]) -> None:
        """A load is about to be set up; ``interrupt``, in a signal handler too, ends it early."""

    def load_ticked(self, index: int, case: Case, so_far: LoadSoFar) -> bool:
        """Pass ``index`` has ``case`` under load; returns False to end the load."""


@dataclass(slots=True)
class Passes:
    """Measures the passes of one run; keeps the loops, timeouts and trials of earlier ones."""

    config: Config
    modules: tuple[str, ...]
    cases: Sequence[Case]
    progress: PassProgress
    loops: dict[str, int] = field(default_factory=dict)
    """Calls in a sample by case; grows as cases are calibrated."""
    timeouts: dict[str, int] = field(default_factory=dict)
    trials: dict[str, tuple[Trial, ...]] = field(default_factory=dict)
    """Trials so far by case, of searches."""
    budget: PassBudget | None = None
    """Leaves out what the time is too short for."""
    limits: Mapping[str, float] = field(default_factory=dict)
    """Published limits of time in ns, by case: of what misses them, or nearly does, the last pass
    that measures time samples the lines, too."""
    _lock: threading.Lock = field(default_factory=threading.Lock)
    """Held by the thread that tells progress."""

    def measure(self, indices: Sequence[int]) -> Iterator[Pass]:
        """Yield the passes ``indices`` in order.

        Raises:
            MeasureError: a fresh worker fails before its first case.
        """
        memory = [index for index in indices if index >= self.config.timed_passes]
        if self.budget is not None or len(memory) < 2:
            memory = []
        for index in indices:
            if index in memory:
                continue
            workers, order = self._prepare(index)
            if self.budget is None:
                yield self._pass(index, order, workers)
            elif order := self.budget.choose(index, order):
                pass_ = self._pass(index, order, workers)
                self.budget.add(pass_)
                yield pass_
        yield from self._side_by_side(memory)

    def _side_by_side(self, indices: Sequence[int]) -> Iterator[Pass]:
        """Yield the passes ``indices``, each on a CPU of its own unless they share all CPUs."""
        prepared = {index: self._prepare(index) for index in indices}
        at_once = processes_at_once(len(indices))
        cpus = usable_cpus()
        free: SimpleQueue[int | None] = SimpleQueue()
        for cpu in cpus if at_once <= len(cpus) else (None,) * at_once:
            free.put(cpu)

        def measure(index: int) -> Pass:
            workers, order = prepared[index]
            workers.cpu = free.get()
            try:
                return self._pass(index, order, workers)
            finally:
                free.put(workers.cpu)

        executor = ThreadPoolExecutor(at_once)
        try:
            for pass_ in [executor.submit(measure, index) for index in indices]:
                yield pass_.result()
        finally:
            # Where one failed, or the run was interrupted, nobody waits for the others.
            executor.shutdown(wait=False, cancel_futures=True)
            for workers, _ in prepared.values():
                workers.abandon()
            executor.shutdown()

    def _prepare(self, index: int) -> tuple["_PassWorker", list[Case]]:
        """Return the worker of pass ``index``, not started yet, and its cases in a drawn order."""
        generator = random.Random(f"{self.config.seed}/{index}")  # noqa: S311 - an order, no secret
        order = [c for c in self.cases if self._is_measured(c, index)]
        generator.shuffle(order)
        is_timed = index < self.config.timed_passes
        cpu = choose_cpu(usable_cpus(), index)
        return _PassWorker(self.modules, generator, cpu, is_timed), order

    def _pass(self, index: int, order: Sequence[Case], workers: "_PassWorker") -> Pass:
        started, began = datetime.now(UTC), time.monotonic()
        load, ticks = load_average(), CpuTimes.now()
        results: dict[str, CaseResult] = {}
        try:
            for case in order:
                if self.budget is not None and not self.budget.allows(index, case):
                    continue
                workers.current()  # so that its start is no part of the case's time
                with self._lock:
                    self.progress.case_started(index, case)
                since = time.monotonic()
                with workers.place(case):
                    result = self._case(workers, index, case)
                workers.require_not_abandoned()  # a worker that was ended by it is no failure
                results[case.id] = replace(result, seconds=round(time.monotonic() - since, 4))
                with self._lock:
                    self.progress.case_finished(index, case, results[case.id])
        finally:
            workers.stop()
        return Pass(
            index=index,
            started=started.isoformat(timespec="seconds"),
            seconds=time.monotonic() - began,
            load_before=load,
            load_after=load_average(),
            frequency_mhz=frequency_mhz(),
            steal_ratio=ticks.steal_ratio(CpuTimes.now()),
            yardstick_ns=workers.calibration_ns,
            results=tuple(results[case.id] for case in self.cases if case.id in results),
            cpu=workers.cpu,
        )

    def _is_measured(self, case: Case, index: int) -> bool:
        """Return whether pass ``index`` measures ``case``: a search until its rate is decided."""
        trials = self.trials.get(case.id)
        if not trials:
            return self.config.is_measured(case, index)
        is_over = sustained_rate(trials) is not None
        return index < self.config.search_passes and not is_over

    def _case(self, workers: "_PassWorker", index: int, case: Case) -> CaseResult:
        if self.timeouts.get(case.id, 0) >= _TIMEOUTS_BEFORE_GIVING_UP:
            message = f"not tried again after {_TIMEOUTS_BEFORE_GIVING_UP} timeouts"
            return CaseResult(case.id, failure=Failure("timeout", message))
        worker = workers.current()
        worker.forget_output()
        allowed_s = self.config.timeout_s
        try:
            if case.level is Level.LOAD:
                return self._run_load(worker, index, case)
            deadline = time.monotonic() + allowed_s
            if index >= self.config.timed_passes:
                return measure_memory(worker, case, deadline)
            layout_seed = workers.generator.randrange(1 << 32)
            request = OpenCase(
                case.benchmark,
                case.params,
                self.config.min_sample_ns,
                self.loops.get(case.id),
                layout_seed,
            )
            in_stages = index < _STAGED_PASSES
            result = measure_time(worker, case, self.config, request, deadline, in_stages=in_stages)
            limits = self.limits if index == self.config.timed_passes - 1 else {}
            if misses_limit(result, limits.get(case.id, math.inf)):
                result = replace(result, hot_line=_hot_line(workers, deadline))
            if workers.current() is worker:  # else nothing is open
                expect_reply(worker.ask(CloseCase(), deadline=deadline), CaseClosed)
        except RequestFailedError as error:
            return CaseResult(case.id, failure=error.failure)
        except MeasureError as error:
            workers.stop()
            message = str(error)
            if isinstance(error, WorkerTimeoutError):
                self.timeouts[case.id] = self.timeouts.get(case.id, 0) + 1
                missing = "sign of life" if case.level is Level.LOAD else "result"
                message = f"no {missing} within {allowed_s:g} s"
            return CaseResult(case.id, failure=as_failure(error, message, worker.output))
        self.loops.setdefault(case.id, result.loops)
        return result

    def _run_load(self, worker: Worker, index: int, case: Case) -> CaseResult:
        config = self.config
        # Every pass has arrivals of its own, and the same ones when the run is repeated.
        generator = random.Random(f"{config.seed}/{index}/{case.id}")  # noqa: S311 - no secret
        seed = generator.randrange(1 << 32)
        trials = self.trials.get(case.id, ())
        self.progress.load_started(worker.interrupt)
        worker.send(RunLoad(case.id, case.benchmark, case.params, config.load, seed, trials))
        while True:
            reply = worker.receive(deadline=time.monotonic() + config.timeout_s)
            if not isinstance(reply, LoadTicked):
                result = expect_reply(reply, LoadFinished).result
                self.trials[case.id] = trials + result.trials
                return result
            if not self.progress.load_ticked(index, case, reply.so_far):
                worker.interrupt()


@dataclass(slots=True)
class _PassWorker:
    """Worker of a pass, replaced by a fresh one after a crash."""

    modules: tuple[str, ...]
    generator: random.Random
    cpu: int | None
    """CPU of what needs only one."""
    is_timed: bool
    """False in a pass that measures memory: its counts must not depend on a drawn layout."""
    calibration_ns: float | None = None
    _worker: Worker | None = None
    _is_abandoned: bool = False

    def current(self) -> Worker:
        """Return the worker, started and calibrated now if there is none.

        Raises:
            MeasureError: it was abandoned; or as ``start_worker``.
        """
        self.require_not_abandoned()
        if self._worker is None:
            hash_seed, layout_seed = (self.generator.randrange(1 << 32) for _ in range(2))
            self._worker, _ = start_worker(
                self.modules,
                hash_seed=hash_seed,
                layout_seed=layout_seed if self.is_timed else None,
            )
            # Only now: libraries count the CPUs when they are imported.
            self._keep_to(self.cpu)
            with stay_off(self.cpu):
                self.calibration_ns = _calibrate(self._worker)
        self.require_not_abandoned()
        return self._worker

    def require_not_abandoned(self) -> None:
        """Raise ``MeasureError`` if another thread has abandoned the pass."""
        if self._is_abandoned:
            raise MeasureError("the run was ended")

    @contextmanager
    def place(self, case: Case) -> Iterator[None]:
        """Keep the worker to its CPU for the time of the block, and this thread off it.

        A load or a multithreaded case gets all CPUs.
        """
        is_free = case.level is Level.LOAD or case.multithreaded
        self._keep_to(None if is_free else self.cpu)
        with stay_off(None if is_free else self.cpu):
            yield

    def _keep_to(self, cpu: int | None) -> None:
        if self._worker is not None:
            self._worker.keep_to(usable_cpus() if cpu is None else (cpu,))

    def stop(self) -> None:
        if self._worker is not None:
            self._worker.stop()
            self._worker = None

    def abandon(self) -> None:
        """Let another thread's pass end at once, with an error."""
        self._is_abandoned = True
        if (worker := self._worker) is not None:
            worker.kill()


def _calibrate(worker: Worker) -> float:
    deadline = time.monotonic() + START_TIMEOUT_S
    reply = worker.ask(MeasureCalibration(), deadline=deadline)
    return expect_reply(reply, CalibrationMeasured).calibration_ns


def _hot_line(workers: "_PassWorker", deadline: float) -> HotLine | None:
    """Return the hottest line of the open case.

    None also where the call fails meanwhile, or takes too long: its samples are good all the same.
    """
    try:
        reply = workers.current().ask(SampleLines(_SAMPLED_S), deadline=deadline)
        return expect_reply(reply, LinesSampled).line
    except RequestFailedError:
        return None
    except MeasureError:
        workers.stop()
        return None
