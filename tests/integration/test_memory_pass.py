"""Runs that measure memory: in passes of their own, and whatever goes wrong in them stays there."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support import allocating
from tests.support.processes import children, is_running
from veperf.archive.baselines import load_targets
from veperf.archive.store import Archive
from veperf.core.case import MEMORY_METRICS, TIME, Case, Level
from veperf.core.errors import StorageError
from veperf.core.run import CaseResult, Run
from veperf.core.verdict import ChangeStatus, TargetStatus
from veperf.measure.passes import Passes
from veperf.measure.run_profiles import MEMORY_PASSES, PASSES
from veperf.progress.display import NoProgress
from veperf.report import rendering
from veperf.runner import run_lifecycle
from veperf.verdicts.baseline import baselines_of
from veperf.verdicts.screen import compare_runs
from veperf.verdicts.targets import judge_targets

ROOT = Path(__file__).parents[2]
HUNGRY = "tests.support.allocating"
NAMES = {metric.name for metric in MEMORY_METRICS}


@pytest.fixture(autouse=True)
def _import_from_the_root(monkeypatch):
    """Workers find the benchmarks of the tests."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def plan(archive: Path, *select: str, memory: bool) -> Run:
    writer = run_lifecycle.begin_run(
        select, profile="quick", archive=Archive(archive), baselines=archive / "none",
        seed=1, modules=[HUNGRY], memory=memory,
    )  # fmt: skip
    writer.close()
    return writer.run


def measure(planned: Run, timed: int, weighed: int) -> Run:
    """Fewer passes than planned."""
    config = replace(planned.config, passes=timed + weighed, memory_passes=weighed)
    passes = Passes(config, (HUNGRY,), planned.cases, NoProgress()).measure(range(timed + weighed))
    return replace(planned, config=config, passes=tuple(passes))


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> Run:
    """One pass for time, three for memory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        planned = plan(tmp_path_factory.mktemp("archive"), "hungry/eats", memory=True)
        return measure(planned, 1, MEMORY_PASSES)


@pytest.mark.alone
def test_memory_has_passes_of_its_own(measured: Run):
    """No pass has both samples and figures of memory; these are what the work is known to hold."""
    first, *others = measured.passes

    assert all(result.samples and not NAMES & result.figures.keys() for result in first.results)
    for item in others:
        for result in item.results:
            assert () == result.samples
            assert result.figures.keys() == NAMES
            each = result.figures["memory_peak"]
            assert allocating.ITEM_BYTES <= each <= allocating.ITEM_BYTES + 200
    assert 1 + MEMORY_PASSES == len(measured.passes)


@pytest.mark.slow
def test_targets_of_memory_are_judged(measured: Run):
    """10 kB an operation is more than 8 KiB; terminal and targets say so in bytes."""
    targets = load_targets(ROOT / "data" / "baselines")
    actual = {v.target.id: v for v in judge_targets(measured, targets)}

    assert {"memory/per_transaction"} <= {v.target.id for v in actual.values() if v.case}
    verdict = actual["memory/per_transaction"]
    assert TargetStatus.FAIL == verdict.status
    assert 10_100 / 1_024 == pytest.approx(verdict.value, rel=0.02)
    rendered = rendering.run_text(measured)
    assert "Allocations" in rendered
    assert "9.8" in rendered.partition("Memory")[2]


@pytest.mark.slow
def test_memory_is_not_screened_as_time_is(measured: Run):
    """Three counts are no sample: they are compared as counts, and never inconclusive."""
    (recorded,) = baselines_of(measured)
    assert {TIME.name} | NAMES == {s.metric for s in recorded.series}

    counts = [c for c in compare_runs(measured, measured) if c.metric in NAMES]
    assert NAMES == {c.metric for c in counts}
    assert {ChangeStatus.OK} == {c.status for c in counts}


@pytest.mark.slow
def test_without_memory_nothing_is_missing(tmp_path: Path):
    """The target is not asked for, the metrics are not declared, and no pass is added."""
    run = plan(tmp_path, "hungry", memory=False)

    assert PASSES["quick"] == run.config.passes == run.config.timed_passes
    assert all({} == case.targets for case in run.cases)
    assert not NAMES & {metric.name for case in run.cases for metric in case.metrics}
    targets = load_targets(ROOT / "data" / "baselines")
    assert () == judge_targets(run, targets)


@pytest.mark.slow
def test_with_memory_loads_are_left_alone(tmp_path: Path):
    """They are measured in the first passes only, and declare what they did before."""
    run = plan(tmp_path, "hungry", memory=True)
    load = next(case for case in run.cases if case.level is Level.LOAD)

    assert PASSES["quick"] + MEMORY_PASSES == run.config.passes
    assert not NAMES & {metric.name for metric in load.metrics}
    (eats,) = (case for case in run.cases if case.id == "hungry/eats")
    assert [0, 1, 2] == [index for index in range(9) if run.config.is_measured(load, index)]
    assert all(run.config.is_measured(eats, index) for index in range(9))


@pytest.mark.slow
def test_what_misbehaves_costs_only_itself(tmp_path: Path):
    """A case that quits, forks or has a tracker of its own leaves the others whole."""
    select = ("hungry/eats", "hungry/forks", "hungry/tracks", "hungry/quits")
    run = measure(plan(tmp_path, *select, memory=True), 0, 1)

    (item,) = run.passes
    kinds = {result.case: result.failure.kind if result.failure else "" for result in item.results}
    assert {
        "hungry/eats": "",
        "hungry/eats[items=40]": "",
        "hungry/forks": "",
        "hungry/tracks": "raised",
        "hungry/quits": "crashed",
    } == kinds


class _FailsInFirst(NoProgress):
    """Can't tell of the first pass; keeps what became of the others."""

    def __init__(self) -> None:
        self.failures: list[str | None] = []

    def case_started(self, index: int, case: Case) -> None:
        if index == 0:
            raise StorageError("no space left")

    def case_finished(self, index: int, case: Case, result: CaseResult) -> None:
        self.failures.append(result.failure.kind if result.failure else None)


def memory_alone(planned: Run, module: str) -> Passes:
    """Three passes of memory; a case may take minutes."""
    config = replace(planned.config, passes=3, memory_passes=3, timeout_s=600)
    return Passes(config, (module,), planned.cases, NoProgress())


@pytest.mark.slow
def test_passes_beside_each_other_come_in_order(tmp_path: Path):
    """Each has all that is counted, and the same to the byte."""
    passes = memory_alone(plan(tmp_path, "hungry/eats", memory=True), HUNGRY)
    done = list(passes.measure([0, 1, 2]))

    assert [0, 1, 2] == [pass_.index for pass_ in done]
    assert 1 == len({str(pass_.results[0].figures) for pass_ in done})


@pytest.mark.slow
def test_where_one_pass_fails_nobody_waits_for_the_others(tmp_path: Path):
    """Their workers are ended, though a case of theirs never comes back."""
    writer = run_lifecycle.begin_run(
        ["unruly/hangs"], profile="quick", archive=Archive(tmp_path), baselines=tmp_path / "none",
        modules=["tests.support.misbehaving"], memory=True,
    )  # fmt: skip
    writer.close()
    passes = memory_alone(writer.run, "tests.support.misbehaving")
    passes.progress = progress = _FailsInFirst()
    before = {*children(os.getpid())}

    with pytest.raises(StorageError):
        list(passes.measure([0, 1, 2]))
    assert [] == progress.failures, "that it was ended is no failure of the case"
    left = {*children(os.getpid())} - before
    assert [] == [pid for pid in left if is_running(pid)]
