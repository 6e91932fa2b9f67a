"""Lanes of a pair: two benchmarks at a time, where they don't disturb each other."""

import threading
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from veperf.abtest.benchmark_pairs import BenchmarkPairs
from veperf.abtest.lanes import LANES, LaneChoice, measure_in_lanes
from veperf.abtest.pair import PairResult
from veperf.core.ab_records import ABConfig
from veperf.core.case import Case, Level
from veperf.core.errors import MeasureError
from veperf.core.paths import project_folder
from veperf.core.run import CaseResult, Sample
from veperf.measure.cpus import usable_cpus
from veperf.measure.worker_client import CodeSource

CASES = [Case(f"mine/{n}", f"mine/{n}", "mine", Level.MICRO, "") for n in range(7)]
SUITE = """
from veperf.core.case import Level
from veperf.core.registry import Task, benchmark


def define(number):
    @benchmark(f"mine/{number}", level=Level.MICRO)
    def work() -> Task:
        return Task(lambda: sum(range(1_000)))


for number in range(7):
    define(number)
"""


def result(case: Case, milliseconds: float = 1.0, seconds: float = 2.0) -> PairResult:
    sample = Sample(int(milliseconds * 1e6), int(milliseconds * 1e6), 0)
    side = CaseResult(case.id, loops=1, operations=1, samples=(sample,))
    return PairResult(case, side, side, seconds)


def measured(lane: int, cases: Sequence[Case]) -> Generator[PairResult, None, None]:
    for case in cases:
        yield result(case)


def test_every_case_is_measured_once_in_its_share_of_the_time():
    """Whatever the number of cases."""
    for count in range(len(CASES) + 1):
        results = list(measure_in_lanes(measured, lambda: None, CASES[:count]))

        assert [c.id for c in CASES[:count]] == sorted(r.case.id for r in results)
        assert {2.0 / LANES} >= {r.seconds for r in results}


def test_the_error_of_a_lane_ends_the_pair():
    """The other one is stopped, too, and no thread is left."""
    stopped = threading.Event()

    def measure(lane: int, cases: Sequence[Case]) -> Generator[PairResult, None, None]:
        if lane == 0:
            raise MeasureError("no worker")
        yield result(cases[0])
        assert stopped.wait(10), "it is told to end"
        yield result(cases[1])

    before = threading.active_count()
    with pytest.raises(MeasureError, match="no worker"):
        list(measure_in_lanes(measure, stopped.set, CASES))
    assert before == threading.active_count()


def test_a_pair_that_is_cut_short_ends_its_lanes():
    """As by the end of the budget, or by Ctrl-C."""
    stopped = threading.Event()

    def measure(lane: int, cases: Sequence[Case]) -> Generator[PairResult, None, None]:
        yield result(cases[0])
        stopped.wait(10)
        yield result(cases[1])

    before = threading.active_count()
    with closing(measure_in_lanes(measure, stopped.set, CASES)) as results:
        next(results)
    assert stopped.is_set()
    assert before == threading.active_count()


@pytest.mark.parametrize(("in_lanes", "allowed"), [(0.99, True), (1.0, True), (1.2, False)])
def test_lanes_that_slow_each_other_down_are_given_up(in_lanes: float, allowed: bool):
    """By times of the third pair against the shorter of those before; it is tried once."""
    choice = LaneChoice()
    for index in range(2):
        assert not choice.allows(index, len(CASES), 2)
        for case in CASES:
            choice.add(result(case, 1.0 + index), in_lanes=False)
    assert choice.allows(2, len(CASES), 2)
    assert not choice.allows(2, 3, 2)
    assert not choice.allows(2, len(CASES), 1)

    for case in CASES:
        choice.add(result(case, in_lanes), in_lanes=True)

    assert allowed == choice.allows(3, len(CASES), 2)


@pytest.mark.slow
@pytest.mark.skipif(len(usable_cpus()) < LANES, reason="there is one CPU")
def test_benchmarks_are_measured_in_lanes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Each on one CPU, both sides on the same; and a pair that is cut short leaves no worker."""
    (tmp_path / "mine.py").write_text(SUITE)
    code = CodeSource(folder=tmp_path, environment={"PYTHONPATH": f"{tmp_path}:{project_folder()}"})
    config = ABConfig((), (), 4, 100_000, 1, 60.0, 48, 0.05)
    pairs = BenchmarkPairs({"a": code, "b": code}, {"a": ("mine",), "b": ("mine",)}, config)
    monkeypatch.setattr(LaneChoice, "disturbance", 1.0)

    for index in range(3):
        results = list(pairs.measure(index, CASES))
        assert {case.id for case in CASES} == {r.case.id for r in results}
        assert not any(r.has_failed for r in results)
        cpus = [{s.cpu for s in (*r.a.samples, *r.b.samples)} for r in results]
        assert {1} == {len(used) for used in cpus}
        assert (LANES if index == 2 else 1) == len(set.union(*cpus))
    before = threading.active_count()
    with closing(pairs.measure(3, CASES)) as measuring:
        next(measuring)
    assert before == threading.active_count()
