"""Long pairs and memory are measured after the pairs, no more than it takes, whatever fails."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.ab_pairs import CASE, RATE
from tests.support.ab_runs import ab_run
from veperf.abtest import memory_pairs
from veperf.abtest.long_pairs import LONG_CALLS, measure_long_pairs
from veperf.abtest.memory_pairs import MemoryPairs
from veperf.abtest.pair import PairResult
from veperf.abtest.sequential_comparison import SequentialComparison
from veperf.core.ab_records import ABGuardrail
from veperf.core.case import Case
from veperf.core.errors import MeasureError, WorkerCrashedError
from veperf.core.run import CaseResult, Failure, Sample
from veperf.core.verdict import ChangeStatus, Severity
from veperf.measure.protocol import (
    CaseClosed,
    CaseOpened,
    CloseCase,
    MeasureMemory,
    MemoryMeasured,
    OpenCase,
)
from veperf.measure.worker_client import CURRENT_CODE
from veperf.stats.look_schedule import LOOKS, schedule_looks
from veperf.stats.paired import PairRule

RULE, SCHEDULE = PairRule(), schedule_looks()


def side(times: Sequence[float], *, loops: int = 1) -> CaseResult:
    samples = tuple(Sample(round(loops * ns), round(loops * ns), 0, 0) for ns in times)
    return CaseResult(CASE.id, loops=loops, samples=samples)


def decided(*, loops: int = 1, factor: float = 1.0) -> SequentialComparison:
    """A comparison whose pairs have 20 samples of 1 ms a side."""
    chance = np.random.default_rng(2)
    comparison = SequentialComparison(CASE, RULE, SCHEDULE)
    while comparison.change is None:
        noise = chance.normal(0, 0.005, 2)
        base, new = (side([1e6 * np.exp(x)] * 20, loops=loops) for x in noise)
        if factor != 1.0:
            new = side([factor * 1e6] * 20, loops=loops)
        comparison.add(PairResult(CASE, base, new))
    return comparison


@dataclass
class LongPairs:
    """Stands for the pairs: every 50th call of the new side takes ``factor`` times as long."""

    factor: float = 1.0
    failure: Failure | None = None
    error: MeasureError | None = None
    samples: Mapping[str, int] = field(default_factory=dict)
    measured: int = 0

    def lengthened(self, samples: Mapping[str, int]) -> "LongPairs":
        self.samples = samples
        return self

    def measure(self, index: int, cases: Sequence[Case]) -> Generator[PairResult, None, None]:
        if self.error is not None:
            raise self.error
        chance = np.random.default_rng(index)
        for case in cases:
            self.measured += 1
            count = self.samples[case.id]
            base, new = 1e6 * np.exp(chance.normal(0, 0.02, (2, count)))
            new[49::50] *= self.factor
            failed = CaseResult(case.id, failure=self.failure)
            yield PairResult(case, side(base), failed if self.failure else side(new))


def long_run(pairs: LongPairs, comparison: SequentialComparison) -> ABGuardrail | None:
    return measure_long_pairs(pairs, [comparison], RULE, SCHEDULE, None).get(CASE.id)  # type: ignore[arg-type]


def test_one_long_pair_is_enough_where_nothing_hints() -> None:
    """And it doesn't say more than it knows."""
    pairs = LongPairs()
    actual = long_run(pairs, decided())

    assert actual is not None
    assert (1, LONG_CALLS) == (pairs.measured, pairs.samples[CASE.id])
    assert ChangeStatus.INCONCLUSIVE is actual.status
    assert "no sign of more than 5" in actual.reason


def test_a_rare_slow_call_is_proven_by_more_of_them() -> None:
    """Ten times as long in 1 of 50 calls: the mean of long pairs is 18 % higher."""
    pairs = LongPairs(factor=10.0)
    actual = long_run(pairs, decided())

    assert actual is not None
    assert (ChangeStatus.SLOWER, Severity.WARN) == (actual.status, actual.severity)
    assert pytest.approx(1.18, abs=0.01) == actual.ratio
    assert LOOKS[0] <= pairs.measured < LOOKS[-1]


@pytest.mark.parametrize("comparison", [{"loops": 5}, {"factor": 1.3}])
def test_no_long_pair_is_spent_in_vain(comparison: dict[str, Any]) -> None:
    """Where the pairs have 100 calls, or the time is slower anyway."""
    pairs = LongPairs()

    assert long_run(pairs, decided(**comparison)) is None
    assert 0 == pairs.measured


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        (LongPairs(failure=Failure("raised", "ValueError: x")), "ValueError: x"),
        (LongPairs(error=MeasureError("a worker can't start")), "a worker can't start"),
    ],
)
def test_a_failed_long_pair_costs_only_its_guardrail(pairs: LongPairs, reason: str) -> None:
    """With the reason, and no warning."""
    actual = long_run(pairs, decided())

    assert actual is not None
    assert ChangeStatus.INCONCLUSIVE is actual.status
    assert reason in actual.reason


def test_the_time_budget_ends_long_pairs() -> None:
    """The one that is under way is the last."""
    pairs = LongPairs(factor=10.0)
    actual = measure_long_pairs(pairs, [decided()], RULE, SCHEDULE, 0.0)[CASE.id]  # type: ignore[arg-type]

    assert 1 == pairs.measured
    assert "the time budget ran out" in actual.reason


class FakeWorker:
    """Answers with the memory of a side."""

    def __init__(self, measure: Callable[[], float]) -> None:
        self._measure = measure
        self.is_stopped = False

    def ask(self, request: object, *, deadline: float) -> object:
        match request:
            case OpenCase():
                return CaseOpened(1, 1, in_stages=False)
            case MeasureMemory():
                total = self._measure()
                return MemoryMeasured({"memory_total": total, "memory_allocations": 10.0})
            case CloseCase():
                return CaseClosed()
        raise AssertionError(request)

    def stop(self) -> None:
        self.is_stopped = True


def memory(
    monkeypatch: pytest.MonkeyPatch, measure: Callable[[str], float], *cases: Case
) -> tuple[dict[str, tuple[ABGuardrail, ...]], list[FakeWorker]]:
    """Measure ``cases``; ``measure`` is called with the side's module."""
    workers: list[FakeWorker] = []

    def start(modules: tuple[str, ...], **_: object) -> tuple[FakeWorker, None]:
        workers.append(FakeWorker(lambda: measure(modules[0])))
        return workers[-1], None

    monkeypatch.setattr(memory_pairs, "start_worker", start)
    sources = {"a": CURRENT_CODE, "b": CURRENT_CODE}
    pairs = MemoryPairs(sources, {"a": ("a",), "b": ("b",)}, ab_run().config)  # type: ignore[arg-type]
    return pairs.measure(cases), workers


def test_equal_memory_takes_one_process_a_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are ended; what has no time is left out."""
    actual, workers = memory(monkeypatch, lambda _: 100.0, CASE, RATE)

    assert [CASE.id] == list(actual)
    assert [ChangeStatus.OK] * 2 == [guardrail.status for guardrail in actual[CASE.id]]
    assert 2 == len(workers)
    assert all(worker.is_stopped for worker in workers)


def test_more_memory_is_confirmed_before_it_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """By three processes a side."""
    actual, workers = memory(monkeypatch, lambda side: 4e6 if side == "b" else 100.0, CASE)
    total, allocations = actual[CASE.id]

    assert 6 == len(workers)
    assert (Severity.WARN, 100.0, 4e6) == (total.severity, total.base, total.new)
    assert ChangeStatus.OK is allocations.status


def test_a_process_that_ends_costs_only_its_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next one gets a fresh process, and the reason names the side."""
    calls: list[str] = []

    def measure(side: str) -> float:
        calls.append(side)
        if calls.count("b") == 1 and side == "b":
            raise WorkerCrashedError("the worker process ended: signal 9")
        return 100.0

    actual, workers = memory(monkeypatch, measure, CASE, replace(CASE, id="mine/next"))

    assert "new code: the worker process ended" in actual[CASE.id][0].reason
    assert ChangeStatus.INCONCLUSIVE is actual[CASE.id][0].status
    assert ChangeStatus.OK is actual["mine/next"][0].status
    assert 3 == len(workers)
