"""What was committed is there again after anything; what is damaged is refused."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import lmdb
import pytest

from veperf.errors import CorruptFileError, DataError, NewerFormatError, StorageError
from veperf.workloads.transaction.iavl import EMPTY_ROOT_HASH, Tree, export_nodes
from veperf.workloads.transaction.store import Store


def write_block(tree: Tree, height: int) -> None:
    """A block's writes: sets, updates and removals that depend on the height alone."""
    for i in range(20):
        tree.set(b"%d" % (height * 7 + i), b"%d" % height)
    for i in range(3):
        tree.remove(b"%d" % (height * 5 + i))


def roots_in_memory(height: int) -> list[bytes]:
    tree = Tree()
    roots = []
    for version in range(1, height + 1):
        write_block(tree, version)
        roots.append(tree.save_version()[0])
    return roots


def root_in_memory(height: int) -> bytes:
    return roots_in_memory(height)[-1]


def damage(path: Path, change: Callable[[lmdb.Transaction], object]) -> None:
    """Change records behind the store's back."""
    environment = lmdb.open(str(path), map_size=1 << 24)
    with environment.begin(write=True) as transaction:
        change(transaction)
    environment.close()


def dump(path: Path) -> list[tuple[bytes, bytes]]:
    """All records."""
    environment = lmdb.open(str(path), map_size=1 << 24)
    with environment.begin() as transaction:
        found = [(bytes(key), bytes(value)) for key, value in transaction.cursor()]
    environment.close()
    return found


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


def test_a_replayed_block_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    """The database holds what a chain would have that never saw the first attempt."""
    roots = []
    for name, attempts in (("straight", (2,)), ("replayed", (200, 2))):
        with Store(tmp_path / name) as store:
            tree = store.load()
            write_block(tree, 1)
            store.commit(tree)
            for keys in attempts:
                branch = tree.branch()
                for i in range(keys):
                    branch.set(b"r%d" % i, b"v")
                store.commit(branch)
        roots.append(dump(tmp_path / name))

    assert roots[0] == roots[1]


def test_another_trees_versions_are_refused(committed: Path) -> None:
    """A gap, a tree whose nodes were never stored, a base with another content: none gets in."""
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
        replaced = store.load(4)
        replaced.set(b"other", b"block 5")
        stale = store.load()
        store.commit(replaced)
        stale.set(b"k", b"v")
        with pytest.raises(ValueError, match="goes on from"):
            store.commit(stale)

        assert replaced.root_hash == store.load().root_hash


@pytest.mark.parametrize("through", range(5))
def test_versions_are_kept_until_they_are_pruned(committed: Path, through: int) -> None:
    """Each can be loaded; pruning deletes those up to a version and leaves the later ones whole."""
    with Store(committed) as store:
        store.prune(through)
    with Store(committed) as store:
        kept = list(range(through + 1, 6))

        assert kept == store.versions
        assert [root_in_memory(v) for v in kept] == [store.load(v).root_hash for v in kept]
        for gone in (-1, 0, through, 6):
            with pytest.raises(LookupError, match=f"version {gone}"):
                store.load(gone)
        tree = store.load()
        write_block(tree, 6)
        assert (root_in_memory(6), 6) == store.commit(tree)


def test_pruning_leaves_nothing_behind(committed: Path, tmp_path: Path) -> None:
    """Only the last version's nodes are left: as many as it has leaves and inner nodes."""
    with Store(committed) as store:
        keys = len(store.load())
        store.prune(4)
    records = [key for key, _ in dump(committed) if key.startswith(b"n")]

    assert 2 * keys - 1 == len(records)


def test_an_emptied_tree_can_be_pruned(tmp_path: Path) -> None:
    """Before, at and after a version without keys."""
    with Store(tmp_path) as store:
        tree = store.load()
        for key in (b"a", None, None, b"b"):
            if key is None:
                tree.remove(b"a")
            else:
                tree.set(key, b"v")
            store.commit(tree)
        for version in (1, 2, 3):
            store.prune(version)
            assert b"v" == store.load().get(b"b")
    assert 1 == sum(key.startswith(b"n") for key, _ in dump(tmp_path))


def test_the_last_version_can_not_be_pruned(committed: Path) -> None:
    """Nor can a block be played again whose base is gone."""
    with Store(committed) as store:
        base = store.load(4)
        for version in (5, 6):
            with pytest.raises(ValueError, match="last version"):
                store.prune(version)
        store.prune(4)
        base.set(b"k", b"v")
        with pytest.raises(ValueError, match="goes on from"):
            store.commit(base)

        assert [5] == store.versions


def test_an_export_starts_another_store(committed: Path, tmp_path: Path) -> None:
    """It has the same root, goes on with the same roots, and can be pruned and reopened."""
    with Store(committed) as store:
        tree = store.load()
        nodes = list(export_nodes(tree))
    with Store(tmp_path / "other") as other:
        restored = other.restore(nodes, 5, tree.root_hash)
        for height in (6, 7):
            write_block(restored, height)
            other.commit(restored)
        other.prune(6)
    with Store(tmp_path / "other") as other:
        assert [7] == other.versions
        assert root_in_memory(7) == other.load().root_hash


def test_an_export_with_another_root_is_refused(committed: Path, tmp_path: Path) -> None:
    """Neither it nor one into a store that has versions leaves anything behind."""
    with Store(committed) as store:
        tree = store.load()
        with pytest.raises(ValueError, match="already"):
            store.restore(export_nodes(tree), 5, tree.root_hash)
    with Store(tmp_path / "other") as other:
        with pytest.raises(DataError, match="root hash"):
            other.restore(export_nodes(tree), 5, bytes(32))
        with pytest.raises(DataError):
            other.restore(list(export_nodes(tree))[1:], 5, tree.root_hash)
        assert [] == other.versions


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


@pytest.mark.parametrize("change", [shorten_a_node, lose_the_root])
def test_damage_stops_pruning(
    committed: Path, change: Callable[[lmdb.Transaction], object]
) -> None:
    """What can't be followed is not deleted."""
    damage(committed, change)

    with Store(committed) as store:
        with pytest.raises(CorruptFileError, match="copy"):
            store.prune(4)
        assert [4, 5] == store.versions


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
        if tree.version % 5 == 0:
            store.prune(tree.version - 3)
"""


def test_a_process_that_is_killed_loses_no_commit(tmp_path: Path) -> None:
    """Killed at any moment, while it writes or prunes: what was reported is there, whole."""
    root = Path(__file__).parents[2]
    random = Random(1)
    for _ in range(6):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path)],
            stdout=subprocess.PIPE,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            text=True,
        )
        assert child.stdout is not None
        with child:
            reported = [int(child.stdout.readline()) for _ in range(random.randint(1, 20))]
            time.sleep(random.uniform(0, 0.005))
            child.send_signal(signal.SIGKILL)
            reported += [int(line) for line in child.stdout if line.endswith("\n")]
        with Store(tmp_path) as store:
            kept = store.versions

            assert store.version in (reported[-1], reported[-1] + 1)
            assert kept == list(range(kept[0], store.version + 1))
            assert roots_in_memory(store.version)[-len(kept) :] == [
                store.load(version).root_hash for version in kept
            ]
            pruned = kept[0] > 1
    assert pruned
