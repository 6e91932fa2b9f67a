"""The record of between-version noise is read back as written; damaged ones are refused."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from veperf.archive.storage.local import LocalStorage
from veperf.archive.storage.open import open_storage
from veperf.archive.store import Archive
from veperf.archive.version_noise import FOLDER, read_version_noise, save_version_noise
from veperf.core.errors import CorruptFileError, DataError, NewerFormatError, UsageError
from veperf.core.run import Machine
from veperf.core.version_noise import KindNoise, VersionNoise

MACHINE = Machine("box-4c", "Box 9000", 4, 16 << 30, "Linux 6.1", "CPython 3.11.7")
NOISE = VersionNoise(
    measured="2026-11-30T12:00:00+00:00",
    machine=MACHINE,
    overall=KindNoise("", 0.004, 0.001, 0.009, 0.95, 12),
    kinds=(
        KindNoise("sham/sorting", 0.006, 0.0, 0.02, 0.95, 6),
        KindNoise("sham/hashing", 0.0, 0.0, 0.01, 0.95, 6),
    ),
)


def test_the_latest_record_of_a_machine_class_comes_back(place: str) -> None:
    """Each class has its own, the newest battery replaces an older one; none is none."""
    archive = open_storage(place)
    other = replace(NOISE, machine=replace(MACHINE, name="box-8c"))
    assert read_version_noise(archive, "box-4c") is None

    where = save_version_noise(archive, replace(NOISE, measured="2026-11-29T12:00:00+00:00"))
    save_version_noise(archive, other)
    assert where == save_version_noise(archive, NOISE)

    assert "box-4c.json" in where
    assert (NOISE, other) == (
        read_version_noise(archive, "box-4c"),
        read_version_noise(archive, "box-8c"),
    )


def test_a_record_is_no_run(near: str) -> None:
    """Neither listed nor called a fault."""
    save_version_noise(open_storage(near), NOISE)

    archive = Archive(near)
    assert ([], [], {}) == (archive.ids(), archive.incomplete_ids(), archive.faults())


def test_a_small_battery_does_not_replace_a_large_one(near: str) -> None:
    """Its record would say less; an equally large one is the later truth."""
    archive = open_storage(near)
    small = replace(NOISE, overall=replace(NOISE.overall, comparisons=1))
    save_version_noise(archive, NOISE)

    assert "" == save_version_noise(archive, small)
    assert NOISE == read_version_noise(archive, MACHINE.name)
    assert save_version_noise(archive, replace(NOISE, measured="2026-12-01T00:00:00+00:00"))


def test_only_noise_that_is_surely_more_than_none_is_added() -> None:
    """The lower end decides."""
    assert 0.004 == NOISE.overall.added
    assert [0.0, 0.0] == [kind.added for kind in NOISE.kinds]


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [
        ('"format": 1', '"format": 2', NewerFormatError),
        ('"deviation": 0.004', '"deviation": -0.004', CorruptFileError),
        ('"deviation": 0.004', '"deviation": 1e999', CorruptFileError),
        ('"deviation": 0.004', '"deviation": NaN', CorruptFileError),
        ('"deviation": 0.004', '"deviation": "much"', CorruptFileError),
        ('"deviation": 0.004', '"deviation": 11', CorruptFileError),
        ('"low": 0.001', '"low": 0.005', CorruptFileError),
        ('"high": 0.02', '"high": 0.002', CorruptFileError),
        ('"confidence": 0.95', '"confidence": 1.0', CorruptFileError),
        ('"name": "box-4c"', '"name": "box-8c"', CorruptFileError),
        ('"overall"', '"general"', CorruptFileError),
        ("}", "", CorruptFileError),
    ],
)
def test_a_damaged_record_is_refused(
    tmp_path: Path, before: str, after: str, error: type[DataError]
) -> None:
    """With its path, and what to do."""
    path = Path(save_version_noise(LocalStorage(tmp_path), NOISE))
    content = path.read_text()
    assert before in content
    path.write_text(content.replace(before, after))

    with pytest.raises(error, match="box-4c"):
        read_version_noise(LocalStorage(tmp_path), "box-4c")


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A record elsewhere is not read through a link."""
    elsewhere = Path(save_version_noise(LocalStorage(tmp_path / "elsewhere"), NOISE))
    folder = tmp_path / "archive" / FOLDER
    folder.mkdir(parents=True)
    (folder / elsewhere.name).symlink_to(elsewhere)

    with pytest.raises(CorruptFileError):
        read_version_noise(LocalStorage(tmp_path / "archive"), "box-4c")


@pytest.mark.parametrize("name", ["", "../box", ".box", "a/b", "box\n"])
def test_a_machine_class_that_is_no_file_name_is_refused(tmp_path: Path, name: str) -> None:
    """Before anything is read or written."""
    storage = LocalStorage(tmp_path)

    with pytest.raises(UsageError, match="machine class"):
        read_version_noise(storage, name)
    with pytest.raises(UsageError, match="machine class"):
        save_version_noise(storage, replace(NOISE, machine=replace(MACHINE, name=name)))
    assert [] == list(tmp_path.iterdir())
