"""Damage on disk is detected."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest
from msgspec import msgpack

from tests.support.stores import damage, dump, make_store, root_in_memory
from veperf.core.errors import CorruptFileError, DataError, NewerFormatError, StorageError
from veperf.workloads.transaction import records, store_folder
from veperf.workloads.transaction.tree_store import Store


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    """Make a store with five versions."""
    return make_store(tmp_path / "state", 5)


def key_of(kind: bytes, version: int) -> bytes:
    return kind + version.to_bytes(8, "big")


def first_slice(transaction: lmdb.Transaction) -> tuple[bytes, bytes]:
    """Return the record of the oldest snapshot's first slice."""
    cursor = transaction.cursor()
    assert cursor.set_range(key_of(b"n", 0))
    return bytes(cursor.key()), bytes(cursor.value())


def change_commit(
    place: int, change: Callable[[bytes], object]
) -> Callable[[lmdb.Transaction], object]:
    """Return a change of a field of the last commit: app hash, root hash, change set."""

    def apply(transaction: lmdb.Transaction) -> None:
        app_hash, (root_hash,), (changes,) = msgpack.decode(transaction.get(key_of(b"c", 5), b""))
        fields: list[object] = [app_hash, [root_hash], [changes]]
        fields[place] = change((app_hash, root_hash, changes)[place])
        transaction.put(key_of(b"c", 5), msgpack.encode(fields))

    return apply


@pytest.mark.parametrize(
    "change",
    [
        change_commit(0, lambda _: bytes(32)),
        change_commit(1, lambda _: [bytes(32)]),
        change_commit(1, lambda root_hash: [root_hash[:-1]]),
        change_commit(1, lambda root_hash: [root_hash, root_hash]),
        change_commit(1, lambda _: b"?"),
        change_commit(2, lambda changes: [changes[:-1] + b"!"]),
        change_commit(2, lambda changes: [changes[:-1]]),
        change_commit(2, lambda changes: [b"\x90"]),
        change_commit(2, lambda _: []),
        lambda transaction: transaction.put(key_of(b"c", 5), b"?"),
    ],
)
def test_a_damaged_commit_is_refused(
    committed: Path, change: Callable[[lmdb.Transaction], object]
) -> None:
    """The root hash is not the committed one, or the record can't be read."""
    damage(committed, change)

    with Store(committed) as store:
        with pytest.raises(CorruptFileError, match="version 5"):
            store.load()
        assert root_in_memory(4) == store.load(4).root_hash


def change_a_slice(transaction: lmdb.Transaction) -> None:
    key, record = first_slice(transaction)
    transaction.put(key, record[:-1] + b"!")


def shorten_a_slice(transaction: lmdb.Transaction) -> None:
    key, record = first_slice(transaction)
    transaction.put(key, record[:-1])


def lose_a_slice(transaction: lmdb.Transaction) -> None:
    transaction.delete(first_slice(transaction)[0])


def add_a_slice(transaction: lmdb.Transaction) -> None:
    key, record = first_slice(transaction)
    transaction.put(key[:-1] + b"\xff", record)


def mislabel_a_slice(transaction: lmdb.Transaction) -> None:
    key, record = first_slice(transaction)
    transaction.put(key + b"!", record)


def lose_the_snapshot(transaction: lmdb.Transaction) -> None:
    transaction.delete(key_of(b"s", 1))


@pytest.mark.parametrize(
    "change",
    [
        change_a_slice,
        shorten_a_slice,
        lose_a_slice,
        add_a_slice,
        mislabel_a_slice,
        lose_the_snapshot,
    ],
)
def test_a_damaged_snapshot_is_refused(
    committed: Path, change: Callable[[lmdb.Transaction], object]
) -> None:
    """The root hash is not the committed one, or nodes can't be read or don't make a tree."""
    damage(committed, change)

    with Store(committed) as store, pytest.raises(CorruptFileError, match="version 1"):
        store.load(1)


def lose_a_commit(transaction: lmdb.Transaction) -> None:
    transaction.delete(key_of(b"c", 3))


def lose_all_commits(transaction: lmdb.Transaction) -> None:
    for version in range(1, 6):
        transaction.delete(key_of(b"c", version))


def lose_the_oldest(transaction: lmdb.Transaction) -> None:
    transaction.delete(b"oldest")


@pytest.mark.parametrize(
    "change",
    [
        lose_a_commit,
        lose_all_commits,
        lose_the_oldest,
        lambda transaction: transaction.put(b"oldest", b"-1"),
        lambda transaction: transaction.put(b"oldest", b"9" * 5_000),
        lambda transaction: transaction.put(b"oldest", b"6"),
        lambda transaction: transaction.put(b"c12", b""),
        lambda transaction: transaction.put(b"c" + b"\xff" * 8, b""),
        lambda transaction: transaction.put(b"format", b"9" * 5_000),
    ],
)
def test_a_store_with_inconsistent_versions_is_refused(
    committed: Path, change: Callable[[lmdb.Transaction], object]
) -> None:
    """A version is missing in between, or the oldest is missing or not a number."""
    damage(committed, change)

    with pytest.raises(CorruptFileError):
        Store(committed)


def test_pruning_needs_a_snapshot(committed: Path) -> None:
    """Without a snapshot nothing is deleted."""
    damage(committed, lambda transaction: [transaction.delete(key_of(b"s", v)) for v in range(6)])
    before = dump(committed)

    with Store(committed) as store, pytest.raises(CorruptFileError, match="copy"):
        store.prune(4)
    assert before == dump(committed)


def test_a_store_that_was_cut_off_is_refused(committed: Path) -> None:
    """LMDB itself would read past the end of the file and crash."""
    data = committed / "data.mdb"
    os.truncate(data, data.stat().st_size // 2)

    with pytest.raises(CorruptFileError, match="cut off"):
        Store(committed)


def test_other_files_are_refused(tmp_path: Path) -> None:
    """The file is no database, another program's, or of a later or an earlier format."""
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "data.mdb").write_bytes(b"no database" * 1000)
    with pytest.raises(CorruptFileError):
        Store(tmp_path / "text")

    damage(tmp_path / "other", lambda transaction: transaction.put(b"key", b"value"))
    with pytest.raises(CorruptFileError, match="another program"):
        Store(tmp_path / "other")

    damage(tmp_path / "later", lambda transaction: transaction.put(b"format", b"99"))
    with pytest.raises(NewerFormatError, match="99"):
        Store(tmp_path / "later")

    damage(tmp_path / "earlier", lambda transaction: transaction.put(b"format", b"1"))
    with pytest.raises(DataError, match="anew"):
        Store(tmp_path / "earlier")


@pytest.mark.parametrize("lose", [lambda data: os.truncate(data, 0), os.unlink])
def test_a_store_that_lost_its_file_is_no_new_chain(
    committed: Path, lose: Callable[[Path], object]
) -> None:
    """Not even a second time; the file from a copy opens again."""
    data = committed / "data.mdb"
    copy = data.read_bytes()
    lose(data)
    for _ in range(2):
        with pytest.raises(CorruptFileError, match="empty or gone"):
            Store(committed)
    data.write_bytes(copy)

    with Store(committed) as store:
        assert 5 == store.version


def test_a_store_that_was_copied_without_its_marker_has_one_again(
    committed: Path, tmp_path: Path
) -> None:
    """Copies of the database alone are whole stores."""
    copied = tmp_path / "copied"
    copied.mkdir()
    (copied / "data.mdb").write_bytes((committed / "data.mdb").read_bytes())
    Store(copied).close()
    os.truncate(copied / "data.mdb", 0)

    with pytest.raises(CorruptFileError, match="empty or gone"):
        Store(copied)


@pytest.mark.parametrize(("free", "words"), [(0, "no space left"), (1 << 30, "Input/output error")])
def test_a_full_disk_is_told_from_a_broken_one(
    committed: Path, monkeypatch: pytest.MonkeyPatch, free: int, words: str
) -> None:
    """LMDB says the same of both."""

    def fail(*_: object) -> None:
        raise lmdb.DiskError("mdb_txn_commit: Input/output error")

    usage = shutil.disk_usage(committed)._replace(free=free)
    monkeypatch.setattr(store_folder, "disk_usage", lambda _: usage)
    monkeypatch.setattr(records, "write_commit", fail)
    with Store(committed) as store:
        tree = store.load()
        tree.set(b"k", b"v")
        with pytest.raises(StorageError, match=words):
            store.commit(tree)
        assert 5 == store.version


def test_one_process_at_a_time(committed: Path) -> None:
    """A second one is refused while the first lives, and not for what the first forked."""
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from veperf.workloads.transaction.tree_store import Store\n"
        "store = Store(Path(sys.argv[1]))\n"
        "child = os.fork() or signal.pause()\n"
        "print(child, flush=True); signal.pause()"
    )
    command = [sys.executable, "-c", code, str(committed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        try:
            with pytest.raises(StorageError, match="another process has it open"):
                Store(committed)
            owner.kill()
            owner.wait()
            with Store(committed) as store:
                assert 5 == store.version
        finally:
            owner.kill()
            os.kill(child, signal.SIGKILL)


def test_a_full_disk_has_no_room_for_a_store(
    committed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor for the list of readers of one that was copied without it; others can be read."""
    usage = shutil.disk_usage(committed)._replace(free=4_096)
    monkeypatch.setattr(store_folder, "disk_usage", lambda _: usage)
    with Store(committed) as store:
        assert 5 == store.version
    (committed / "lock.mdb").unlink()
    for folder in (committed, tmp_path / "new"):
        with pytest.raises(StorageError, match="no space left"):
            Store(folder)
        assert not (folder / "lock.mdb").exists()
