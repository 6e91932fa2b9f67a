"""Measurement of one case in a fresh process: samples of its time, or counts of its memory."""

import math
from collections.abc import Sequence

from veperf.core.case import Case
from veperf.core.run import CaseResult, Config, Sample
from veperf.measure.clock import is_busy, work_ns
from veperf.measure.protocol import (
    CaseClosed,
    CaseOpened,
    CloseCase,
    MeasureMemory,
    MeasureStages,
    MemoryMeasured,
    OpenCase,
    SampleTaken,
    StagesMeasured,
    TakeSample,
)
from veperf.measure.worker_client import Worker, expect_reply

_LEAST_SAMPLES = 2
"""The fewest that a process value is made of."""
_LEAST_WAITING_SAMPLES = 3
"""The same of calls that wait for other processes: one that others have delayed is left out."""
_ENOUGH_NS = 100_000_000
"""Duration of all samples of a case in a pass that is enough for profile quick."""
_NEARLY = 0.9
"""Share of a limit from which on a pass that is to find lines does so: other passes may miss it."""


def measure_time(
    worker: Worker,
    case: Case,
    config: Config,
    request: OpenCase,
    deadline: float,
    *,
    in_stages: bool,
) -> CaseResult:
    """Take the samples of ``case``, which stays open.

    Raises:
        MeasureError: the worker ends, or is not done in time.
        RequestFailedError: the benchmark raises.
    """
    opened = expect_reply(worker.ask(request, deadline=deadline), CaseOpened)

    def take_samples(count: int) -> list[Sample]:
        replies = (worker.ask(TakeSample(), deadline=deadline) for _ in range(count))
        return [expect_reply(reply, SampleTaken).sample for reply in replies]

    warmups = [] if opened.warmup is None else [opened.warmup]
    warmups += take_samples(config.warmups - len(warmups))
    samples = take_samples(_number_of_samples(config, warmups, opened.loops))
    figures: dict[str, float] = {}
    if opened.in_stages and in_stages:
        reply = worker.ask(MeasureStages(), deadline=deadline)
        figures = expect_reply(reply, StagesMeasured).figures
    return CaseResult(
        case=case.id,
        loops=opened.loops,
        operations=opened.operations,
        samples=tuple(samples),
        figures=figures,
    )


def misses_limit(result: CaseResult, limit_ns: float) -> bool:
    """Return whether all samples miss ``limit_ns``, or nearly do."""
    calls = result.loops * result.operations
    return min(map(work_ns, result.samples)) > _NEARLY * limit_ns * calls


def _number_of_samples(config: Config, warmups: Sequence[Sample], loops: int) -> int:
    """Return how many samples to take: of long calls, which are one sample each, fewer.

    By a sample that counts for nothing: the number must not depend on those that count. By CPU
    time: on a busy machine short calls take long, too, and need every sample. Only work that others
    do, in threads or processes, is as long as the call waits for it.
    """
    if config.profile != "quick" or config.min_time_ns or loops > 1 or not warmups:
        return config.samples
    least = _LEAST_SAMPLES if is_busy(warmups[-1]) else _LEAST_WAITING_SAMPLES
    enough = math.ceil(_ENOUGH_NS / max(1, work_ns(warmups[-1])))
    return min(config.samples, max(least, enough))


def measure_memory(worker: Worker, case: Case, deadline: float) -> CaseResult:
    """Count the memory of ``case``: one loop, as nothing is calibrated where no time is measured.

    Raises:
        As ``measure_time``.
    """
    request = OpenCase(case.benchmark, case.params, 0, loops=1)
    opened = expect_reply(worker.ask(request, deadline=deadline), CaseOpened)
    reply = worker.ask(MeasureMemory(), deadline=deadline)
    figures = expect_reply(reply, MemoryMeasured).figures
    expect_reply(worker.ask(CloseCase(), deadline=deadline), CaseClosed)
    return CaseResult(case.id, operations=opened.operations, figures=figures)
