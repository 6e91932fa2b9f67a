"""Packed runs are read back unchanged, and damaged packs are named."""

import io
import shutil
import zipfile
from pathlib import Path

import msgspec
import pytest

from tests.support.archives import archive_of, dated_run
from veperf.archive.compaction import compact_archive
from veperf.archive.packs import FIGURES, MANIFEST, TABLE, ZIP
from veperf.archive.store import Archive
from veperf.core.errors import CorruptFileError, UnknownRunError, UsageError

FILES = ("run.json", "complete.json", "samples.parquet", "index.html")
PACK_FILES = (ZIP, TABLE, FIGURES, MANIFEST)
SAMPLES = "SELECT run, count(*) AS n FROM samples GROUP BY ALL ORDER BY run"


def test_packed_runs_are_as_they_were(place: str):
    """Packed runs are found by id, prefix, `last`, query and list; only their folders are gone."""
    runs = [dated_run(day) for day in range(5)]
    archive = archive_of(place, runs)
    before = archive.query(SAMPLES)

    done = compact_archive(archive, keep=1)

    assert tuple(run.id for run in runs[:4]) == done.packed
    assert [run.id for run in runs] == Archive(place).ids()
    assert runs == list(Archive(place).readable_runs())
    assert runs[2] == Archive(place).load(runs[2].id[:8])
    assert runs[4] == Archive(place).load()
    assert before.equals(Archive(place).query(SAMPLES))
    assert [runs[4].id] == list(archive.storage.folders(*FILES))
    assert {"packs"} == {name.partition("/")[0] for name in archive.storage.names()} - {runs[4].id}
    assert {} == Archive(place).faults()


def test_a_pack_is_an_ordinary_zip_of_whole_folders(tmp_path: Path):
    """unzip gives back every file, reports too; the samples are in a table beside it."""
    archive = archive_of(tmp_path, [dated_run(0)])
    (run,) = archive.ids()
    (tmp_path / run / "pages").mkdir()
    (tmp_path / run / "pages" / "suite.html").write_text("a report")
    kept = (tmp_path / run / "run.json").read_bytes()
    compact_archive(archive, keep=0)
    (pack,) = (tmp_path / "packs").iterdir()

    with zipfile.ZipFile(pack / ZIP) as packed:
        assert kept == packed.read(f"{run}/run.json")
        assert b"a report" == packed.read(f"{run}/pages/suite.html")
        names = set(packed.namelist())
    assert {f"{run}/{n}" for n in ("run.json", "complete.json", "pages/suite.html")} == names
    assert set(PACK_FILES) == {path.name for path in pack.iterdir()}


def test_small_packs_join_larger_ones(near: str):
    """A compaction a day leaves few packs, not one a day, and nothing twice."""
    archive = Archive(near)
    for day in range(16):
        archive.save(dated_run(day))
        compact_archive(archive, keep=0)

    assert 16 == len(archive.ids()) == len(archive.query(SAMPLES))
    assert 5 >= len(archive.packs.storage.folders(*PACK_FILES))
    assert {} == archive.faults()


def test_damaged_runs_are_not_packed(tmp_path: Path):
    """Damaged runs stay in their folders, and are named with the file."""
    archive = archive_of(tmp_path, [dated_run(day) for day in range(3)])
    first, second, third = archive.ids()
    (tmp_path / first / "samples.parquet").write_bytes(b"damaged")
    (tmp_path / second / "elsewhere").symlink_to("/etc/passwd")

    done = compact_archive(archive, keep=0)

    assert (third,) == done.packed
    assert f"{first}/samples.parquet has changed since it was written" in done.left_out[first]
    assert f"{second}/elsewhere is a link or device" in done.left_out[second]
    assert (tmp_path / first).is_dir()


def test_what_a_killed_compaction_left_is_put_in_order(tmp_path: Path):
    """A run both packed and in its folder counts once, and half a pack counts for nothing."""
    runs = [dated_run(day) for day in range(3)]
    archive = archive_of(tmp_path, runs)
    compact_archive(archive, keep=0)
    for run in runs[:2]:
        other = archive_of(tmp_path / "other", [run])
        (other.folder / run.id).rename(tmp_path / run.id)
    shutil.rmtree(tmp_path / "other")
    (tmp_path / "packs" / ".new-1234").mkdir()
    (tmp_path / "packs" / "no-manifest").mkdir()
    (tmp_path / ".removed-1234").mkdir()

    assert [run.id for run in runs] == archive.ids()
    assert 3 == len(archive.query(SAMPLES))
    compact_archive(archive, keep=0)
    assert {"packs"} == {path.name for path in tmp_path.glob("[!.]*")}
    assert runs == list(Archive(tmp_path).readable_runs())


@pytest.mark.parametrize("name", [ZIP, TABLE, MANIFEST])
def test_a_damaged_pack_is_named(tmp_path: Path, name: str):
    """Damage to any file of a pack is reported by verify, or harmless; nothing wrong is loaded."""
    run = dated_run(0)
    archive = archive_of(tmp_path, [run])
    compact_archive(archive, keep=0)
    (path,) = tmp_path.glob(f"packs/*/{name}")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    again = Archive(tmp_path)

    actual = [fault for faults in again.faults().values() for fault in faults]
    try:
        loaded = [again.load()]
    except (CorruptFileError, UnknownRunError):
        loaded = []
    assert loaded in ([], [run])
    assert any(name in fault for fault in actual) or (name == MANIFEST and loaded)


@pytest.mark.parametrize("run_id", ["../outside", "a/b", ".hidden", "", "packs", "a\0b", "x" * 256])
def test_no_pack_leads_out_of_the_archive(near: str, run_id: str):
    """A manifest from elsewhere that names paths is no pack."""
    manifest = {"runs": {run_id: 1}, "sha256": {}, "format": 1}
    Archive(near).packs.storage.write(f"hostile/{MANIFEST}", msgspec.json.encode(manifest))

    assert [] == Archive(near).ids()
    with pytest.raises((UsageError, UnknownRunError)):
        Archive(near).load(run_id)


def test_a_bomb_in_a_pack_is_not_unpacked(near: str):
    """A zip member that claims to be too large is refused unread."""
    archive = archive_of(near, [dated_run(0)])
    (run,) = archive.ids()
    compact_archive(archive, keep=0)
    (pack,) = archive.packs.names()
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        with packed.open(f"{run}/run.json", "w") as member:
            for _ in range(257):
                member.write(bytes(1 << 20))
        packed.writestr(f"{run}/complete.json", "{}")
    archive.packs.storage.write(f"{pack}/{ZIP}", bomb.getvalue())

    with pytest.raises(CorruptFileError, match=r"run\.json is larger|complete\.json"):
        Archive(near).read(run)


def test_a_newer_pack_stands_for_those_that_it_replaces(near: str):
    """Packs that a new pack replaces no longer count once it exists."""
    archive = archive_of(near, [dated_run(0), dated_run(1)])
    _, second = archive.ids()
    compact_archive(archive, keep=0)
    (old,) = archive.packs.names()
    manifest = {"runs": {second: 1}, "sha256": {}, "replaces": [old], "format": 1}
    archive.packs.storage.write(f"newer/{MANIFEST}", msgspec.json.encode(manifest))

    assert [second] == Archive(near).ids()


def test_a_copy_put_back_counts_where_the_pack_is_damaged(tmp_path: Path):
    """As verify advises: the run is readable again, and no compaction takes the copy away."""
    runs = [dated_run(day) for day in range(2)]
    archive = archive_of(tmp_path / "runs", runs)
    copy = archive_of(tmp_path / "copy", runs[:1])
    compact_archive(archive, keep=0)
    (path,) = archive.folder.glob(f"packs/*/{ZIP}")
    path.write_bytes(b"damaged")
    assert runs[0].id in Archive(archive.folder).faults()

    (copy.folder / runs[0].id).rename(archive.folder / runs[0].id)

    compact_archive(Archive(archive.folder), keep=0)
    assert runs[:1] == list(Archive(archive.folder).readable_runs())
    assert runs[0].id not in Archive(archive.folder).faults()


def test_an_id_is_taken_where_its_run_is_packed(near: str):
    """A run with the id of a packed run can't be begun."""
    archive = archive_of(near, [dated_run(0)])
    compact_archive(archive, keep=0)

    with pytest.raises(UsageError, match="already"):
        archive.begin(dated_run(0))


def test_a_damaged_pack_does_not_hold_up_the_others(tmp_path: Path):
    """New runs are packed beside it."""
    archive = archive_of(tmp_path, [dated_run(0)])
    compact_archive(archive, keep=0)
    (path,) = tmp_path.glob(f"packs/*/{ZIP}")
    path.write_bytes(b"damaged")
    archive.save(dated_run(1))

    compact_archive(Archive(tmp_path), keep=0)

    assert [dated_run(1)] == list(Archive(tmp_path).readable_runs())
    assert path.exists()
    assert {"packs"} == {folder.name for folder in tmp_path.glob("[!.]*")}
