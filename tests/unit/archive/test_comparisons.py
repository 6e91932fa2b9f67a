"""Comparisons in the archive are read back as written; damaged ones are refused."""

from pathlib import Path

import msgspec
import pytest

from tests.support.ab_runs import ab_run, change
from veperf.archive.comparisons import ab_ids, read_ab, save_ab
from veperf.archive.store import Archive
from veperf.core.errors import CorruptFileError, NewerFormatError, UnknownRunError, UsageError
from veperf.core.verdict import ChangeStatus

FOUND = ab_run(change("mine/work", ChangeStatus.OK), change("mine/other", ChangeStatus.ONE_SIDED))


def test_a_comparison_comes_back_as_it_was(tmp_path: Path) -> None:
    """By `last`, by its id, by its folder's name and by the beginning of its id."""
    folder = Path(save_ab(tmp_path, FOUND))

    for name in ("last", FOUND.id, folder.name, FOUND.id[:8]):
        assert FOUND == read_ab(tmp_path, name)
    assert [FOUND.id] == ab_ids(tmp_path)


def test_comparisons_are_no_runs(near: str) -> None:
    """The archive of runs does not list them, whole or not."""
    save_ab(near, FOUND)

    assert ([], []) == (Archive(near).ids(), Archive(near).incomplete_ids())


def test_a_comparison_is_written_once(near: str) -> None:
    """An existing comparison is never overwritten."""
    save_ab(near, FOUND)

    with pytest.raises(UsageError, match="already"):
        save_ab(near, FOUND)


def test_a_name_that_is_not_one_comparison_s_is_refused(place: str) -> None:
    """Unknown, ambiguous and empty names and paths are refused."""
    for end in ("a", "b"):
        save_ab(place, msgspec.structs.replace(FOUND, id=f"20261123-{end}"))

    for name in ("2027", "20261123", "", "../20261123-a", "ab-"):
        with pytest.raises(UnknownRunError):
            read_ab(place, name)
    with pytest.raises(UnknownRunError, match="holds 0"):
        read_ab(f"{place}/empty")


@pytest.mark.parametrize(
    ("before", "after", "error"),
    [
        (b'"format": 1', b'"format": 2', NewerFormatError),
        (b'"status": "ok"', b'"status": "fine"', CorruptFileError),
        (b'"loops": 100', b'"loops": "many"', CorruptFileError),
        (b'{\n "id": "20261123', b'{\n "id": "20271123', CorruptFileError),
        (b"}", b"", CorruptFileError),
    ],
)
def test_a_file_that_is_something_else_is_refused(
    tmp_path: Path, before: bytes, after: bytes, error: type[Exception]
) -> None:
    """Comparisons of a newer format, of other types, of another id, or cut off are refused."""
    path = Path(save_ab(tmp_path, FOUND)) / "ab.json"
    content = path.read_bytes()
    assert before in content
    path.write_bytes(content.replace(before, after, 1))

    with pytest.raises(error):
        read_ab(tmp_path)
