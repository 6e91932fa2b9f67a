"""Committed versions survive anything."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from tests.support.stores import dump, make_store, root_in_memory, roots_in_memory, write_block
from veperf.core.errors import DataError, StorageError
from veperf.workloads.transaction.iavl import EMPTY_ROOT_HASH, Tree, export_nodes
from veperf.workloads.transaction.tree_store import Store


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    """Make a store with five versions."""
    return make_store(tmp_path / "state", 5)


def test_a_reopened_chain_continues(tmp_path: Path) -> None:
    """Reopened for every block, the roots are those of a tree that stays in memory."""
    for height in range(1, 12):
        with Store(tmp_path) as store:
            tree = store.load()
            assert (height - 1, height - 1) == (store.version, tree.version)
            write_block(tree, height)

            assert (root_in_memory(height), height) == store.commit(tree)


def test_a_loaded_version_is_the_committed_one(committed: Path) -> None:
    """It has all keys and values, and reading it needs no sorting."""
    tree = Tree()
    for height in range(1, 6):
        write_block(tree, height)
    with Store(committed) as store:
        loaded = store.load()

    assert list(tree.iterate()) == list(loaded.iterate())
    assert all(value == loaded.get(key) for key, value in tree.iterate())


def test_an_empty_tree_can_be_committed(tmp_path: Path) -> None:
    """It can be before the first key and after the last."""
    with Store(tmp_path) as store:
        tree = store.load()
        assert (EMPTY_ROOT_HASH, 1) == store.commit(tree)
        tree.set(b"k", b"")
        store.commit(tree)
        tree.remove(b"k")
        store.commit(tree)
    with Store(tmp_path) as store:
        assert (3, 0) == (store.version, len(store.load()))


def test_the_last_block_may_be_replayed(committed: Path) -> None:
    """The same version with other writes replaces the present one."""
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
    """The change sets are those of a chain that never saw the first attempt."""
    commits = []
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
        commits.append([record for record in dump(tmp_path / name) if record[0][:1] == b"c"])

    assert commits[0] == commits[1]


def test_another_trees_versions_are_refused(committed: Path) -> None:
    """A gap, a base with another content and a replaced base are rejected."""
    with Store(committed) as store:
        stranger = Tree()
        with pytest.raises(ValueError, match="can't follow"):
            store.commit(stranger)
        for height in range(1, 6):
            write_block(stranger, height + 1)
            stranger.save_version()
        stranger.set(b"k", b"v")
        with pytest.raises(ValueError, match="continues from"):
            store.commit(stranger)
        replaced = store.load(4)
        replaced.set(b"other", b"block 5")
        stale = store.load()
        store.commit(replaced)
        stale.set(b"k", b"v")
        with pytest.raises(ValueError, match="continues from"):
            store.commit(stale)

        assert replaced.root_hash == store.load().root_hash


def test_an_equal_tree_may_continue(committed: Path) -> None:
    """A tree that was not loaded from the store, but has its versions, may continue it."""
    tree = Tree()
    for height in range(1, 6):
        write_block(tree, height)
        tree.save_version()
    write_block(tree, 6)
    with Store(committed) as store:
        store.commit(tree)
    with Store(committed) as store:
        assert root_in_memory(6) == store.load().root_hash


def test_a_tree_built_at_once_is_stored_as_it_is(tmp_path: Path) -> None:
    """So is its first version with later changes or replaced, and the next version."""
    roots = []
    with Store(tmp_path) as store:
        for count in (500, 400):
            tree = Tree.from_sorted((b"%04d" % i, b"v") for i in range(count))
            tree.set(b"x", b"y")
            tree.remove(b"0007")
            roots = [store.commit(tree)[0]]
        for height in (2, 3):
            write_block(tree, height)
            roots.append(store.commit(tree)[0])
    with Store(tmp_path) as store:
        assert roots == [store.load(version).root_hash for version in (1, 2, 3)]


@pytest.mark.parametrize("through", range(5))
def test_versions_are_kept_until_they_are_pruned(committed: Path, through: int) -> None:
    """Each can be loaded; pruning deletes those up to a version and leaves the later ones."""
    with Store(committed) as store:
        store.prune(through)
    with Store(committed) as store:
        remaining = list(range(through + 1, 6))

        assert remaining == store.versions
        assert [root_in_memory(v) for v in remaining] == [
            store.load(v).root_hash for v in remaining
        ]
        for gone in (-1, 0, through, 6):
            with pytest.raises(LookupError, match=f"version {gone}"):
                store.load(gone)
        tree = store.load()
        write_block(tree, 6)
        assert (root_in_memory(6), 6) == store.commit(tree)


def kinds(path: Path) -> dict[bytes, list[int]]:
    """Return the versions of the change sets (c) and whole snapshots (s)."""
    keys = [key for key, _ in dump(path)]
    return {
        kind: [int.from_bytes(key[1:]) for key in keys if key[:1] == kind and len(key) == 9]
        for kind in (b"c", b"s")
    }


def test_snapshots_are_made_while_the_chain_continues(committed: Path) -> None:
    """Five blocks that write the whole state make several, none of the last version."""
    assert [1, 2, 3, 4, 5] == kinds(committed)[b"c"]
    assert [1, 2] < kinds(committed)[b"s"] < [1, 5]


def test_pruning_leaves_nothing_behind(tmp_path: Path) -> None:
    """It leaves a snapshot not younger than the oldest version, and the change sets after it."""
    with Store(tmp_path) as store:
        tree = store.load()
        for height in range(1, 31):
            write_block(tree, height)
            store.commit(tree)
    before = kinds(tmp_path)
    with Store(tmp_path) as store:
        store.prune(19)
    base = max(version for version in before[b"s"] if version <= 20)
    slices = [key for key, _ in dump(tmp_path) if key[:1] == b"n"]

    assert list(range(base, 31)) == kinds(tmp_path)[b"c"]
    assert [version for version in before[b"s"] if version >= base] == kinds(tmp_path)[b"s"]
    assert base == min(int.from_bytes(key[1:9]) for key in slices)


def test_old_versions_are_pruned_with_each_snapshot(tmp_path: Path) -> None:
    """With ``keep`` the last ones stay, and the number of records is bounded."""
    sizes = []
    with Store(tmp_path, keep=4) as store:
        tree = store.load()
        for height in range(1, 121):
            for i in range(20):
                tree.set(b"%d" % (height * 7 % 50 + i), b"%d" % height)
            store.commit(tree)
            assert min(height, 4) <= len(store.versions)
            sizes.append(len(store.versions))
        for version in store.versions:
            assert version == store.load(version).version
    records = dump(tmp_path)

    assert max(sizes[20:]) == max(sizes) < 20
    assert len(records) < 60


@pytest.mark.parametrize("keep", [0, -1])
def test_the_last_version_is_always_kept(tmp_path: Path, keep: int) -> None:
    """A store that keeps none is rejected."""
    with pytest.raises(ValueError, match="keep"):
        Store(tmp_path, keep=keep)


def test_a_snapshot_continues_after_a_restart(tmp_path: Path) -> None:
    """Chains that are restarted after every block make whole snapshots, too."""
    with Store(tmp_path) as store:
        tree = Tree.from_sorted((b"%04d" % i, b"v") for i in range(40))
        store.commit(tree)
    for height in range(2, 30):
        with Store(tmp_path) as store:
            tree = store.load()
            for i in range(7):
                tree.set(b"%04d" % (height * i % 40), b"%d" % height)
            root_hash, _ = store.commit(tree)
    with Store(tmp_path) as store:
        store.prune(28)
        assert root_hash == store.load().root_hash

    # Six commits write the 80 nodes of a snapshot.
    assert kinds(tmp_path)[b"s"][-1] >= 29 - 2 * 6


def test_an_emptied_tree_can_be_pruned(tmp_path: Path) -> None:
    """It can be before, at and after a version without keys."""
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


def test_the_last_version_can_not_be_pruned(committed: Path) -> None:
    """Nor can a block be replayed if its base is gone."""
    with Store(committed) as store:
        base = store.load(4)
        for version in (5, 6):
            with pytest.raises(ValueError, match="last version"):
                store.prune(version)
        store.prune(4)
        base.set(b"k", b"v")
        with pytest.raises(ValueError, match="continues from"):
            store.commit(base)

        assert [5] == store.versions


def test_an_export_starts_another_store(committed: Path, tmp_path: Path) -> None:
    """It has the same root, continues with the same roots, and can be pruned and reopened."""
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
    """Neither it nor an import into a store with versions leaves anything behind."""
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
    """A commit that does not fit fails as a whole; with room it succeeds."""
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


def write_large_block(tree: Tree) -> None:
    height = tree.version + 1
    write_block(tree, height)
    tree.set(b"large %d" % (height % 3), bytes(8_000))


def commit_until_full(store: Store, tree: Tree) -> None:
    while True:
        write_large_block(tree)
        store.commit(tree)


def test_a_disk_that_fills_up_loses_nothing(tmp_path: Path) -> None:
    """A commit that does not fit, with its slice of a snapshot, succeeds when there is room."""
    with Store(tmp_path, max_bytes=1 << 18) as store:
        tree = store.load()
        with pytest.raises(StorageError, match="can't be written"):
            commit_until_full(store, tree)
        full = store.version
    with Store(tmp_path, max_bytes=1 << 24) as store:
        store.commit(tree)
        for _ in range(9):
            write_large_block(tree)
            store.commit(tree)
        versions = store.versions
        root_hashes = [store.load(version).root_hash for version in versions]
    alone = Tree()
    expected = []
    for _ in versions:
        write_large_block(alone)
        expected.append(alone.save_version()[0])

    assert list(range(1, full + 11)) == versions
    assert expected == root_hashes


def test_a_folder_that_can_not_be_made_is_a_storage_error(tmp_path: Path) -> None:
    """A file is in its place."""
    (tmp_path / "file").write_text("")

    with pytest.raises(StorageError):
        Store(tmp_path / "file" / "state")


CHILD = """
import sys
from pathlib import Path
from tests.support.stores import write_block
from veperf.workloads.transaction.tree_store import Store

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
    """Killed at any moment, while it writes or prunes: reported commits are whole."""
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
            remaining = store.versions

            assert store.version in (reported[-1], reported[-1] + 1)
            assert remaining == list(range(remaining[0], store.version + 1))
            assert roots_in_memory(store.version)[-len(remaining) :] == [
                store.load(version).root_hash for version in remaining
            ]
            pruned = remaining[0] > 1
    assert pruned
