"""Comparisons of a sweep, put together from the archive."""

from pathlib import Path

import pytest
from msgspec.structs import replace

import veperf
from tests.support.ab_runs import ab_run, change
from veperf.archive.store import Archive
from veperf.cluster.spec import ABSpec, SweepSpec
from veperf.cluster.sweep_journal import SweepJournal
from veperf.cluster.sweep_plan import SweepPlan, plan_sweep
from veperf.cluster.sweep_result import fleet_result_of, write_fleet_page
from veperf.core.errors import UnknownRunError
from veperf.core.gate import Outcome
from veperf.core.verdict import ChangeStatus, Severity

PLAN: SweepPlan = plan_sweep(
    SweepSpec("release", machine_classes=("small", "large"), ab=ABSpec("v1", "v2")), str
)
GOOD = ab_run(change("a/x", ChangeStatus.OK))
BAD = replace(
    ab_run(change("a/x", ChangeStatus.SLOWER, ratio=1.1, severity=Severity.FAIL)), id="bad"
)


def _kept(place: str | Path) -> tuple[Archive, SweepJournal]:
    archive = Archive(place)
    journal = SweepJournal.create(archive, PLAN)
    small, large = PLAN.tasks
    assert journal.add_result(small, GOOD, "box")
    assert journal.add_result(large, BAD, "hall")
    return archive, journal


def test_a_fleet_comes_back_from_anywhere(place: str) -> None:
    """With its page beside the sweep, from a folder as from elsewhere."""
    archive, journal = _kept(place)
    with journal:
        fleet = fleet_result_of(archive, journal.state)
        write_fleet_page(archive, fleet)

    assert fleet == veperf.load_fleet(archive=place) == veperf.load_sweep("release", place)
    assert [("small", GOOD), ("large", BAD)] == [(p.name, p.comparison) for p in fleet.places]
    assert ("v1", "v2") == (fleet.base.name, fleet.new.name)
    assert fleet.page().encode() == archive.storage.at(f"sweeps/{fleet.sweep}").read("index.html")


def test_what_is_not_there_is_no_pass(tmp_path: Path) -> None:
    """A class that failed or has not come back, or whose comparison can't be read, says why."""
    archive, journal = _kept(tmp_path)
    journal.close()
    (tmp_path / f"ab-{GOOD.id}" / "ab.json").write_text("{")
    fleet = veperf.load_fleet(archive=tmp_path)

    assert Outcome.ERROR is fleet.decision.outcome
    assert 1 == fleet.failed
    assert "not measured on small" in fleet.decision.headline
    assert "ab.json is not a valid ABRun file" in fleet.decision.headline

    begun = SweepJournal.create(archive, PLAN)
    begun.add_failure(PLAN.tasks[0], "it crashed")
    begun.close()
    assert ["it crashed", "no result yet"] == [
        place.missing for place in veperf.load_fleet(archive=tmp_path).places
    ]


def test_repeats_stand_side_by_side(tmp_path: Path) -> None:
    """Each under its number: they are not put together either."""
    spec = SweepSpec("twice", machine_classes=("small",), repeats=2, ab=ABSpec("v1", "v2"))
    with SweepJournal.create(Archive(tmp_path), plan_sweep(spec, str)) as journal:
        fleet = fleet_result_of(journal.archive, journal.state)

    assert ["small #1", "small #2"] == [place.name for place in fleet.places]


def test_there_is_none(tmp_path: Path) -> None:
    """And how to get one."""
    with pytest.raises(UnknownRunError, match="veperf ab --scheduler"):
        veperf.load_fleet(archive=tmp_path)
