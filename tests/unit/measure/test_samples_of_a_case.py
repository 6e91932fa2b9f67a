"""How many samples a pass takes of a case, decided by a warm-up that counts for nothing."""

import random
from typing import cast

import pytest
from msgspec.structs import replace

from veperf.core.case import Case, Level
from veperf.core.errors import MeasureError, WorkerTimeoutError
from veperf.core.run import CaseResult, Failure, HotLine, Sample
from veperf.measure.case_samples import measure_time
from veperf.measure.passes import Passes, _PassWorker
from veperf.measure.protocol import (
    CaseClosed,
    CaseOpened,
    CloseCase,
    LinesSampled,
    MeasureStages,
    OpenCase,
    Reply,
    Request,
    SampleLines,
    SampleTaken,
    StagesMeasured,
    TakeSample,
)
from veperf.measure.run_profiles import configure
from veperf.measure.worker_client import RequestFailedError, Worker
from veperf.progress.display import NoProgress

CASE = Case(
    id="demo/work", benchmark="demo/work", suite="demo", level=Level.MICRO, what="", params={}
)
REQUEST = OpenCase("demo/work", {}, 5_000_000, None)
MS = 1_000_000
LINE = HotLine("demo.work:7", "loop", 0.6)


def sample(cpu_ms: float, wall_ms: float = 0, waits: int = 0) -> Sample:
    return Sample(round((wall_ms or cpu_ms) * MS), round(cpu_ms * MS), switches=0, waits=waits)


class ScriptedWorker:
    """Answers with a list of samples, and notes what it is asked."""

    output = ""

    def __init__(
        self, opened: CaseOpened, samples: list[Sample], fault: Exception | None = None
    ) -> None:
        self.opened = opened
        self.fault = fault
        self.samples = iter(samples)
        self.requests: list[type[Request]] = []

    def forget_output(self) -> None:
        pass

    def ask(self, request: Request, *, deadline: float) -> Reply:
        self.requests.append(type(request))
        if isinstance(request, OpenCase):
            return self.opened
        if isinstance(request, SampleLines) and self.fault is not None:
            raise self.fault
        if isinstance(request, SampleLines):
            return LinesSampled(LINE)
        if isinstance(request, TakeSample):
            return SampleTaken(next(self.samples))
        return (
            StagesMeasured({"cpu_a": 1.0}) if isinstance(request, MeasureStages) else CaseClosed()
        )


def measure(
    worker: ScriptedWorker,
    profile: str = "quick",
    *,
    in_stages: bool = False,
) -> CaseResult:
    config = replace(configure(profile, seed=1), samples=5, warmups=1)
    return measure_time(cast(Worker, worker), CASE, config, REQUEST, 0.0, in_stages=in_stages)


@pytest.mark.parametrize("calibrated", [False, True])
@pytest.mark.parametrize(
    ("profile", "loops", "warmup", "expected"),
    [
        ("quick", 1, sample(5), 5),
        ("quick", 1, sample(24), 5),
        ("quick", 1, sample(26), 4),
        ("quick", 1, sample(49), 3),
        ("quick", 1, sample(51), 2),
        ("quick", 1, sample(900), 2),
        ("quick", 1, sample(20, 900), 5),  # it was kept waiting for a CPU
        ("quick", 1, sample(20, 900, waits=9), 3),  # it waited for others that work for it
        ("quick", 1, sample(20, 24, waits=9), 5),
        ("quick", 1, sample(5, 24, waits=9), 5),
        ("quick", 1, sample(5, 26, waits=9), 4),
        ("quick", 10, sample(900), 5),
        ("standard", 1, sample(900), 5),
        ("thorough", 1, sample(900), 5),
    ],
)
def test_the_quick_profile_takes_samples_for_100_ms(
    profile: str, loops: int, warmup: Sample, expected: int, calibrated: bool
) -> None:
    """Two at least; the warm-up is the calibration's sample where there is one."""
    others = [sample(1 + i) for i in range(9)]
    opened = CaseOpened(loops, 1, in_stages=False, warmup=warmup if calibrated else None)
    worker = ScriptedWorker(opened, others if calibrated else [warmup, *others])
    result = measure(worker, profile)

    assert tuple(others[:expected]) == result.samples
    assert loops == result.loops
    assert expected + (not calibrated) == worker.requests.count(TakeSample)


def test_samples_that_count_decide_nothing() -> None:
    """Whatever they are, their number is that of the warm-up."""
    for counted in (1, 5_000):
        worker = ScriptedWorker(
            CaseOpened(1, 1, in_stages=False), [sample(10), *[sample(counted)] * 9]
        )
        assert 5 == len(measure(worker).samples)


@pytest.mark.parametrize("in_stages", [False, True])
def test_stages_are_measured_where_they_are_wanted(in_stages: bool) -> None:
    """After the samples, and only in the passes that measure them."""
    worker = ScriptedWorker(CaseOpened(1, 1, in_stages=True), [sample(1)] * 9)
    result = measure(worker, in_stages=in_stages)

    assert ({"cpu_a": 1.0} if in_stages else {}) == result.figures
    assert (worker.requests[-1] is MeasureStages) == in_stages


class _ScriptedPass:
    """The worker of a pass; what samples its lines may end it."""

    def __init__(self, worker: ScriptedWorker) -> None:
        self.worker = worker
        self.generator = random.Random(1)
        self.fresh: list[ScriptedWorker] = []

    def current(self) -> ScriptedWorker:
        return self.fresh[-1] if self.fresh else self.worker

    def stop(self) -> None:
        self.fresh.append(ScriptedWorker(self.worker.opened, []))


def measure_last(worker: ScriptedWorker, limit_ms: float) -> tuple[CaseResult, _ScriptedPass]:
    """Measure ``CASE``, which has a limit, in the last pass that measures time."""
    config = replace(configure("quick", seed=1), samples=5, warmups=1)
    measured = Passes(config, (), (CASE,), NoProgress(), limits={CASE.id: limit_ms * MS})
    workers = _ScriptedPass(worker)
    return measured._case(cast(_PassWorker, workers), config.timed_passes - 1, CASE), workers


@pytest.mark.parametrize(("limit_ms", "expected"), [(2.0, None), (1.0, LINE), (1.2, None)])
def test_lines_are_sampled_of_what_misses_its_limit(
    limit_ms: float, expected: HotLine | None
) -> None:
    """By its best sample of 100 operations that take 100 ms, after all that count."""
    worker = ScriptedWorker(CaseOpened(10, 10, in_stages=False), [sample(100)] * 9)
    result, _ = measure_last(worker, limit_ms)

    assert expected == result.hot_line
    assert (expected is not None) == (worker.requests[-2] is SampleLines)
    assert CloseCase is worker.requests[-1]


@pytest.mark.parametrize(
    ("fault", "is_ended"),
    [
        (RequestFailedError(Failure("raised", "no more")), False),
        (WorkerTimeoutError("no reply in time"), True),
        (MeasureError("the worker process ended"), True),
    ],
)
def test_a_call_whose_lines_cannot_be_sampled_keeps_its_samples(
    fault: Exception, is_ended: bool
) -> None:
    """Whatever it does then: it raises, hangs, or ends the process, which has nothing to close."""
    worker = ScriptedWorker(CaseOpened(10, 10, in_stages=False), [sample(100)] * 9, fault)
    result, workers = measure_last(worker, 1.0)

    assert result.failure is None
    assert result.hot_line is None
    assert 5 == len(result.samples)
    assert is_ended == (len(workers.fresh) == 1)
    assert (SampleLines if is_ended else CloseCase) is worker.requests[-1]
    assert all(not fresh.requests for fresh in workers.fresh)
