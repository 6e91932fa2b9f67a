"""Pruning removes the expired runs, and nothing that is needed."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.archives import START, archive_of, dated_run
from tests.support.runs import MACHINE
from veperf.archive.compaction import compact_archive, expired_runs, prune_runs
from veperf.archive.run_summary import RunFacts
from veperf.archive.store import Archive
from veperf.archive.summary import ArchiveSummary
from veperf.archive.summary_tables import facts_table
from veperf.core.errors import CorruptFileError, UsageError

OTHER = replace(MACHINE, name="other-8c")
NOW = START + timedelta(days=10)


def summary(*machines: str) -> ArchiveSummary:
    """One run a day, made on these machines."""
    runs = tuple(
        RunFacts(
            f"{day}", 0, (START + timedelta(days=day)).isoformat(), name, "", "", "", False, day
        )
        for day, name in enumerate(machines)
    )
    return ArchiveSummary(facts_table(runs), {})


def test_the_latest_and_the_needed_stay():
    """The latest runs, the runs of baselines, and each machine class's last run are kept."""
    actual = summary("a", "b", "a", "a", "a", "a")

    assert ("0", "2", "3") == expired_runs(actual, keep=2)
    assert ("0", "3") == expired_runs(actual, keep=2, needed={"2"})
    assert ("0", "2", "3", "4") == expired_runs(actual, keep=0)
    assert () == expired_runs(actual, keep=9)


def test_only_the_old_go():
    """An age, and a number beside it; a run without a date has no age."""
    actual = summary("a", "a", "a", "a")

    assert ("0", "1") == expired_runs(actual, older_than_days=8.5, now=NOW)
    assert ("0",) == expired_runs(actual, older_than_days=8.5, keep=3, now=NOW)
    runs = (replace(actual.runs[0], created="?"), *actual.runs[1:])
    undated = ArchiveSummary(facts_table(runs), {})
    assert ("1",) == expired_runs(undated, older_than_days=8.5, now=NOW)


@pytest.mark.parametrize(("keep", "days"), [(None, None), (-1, None), (None, -1.0), (None, 1e9)])
def test_nothing_goes_by_mistake(keep: int | None, days: float | None):
    """Without a rule, or with one that makes no sense, nothing is chosen."""
    with pytest.raises(UsageError):
        expired_runs(summary("a"), keep=keep, older_than_days=days)


@given(st.lists(st.sampled_from("ab"), min_size=1, max_size=8), st.integers(0, 9))
def test_the_last_run_is_never_chosen(machines: list[str], keep: int):
    """Whatever the rule, and what stays and what goes are all there were."""
    actual = summary(*machines)
    gone = expired_runs(actual, keep=keep)

    assert actual.runs[-1].id not in gone
    assert len(gone) <= max(0, len(machines) - keep)


@pytest.mark.slow
def test_packed_runs_go_too(place: str):
    """From folders and from packs; the others are as they were."""
    runs = [dated_run(day) for day in range(6)]
    archive = archive_of(place, runs)
    compact_archive(archive, keep=2)
    archive.at(runs[0].id).write("index.html", b"the report of a packed run")

    prune_runs(archive, [runs[0].id, runs[2].id, runs[5].id, "unknown"])

    left = [runs[1], runs[3], runs[4]]
    assert left == list(Archive(place).readable_runs())
    assert {} == archive.faults()
    assert {"packs", runs[4].id} == {n.partition("/")[0] for n in archive.storage.names()}
    assert [3] == archive.query("SELECT count(DISTINCT run) AS n FROM samples")["n"].tolist()


def test_a_damaged_pack_loses_nothing_more(tmp_path: Path):
    """A pack that can't be made anew stays, and the error says which file."""
    archive = archive_of(tmp_path, [dated_run(day) for day in range(3)])
    compact_archive(archive, keep=0)
    (path,) = tmp_path.glob("packs/*/runs.zip")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with pytest.raises(CorruptFileError, match=r"runs\.zip"):
        prune_runs(Archive(tmp_path), archive.ids()[:1])
    assert path.exists()
    assert 3 == len(Archive(tmp_path).ids())
