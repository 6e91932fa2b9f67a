"""`last` is what was completed last, whatever the clock and the ids say."""

import os
import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.faults.clocks_and_writers import clock_at
from tests.support.ab_runs import ab_run
from tests.support.archives import dated_run
from veperf.archive.compaction import compact_archive, expired_runs
from veperf.archive.comparisons import read_ab, save_ab
from veperf.archive.merge import merge_runs
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.core.errors import CorruptFileError

_NOON_NS = 1_790_000_000 * 10**9
_HOUR_NS = 3_600 * 10**9


def test_a_clock_set_back_by_two_hours_changes_nothing(near: str):
    """The last run is the last made, loose, packed, and in a copy of the archive."""
    archive = Archive(near)
    for day, hours in ((9, 0), (4, -2), (6, -1)):
        with clock_at(_NOON_NS + hours * _HOUR_NS):
            archive.save(dated_run(day))
            assert dated_run(day) == archive.load("last")

    copy = Archive(f"{near}/copy")
    list(merge_runs(copy, archive))
    assert dated_run(6) == copy.load()
    compact_archive(archive, keep=0)
    assert dated_run(6) == Archive(near).load()
    with clock_at(_NOON_NS - 9 * _HOUR_NS):
        archive.save(dated_run(1))
    assert dated_run(1) == Archive(near).load()


@pytest.mark.parametrize("is_packed", [False, True])
def test_there_is_one_order_of_runs(near: str, is_packed: bool):
    """What `last` is, is the last of every list, and what is kept."""
    archive = Archive(near)
    for day, hours in ((9, 0), (4, -2), (6, -1)):
        with clock_at(_NOON_NS + hours * _HOUR_NS):
            archive.save(dated_run(day))
    made = [dated_run(day).id for day in (9, 4, 6)]
    if is_packed:
        assert tuple(made[:2]) == compact_archive(archive, keep=1).packed

    summary = load_summary(Archive(near))

    assert made == [run.id for run in summary.runs]
    assert made == [run.id for run in Archive(near).readable_runs()]
    assert tuple(made[:2]) == expired_runs(summary, keep=1)


def test_a_copy_has_the_order_of_the_original(tmp_path: Path):
    """Times of writing say nothing: git and cp change them."""
    archive = Archive(tmp_path / "runs")
    for day in (5, 3, 4):
        archive.save(dated_run(day))
    shutil.copytree(tmp_path / "runs", tmp_path / "copy", ignore=shutil.ignore_patterns(".*"))
    for order, day in enumerate((4, 5, 3)):
        path = tmp_path / "copy" / dated_run(day).id / "complete.json"
        os.utime(path, ns=(order, order))

    assert dated_run(4) == Archive(tmp_path / "copy").load()


def test_a_damaged_last_run_gives_no_other_its_place(near: str):
    """It is an error, not the run before."""
    archive = Archive(near)
    for day in (3, 2):
        archive.save(dated_run(day))
    manifest = archive.at(dated_run(2).id)
    manifest.write("complete.json", manifest.read("complete.json").replace(b'"run"', b'"rum"'))

    with pytest.raises(CorruptFileError, match=r"complete\.json"):
        Archive(near).load("last")


@pytest.mark.parametrize("hint", [None, b"", b'{"stamp_ns": 1e300}', b'{"stamp_ns": -5}'])
def test_the_last_stamp_is_found_again(near: str, hint: bytes | None):
    """Missing, broken or wrong, it is made again from the runs and comparisons."""
    archive = Archive(near)
    with clock_at(_NOON_NS):
        archive.save(dated_run(5))
    if hint is None:
        archive.storage.delete([".last-stamp.json"])
    else:
        archive.storage.write(".last-stamp.json", hint)
    with clock_at(_NOON_NS - _HOUR_NS):
        archive.save(dated_run(2))

    assert dated_run(2) == Archive(near).load()


def test_the_last_comparison_and_the_last_unfinished_run_likewise(near: str):
    """Both are what was begun or completed last."""
    archive = Archive(near)
    for id, day, hours in (("b", 7, 0), ("a", 1, -2)):
        with clock_at(_NOON_NS + hours * _HOUR_NS):
            save_ab(archive.storage, replace(ab_run(), id=id))
            archive.begin(replace(dated_run(day), passes=())).close()

    assert "a" == read_ab(archive.storage).id
    with archive.resume("last") as writer:
        assert dated_run(1).id == writer.run.id
