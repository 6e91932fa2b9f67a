"""Files are written atomically, and refused when damaged."""

import errno
import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.archive import files
from veperf.core.baseline import BASELINE_FORMAT, Baseline
from veperf.core.errors import CorruptFileError, NewerFormatError, StorageError, VeperfError
from veperf.core.json_text import nesting_depth
from veperf.core.target import TargetSet


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(tmp_path: Path, monkeypatch):
    """A full disk leaves the old file untouched."""
    path = tmp_path / "run.json"
    files.write_file(path, b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match=r"run\.json: the disk is full") as caught:
        files.write_file(path, b"new")

    assert b"old" == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())
    assert 3 == caught.value.exit_code


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path):
    """The message says which path can't be written and what to do."""
    (tmp_path / "reports").write_text("a file")

    with pytest.raises(StorageError, match=r"can't write .*choose another folder"):
        files.write_file(tmp_path / "reports" / "run" / "run.json", b"")


def test_a_newer_format_is_said_to_be_newer(tmp_path: Path):
    """A file from a later version is not called corrupt, even if its fields have changed."""
    path = tmp_path / "transaction.json"
    path.write_text(f'{{"format": {BASELINE_FORMAT + 1}, "shape": "unknown"}}')

    with pytest.raises(NewerFormatError, match=r"transaction\.json has format 2.*update veperf"):
        files.read_json(path, Baseline, newest_format=BASELINE_FORMAT)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"version": 1}',
        b"null",
        b"[" * 200_000,
        b'{"format": 1e999}',
    ],
    ids=["empty", "cut off", "a list", "no UTF-8", "wrong type", "null", "deep", "huge"],
)
def test_a_corrupt_file_is_named_with_what_is_wrong(tmp_path: Path, content: bytes):
    """Any damage gives veperf's own error with the file name and exit code 2."""
    path = tmp_path / "targets.json"
    path.write_bytes(content)

    with pytest.raises(CorruptFileError, match=r"targets\.json") as caught:
        files.read_json(path, TargetSet, newest_format=1)

    assert 2 == caught.value.exit_code


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_our_errors(tmp_path_factory, content: bytes):
    """Random bytes are refused, never a crash."""
    path = tmp_path_factory.getbasetemp() / "random.json"
    path.write_bytes(content)

    with pytest.raises(VeperfError):
        files.read_json(path, TargetSet, newest_format=1)


def _nesting(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_nesting, value.values()), default=0)
    return 1 + max(map(_nesting, value), default=0) if isinstance(value, list) else 0


@given(
    st.recursive(
        st.none() | st.text(alphabet='[]{}"\\a,:'),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet='[]{}"\\'), inner),
    )
)
def test_depth_is_what_a_decoder_would_descend(value: object):
    """Brackets, quotes and backslashes in strings don't count."""
    assert _nesting(value) == nesting_depth(json.dumps(value).encode())


def test_depth_is_refused_whatever_the_recursion_limit(tmp_path: Path):
    """Where somebody raised the limit, deep nesting would end the process: no decoder sees it."""
    path = tmp_path / "targets.json"
    path.write_bytes(b'{"format": 1, "unknown": ' + b'{"a":[' * 50_000)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    try:
        with pytest.raises(CorruptFileError, match="nests deeper"):
            files.read_json(path, TargetSet, newest_format=1)
    finally:
        sys.setrecursionlimit(limit)


def test_only_regular_files_of_our_size_are_read(tmp_path: Path):
    """A pipe, a folder and a device that never ends are refused at once, and so is a huge file."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zeros").symlink_to("/dev/zero")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(files.MAX_FILE_BYTES + 1)

    for name, notices in (
        ("pipe", "not a regular"),
        ("zeros", "not a regular"),
        (".", "not a regular"),
        ("huge", "more than any file"),
        ("none", "No such file"),
    ):
        with pytest.raises(CorruptFileError, match=notices):
            files.read_file(tmp_path / name)


def test_a_pipe_is_written_not_replaced(tmp_path: Path) -> None:
    """Such as that of a shell's `>(...)`, or a device."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        files.require_writable_file(path)
        files.write_file(path, b"content")
        assert b"content" == os.read(reader, 100)
    finally:
        os.close(reader)
    assert path.is_fifo()


def test_a_file_is_written_to_a_folder_that_is_there(tmp_path: Path) -> None:
    """None is made for what a user may have mistyped, and no file either."""
    files.require_writable_file(tmp_path / "file")
    with pytest.raises(StorageError, match=r"there is no folder .*/none"):
        files.require_writable_file(tmp_path / "none" / "file")
    assert [] == list(tmp_path.iterdir())
