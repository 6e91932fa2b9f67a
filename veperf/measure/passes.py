"""A run is a number of passes; a pass is one fresh process that measures every case once.

The last passes may be such that measure memory, when all that measure time are done.
"""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from msgspec.structs import replace

from veperf.core.case import TIME, Case, Level
from veperf.core.errors import MeasureError, WorkerTimeoutError
from veperf.core.load import LoadSoFar
from veperf.core.run import CaseResult, Config, Failure, Pass, Sample
from veperf.measure.machine import CpuTimes, frequency_mhz, load_average
from veperf.measure.protocol import (
    Close,
    Divide,
    Divided,
    Drive,
    Driven,
    Failed,
    Open,
    Opened,
    Take,
    Taken,
    Ticked,
    Weigh,
    Weighed,
)
from veperf.measure.worker_client import Worker
from veperf.measure.worker_start import failed, lost, started

_TIMEOUTS_BEFORE_GIVING_UP = 2


class Progress(Protocol):
    """Told what is going on, from the measuring thread and outside timed stretches."""

    def case_started(self, index: int, case: Case) -> None:
        """Pass ``index`` begins with ``case``."""

    def case_finished(self, index: int, case: Case, result: CaseResult) -> None:
        """Pass ``index`` is done with ``case``."""

    def load_ticked(self, index: int, case: Case, so_far: LoadSoFar) -> bool:
        """Pass ``index`` has ``case`` under load; whether to go on with that."""


@dataclass(slots=True)
class Passes:
    """Makes the passes of one run; remembers what the earlier ones learnt."""

    config: Config
    modules: tuple[str, ...]
    cases: Sequence[Case]
    progress: Progress
    loops: dict[str, int] = field(default_factory=dict)
    """Calls in a sample by case, where known; grows as cases are calibrated."""
    timeouts: dict[str, int] = field(default_factory=dict)

    def measure(self, indices: Sequence[int]) -> Iterator[Pass]:
        """Make the passes ``indices``, one after the other.

        Raises:
            MeasureError: a fresh worker fails before it has come to a case.
        """
        for index in indices:
            yield self._pass(index)

    def _pass(self, index: int) -> Pass:
        started, began = datetime.now(UTC), time.monotonic()
        load, ticks = load_average(), CpuTimes.now()
        chance = random.Random(f"{self.config.seed}/{index}")  # noqa: S311 - an order, no secret
        order = [c for c in self.cases if self.config.is_measured(c.level, index)]
        chance.shuffle(order)
        crew = _Crew(self.modules, chance)
        results: dict[str, CaseResult] = {}
        try:
            for case in order:
                crew.worker()  # so that its start is no case's time
                self.progress.case_started(index, case)
                since = time.monotonic()
                result = self._case(crew, index, case)
                results[case.id] = replace(result, seconds=round(time.monotonic() - since, 4))
                self.progress.case_finished(index, case, results[case.id])
        finally:
            crew.dismiss()
        return Pass(
            index=index,
            started=started.isoformat(timespec="seconds"),
            seconds=time.monotonic() - began,
            load_before=load,
            load_after=load_average(),
            frequency_mhz=frequency_mhz(),
            steal_ratio=ticks.steal_ratio(CpuTimes.now()),
            yardstick_ns=crew.yardstick_ns,
            results=tuple(results[case.id] for case in self.cases if case.id in results),
        )

    def _case(self, crew: "_Crew", index: int, case: Case) -> CaseResult:
        if self.timeouts.get(case.id, 0) >= _TIMEOUTS_BEFORE_GIVING_UP:
            words = f"not tried again after {_TIMEOUTS_BEFORE_GIVING_UP} timeouts"
            return CaseResult(case.id, failure=Failure("timeout", words))
        worker = crew.worker()
        worker.forget_output()
        allowed_s = self.config.timeout_s
        try:
            if case.level is Level.LOAD:
                return self._drive(worker, index, case)
            deadline = time.monotonic() + allowed_s
            if index >= self.config.timed_passes or TIME not in case.metrics:
                return _weigh(worker, case, deadline)
            result = _measure(worker, case, self.config, self.loops.get(case.id), deadline)
        except MeasureError as error:
            crew.dismiss()
            words = str(error)
            if isinstance(error, WorkerTimeoutError):
                self.timeouts[case.id] = self.timeouts.get(case.id, 0) + 1
                done = "given a sign of life" if case.level is Level.LOAD else "done"
                words = f"not {done} within {allowed_s:g} s"
            return lost(case, error, words, worker.output)
        if result.failure is None:
            self.loops.setdefault(case.id, result.loops)
        return result

    def _drive(self, worker: Worker, index: int, case: Case) -> CaseResult:
        config = self.config
        # Arrivals of its own in every pass, and the same ones when the run is repeated.
        chance = random.Random(f"{config.seed}/{index}/{case.id}")  # noqa: S311 - no secret
        seed = chance.randrange(1 << 32)
        worker.send(Drive(case.id, case.benchmark, case.params, config.load, seed))
        while True:
            reply = worker.receive(deadline=time.monotonic() + config.timeout_s)
            if not isinstance(reply, Ticked):
                return reply.result if isinstance(reply, Driven) else failed(case, reply)
            if not self.progress.load_ticked(index, case, reply.so_far):
                worker.interrupt()


@dataclass(slots=True)
class _Crew:
    """The worker of a pass; after a crash, its successor."""

    modules: tuple[str, ...]
    chance: random.Random
    yardstick_ns: float | None = None
    _worker: Worker | None = None

    def worker(self) -> Worker:
        if self._worker is None:
            seed = self.chance.randrange(1 << 32)
            self._worker, ready = started(self.modules, hash_seed=seed)
            self.yardstick_ns = ready.yardstick_ns
        return self._worker

    def dismiss(self) -> None:
        if self._worker is not None:
            self._worker.stop()
            self._worker = None


def _measure(
    worker: Worker, case: Case, config: Config, loops: int | None, deadline: float
) -> CaseResult:
    opened = worker.ask(
        Open(case.benchmark, case.params, config.min_sample_ns, loops), deadline=deadline
    )
    if not isinstance(opened, Opened):
        return failed(case, opened)
    samples: list[Sample] = []
    for _ in range(config.warmups + config.samples):
        taken = worker.ask(Take(), deadline=deadline)
        if not isinstance(taken, Taken):
            return failed(case, taken)
        samples.append(taken.sample)
    divided = worker.ask(Divide(), deadline=deadline) if opened.in_stages else Divided({})
    if not isinstance(divided, Divided):
        return failed(case, divided)
    closed = worker.ask(Close(), deadline=deadline)
    if isinstance(closed, Failed):
        return failed(case, closed)
    return CaseResult(
        case=case.id,
        loops=opened.loops,
        operations=opened.operations,
        samples=tuple(samples[config.warmups :]),
        figures=divided.figures,
    )


def _weigh(worker: Worker, case: Case, deadline: float) -> CaseResult:
    # One loop, so that nothing is calibrated: here no clock is read.
    opened = worker.ask(Open(case.benchmark, case.params, 0, loops=1), deadline=deadline)
    if not isinstance(opened, Opened):
        return failed(case, opened)
    weighed = worker.ask(Weigh(), deadline=deadline)
    if not isinstance(weighed, Weighed):
        return failed(case, weighed)
    closed = worker.ask(Close(), deadline=deadline)
    if isinstance(closed, Failed):
        return failed(case, closed)
    return CaseResult(case.id, operations=opened.operations, figures=weighed.figures)
