"""Archives of earlier versions are read, and brought up to date."""

import shutil
from pathlib import Path

import pytest

from tests.faults.full_disk import failing_calls
from veperf.archive.baselines import load_baselines, load_retired
from veperf.archive.comparisons import read_ab
from veperf.archive.migration import migrate_archive
from veperf.archive.store import Archive
from veperf.archive.version_noise import read_version_noise
from veperf.core.baseline import BASELINE_FORMAT
from veperf.core.errors import CorruptFileError, StorageError, UnknownRunError
from veperf.core.run import RUN_FORMAT

FORMATS = Path(__file__).parents[2] / "vectors" / "formats"
OF_EACH = sorted(path.name for path in FORMATS.iterdir())
CHANGED = 4
"""A loose run, a pack, a comparison and a record of noise."""


def test_there_is_an_archive_of_every_format():
    """Whoever makes a format keeps an archive of the one before."""
    assert {str(n) for n in range(1, max(RUN_FORMAT, BASELINE_FORMAT) + 1)} == set(OF_EACH)


@pytest.fixture(params=OF_EACH)
def older(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the archive that a version of that format wrote."""
    shutil.copytree(FORMATS / request.param, tmp_path / "older")
    return tmp_path / "older"


def _require_whole(folder: Path) -> None:
    archive = Archive(folder)
    ids = [f"2026010{n}-box" for n in (1, 2, 3)]
    assert {} == archive.faults()
    assert ids == archive.ids() == [run.id for run in archive.readable_runs()]
    assert ["20260104-box"] == archive.incomplete_ids()
    with archive.resume("last") as writer:
        assert [1, 2] == writer.missing()
    assert ids[-1] == archive.load().id
    assert [12, 12, 12] == archive.query("SELECT count(*) AS n FROM samples GROUP BY run")[
        "n"
    ].tolist()
    assert "20261123-120000-abc1234-0123" == read_ab(folder).id
    noise = read_version_noise(archive.storage, "box-4c")
    assert noise is not None
    assert 12 == noise.overall.comparisons
    (recorded,) = load_baselines(folder / "baselines", ["demo"])
    (retired,) = load_retired(folder / "baselines", ["demo"])
    assert (ids[1], ids[0]) == (recorded.run, retired.baseline.run)


def test_an_archive_of_each_format_opens_as_it_is(older: Path):
    """Runs, loose, packed and unfinished, comparisons, noise and baselines: nothing is missing."""
    _require_whole(older)


def test_a_migration_may_be_stopped_anywhere_and_repeated(older: Path, tmp_path: Path):
    """It goes on with what is left, changes nothing the second time, and loses nothing."""
    for allowed in range(200):
        folder = tmp_path / "copy"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(older, folder)
        try:
            with failing_calls(allowed, 5):
                list(migrate_archive(Archive(folder)))
            is_stopped = False
        except StorageError:
            is_stopped = True
        _require_whole(folder)
        steps = list(migrate_archive(Archive(folder)))
        assert (CHANGED, 0) == (len(steps), sum(bool(step.fault) for step in steps))
        assert not any(step.is_changed for step in migrate_archive(Archive(folder)))
        _require_whole(folder)
        if not is_stopped:
            assert not any(step.is_changed for step in steps)
            return
    pytest.fail("it never came to an end")


def test_what_is_damaged_stays_as_it_is(older: Path):
    """And is named; the others are brought up to date."""
    path = older / "20260103-box" / "run.json"
    path.write_bytes(path.read_bytes()[:-9])
    manifest = path.with_name("complete.json").read_bytes()

    steps = list(migrate_archive(Archive(older)))

    assert [True] == ["checksum differs" in step.fault for step in steps if step.fault]
    assert CHANGED - 1 == sum(step.is_changed for step in steps)
    assert manifest == path.with_name("complete.json").read_bytes()
    with pytest.raises(CorruptFileError):
        Archive(older).load("20260103-box")


def test_there_is_nothing_to_migrate_where_there_is_nothing(tmp_path: Path):
    """A wrong name is an error."""
    with pytest.raises(UnknownRunError, match="no archive"):
        list(migrate_archive(Archive(tmp_path / "none")))
