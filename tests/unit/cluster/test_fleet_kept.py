"""Comparisons of a sweep, put together from the archive."""

from pathlib import Path

import pytest
from msgspec.structs import replace

import veperf
from tests.support.ab_runs import ab_run, change
from veperf.archive.store import Archive
from veperf.cluster.ledger import Ledger
from veperf.cluster.plan import Plan, make_plan
from veperf.cluster.spec import AB, Spec
from veperf.cluster.sweep_result import fleet_of, write_page
from veperf.core.errors import UnknownRunError
from veperf.core.verdict import ChangeStatus, Outcome, Severity

PLAN: Plan = make_plan(Spec("release", machine_classes=("small", "large"), ab=AB("v1", "v2")), str)
GOOD = ab_run(change("a/x", ChangeStatus.OK))
BAD = replace(
    ab_run(change("a/x", ChangeStatus.SLOWER, ratio=1.1, severity=Severity.FAIL)), id="bad"
)


def _kept(place: str | Path) -> tuple[Archive, Ledger]:
    archive = Archive(place)
    ledger = Ledger.begin(archive, PLAN)
    small, large = PLAN.tasks
    assert ledger.keep(small, GOOD, "box")
    assert ledger.keep(large, BAD, "hall")
    return archive, ledger


def test_a_fleet_comes_back_from_anywhere(place: str) -> None:
    """With its page beside the sweep, from a folder as from elsewhere."""
    archive, ledger = _kept(place)
    with ledger:
        found = fleet_of(archive, ledger.record)
        write_page(archive, found)

    assert found == veperf.load_fleet(archive=place) == veperf.load_sweep("release", place)
    assert [("small", GOOD), ("large", BAD)] == [(p.name, p.found) for p in found.places]
    assert ("v1", "v2") == (found.base.name, found.new.name)
    assert found.page().encode() == archive.storage.at(f"sweeps/{found.sweep}").read("index.html")


def test_what_is_not_there_is_no_pass(tmp_path: Path) -> None:
    """A class that failed or has not come back, or whose comparison can't be read, says why."""
    archive, ledger = _kept(tmp_path)
    ledger.close()
    (tmp_path / f"ab-{GOOD.id}" / "ab.json").write_text("{")
    found = veperf.load_fleet(archive=tmp_path)

    assert Outcome.ERROR is found.outcome
    assert 1 == found.failed
    assert "not measured on small" in found.sentence
    assert "ab.json is no valid ABRun file" in found.sentence

    begun = Ledger.begin(archive, PLAN)
    begun.fail(PLAN.tasks[0], "it crashed")
    begun.close()
    assert ["it crashed", "no result yet"] == [
        place.missing for place in veperf.load_fleet(archive=tmp_path).places
    ]


def test_repeats_stand_side_by_side(tmp_path: Path) -> None:
    """Each under its number: they are not put together either."""
    spec = Spec("twice", machine_classes=("small",), repeats=2, ab=AB("v1", "v2"))
    with Ledger.begin(Archive(tmp_path), make_plan(spec, str)) as ledger:
        found = fleet_of(ledger.archive, ledger.record)

    assert ["small #1", "small #2"] == [place.name for place in found.places]


def test_there_is_none(tmp_path: Path) -> None:
    """And how to get one."""
    with pytest.raises(UnknownRunError, match="veperf ab --scheduler"):
        veperf.load_fleet(archive=tmp_path)
