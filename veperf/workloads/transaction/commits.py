"""The commits of one chain on disk, whether it has one tree or many.

A version is a snapshot and the change sets that follow it; ``records`` and ``snapshots`` have
their layout. Everything that a commit does is in one LMDB write transaction: all trees have the new
version or none has it, with a slice of the next snapshot, and some of what nobody needs any more is
gone. So no block waits for a snapshot or for pruning as a whole, and neither needs a thread, which
could only wait for the same lock and would need a sync of its own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import lmdb

from veperf.workloads.transaction import records, snapshots
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.iavl.encoding import encode_changes
from veperf.workloads.transaction.records import Commit, DamageError
from veperf.workloads.transaction.store_folder import StoreFolder

_NODES_A_CHANGE = 3
"""Nodes of the current snapshot to write for each change in the block.

As a tree has almost two nodes a key, a snapshot is whole after two changes for each three keys;
loading a version replays four for each three keys at most.
"""
_NODES_A_COMMIT = 64
"""Nodes to write besides: empty blocks, too, come to a new snapshot, and can be pruned."""

HashOfApp = Callable[[Mapping[str, bytes]], bytes]
"""Makes the app hash of the stores' root hashes by name."""


class Commits:
    """The commits of one chain in a folder: the versions of one tree, or of several by name.

    One process may open it at a time. ``with`` closes it.
    """

    def __init__(
        self,
        path: Path,
        names: Sequence[str],
        hash_of_app: HashOfApp,
        max_bytes: int = 1 << 34,
        keep: int | None = None,
    ) -> None:
        """Open the commits of the stores ``names``, sorted, in the folder ``path``, or begin them.

        ``max_bytes`` limits its size; it reserves address space, not disk. All versions but the
        last ``keep`` are pruned (the SDK's ``pruning-keep-recent``); None keeps all. With 1 the
        last block can't be replayed.

        Raises:
            ValueError: ``keep`` is under 1.
            StorageError: the folder can't be written, or another process has it open.
            NewerFormatError: a later version of veperf wrote it.
            DataError: an earlier version wrote it, whose format is no longer read, or it holds
                other stores.
            CorruptFileError: the folder holds something else, or its file is gone or empty.
        """
        if keep is not None and keep < 1:
            raise ValueError(f"keep is {keep}; the last version can't be pruned")
        if not 0 < len(names) < snapshots.MAX_STORES:
            raise ValueError(f"a chain has 1 to {snapshots.MAX_STORES - 1} stores")
        self._names = tuple(names)
        self._hash_of_app = hash_of_app
        self._keep = keep
        self._snapshot: snapshots.UnfinishedSnapshot | None = None
        self._folder = StoreFolder(path, self._names, max_bytes)
        try:
            self.version = max(self.versions, default=0)
            """The last committed version; 0 when there is none."""
        except BaseException:
            self.close()
            raise

    @property
    def versions(self) -> list[int]:
        """The versions that can be loaded, oldest first."""
        with self._folder.reading("the versions") as transaction:
            return list(records.read_versions(transaction))

    def load_trees(self, version: int | None = None) -> dict[str, Tree]:
        """Load the trees of the last commit, or of an older one; all hashes are computed anew.

        They are built from the newest snapshot up to it and the change sets that follow; all root
        hashes on the way and the app hash are checked.

        Raises:
            LookupError: the version was never committed, or is pruned.
            CorruptFileError: records are missing or damaged, or a hash is not the commit's.
        """
        version = self.version if version is None else version
        if version == 0 == self.version:
            return {name: Tree() for name in self._names}
        with self._folder.reading(f"version {version}") as transaction:
            if not records.read_oldest(transaction) <= version <= self.version:
                raise LookupError(f"{self._folder.path} does not have version {version}")
            # A snapshot that isn't whole needs the trees that it is of.
            begun = snapshots.unfinished_version(transaction, version) or version
            trees = self._load_version(transaction, begun)
            self._resume(transaction, trees)
            _replay(transaction, trees, version)
            loaded = dict(zip(self._names, trees, strict=True))
            self._check_app_hash(transaction, loaded, version)
        return loaded

    def commit_trees(self, trees: Mapping[str, Tree]) -> tuple[bytes, int]:
        """Save the working version of all trees, on disk first; return app hash and number.

        They must continue from the last commit, or from the one before, which replaces the last:
        after a crash a node replays its last block. Version 1 is written as a whole.

        Raises:
            ValueError: they continue from another version, or are other stores.
            CorruptFileError: records are missing or damaged.
            StorageError: the version can't be written; the trees and the folder are as before.
        """
        version = self._next_version(trees)
        root_hashes = {name: trees[name].root_hash for name in self._names}
        commit = Commit(
            self._hash_of_app(root_hashes),
            tuple(root_hashes.values()),
            tuple([memoryview(encode_changes(trees[name].changes)) for name in self._names]),
        )
        with self._folder.writing(version) as transaction:
            if version > 1:
                bases = self._bases(transaction, trees)
                records.write_commit(transaction, version, commit)
                count = sum(len(tree.changes) for tree in trees.values())
                snapshot = self._write_slices(transaction, bases, count)
                self._prune_some(transaction, version)
            else:
                self._write_first_version(transaction, version, trees)
                snapshot = None
        self.version, self._snapshot = version, snapshot
        for tree in trees.values():
            tree.save_version()
        return commit.app_hash, version

    def start(self, trees: Mapping[str, Tree]) -> None:
        """Start with a saved version of all trees, without any before it.

        Raises:
            ValueError: there are commits.
            StorageError: the version can't be written.
        """
        if self.version:
            raise ValueError(f"{self._folder.path} has version {self.version} already")
        version = trees[self._names[0]].version
        with self._folder.writing(version) as transaction:
            self._write_first_version(transaction, version, trees)
        self.version = version

    def prune(self, version: int) -> None:
        """Delete all versions up to ``version``, at once; the later ones are unchanged.

        The snapshot and change sets that the oldest remaining version is built from stay.

        Raises:
            ValueError: the last version can't be deleted.
            CorruptFileError: records are missing or damaged.
            StorageError: the folder can't be written.
        """
        if version >= self.version:
            raise ValueError(f"{version} can't be pruned: {self.version} is the last version")
        with self._folder.writing(version) as transaction:
            _prune_versions(transaction, version + 1, -1)

    def close(self) -> None:
        """Close the files."""
        self._folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _next_version(self, trees: Mapping[str, Tree]) -> int:
        if sorted(trees) != list(self._names):
            raise ValueError(f"{self._folder.path} has other stores than {', '.join(trees)}")
        versions = {tree.version for tree in trees.values()}
        version = min(versions) + 1
        if len(versions) > 1 or version not in (self.version, self.version + 1):
            raise ValueError(
                f"version {version} can't follow {self.version} in {self._folder.path}"
            )
        return version

    def _bases(self, transaction: lmdb.Transaction, trees: Mapping[str, Tree]) -> list[Tree]:
        """Return the version that ``trees`` continue from."""
        bases = [trees[name].at(trees[name].version) for name in self._names]
        version, root_hashes = bases[0].version, tuple([base.root_hash for base in bases])
        if version < records.read_oldest(transaction) or (
            root_hashes != records.read_commit(transaction, version).root_hashes
        ):
            raise ValueError(
                f"the tree continues from a version that {self._folder.path} doesn't have"
            )
        return bases

    def _write_slices(
        self, transaction: lmdb.Transaction, bases: Sequence[Tree], changes: int
    ) -> snapshots.UnfinishedSnapshot | None:
        """Continue the snapshot, or begin one of ``bases``; None when it is whole."""
        snapshot = self._snapshot
        # A thread that loads may have seen slices as they were before another commit.
        if snapshot is None or not snapshots.is_up_to_date(transaction, snapshot):
            snapshot = _find_unfinished(transaction, bases)
        if snapshot is None:
            return None
        count = _NODES_A_CHANGE * changes + _NODES_A_COMMIT
        return snapshots.write_slices(transaction, snapshot, count)

    def _prune_some(self, transaction: lmdb.Transaction, version: int) -> None:
        """Delete some records that only versions before the last ``keep`` need.

        That is twice as many as a commit writes at most: what is left over gets less.
        """
        if self._keep is not None and version >= self._keep:
            most = 2 * (len(self._names) + 1)
            _prune_versions(transaction, version + 1 - self._keep, most)

    def _resume(self, transaction: lmdb.Transaction, trees: Sequence[Tree]) -> None:
        """Continue a snapshot of ``trees`` that another process began, if there is one."""
        if self._snapshot is None:
            snapshot = _find_unfinished(transaction, trees)
            if snapshot is not None and snapshot.is_begun:
                self._snapshot = snapshot

    def _write_first_version(
        self, transaction: lmdb.Transaction, version: int, trees: Mapping[str, Tree]
    ) -> None:
        """Write the working version of ``trees`` as the first version."""
        root_hashes = {name: trees[name].root_hash for name in self._names}
        commit = Commit(self._hash_of_app(root_hashes), tuple(root_hashes.values()), ())
        records.write_oldest(transaction, version)
        records.write_commit(transaction, version, commit)
        roots = tuple([trees[name].root for name in self._names])
        snapshots.write_snapshot(transaction, version, roots)

    def _load_version(self, transaction: lmdb.Transaction, version: int) -> list[Tree]:
        """Build ``version`` from the newest snapshot up to it and what follows.

        Raises:
            DamageError: records are missing or damaged, or a root hash is not the commit's.
        """
        base = snapshots.newest_snapshot(transaction, version)
        slices = snapshots.read_slices(transaction, base, len(self._names))
        commits = [records.read_commit(transaction, v) for v in range(base + 1, version + 1)]
        with _damage_in(version):
            trees = [
                Tree.load(nodes, base, [commit.change_sets[store] for commit in commits])
                for store, nodes in enumerate(slices)
            ]
        _check_root_hashes(transaction, trees, version)
        return trees

    def _check_app_hash(
        self, transaction: lmdb.Transaction, trees: Mapping[str, Tree], version: int
    ) -> None:
        hash_of_app = self._hash_of_app({name: tree.root_hash for name, tree in trees.items()})
        expected = records.read_commit(transaction, version).app_hash
        if hash_of_app != expected:
            raise DamageError(
                f"version {version} has the app hash {hash_of_app.hex()}, but {expected.hex()} was "
                "committed"
            )


def _find_unfinished(
    transaction: lmdb.Transaction, trees: Sequence[Tree]
) -> snapshots.UnfinishedSnapshot | None:
    roots = tuple([tree.root for tree in trees])
    return snapshots.find_unfinished_snapshot(transaction, trees[0].version, roots)


def _replay(transaction: lmdb.Transaction, trees: Sequence[Tree], version: int) -> None:
    """Continue ``trees`` to ``version``; of the saved ones only that is left.

    Raises:
        DamageError: as ``_load_version``.
    """
    first = trees[0].version + 1
    commits = [records.read_commit(transaction, v) for v in range(first, version + 1)]
    with _damage_in(version):
        for store, tree in enumerate(trees):
            tree.replay([commit.change_sets[store] for commit in commits])
    _check_root_hashes(transaction, trees, version)


def _prune_versions(transaction: lmdb.Transaction, oldest: int, most: int) -> None:
    """Let ``oldest`` be the oldest version, and delete ``most`` records of what it doesn't need.

    A negative ``most`` is no limit.

    Raises:
        DamageError: records are missing or damaged.
    """
    if oldest > (before := records.read_oldest(transaction)):
        records.write_oldest(transaction, oldest)
    oldest = max(oldest, before)
    base = snapshots.newest_snapshot(transaction, oldest)
    records.delete_commits(transaction, base, most)
    snapshots.delete_snapshots(transaction, 0, base, most)


@contextmanager
def _damage_in(version: int) -> Iterator[None]:
    """Say which version can't be built."""
    try:
        yield
    except (IndexError, ValueError) as error:
        raise DamageError(f"version {version} can't be built: {error}") from error


def _check_root_hashes(transaction: lmdb.Transaction, trees: Sequence[Tree], version: int) -> None:
    """Compare the root hashes with those of the commit.

    They cover every key, value and version of a node, and so all that was replayed.
    """
    root_hashes = tuple([tree.root_hash for tree in trees])
    expected = records.read_commit(transaction, version).root_hashes
    if root_hashes != expected:
        raise DamageError(
            f"version {version} has the root hashes {_in_hex(root_hashes)}, but "
            f"{_in_hex(expected)} were committed"
        )


def _in_hex(hashes: Iterable[bytes]) -> str:
    return ", ".join(value.hex() for value in hashes)
