"""Passes of a run, each a fresh process that measures every case once.

Passes that measure memory come last, after all that measure time.
"""

import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from msgspec.structs import replace

from veperf.core.case import TIME, Case, Level
from veperf.core.errors import MeasureError, WorkerTimeoutError
from veperf.core.load import LoadSoFar
from veperf.core.run import CaseResult, Config, Failure, Pass
from veperf.measure.cpus import choose_cpu, stay_off, usable_cpus
from veperf.measure.machine import CpuTimes, frequency_mhz, load_average
from veperf.measure.protocol import (
    CalibrationMeasured,
    CaseClosed,
    CaseOpened,
    CloseCase,
    LoadFinished,
    LoadTicked,
    MeasureCalibration,
    MeasureMemory,
    MeasureStages,
    MemoryMeasured,
    OpenCase,
    RunLoad,
    SampleTaken,
    StagesMeasured,
    TakeSample,
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


class PassProgress(Protocol):
    """Receiver of progress, called from the measuring thread outside timed stretches."""

    def case_started(self, index: int, case: Case) -> None:
        """Pass ``index`` begins with ``case``."""

    def case_finished(self, index: int, case: Case, result: CaseResult) -> None:
        """Pass ``index`` is done with ``case``."""

    def load_ticked(self, index: int, case: Case, so_far: LoadSoFar) -> bool:
        """Pass ``index`` has ``case`` under load; returns False to end the load."""


@dataclass(slots=True)
class Passes:
    """Measures the passes of one run; keeps the loops and timeouts of earlier ones."""

    config: Config
    modules: tuple[str, ...]
    cases: Sequence[Case]
    progress: PassProgress
    loops: dict[str, int] = field(default_factory=dict)
    """Calls in a sample by case; grows as cases are calibrated."""
    timeouts: dict[str, int] = field(default_factory=dict)

    def measure(self, indices: Sequence[int]) -> Iterator[Pass]:
        """Yield the passes ``indices``, one after the other.

        Raises:
            MeasureError: a fresh worker fails before its first case.
        """
        for index in indices:
            yield self._pass(index)

    def _pass(self, index: int) -> Pass:
        started, began = datetime.now(UTC), time.monotonic()
        load, ticks = load_average(), CpuTimes.now()
        generator = random.Random(f"{self.config.seed}/{index}")  # noqa: S311 - an order, no secret
        order = [c for c in self.cases if self.config.is_measured(c.level, index)]
        generator.shuffle(order)
        is_timed = index < self.config.timed_passes
        workers = _PassWorker(self.modules, generator, choose_cpu(usable_cpus(), index), is_timed)
        results: dict[str, CaseResult] = {}
        try:
            for case in order:
                workers.current()  # so that its start is no part of the case's time
                self.progress.case_started(index, case)
                since = time.monotonic()
                with workers.place(case):
                    result = self._case(workers, index, case)
                results[case.id] = replace(result, seconds=round(time.monotonic() - since, 4))
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
            if index >= self.config.timed_passes or TIME not in case.metrics:
                return _measure_memory(worker, case, deadline)
            layout_seed = workers.generator.randrange(1 << 32)
            request = OpenCase(
                case.benchmark,
                case.params,
                self.config.min_sample_ns,
                self.loops.get(case.id),
                layout_seed,
            )
            result = _measure_time(worker, case, self.config, request, deadline)
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
        worker.send(RunLoad(case.id, case.benchmark, case.params, config.load, seed))
        while True:
            reply = worker.receive(deadline=time.monotonic() + config.timeout_s)
            if not isinstance(reply, LoadTicked):
                return expect_reply(reply, LoadFinished).result
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

    def current(self) -> Worker:
        """Return the worker, started and calibrated now if there is none."""
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
        return self._worker

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


def _calibrate(worker: Worker) -> float:
    deadline = time.monotonic() + START_TIMEOUT_S
    reply = worker.ask(MeasureCalibration(), deadline=deadline)
    return expect_reply(reply, CalibrationMeasured).calibration_ns


def _measure_time(
    worker: Worker, case: Case, config: Config, request: OpenCase, deadline: float
) -> CaseResult:
    opened = expect_reply(worker.ask(request, deadline=deadline), CaseOpened)
    samples = [
        expect_reply(worker.ask(TakeSample(), deadline=deadline), SampleTaken).sample
        for _ in range(config.warmups + config.samples)
    ]
    figures: dict[str, float] = {}
    if opened.in_stages:
        reply = worker.ask(MeasureStages(), deadline=deadline)
        figures = expect_reply(reply, StagesMeasured).figures
    expect_reply(worker.ask(CloseCase(), deadline=deadline), CaseClosed)
    return CaseResult(
        case=case.id,
        loops=opened.loops,
        operations=opened.operations,
        samples=tuple(samples[config.warmups :]),
        figures=figures,
    )


def _measure_memory(worker: Worker, case: Case, deadline: float) -> CaseResult:
    # One loop, so that nothing is calibrated: no time is measured.
    request = OpenCase(case.benchmark, case.params, 0, loops=1)
    opened = expect_reply(worker.ask(request, deadline=deadline), CaseOpened)
    reply = worker.ask(MeasureMemory(), deadline=deadline)
    figures = expect_reply(reply, MemoryMeasured).figures
    expect_reply(worker.ask(CloseCase(), deadline=deadline), CaseClosed)
    return CaseResult(case.id, operations=opened.operations, figures=figures)
