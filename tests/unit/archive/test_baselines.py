"""Recorded baselines: pooled sessions, history, and exact counts."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.archives import dated_run
from tests.support.runs import MACHINE, case, one_pass, timed, whole_run
from veperf.archive.baselines import (
    baseline_run_ids,
    load_baselines,
    load_retired,
    load_targets,
    save_baseline,
    update_baseline,
)
from veperf.archive.files import write_inside, write_json
from veperf.archive.store import Archive
from veperf.core.baseline import Baseline, BaselineSeries
from veperf.core.case import MEMORY_METRICS, TIME, Metric
from veperf.core.errors import UsageError
from veperf.core.run import CaseResult, Revision, Run
from veperf.measure.machine import describe_machine
from veperf.runner import run_lifecycle
from veperf.verdicts.baseline import baselines_of, make_baseline, pool_baselines
from veperf.verdicts.screen import screen

ROOT = Path(__file__).parents[3]


def recorded(day: int, time_ns: float = 100.0) -> Baseline:
    return make_baseline(dated_run(day, {"demo/a": time_ns}), "demo")


def test_a_folder_without_targets_has_those_of_veperf(tmp_path):
    """As `baseline record --baselines NEW` leaves it; its own come first."""
    published = load_targets(ROOT / "data" / "baselines")
    save_baseline(tmp_path, recorded(0))
    own = load_targets(tmp_path)
    assert published == replace(own, file=published.file)
    assert "data/baselines/targets.json" == published.file
    assert "veperf's own" in own.file

    write_json(tmp_path / "targets.json", replace(published, targets=()))
    assert () == load_targets(tmp_path).targets


def test_several_sessions_are_one_baseline():
    """A baseline has all sessions' processes, and the last one's commit, loops and machine."""
    days = [recorded(day) for day in range(3)]

    item = pool_baselines(days)

    assert tuple(b.run for b in days) == item.sessions
    assert (days[2].run, days[2].revision) == (item.run, item.revision)
    (series,) = item.series
    assert sum((b.series[0].cpu for b in days), ()) == series.cpu
    assert sum((b.series[0].wall for b in days), ()) == series.wall
    assert 18 == len(item.yardstick_ns)
    assert days[0] == pool_baselines(days[:1])


def test_the_noise_between_sessions_is_in_a_pooled_baseline():
    """With sessions 4 % apart, a run like the slower one is a change to one of them only."""
    fast, slow = recorded(1, 100.0), recorded(2, 104.0)
    run = dated_run(3, {"demo/a": 104.0})

    assert ["suspect"] == [c.status for c in screen(run, [fast])]
    assert ["suspect"] != [c.status for c in screen(run, [pool_baselines([fast, slow])])]


@pytest.mark.parametrize(
    "other",
    [
        make_baseline(dated_run(1, machine=replace(MACHINE, name="other-8c")), "demo"),
        make_baseline(dated_run(1, machine=replace(MACHINE, python="CPython 3.12.1")), "demo"),
        make_baseline(dated_run(1, {"other/a": 1.0}), "other"),
    ],
)
def test_sessions_of_different_machines_or_suites_are_not_pooled(other: Baseline):
    """Values of different machines or suites would not be one sample."""
    with pytest.raises(UsageError):
        pool_baselines([other, recorded(0)])
    with pytest.raises(UsageError):
        pool_baselines([])


def test_an_updated_baseline_keeps_the_old_one_and_the_reason(tmp_path: Path):
    """Each former baseline is in the history, in order, as it was."""
    first, second, third = (recorded(day) for day in range(3))
    save_baseline(tmp_path, first)
    update_baseline(tmp_path, second, reason="verifies twice")
    update_baseline(tmp_path, third, reason="and thrice")

    assert (replace(third, reason="and thrice"),) == load_baselines(tmp_path, ["*"])
    assert [
        (first, "verifies twice"),
        (replace(second, reason="verifies twice"), "and thrice"),
    ] == [(item.baseline, item.reason) for item in load_retired(tmp_path, ["demo"])]
    assert {first.run, second.run, third.run} == baseline_run_ids(tmp_path)


def test_a_reason_and_a_baseline_are_needed(tmp_path: Path):
    """update without one to update, or without a word why, is refused."""
    with pytest.raises(UsageError, match="baseline record"):
        update_baseline(tmp_path, recorded(0), reason="why not")
    save_baseline(tmp_path, recorded(0))
    with pytest.raises(UsageError, match="give the reason"):
        update_baseline(tmp_path, recorded(1), reason=" ")
    assert (recorded(0),) == load_baselines(tmp_path, ["*"])


def test_the_same_baseline_again_changes_nothing(tmp_path: Path):
    """Recording a run twice adds nothing to the history."""
    save_baseline(tmp_path, recorded(0))
    save_baseline(tmp_path, recorded(0))

    assert () == load_retired(tmp_path, ["*"])


def test_a_reason_is_kept_of_what_was_recorded_before(tmp_path: Path):
    """With the baseline, and with the one it replaced, unless that has a reason of its own."""
    first, second = recorded(0), recorded(1)
    save_baseline(tmp_path, first, reason="the first")
    save_baseline(tmp_path, second)
    update_baseline(tmp_path, second, reason="verifies twice")
    save_baseline(tmp_path, second)
    assert (replace(second, reason="verifies twice"),) == load_baselines(tmp_path, ["*"])
    update_baseline(tmp_path, second, reason="in other words")

    assert (replace(second, reason="in other words"),) == load_baselines(tmp_path, ["*"])
    assert [(replace(first, reason="the first"), "verifies twice")] == [
        (item.baseline, item.reason) for item in load_retired(tmp_path, ["demo"])
    ]


def test_an_interrupted_update_is_repeated_without_a_trace(tmp_path: Path, monkeypatch):
    """Interrupted between history and baseline, the old one counts, and is retired once."""
    save_baseline(tmp_path, recorded(0))

    def stop(root: Path, name: str, data: bytes) -> None:
        if name == "box-4c/demo.json":
            raise KeyboardInterrupt
        write_inside(root, name, data)

    monkeypatch.setattr("veperf.archive.baselines.write_inside", stop)
    with pytest.raises(KeyboardInterrupt):
        update_baseline(tmp_path, recorded(1), reason="stopped")
    monkeypatch.undo()
    assert (recorded(0),) == load_baselines(tmp_path, ["*"])
    update_baseline(tmp_path, recorded(1), reason="again")

    assert [(recorded(0), "again")] == [
        (item.baseline, item.reason) for item in load_retired(tmp_path, ["*"])
    ]


def test_counts_are_recorded_too(tmp_path: Path):
    """Allocations and exact metrics are compared for equality, however few values there are."""
    size = Metric("size", "B", exact=True)
    metrics = (TIME, size, *MEMORY_METRICS)
    counts = {"memory_peak": 10.0, "memory_total": 20.0, "memory_allocations": 3.0}
    timed_passes = [
        one_pass([replace(timed("demo/a", 100.0), figures={"size": 7.0})], i) for i in range(6)
    ]
    counted = [one_pass([CaseResult("demo/a", figures=counts)], i) for i in range(6, 9)]
    run: Run = whole_run([case("demo/a", metrics=metrics)], timed_passes + counted)

    save_baseline(tmp_path, *baselines_of(run))

    (kept,) = load_baselines(tmp_path, ["demo"])
    values = {series.metric: series.wall for series in kept.series}
    assert ((7.0,) * 6, (3.0,) * 3) == (values["size"], values["memory_allocations"])
    assert values.keys() == {metric.name for metric in metrics}


def test_a_run_without_memory_does_not_drop_what_is_recorded_of_it(tmp_path: Path):
    """The error names the cases and metrics that would be lost."""
    full = make_baseline(dated_run(0, {"demo/a": 100.0, "demo/b": 100.0}), "demo")
    first, second = full.series
    save_baseline(tmp_path, replace(full, series=(replace(first, metric="size"), first, second)))

    with pytest.raises(UsageError, match="measure size of demo/a, which"):
        save_baseline(tmp_path, full)
    with pytest.raises(UsageError, match="measure demo/b, size of demo/a, which"):
        save_baseline(tmp_path, replace(full, series=(first,)))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=5, unique=True))
def test_pooling_in_parts_is_pooling_at_once(days: list[int]):
    """All sessions of a pooled baseline count as its runs."""
    one_by_one = pool_baselines([recorded(day) for day in days])
    in_parts = pool_baselines(
        [pool_baselines([recorded(day) for day in days[:2]]), *map(recorded, days[2:])]
    )

    assert one_by_one == in_parts


def test_a_new_run_takes_its_loops_from_the_time_not_from_a_count(tmp_path: Path):
    """Memory is counted over single calls, which don't determine the loops of a sample."""
    machine = describe_machine()
    series = [
        BaselineSeries("planted/work", metric, unit, "lower", "wall", loops, 1, (), (1.0,) * 6)
        for metric, unit, loops in (("time", "ns", 500), ("memory_peak", "B", 1))
    ]
    recorded = Baseline("planted", "2026-01-01", "run", machine, Revision(), (), tuple(series))
    save_baseline(tmp_path / "baselines", recorded)

    writer = run_lifecycle.begin_run(
        ["planted"],
        profile="quick",
        archive=Archive(tmp_path / "runs"),
        baselines=tmp_path / "baselines",
        modules=["tests.support.planted"],
    )
    writer.close()

    assert {"planted/work": 500} == writer.run.loops
