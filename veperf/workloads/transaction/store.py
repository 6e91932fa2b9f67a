"""An IAVL tree on disk: the change set of each commit, and from time to time a snapshot.

``records`` and ``snapshots`` have the layout; ``history`` says how they make a version.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import lmdb

from veperf.core.errors import CorruptFileError, DataError, NewerFormatError, StorageError
from veperf.workloads.transaction import records, snapshots, version_history
from veperf.workloads.transaction.iavl import ExportNode, Tree, import_nodes

# Format history:
#   1  every node that a commit made
#   2  change sets and snapshots
STORE_FORMAT = 2

_FORMAT_KEY = b"format"
_MAX_DIGITS = 9

_NODES_A_CHANGE = 2
"""Of the snapshot that is being written, for each change in the block.

As a tree has almost two nodes a key, a snapshot is whole after about as many changes as there are
keys; what has to be made again when a version is loaded are twice as many at most.
"""


class Store:
    """The commits of one chain in a folder.

    Each commit is one LMDB write transaction, synced: its changes, and a slice of a snapshot in
    proportion to them. Opened by one process at a time. ``with Store(path) as store`` closes it.
    """

    def __init__(self, path: Path, max_bytes: int = 1 << 34, keep: int | None = None) -> None:
        """Open the store in the folder ``path``, or make one.

        ``max_bytes`` is what it may grow to: address space that is set aside, not disk. Whenever a
        snapshot is whole all versions but the last ``keep`` are pruned; None keeps all. With 1
        the last block can't be played again.

        Raises:
            ValueError: ``keep`` is under 1.
            StorageError: the folder can't be written.
            NewerFormatError: a later version of veperf made it.
            DataError: an earlier one did, whose format is no longer read.
            CorruptFileError: there is something else.
        """
        if keep is not None and keep < 1:
            raise ValueError(f"keep is {keep}; the last version can't be pruned")
        self._path = path
        self._keep = keep
        self._snapshot: snapshots.Unfinished | None = None
        with _translated_errors(f"the store in {path} can't be opened"):
            path.mkdir(parents=True, exist_ok=True)
            self._environment = lmdb.open(str(path), map_size=max_bytes)
            try:
                self._check_length()
                self._check_format()
                self.version = max(self.versions, default=0)
                """The last version that was committed; 0 when there is none."""
            except BaseException:
                self.close()
                raise

    @property
    def versions(self) -> list[int]:
        """The versions that can be loaded, oldest first."""
        with self._reading("the versions") as transaction:
            return list(records.read_versions(transaction))

    def load(self, version: int | None = None) -> Tree:
        """The tree of the last commit, or of an older one, all its hashes computed anew.

        It is made of the newest snapshot up to it and of the change sets that follow, whose root
        hashes are all checked.

        Raises:
            LookupError: there is no such version: it was never committed, or is pruned.
            CorruptFileError: records are missing or damaged, or a root hash is not the commit's.
        """
        version = self.version if version is None else version
        if version == 0 == self.version:
            return Tree()
        with self._reading(f"version {version}") as transaction:
            if not records.read_oldest(transaction) <= version <= self.version:
                raise LookupError(f"{self._path} does not have version {version}")
            for tree in version_history.replay(transaction, version):
                self._resume(transaction, tree)
        return tree

    def commit(self, tree: Tree) -> tuple[bytes, int]:
        """Save the working version of ``tree``, on disk first: its root hash and number.

        ``tree`` must go on from the last commit, or from the one before, which replaces the last:
        after a crash a node plays its last block again. Version 1 is written as a whole.

        Raises:
            ValueError: it does not.
            CorruptFileError: records are missing or damaged.
            StorageError: it can't be written; ``tree`` and the store are as before.
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
                version_history.begin(transaction, version, tree)
                snapshot = None
        self.version, self._snapshot = version, snapshot
        return tree.save_version()

    def prune(self, version: int) -> None:
        """Delete all versions up to ``version``; the later ones are as they were.

        What the oldest one that is kept is made of stays: a snapshot and change sets.

        Raises:
            ValueError: the last version can't be deleted.
            CorruptFileError: records are missing or damaged.
            StorageError: it can't be written.
        """
        if version >= self.version:
            raise ValueError(f"{version} can't be pruned: {self.version} is the last version")
        with self._writing(version) as transaction:
            version_history.prune(transaction, version)

    def restore(self, nodes: Iterable[ExportNode], version: int, root_hash: bytes) -> Tree:
        """Begin an empty store with an exported ``version``: the tree, to go on from.

        Raises:
            ValueError: the store has commits.
            DataError: the nodes are no such version, or have another root hash.
            StorageError: it can't be written.
        """
        if self.version:
            raise ValueError(f"{self._path} has version {self.version} already")
        tree = import_nodes(nodes, version)
        if tree.root_hash != root_hash:
            raise DataError(
                f"the export has the root hash {tree.root_hash.hex()}, not {root_hash.hex()}"
            )
        with self._writing(version) as transaction:
            version_history.begin(transaction, version, tree)
        self.version = version
        return tree

    def close(self) -> None:
        """Free the files."""
        self._environment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _check_length(self) -> None:
        # LMDB maps the file: reading past the end of one that was cut off kills the process.
        used = (self._environment.info()["last_pgno"] + 1) * self._environment.stat()["psize"]
        found = (self._path / "data.mdb").stat().st_size
        if found < used:
            raise CorruptFileError(
                f"{self._path} was cut off: {found} of {used} bytes; restore it from a copy"
            )

    def _check_format(self) -> None:
        with self._environment.begin(write=True) as transaction:
            found = transaction.get(_FORMAT_KEY)
            if found is None:
                if transaction.stat()["entries"]:
                    raise CorruptFileError(f"{self._path} holds another program's database")
                transaction.put(_FORMAT_KEY, b"%d" % STORE_FORMAT)
            elif not found.isdigit() or len(found) > _MAX_DIGITS:
                raise CorruptFileError(f"{self._path} holds no store that can be read")
            elif int(found) > STORE_FORMAT:
                raise NewerFormatError(
                    f"{self._path} has format {int(found)}, this veperf reads {STORE_FORMAT}; "
                    "update veperf"
                )
            elif int(found) < STORE_FORMAT:
                raise DataError(
                    f"{self._path} has format {int(found)}, which is no longer read (it is "
                    f"{STORE_FORMAT} now); delete it and make it anew"
                )

    def _base(self, transaction: lmdb.Transaction, tree: Tree) -> Tree:
        """The version that ``tree`` goes on from."""
        base = tree.at(tree.version)
        pruned = base.version < records.read_oldest(transaction)
        if pruned or base.root_hash != records.read_root_hash(transaction, base.version):
            raise ValueError(f"the tree goes on from a version that {self._path} doesn't have")
        return base

    def _write_slice(
        self, transaction: lmdb.Transaction, base: Tree, nodes: int
    ) -> snapshots.Unfinished | None:
        """Go on with the snapshot or begin one of ``base``: what is left; None: it is whole."""
        snapshot = self._snapshot or snapshots.unfinished(transaction, base.version, base.root)
        if snapshot is None:
            return None
        snapshot = snapshots.write(transaction, snapshot, nodes)
        if snapshot is None and self._keep is not None:
            version_history.prune(transaction, base.version + 1 - self._keep)
        return snapshot

    def _resume(self, transaction: lmdb.Transaction, tree: Tree) -> None:
        """Go on with a snapshot that another process began, if it is one of ``tree``."""
        if self._snapshot is None:
            found = snapshots.unfinished(transaction, tree.version, tree.root)
            if found is not None and found.written:
                self._snapshot = found

    @contextmanager
    def _reading(self, what: str) -> Iterator[lmdb.Transaction]:
        with (
            _translated_errors(f"{what} can't be read from {self._path}"),
            self._environment.begin() as transaction,
        ):
            yield transaction

    @contextmanager
    def _writing(self, version: int) -> Iterator[lmdb.Transaction]:
        with (
            _translated_errors(f"version {version} can't be written to {self._path}"),
            self._environment.begin(write=True) as transaction,
        ):
            yield transaction


@contextmanager
def _translated_errors(what: str) -> Iterator[None]:
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
        raise StorageError(f"{what}: {error}") from error
