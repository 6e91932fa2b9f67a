"""A run that a suspended process left in two packs counts once, and is cleaned up."""

from collections.abc import Sequence

import pytest

from tests.support.archives import archive_of, dated_run
from veperf.archive.compaction import compact_archive, prune_runs, write_pack
from veperf.archive.packs import ZIP
from veperf.archive.store import Archive
from veperf.core.run import Run

RUNS = [dated_run(day) for day in range(6)]
SAMPLES = "SELECT * FROM samples ORDER BY ALL"


def packed_twice(place: str, *packs: Sequence[Run]) -> Archive:
    """An archive of all runs, some of which are in one or more of these packs, and not loose."""
    archive = archive_of(place, RUNS)
    completed_ns = archive.unpacked()
    with archive.storage.lock() as lock:
        for runs in packs:
            files = {run.id: archive.at(run.id) for run in runs}
            write_pack(archive.packs.storage, files, completed_ns, lock)
    for run in {run.id for runs in packs for run in runs}:
        archive.storage.remove(run)
    return Archive(place)


def packed(archive: Archive) -> list[str]:
    """Every run of every pack."""
    names = archive.packs.names()
    return sorted(run for name in names for run in archive.packs.runs_in(name))


@pytest.mark.parametrize(
    "packs", [(RUNS[:3], RUNS[1:4]), (RUNS[:4], RUNS[1:3]), (RUNS[:4], RUNS[:4], RUNS[2:5])]
)
def test_it_counts_once_and_is_put_in_order(near: str, packs: Sequence[Sequence[Run]]):
    """In queries, lists and checks; the next compaction leaves it in one pack."""
    archive = packed_twice(near, *packs)
    samples = Archive(archive_of(f"{near}/other", RUNS).storage).query(SAMPLES)

    assert samples.equals(archive.query(SAMPLES))
    assert RUNS == list(archive.readable_runs())
    assert {} == archive.faults()

    compact_archive(archive, keep=100)

    again = Archive(near)
    assert sorted({run.id for runs in packs for run in runs}) == packed(again)
    assert samples.equals(again.query(SAMPLES))
    assert RUNS == list(again.readable_runs())
    assert {} == again.faults()


def test_pruning_removes_it_from_everywhere(near: str):
    """It does not come back from the other pack."""
    archive = packed_twice(near, RUNS[:3], RUNS[1:4])
    prune_runs(archive, [RUNS[1].id])

    assert RUNS[:1] + RUNS[2:] == list(Archive(near).readable_runs())
    assert RUNS[1].id not in packed(Archive(near))


def test_a_copy_of_what_is_damaged_stays(near: str):
    """Where the pack that counts can't be believed, the other one is not touched."""
    archive = packed_twice(near, RUNS[:2], RUNS[1:3])
    before = packed(archive)
    archive.packs.storage.write(f"{archive.packs.names()[-1]}/{ZIP}", b"damaged")

    compact_archive(Archive(near), keep=0)

    assert sorted([*before, *(run.id for run in RUNS[3:])]) == packed(Archive(near))
    assert "packs" in Archive(near).faults()
