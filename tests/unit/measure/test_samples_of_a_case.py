"""How many samples a pass takes of a case, decided by a warm-up that counts for nothing."""

from typing import cast

import pytest
from msgspec.structs import replace

from veperf.core.case import Case, Level
from veperf.core.run import Sample
from veperf.measure import passes
from veperf.measure.protocol import (
    CaseClosed,
    CaseOpened,
    CloseCase,
    MeasureStages,
    OpenCase,
    Reply,
    Request,
    SampleTaken,
    StagesMeasured,
    TakeSample,
)
from veperf.measure.run_profiles import configure
from veperf.measure.worker_client import Worker

CASE = Case(
    id="demo/work", benchmark="demo/work", suite="demo", level=Level.MICRO, what="", params={}
)
REQUEST = OpenCase("demo/work", {}, 5_000_000, None)
MS = 1_000_000


def sample(cpu_ms: float, wall_ms: float = 0) -> Sample:
    return Sample(round((wall_ms or cpu_ms) * MS), round(cpu_ms * MS), switches=0)


class ScriptedWorker:
    """Answers with a list of samples, and notes what it is asked."""

    def __init__(self, opened: CaseOpened, samples: list[Sample]) -> None:
        self.opened = opened
        self.samples = iter(samples)
        self.requests: list[type[Request]] = []

    def ask(self, request: Request, *, deadline: float) -> Reply:
        self.requests.append(type(request))
        if isinstance(request, OpenCase):
            return self.opened
        if isinstance(request, TakeSample):
            return SampleTaken(next(self.samples))
        return (
            StagesMeasured({"cpu_a": 1.0}) if isinstance(request, MeasureStages) else CaseClosed()
        )


def measure(worker: ScriptedWorker, profile: str = "quick", *, in_stages: bool = False):
    config = replace(configure(profile, seed=1), samples=5, warmups=1)
    return passes._measure_time(
        cast(Worker, worker), CASE, config, REQUEST, 0.0, in_stages=in_stages
    )


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
        ("quick", 1, sample(20, 900), 5),  # it waited, perhaps for a CPU
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
    assert [MeasureStages] * in_stages + [CloseCase] == worker.requests[-1 - in_stages :]
