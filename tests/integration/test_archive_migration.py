"""A migration of an archive of the first version, killed again and again."""

from pathlib import Path

import pytest

from benchmarks.archive_migration import age_archive, killed_and_compared
from benchmarks.generated_archive import generate
from veperf.archive.migration import migrate_archive
from veperf.archive.store import Archive

pytestmark = pytest.mark.slow


def test_a_migration_that_is_killed_ends_like_one_that_is_not(tmp_path: Path) -> None:
    """Whenever it is killed; what it wrote before is what it would have written."""
    older = tmp_path / "older"
    generate(older, runs=120, cases=2)
    stamps = Archive(older).completion_stamps()
    (figures,) = (path.read_bytes() for path in older.glob("packs/*/figures.parquet"))
    age_archive(older)

    killed_and_compared(tmp_path, kills=6)

    killed = Archive(tmp_path / "killed")
    assert stamps == killed.completion_stamps()
    assert [figures] == [
        path.read_bytes() for path in killed.folder.glob("packs/*/figures.parquet")
    ]
    assert not any(step.is_changed for step in migrate_archive(killed))
