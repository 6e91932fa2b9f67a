"""Trends have the right runs in order, and name the commits around a change point."""

from dataclasses import replace as with_fields
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from tests.support.archives import archive_of, dated_run, stepped
from tests.support.runs import MACHINE, case, one_pass, whole_run
from veperf.archive.summary import load_summary
from veperf.archive.trend import Trend, case_trend, machine_trends
from veperf.core.case import Direction, Metric
from veperf.core.errors import UnknownBenchmarkError, UsageError
from veperf.core.run import CaseResult, Revision, Run, Sample
from veperf.report.tables.trend_tables import trend_effect
from veperf.stats.change_points import change_points

OTHER = replace(MACHINE, name="other-8c")


def of(folder: Path, runs: list[Run], name: str = "demo/a", **settings) -> Trend:
    return case_trend(load_summary(archive_of(folder, runs)), name, **settings)


def test_a_step_is_found_with_the_commits_to_blame(tmp_path: Path):
    """A planted 6 % slowdown lies between the commits on either side, and nothing else does."""
    actual = of(tmp_path, stepped(50, step_at=30))

    (shift,) = actual.change_points
    assert (30, f"{29:040x}..{30:040x}") == (shift.point.index, shift.commit_range)
    assert ("20260130-box-4c", "20260131-box-4c") == (shift.good.id, shift.bad.id)
    assert 1.06 == pytest.approx(shift.worse, rel=0.01)
    assert change_points(actual.values) == tuple(s.point for s in actual.change_points)
    assert () == of(tmp_path / "b", stepped(50, step_at=30), "demo/b").change_points


def test_runs_are_in_the_order_in_which_they_were_completed(tmp_path: Path):
    """Neither by the time they give, which a clock that was set back makes wrong, nor their id."""
    late, early = (
        replace(dated_run(0), id=id, created=created)
        for id, created in (
            ("a", "2026-01-02T00:30:00+00:00"),
            ("b", "2026-01-02T01:00:00+02:00"),
        )
    )
    nowhen = replace(dated_run(0), id="c", created="the day before")

    assert ["c", "a", "b"] == [run.id for run in of(tmp_path, [nowhen, late, early]).runs]


def test_results_of_another_tool_are_in_the_order_of_their_dates(tmp_path: Path):
    """By the time they give with its zone: old ones are imported in any order."""
    late, early = (
        replace(dated_run(0), id=id, created=created, source="go test")
        for id, created in (
            ("a", "2026-01-02T00:30:00+00:00"),
            ("b", "2026-01-02T01:00:00+02:00"),
        )
    )

    assert ["b", "a"] == [run.id for run in of(tmp_path, [late, early]).runs]


def test_machine_classes_are_kept_apart(tmp_path: Path):
    """Another class's runs are not in the trend, whatever the order; each can be asked for."""
    runs = [
        dated_run(day, {"demo/a": 100.0 if machine is MACHINE else 300.0}, machine=machine)
        for day, machine in enumerate([MACHINE, OTHER] * 4 + [MACHINE])
    ]
    summary = load_summary(archive_of(tmp_path, runs))

    here, there = case_trend(summary, "demo/a"), case_trend(summary, "demo/a", machine="other-8c")

    assert ("box-4c", 5) == (here.machine, len(here.runs))
    assert ("other-8c", 4) == (there.machine, len(there.runs))
    assert 110 > here.values.max()
    assert 290 < there.values.min()
    assert ["box-4c"] == [item.machine for item in machine_trends(summary)]
    assert ["other-8c"] == [item.machine for item in machine_trends(summary, machine="other-8c")]


def test_the_largest_recent_shift_comes_first(tmp_path: Path):
    """By its size either way, whether it is worse or better; what never moved comes last."""
    cases = {"demo/calm": 1.0, "demo/faster": 0.8, "demo/slower": 1.1, "demo/still": 1.0}
    runs = [
        dated_run(day, {name: 100 * (ratio if day >= 20 else 1) for name, ratio in cases.items()})
        for day in range(40)
    ]

    actual = machine_trends(load_summary(archive_of(tmp_path, runs)))

    assert ["demo/faster", "demo/slower", "demo/calm", "demo/still"] == [t.case for t in actual]


def test_only_the_last_runs_count_where_that_is_asked(tmp_path: Path):
    """The step is out of sight then."""
    summary = load_summary(archive_of(tmp_path, stepped(40, step_at=15)))

    assert (20, ()) == (
        len(case_trend(summary, "demo/a", last=20).runs),
        case_trend(summary, "demo/a", last=20).change_points,
    )
    assert 1 == len(case_trend(summary, "demo/a", last=1000).change_points)
    with pytest.raises(UsageError, match="at least 1 run"):
        case_trend(summary, "demo/a", last=0)


@pytest.mark.parametrize(
    ("better", "worse", "effect"), [("higher", 1.25, "worse"), ("unknown", 0.8, "less")]
)
def test_better_may_be_higher_or_unknown(
    better: Direction, worse: float, effect: str, tmp_path: Path
):
    """A rate that falls by a fifth is worse by a quarter; what is no better is less by a fifth."""
    rate = Metric("rate", "tx/s", better)

    def run(day: int) -> Run:
        value = 1000.0 * (0.8 if day >= 15 else 1) + day % 3
        results = [CaseResult("demo/rate", figures={"rate": value})]
        created = whole_run([case("demo/rate", metrics=(rate,))], [one_pass(results)])
        return replace(created, id=f"{day:03}", created=f"2026-01-{day + 1:02}")

    actual = of(tmp_path, [run(day) for day in range(30)], "demo/rate")

    (shift,) = actual.change_points
    assert ("rate", better, "wall") == (actual.metric, actual.better, actual.clock)
    assert worse == pytest.approx(shift.worse, rel=0.01)
    assert trend_effect(actual, shift).endswith(f"% {effect}")


def test_one_clock_for_all_runs(tmp_path: Path):
    """Where a few runs are judged by wall time, the trend still has the CPU time of each."""

    def run(day: int) -> Run:
        wall = 300_000 if day in (3, 4) else 101_000
        results = [CaseResult("demo/a", loops=1000, samples=(Sample(wall, 100_000, 0),) * 4)]
        created = whole_run([case("demo/a")], [one_pass(results)])
        return replace(created, id=f"{day}", created=f"2026-01-{day + 1:02}")

    actual = of(tmp_path, [run(day) for day in range(9)])

    assert ("cpu", [100.0] * 9) == (actual.clock, actual.values.tolist())


def test_what_else_changed_is_said(tmp_path: Path):
    """A step with a new Python and the same commit blames no commit; nor do uncommitted changes."""
    new = replace(MACHINE, python="CPython 3.12.1")
    runs = [
        replace(
            dated_run(day, {"demo/a": 100.0 if day < 20 else 90.0}, commit="c0ffee"),
            machine=MACHINE if day < 20 else new,
            revision=Revision("c0ffee", dirty=day > 30),
        )
        for day in range(40)
    ]

    (shift,) = of(tmp_path, runs).change_points

    assert "" == shift.commit_range
    assert ("Python became CPython 3.12.1", "the commit is the same on both sides") == (
        shift.other_changes
    )
    dirty = with_fields(shift, bad=replace(shift.bad, dirty=True))
    assert "there were uncommitted changes" in dirty.other_changes


def test_values_without_a_logarithm_are_shown_but_no_change(tmp_path: Path):
    """Zeros between the runs neither hide the step nor shift its place."""

    def run(day: int) -> Run:
        value = 0.0 if day % 10 == 9 else 50.0 + day % 3 * 0.1 + (10 if day >= 20 else 0)
        results = [CaseResult("demo/n", figures={"n": value})]
        created = whole_run(
            [case("demo/n", metrics=(Metric("n", "objects"),))], [one_pass(results)]
        )
        return replace(
            created, id=f"{day:03}", created=f"2026-{1 + day // 28:02}-{day % 28 + 1:02}"
        )

    actual = of(tmp_path, [run(day) for day in range(40)], "demo/n")

    (shift,) = actual.change_points
    assert 40 == len(actual.values) == np.count_nonzero(actual.values) + 4
    assert ("018", "020") == (shift.good.id, shift.bad.id)


@pytest.mark.parametrize(
    ("name", "metric", "machine", "told"),
    [
        ("demo/aa", "", "", "did you mean demo/a?"),
        ("nonsense", "", "", "there are demo/a"),
        ("demo/a", "tme", "", "did you mean time?"),
        ("demo/a", "", "box-4", "did you mean box-4c?"),
    ],
)
def test_unknown_names_say_what_there_is(
    tmp_path: Path, name: str, metric: str, machine: str, told: str
):
    """Of benchmarks, metrics and machines."""
    summary = load_summary(archive_of(tmp_path, [dated_run(0)]))

    with pytest.raises(UnknownBenchmarkError) as caught:
        case_trend(summary, name, metric=metric, machine=machine)
    assert told in str(caught.value)
    if metric or machine:
        with pytest.raises(UnknownBenchmarkError, match="did you mean"):
            machine_trends(summary, metric=metric, machine=machine)
