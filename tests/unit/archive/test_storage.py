"""Local and remote storages behave the same."""

import contextlib
import errno
import fcntl
import os
import stat
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.object_store import bucket
from veperf.archive.storage.local import LocalStorage
from veperf.archive.storage.lock import FolderLock
from veperf.archive.storage.open import local_folder, open_storage, path_or_url
from veperf.core.errors import CorruptFileError, StorageError, UsageError


class Lost(FolderLock):
    """A lock that its owner could not renew."""

    def check(self) -> None:
        raise StorageError(errno.ESTALE, "lost")


def test_files_come_back_as_they_were_put(place: str):
    """Read, written over, listed without what begins with a dot, deleted, and missing by name."""
    storage = open_storage(place)
    storage.write("run/a.json", b"old")
    storage.write("run/a.json", b"new")
    storage.write("run/pages/b.html", b"")
    storage.write("run/.c", b"hidden")

    assert b"" == storage.read("run/pages/b.html")
    assert b"new" == storage.read("run/a.json") == storage.at("run").read("a.json")
    assert ["a.json", "pages/b.html"] == storage.at("run").names()
    assert (True, False) == (storage.has("run/a.json"), storage.has("run/none"))
    assert (True, False) == (storage.folder_has("run", "a.json"), storage.folder_has("run", "none"))
    storage.delete(["run/a.json", "run/none"])
    with pytest.raises(CorruptFileError, match=r"can't read .*run/a\.json"):
        storage.read("run/a.json")


def test_folders_are_found_by_what_they_hold(place: str):
    """Folders are listed with the time of the file; folders without one are left out."""
    storage = open_storage(place)
    for name in ("a/run.json", "a/complete.json", "b/run.json", "c/other", "top.json"):
        storage.write(name, b"{}")

    actual = storage.folders("run.json", "complete.json")

    assert {"a": {"run.json", "complete.json"}, "b": {"run.json"}} == {
        folder: set(written) for folder, written in actual.items()
    }
    assert all(ns > 1_700_000_000 * 10**9 for written in actual.values() for ns in written.values())
    assert {} == open_storage(place).at("nothing").folders("run.json")


def test_what_is_not_there_holds_nothing(place: str):
    """Reading an empty storage is not an error."""
    storage = open_storage(place).at("none")

    assert (False, {}, {}) == (storage.exists(), storage.folders("x"), storage.foreign_entries())
    storage.remove("either")
    storage.remove_leftovers()


def test_a_filled_folder_is_there_at_once_or_never(place: str):
    """A new folder does not appear while it is filled, nor if that fails or the lock is lost."""
    storage = open_storage(place)
    storage.require_writable()
    with storage.lock() as lock:
        with storage.new_folder("pack", lock) as new:
            (new / "pack.json").write_text("{}")
            assert {} == storage.folders("pack.json")
        with contextlib.suppress(ZeroDivisionError), storage.new_folder("other", lock) as new:
            (new / "pack.json").write_text(f"{1 / 0}")
    with pytest.raises(StorageError, match="lost"), storage.new_folder("late", Lost(-1)) as new:
        (new / "pack.json").write_text("{}")

    assert ["pack"] == list(storage.folders("pack.json"))
    assert b"{}" == storage.read("pack/pack.json")


def test_a_removed_folder_is_gone(place: str):
    """A removed folder is gone with all its files; others stay."""
    storage = open_storage(place)
    for name in ("a/run.json", "a/pages/x.html", "ab/run.json"):
        storage.write(name, b"{}")

    storage.remove("a")

    assert ["ab"] == list(storage.folders("run.json"))
    assert not storage.has("a/pages/x.html")


@pytest.mark.parametrize("elsewhere", ["memory", "s3"])
def test_a_removal_that_was_cut_off_hides_the_folder(elsewhere: str, request, tmp_path):
    """Leftovers of a killed process are invisible, and `remove_leftovers` deletes them."""
    url = request.getfixturevalue("s3_url") if elsewhere == "s3" else f"memory://{tmp_path.name}"
    storage = open_storage(url)
    for name in ("a/run.json", "a/complete.json", "b/run.json"):
        storage.write(name, b"{}")
    storage.write("a/.hidden", b"")

    assert (["b"], []) == (list(storage.folders("run.json")), storage.at("a").names())
    assert not storage.folder_has("a", "run.json")
    storage.remove_leftovers()
    assert (False, True) == (storage.has("a/run.json"), storage.has("b/run.json"))
    assert not storage.has("a/.hidden")


def test_large_files_are_read_piece_by_piece(place: str, tmp_path: Path):
    """A zip opens where it lies, and says what was put in."""
    path = tmp_path / "local.zip"
    data = bytes(range(256)) * 20_000
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a", data)
        packed.writestr("b", b"small")
    storage = open_storage(place)
    storage.write("x/runs.zip", path.read_bytes())

    with storage.open("x/runs.zip") as file, zipfile.ZipFile(file) as packed:
        assert (["a", "b"], b"small") == (packed.namelist(), packed.read("b"))
        assert data == packed.read("a")
    with pytest.raises((OSError, CorruptFileError)):
        storage.open("x/none.zip").read()


def test_one_holds_the_lock_and_the_next_gets_it(place: str):
    """`try_lock` returns None while the lock is held; `lock` waits for its release."""
    storage = open_storage(place)
    storage.require_writable()
    got = threading.Event()

    def wait() -> None:
        with open_storage(place).lock():
            got.set()

    with storage.lock() as lock:
        assert open_storage(place).try_lock() is None
        lock.check()
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not got.wait(0.3)
    waiting.join(60)
    assert got.is_set()
    again = storage.try_lock()
    assert again is not None
    again.release()
    assert {} == storage.folders("x")


def test_the_same_place_is_known_as_such(place: str):
    """A place is the same when it is written in another way."""
    storage = open_storage(place)

    assert storage.is_same(open_storage(f"{place}/"))
    assert not storage.is_same(storage.at("below"))


def test_a_place_on_this_machine_is_a_path(tmp_path: Path, s3_url: str):
    """A local place is a path; a remote one is a URL as text."""
    assert tmp_path / "a" == path_or_url(LocalStorage(tmp_path), "a")
    assert f"{s3_url}/a" == path_or_url(open_storage(s3_url), "a")
    assert tmp_path == local_folder(open_storage(f"file://{tmp_path}"))
    with pytest.raises(UsageError, match="is not a folder of this machine"):
        local_folder(open_storage(s3_url))


def test_keys_that_are_no_paths_are_named_and_not_followed(s3_url: str, tmp_path: Path):
    """`..`, empty names, and a folder's own object: no reader takes them for files."""
    name, _, prefix = s3_url.removeprefix("s3://").partition("/")
    filesystem = bucket()
    for key in ("../evil", "run//run.json", "./run.json", "run/../../x/run.json", "folder/"):
        filesystem.call_s3("put_object", Bucket=name, Key=f"{prefix}/{key}", Body=b"{}")
    filesystem.call_s3("put_object", Bucket=name, Key=f"{prefix}-beside/run.json", Body=b"{}")
    storage = open_storage(s3_url)

    assert ({}, []) == (storage.folders("run.json"), storage.names())
    assert {"../evil", "run//run.json", "./run.json", "run/../../x/run.json"} == (
        storage.foreign_entries().keys()
    )
    for bad in ("../ours-beside/run.json", "run//run.json", "", "a/./b", "a\0b"):
        with pytest.raises(CorruptFileError, match="no file"):
            storage.read(bad)


def test_a_bucket_that_is_not_there_is_an_error(s3_url: str):
    """And no empty archive."""
    storage = open_storage(s3_url.replace("runs-", "none-"))

    for ask in (
        lambda: storage.folders("x"),
        lambda: storage.read("x"),
        lambda: storage.write("x", b""),
        storage.require_writable,
        storage.lock,
    ):
        with pytest.raises(StorageError, match="no such bucket"):
            ask()


def test_a_long_wait_for_a_folder_s_lock_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A long wait is reported while it lasts; an immediate lock is not."""
    monkeypatch.setattr("veperf.archive.storage.lock.PATIENCE_S", 0.05)
    notices: list[str] = []
    one_more = threading.Event()

    def tell(line: str) -> None:
        notices.append(line)
        one_more.set()

    storage = open_storage(str(tmp_path), tell)
    with ThreadPoolExecutor(1) as pool:
        with storage.lock():
            waiting = pool.submit(storage.lock)
            assert one_more.wait(60)
            assert not waiting.done()
        waiting.result(60).release()
    assert [f"waiting for another process that holds the lock of {tmp_path}"] == notices


def test_folders_on_nfs_are_locked_by_a_file_in_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """There, only what is open for writing can be locked: a folder never is."""
    flock = fcntl.flock

    def flock_of_nfs(handle: int, operation: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        flock(handle, operation)

    monkeypatch.setattr("veperf.archive.storage.lock.fcntl.flock", flock_of_nfs)
    storage = open_storage(str(tmp_path))
    with storage.lock():
        assert storage.try_lock() is None
    with storage.lock():
        assert [] == storage.names()
    (tmp_path / ".lock").unlink()
    (tmp_path / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        storage.lock()
    assert not (tmp_path / "elsewhere").exists()
