"""An IAVL tree on disk: the change set of each commit, and from time to time a snapshot.

A version is a snapshot and the change sets that follow it; ``records`` and ``snapshots`` have
their layout.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage
from typing import Self

import lmdb

from veperf.core.errors import CorruptFileError, DataError, NewerFormatError, StorageError
from veperf.workloads.transaction import records, snapshots
from veperf.workloads.transaction.iavl import ExportNode, Tree, import_nodes
from veperf.workloads.transaction.records import DamageError

# Format history:
#   1  every node that a commit made
#   2  change sets and snapshots
STORE_FORMAT = 2

_DATA = "data.mdb"
_MARKER = "store"
"""Empty file that is there once the store has been."""
_FORMAT_KEY = b"format"
_LITTLE_SPACE = 1 << 20
"""Bytes; with less a write failed for lack of space, whatever the database says."""
_MAX_DIGITS = 9

_NODES_A_CHANGE = 2
"""Nodes of the current snapshot to write for each change in the block.

As a tree has almost two nodes a key, a snapshot is whole after about as many changes as there are
keys; loading a version replays twice as many changes at most.
"""


class Store:
    """The commits of one chain in a folder.

    Each commit is one LMDB write transaction, synced: its changes, and a slice of a snapshot in
    proportion to them. One process may open it at a time. ``with Store(path) as store`` closes it.
    """

    def __init__(self, path: Path, max_bytes: int = 1 << 34, keep: int | None = None) -> None:
        """Open the store in the folder ``path``, or create one.

        ``max_bytes`` limits its size; it reserves address space, not disk. Whenever a snapshot is
        whole all versions but the last ``keep`` are pruned; None keeps all. With 1 the last block
        can't be replayed.

        Raises:
            ValueError: ``keep`` is under 1.
            StorageError: the folder can't be written.
            NewerFormatError: a later version of veperf wrote the store.
            DataError: an earlier version wrote it, whose format is no longer read.
            CorruptFileError: the folder holds something else.
        """
        if keep is not None and keep < 1:
            raise ValueError(f"keep is {keep}; the last version can't be pruned")
        self._path = path
        self._keep = keep
        self._snapshot: snapshots.UnfinishedSnapshot | None = None
        with _translated_errors(f"the store in {path} can't be opened", path):
            path.mkdir(parents=True, exist_ok=True)
            self._check_presence()
            self._environment = lmdb.open(str(path), map_size=max_bytes)
            try:
                self._check_length()
                self._check_format()
                (path / _MARKER).touch()
                self.version = max(self.versions, default=0)
                """The last committed version; 0 when there is none."""
            except BaseException:
                self.close()
                raise

    @property
    def versions(self) -> list[int]:
        """The versions that can be loaded, oldest first."""
        with self._reading("the versions") as transaction:
            return list(records.read_versions(transaction))

    def load(self, version: int | None = None) -> Tree:
        """Load the tree of the last commit, or of an older one; all its hashes are computed anew.

        It is built from the newest snapshot up to it and the change sets that follow; their root
        hashes are all checked.

        Raises:
            LookupError: the version was never committed, or is pruned.
            CorruptFileError: records are missing or damaged, or a root hash is not the commit's.
        """
        version = self.version if version is None else version
        if version == 0 == self.version:
            return Tree()
        with self._reading(f"version {version}") as transaction:
            if not records.read_oldest(transaction) <= version <= self.version:
                raise LookupError(f"{self._path} does not have version {version}")
            # A snapshot that isn't whole needs the tree that it is of.
            begun = snapshots.unfinished_version(transaction, version) or version
            tree = _load_version(transaction, begun)
            self._resume(transaction, tree)
            _replay(transaction, tree, version)
        return tree

    def commit(self, tree: Tree) -> tuple[bytes, int]:
        """Save the working version of ``tree``, on disk first; return its root hash and number.

        ``tree`` must continue from the last commit, or from the one before, which replaces the
        last: after a crash a node replays its last block. Version 1 is written as a whole.

        Raises:
            ValueError: ``tree`` continues from another version.
            CorruptFileError: records are missing or damaged.
            StorageError: the version can't be written; ``tree`` and the store are as before.
        """
        version = tree.version + 1
        if version not in (self.version, self.version + 1):
            raise ValueError(f"version {version} can't follow {self.version} in {self._path}")
        root_hash = tree.root_hash
        with self._writing(version) as transaction:
            if tree.version:
                base = self._base(transaction, tree)
                records.write_commit(transaction, version, root_hash, tree.changes)
                count = _NODES_A_CHANGE * len(tree.changes)
                snapshot = self._write_slice(transaction, base, count)
            else:
                _write_first_version(transaction, version, tree)
                snapshot = None
        self.version, self._snapshot = version, snapshot
        return tree.save_version()

    def prune(self, version: int) -> None:
        """Delete all versions up to ``version``; the later ones are unchanged.

        The snapshot and change sets that the oldest remaining version is built from stay.

        Raises:
            ValueError: the last version can't be deleted.
            CorruptFileError: records are missing or damaged.
            StorageError: the store can't be written.
        """
        if version >= self.version:
            raise ValueError(f"{version} can't be pruned: {self.version} is the last version")
        with self._writing(version) as transaction:
            _prune_versions(transaction, version)

    def restore(
        self, nodes: Iterable[ExportNode], version: int, root_hash: bytes | None = None
    ) -> Tree:
        """Start an empty store with an exported ``version``; return its tree.

        Without a ``root_hash`` the caller compares the tree's with what can be trusted, and
        deletes the store if it is another.

        Raises:
            ValueError: the store has commits.
            DataError: the nodes are not such a version, or have another root hash.
            StorageError: the version can't be written.
        """
        if self.version:
            raise ValueError(f"{self._path} has version {self.version} already")
        tree = import_nodes(nodes, version)
        if root_hash is not None and tree.root_hash != root_hash:
            raise DataError(
                f"the export has the root hash {tree.root_hash.hex()}, not {root_hash.hex()}"
            )
        with self._writing(version) as transaction:
            _write_first_version(transaction, version, tree)
        self.version = version
        return tree

    def close(self) -> None:
        """Close the files."""
        self._environment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _check_presence(self) -> None:
        # LMDB makes a new database of a file that is empty or gone: a chain would begin anew.
        data = self._path / _DATA
        if (self._path / _MARKER).exists() and not (data.exists() and data.stat().st_size):
            raise CorruptFileError(
                f"{data} is empty or gone, but a store was here; restore it from a copy, or delete "
                "the folder to begin anew"
            )

    def _check_length(self) -> None:
        # LMDB maps the file: reading past the end of one that was cut off kills the process.
        used = (self._environment.info()["last_pgno"] + 1) * self._environment.stat()["psize"]
        size = (self._path / _DATA).stat().st_size
        if size < used:
            raise CorruptFileError(
                f"{self._path} was cut off: {size} of {used} bytes; restore it from a copy"
            )

    def _check_format(self) -> None:
        with self._environment.begin(write=True) as transaction:
            number = transaction.get(_FORMAT_KEY)
            if number is None:
                if transaction.stat()["entries"]:
                    raise CorruptFileError(f"{self._path} holds another program's database")
                transaction.put(_FORMAT_KEY, b"%d" % STORE_FORMAT)
            elif not number.isdigit() or len(number) > _MAX_DIGITS:
                raise CorruptFileError(f"{self._path} does not hold a readable store")
            elif int(number) > STORE_FORMAT:
                raise NewerFormatError(
                    f"{self._path} has format {int(number)}, this veperf reads {STORE_FORMAT}; "
                    "update veperf"
                )
            elif int(number) < STORE_FORMAT:
                raise DataError(
                    f"{self._path} has format {int(number)}, which is no longer read (it is "
                    f"{STORE_FORMAT} now); delete it and make it anew"
                )

    def _base(self, transaction: lmdb.Transaction, tree: Tree) -> Tree:
        """Return the version that ``tree`` continues from."""
        base = tree.at(tree.version)
        pruned = base.version < records.read_oldest(transaction)
        if pruned or base.root_hash != records.read_root_hash(transaction, base.version):
            raise ValueError(f"the tree continues from a version that {self._path} doesn't have")
        return base

    def _write_slice(
        self, transaction: lmdb.Transaction, base: Tree, nodes: int
    ) -> snapshots.UnfinishedSnapshot | None:
        """Continue the snapshot by ``nodes``, or begin one of ``base``; None when it is whole."""
        snapshot = self._snapshot or snapshots.find_unfinished_snapshot(
            transaction, base.version, base.root
        )
        if snapshot is None:
            return None
        snapshot = snapshots.write_slice(transaction, snapshot, nodes)
        if snapshot is None and self._keep is not None:
            _prune_versions(transaction, base.version + 1 - self._keep)
        return snapshot

    def _resume(self, transaction: lmdb.Transaction, tree: Tree) -> None:
        """Continue a snapshot of ``tree`` that another process began, if there is one."""
        if self._snapshot is None:
            snapshot = snapshots.find_unfinished_snapshot(transaction, tree.version, tree.root)
            if snapshot is not None and snapshot.written:
                self._snapshot = snapshot

    @contextmanager
    def _reading(self, what: str) -> Iterator[lmdb.Transaction]:
        with (
            _translated_errors(f"{what} can't be read from {self._path}", self._path),
            self._environment.begin() as transaction,
        ):
            yield transaction

    @contextmanager
    def _writing(self, version: int) -> Iterator[lmdb.Transaction]:
        with (
            _translated_errors(f"version {version} can't be written to {self._path}", self._path),
            self._environment.begin(write=True) as transaction,
        ):
            yield transaction


def _write_first_version(transaction: lmdb.Transaction, version: int, tree: Tree) -> None:
    """Write the working version of ``tree`` as the store's first version."""
    records.write_oldest(transaction, version)
    records.write_commit(transaction, version, tree.root_hash, ())
    snapshots.write_snapshot(transaction, version, tree.root)


def _load_version(transaction: lmdb.Transaction, version: int) -> Tree:
    """Build ``version`` from the newest snapshot up to it and what follows.

    Raises:
        DamageError: records are missing or damaged, or a root hash is not the commit's.
    """
    base = snapshots.newest_snapshot(transaction, version)
    slices = snapshots.read_slices(transaction, base)
    committed, change_sets = records.read_change_sets(transaction, base, version)
    try:
        tree, root_hashes = Tree.load(slices, base, change_sets)
    except ValueError as error:
        raise DamageError(f"versions {base} to {version}: {error}") from error
    expected = records.read_root_hash(transaction, base)
    _check_root_hashes(base, root_hashes, [expected, *committed])
    return tree


def _replay(transaction: lmdb.Transaction, tree: Tree, version: int) -> None:
    """Continue ``tree`` to ``version``; of the saved ones only that is left.

    Raises:
        DamageError: as above.
    """
    base = tree.version
    committed, change_sets = records.read_change_sets(transaction, base, version)
    try:
        root_hashes = tree.replay(change_sets)
    except ValueError as error:
        raise DamageError(f"versions {base + 1} to {version}: {error}") from error
    _check_root_hashes(base + 1, root_hashes, committed)


def _prune_versions(transaction: lmdb.Transaction, version: int) -> None:
    """Delete all versions up to ``version``, except for what the next one is built from.

    Raises:
        DamageError: records are missing or damaged.
    """
    oldest = version + 1
    if oldest > records.read_oldest(transaction):
        base = snapshots.newest_snapshot(transaction, oldest)
        records.write_oldest(transaction, oldest)
        records.delete_commits(transaction, base)
        snapshots.delete_snapshots(transaction, 0, base)


def _check_root_hashes(
    first: int, root_hashes: Sequence[bytes], committed: Sequence[bytes | None]
) -> None:
    """Compare the root hashes of the versions from ``first`` on with those of their commits."""
    pairs = zip(root_hashes, committed, strict=True)
    for version, (root_hash, expected) in enumerate(pairs, start=first):
        if root_hash != expected:
            was = "nothing" if expected is None else expected.hex()
            raise DamageError(
                f"version {version} has the root hash {root_hash.hex()}, but {was} was committed"
            )


@contextmanager
def _translated_errors(what: str, path: Path) -> Iterator[None]:
    """Raise our own errors for those of the database in the folder ``path``."""
    try:
        yield
    except (
        records.DamageError,
        lmdb.InvalidError,
        lmdb.VersionMismatchError,
        lmdb.CorruptedError,
        lmdb.PageNotFoundError,
    ) as error:
        raise CorruptFileError(f"{what}: {error}; restore it from a copy") from error
    except (OSError, lmdb.Error) as error:
        # LMDB reports a write that was cut short as an input/output error.
        is_full = "Input/output error" in str(error) and disk_usage(path).free < _LITTLE_SPACE
        reason = "no space left on the disk; free some and try again" if is_full else error
        raise StorageError(f"{what}: {reason}") from error
