"""What was committed is there again after anything; what is damaged is refused."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lmdb
import pytest

from veperf.errors import CorruptFileError, NewerFormatError, StorageError
from veperf.workloads.transaction.iavl import EMPTY_ROOT_HASH, Tree
from veperf.workloads.transaction.store import Store


def write_block(tree: Tree, height: int) -> None:
    """A block's writes: sets, updates and removals that depend on the height alone."""
    for i in range(20):
        tree.set(b"%d" % (height * 7 + i), b"%d" % height)
    for i in range(3):
        tree.remove(b"%d" % (height * 5 + i))


def root_in_memory(height: int) -> bytes:
    tree = Tree()
    for version in range(1, height + 1):
        write_block(tree, version)
        tree.save_version()
    return tree.root_hash


def damage(path: Path, change: Callable[[lmdb.Transaction], object]) -> None:
    """Change records behind the store's back."""
    environment = lmdb.open(str(path), map_size=1 << 24)
    with environment.begin(write=True) as transaction:
        change(transaction)
    environment.close()


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    """A store with five versions."""
    with Store(tmp_path / "state") as store:
        tree = store.load()
        for height in range(1, 6):
            write_block(tree, height)
            store.commit(tree)
    return tmp_path / "state"


def test_a_chain_that_is_reopened_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    """Opened anew for every block, the roots are those of a tree that stays in memory."""
    for height in range(1, 12):
        with Store(tmp_path) as store:
            tree = store.load()
            assert (height - 1, height - 1) == (store.version, tree.version)
            write_block(tree, height)

            assert (root_in_memory(height), height) == store.commit(tree)


def test_what_is_loaded_is_what_was_committed(committed: Path) -> None:
    """All keys and values, and reading the tree needs no rebuilding of its order."""
    tree = Tree()
    for height in range(1, 6):
        write_block(tree, height)
    with Store(committed) as store:
        loaded = store.load()

    assert list(tree.iterate()) == list(loaded.iterate())
    assert all(value == loaded.get(key) for key, value in tree.iterate())


def test_an_empty_tree_can_be_committed(tmp_path: Path) -> None:
    """Before the first key and after the last."""
    with Store(tmp_path) as store:
        tree = store.load()
        assert (EMPTY_ROOT_HASH, 1) == store.commit(tree)
        tree.set(b"k", b"")
        store.commit(tree)
        tree.remove(b"k")
        store.commit(tree)
    with Store(tmp_path) as store:
        assert (3, 0) == (store.version, len(store.load()))


def test_the_last_block_may_be_played_again(committed: Path) -> None:
    """The same version with other writes replaces the one that is there."""
    with Store(committed) as store:
        base = store.load()
        for value in (b"first", b"second"):
            tree = base.branch()
            tree.set(b"k", value)
            root_hash, version = store.commit(tree)
    with Store(committed) as store:
        loaded = store.load()

    assert (root_hash, version, b"second") == (loaded.root_hash, loaded.version, loaded.get(b"k"))


def test_another_trees_versions_are_refused(committed: Path) -> None:
    """Neither a gap in the versions nor a tree whose nodes were never stored gets in."""
    with Store(committed) as store:
        stranger = Tree()
        with pytest.raises(ValueError, match="can't follow"):
            store.commit(stranger)
        for height in range(1, 6):
            write_block(stranger, height)
            stranger.save_version()
        stranger.set(b"k", b"v")
        with pytest.raises(ValueError, match="not committed"):
            store.commit(stranger)

        assert root_in_memory(5) == store.load().root_hash


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    """A commit that does not fit fails as a whole; with room it can be done after all."""
    with Store(tmp_path, max_bytes=1 << 18) as store:
        tree = store.load()
        tree.set(b"k", b"v")
        before = store.commit(tree)
        tree.set(b"large", bytes(1 << 20))
        with pytest.raises(StorageError, match="can't be written"):
            store.commit(tree)
        assert before == (store.load().root_hash, tree.version)
    with Store(tmp_path) as store:
        root_hash, version = store.commit(tree)
        assert (root_hash, version) == (store.load().root_hash, 2)


LAST_NODES = b"n" + (5).to_bytes(8, "big")


def change_a_value(transaction: lmdb.Transaction) -> None:
    cursor = transaction.cursor()
    assert cursor.set_range(LAST_NODES)
    while not bytes(cursor.value()).startswith(b"\0"):
        assert cursor.next()
    transaction.put(bytes(cursor.key()), bytes(cursor.value())[:-1] + b"!")


def shorten_a_node(transaction: lmdb.Transaction) -> None:
    cursor = transaction.cursor()
    assert cursor.set_range(LAST_NODES)
    transaction.put(bytes(cursor.key()), b"\1\2\3")


def lose_the_root(transaction: lmdb.Transaction) -> None:
    transaction.delete(LAST_NODES + (1).to_bytes(4, "big"))


def change_the_root_hash(transaction: lmdb.Transaction) -> None:
    cursor = transaction.cursor()
    assert cursor.last()
    transaction.put(bytes(cursor.key()), bytes(32) + bytes(cursor.value())[32:])


def shorten_the_commit(transaction: lmdb.Transaction) -> None:
    cursor = transaction.cursor()
    assert cursor.last()
    transaction.put(bytes(cursor.key()), b"?")


@pytest.mark.parametrize(
    "change",
    [change_a_value, shorten_a_node, lose_the_root, change_the_root_hash, shorten_the_commit],
)
def test_damage_is_refused(committed: Path, change: Callable[[lmdb.Transaction], object]) -> None:
    """A root hash that is not the one committed, or records that can't be read."""
    damage(committed, change)

    with Store(committed) as store, pytest.raises(CorruptFileError, match="version 5"):
        store.load()


def test_a_store_that_was_cut_off_is_refused(committed: Path) -> None:
    """LMDB itself would read on past the end of the file and die."""
    data = committed / "data.mdb"
    os.truncate(data, data.stat().st_size // 2)

    with pytest.raises(CorruptFileError, match="cut off"):
        Store(committed)


def test_other_files_are_refused(tmp_path: Path) -> None:
    """A file that is no database, another program's database, a later format."""
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


def test_a_folder_that_can_not_be_made_is_a_storage_error(tmp_path: Path) -> None:
    """Where a file is in the way."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError):
        Store(tmp_path / "file" / "state")


CHILD = """
import sys
from pathlib import Path
from tests.integration.test_transaction_store import write_block
from veperf.workloads.transaction.store import Store

with Store(Path(sys.argv[1])) as store:
    tree = store.load()
    while True:
        write_block(tree, tree.version + 1)
        store.commit(tree)
        print(tree.version, flush=True)
"""


def test_a_process_that_is_killed_loses_no_commit(tmp_path: Path) -> None:
    """Every version that was reported is there, with the right root, after kill -9."""
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        text=True,
    )
    assert child.stdout is not None
    with child:
        reported = [int(child.stdout.readline()) for _ in range(30)][-1]
        child.send_signal(signal.SIGKILL)
        reported = max([reported, *(int(line) for line in child.stdout)])
    with Store(tmp_path) as store:
        tree = store.load()

    assert tree.version in (reported, reported + 1)
    assert root_in_memory(tree.version) == tree.root_hash
