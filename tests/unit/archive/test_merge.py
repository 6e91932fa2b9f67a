"""Runs of another archive are merged one by one, each checked first."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.support.archives import archive_of, dated_run, stepped
from veperf.archive.compaction import compact_archive
from veperf.archive.files import checksum
from veperf.archive.merge import ALREADY_PRESENT, merge_runs
from veperf.archive.store import Archive
from veperf.core.errors import UsageError
from veperf.core.run import Pass, Run, Sample


def test_runs_come_over_as_they_were(place: str):
    """Packed and unpacked runs are merged unchanged, intact, and only once."""
    runs = stepped(4, step_at=2)
    other = archive_of(f"{place}/other", runs)
    compact_archive(other, keep=2)
    archive = archive_of(f"{place}/mine", runs[:1])

    first = list(merge_runs(archive, other))
    again = list(merge_runs(archive, other))

    assert [ALREADY_PRESENT, "", "", ""] == [item.skipped for item in first]
    assert [ALREADY_PRESENT] * 4 == [item.skipped for item in again]
    assert runs == sorted(archive.readable_runs(), key=lambda run: run.id)
    assert {} == archive.faults()
    assert 4 == len(archive.query("SELECT DISTINCT run FROM samples"))


def _cut(folder: Path) -> None:
    path = folder / "run.json"
    path.write_bytes(path.read_bytes()[:-20])


def _forge(folder: Path, change: Callable[[Run], Run]) -> None:
    """Another run.json, its checksum put right."""
    run = change(msgspec.json.decode((folder / "run.json").read_bytes(), type=Run))
    _write(folder, msgspec.json.encode(run))


def _write(folder: Path, data: bytes) -> None:
    complete = {"run": "x", "completed": "now", "sha256": {"run.json": checksum(data)}, "format": 1}
    (folder / "run.json").write_bytes(data)
    (folder / "complete.json").write_bytes(msgspec.json.encode(complete))


def _other_id(folder: Path) -> None:
    _forge(folder, lambda run: msgspec.structs.replace(run, id="../../outside"))


def _beyond_64_bits(folder: Path) -> None:
    def change(run: Run) -> Run:
        first: Pass = run.passes[0]
        result = msgspec.structs.replace(first.results[0], samples=(Sample(10**30, 10**30, 0),))
        created = msgspec.structs.replace(first, results=(result,))
        return msgspec.structs.replace(run, passes=(created,))

    _forge(folder, change)


def _link(folder: Path) -> None:
    data = folder.parent.parent / "elsewhere.json"
    (folder / "run.json").rename(data)
    (folder / "run.json").symlink_to(data)


def _pipe(folder: Path) -> None:
    (folder / "run.json").unlink()
    os.mkfifo(folder / "run.json")


def _device(folder: Path) -> None:
    (folder / "run.json").unlink()
    (folder / "run.json").symlink_to("/dev/zero")


def _huge(folder: Path) -> None:
    with (folder / "run.json").open("r+b") as file:
        file.truncate(1 << 40)


def _deep(folder: Path) -> None:
    _write(folder, b'{"id": ' + b"[" * 100_000)


def _unfinished(folder: Path) -> None:
    (folder / "complete.json").unlink()


def _link_to_folder(folder: Path) -> None:
    moved = folder.parent.parent / "moved"
    folder.rename(moved)
    folder.symlink_to(moved)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_cut, "checksum differs"),
        (_other_id, "holds run"),
        (_beyond_64_bits, "64 bits|valid Run"),
        (_link, "symbolic link|leads out"),
        (_pipe, "not a regular file"),
        (_device, "symbolic link|leads out"),
        (_huge, "more than any file"),
        (_deep, "nests deeper"),
        (_unfinished, "not finished"),
        (_link_to_folder, "symbolic link"),
    ],
)
def test_what_is_damaged_or_hostile_is_skipped_with_a_word(
    tmp_path: Path, damage: Callable[[Path], None], told: str
):
    """Damaged runs are skipped with a reason, and leave nothing behind."""
    runs = [dated_run(day) for day in range(3)]
    other = archive_of(tmp_path / "theirs", runs)
    damage(other.folder / runs[1].id)
    archive = Archive(tmp_path / "mine")

    actual = {item.run: item.skipped for item in merge_runs(archive, other)}

    assert {run.id for run in runs} == actual.keys()
    assert [runs[0], runs[2]] == list(archive.readable_runs())
    assert any(word in actual[runs[1].id] for word in told.split("|")), actual
    assert {runs[0].id, runs[2].id} == {path.name for path in archive.folder.glob("[!.]*")}


def test_an_archive_does_not_take_itself_over(near: str):
    """An archive can't be merged with itself, nor with a folder that does not exist."""
    archive = archive_of(near, [dated_run(0)])

    for other in (near, f"{near}/none"):
        with pytest.raises(UsageError):
            list(merge_runs(archive, Archive(other)))
