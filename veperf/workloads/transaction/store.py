"""An IAVL tree on disk: one LMDB write transaction for each commit; ``records`` has the layout."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Self

import lmdb

from veperf.errors import CorruptFileError, DataError, NewerFormatError, StorageError
from veperf.workloads.transaction import records
from veperf.workloads.transaction.iavl import ExportNode, Tree, import_nodes

# Format history:
#   1  the first
STORE_FORMAT = 1

_FORMAT_KEY = b"format"


class Store:
    """The commits of one chain in a folder.

    Opened by one process at a time. ``with Store(path) as store`` closes it.
    """

    def __init__(self, path: Path, max_bytes: int = 1 << 34) -> None:
        """Open the store in the folder ``path``, or make one.

        ``max_bytes`` is what it may grow to: address space that is set aside, not disk.

        Raises:
            StorageError: the folder can't be written.
            NewerFormatError: a later version of veperf made it.
            CorruptFileError: there is something else.
        """
        self._path = path
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
        with self._environment.begin() as transaction:
            return list(records.read_versions(transaction))[::-1]

    def load(self, version: int | None = None) -> Tree:
        """The tree of the last commit, or of an older one, its root hash computed anew.

        Raises:
            LookupError: there is no such version: it was never committed, or is pruned.
            CorruptFileError: nodes are missing or damaged, or the root hash is not the commit's.
        """
        version = self.version if version is None else version
        if version == 0 == self.version:
            return Tree()
        if not 0 < version <= self.version:
            raise LookupError(f"{self._path} does not have version {version}")
        with (
            _translated_errors(f"version {version} can't be read from {self._path}"),
            self._environment.begin() as transaction,
        ):
            commit = self._commit(transaction, version)
            return Tree(records.read_tree(transaction, commit), version)

    def commit(self, tree: Tree) -> tuple[bytes, int]:
        """Save the working version of ``tree``, on disk first: its root hash and number.

        ``tree`` must go on from the last commit, or from the one before, which replaces the last:
        after a crash a node plays its last block again.

        Raises:
            ValueError: it does not.
            StorageError: it can't be written; ``tree`` and the store are as before.
        """
        version = tree.version + 1
        if version not in (self.version, self.version + 1):
            raise ValueError(f"version {version} can't follow {self.version} in {self._path}")
        root_hash = tree.root_hash
        with self._writing(version) as transaction:
            base = records.read_commit(transaction, tree.version)
            if tree.version and (not base or base.root_hash != tree.at(tree.version).root_hash):
                raise ValueError(f"the tree goes on from a version that {self._path} doesn't have")
            records.write_commit(transaction, version, tree.root, root_hash)
        self.version = version
        return tree.save_version()

    def prune(self, version: int) -> None:
        """Delete all versions up to ``version``; the later ones are as they were.

        One write transaction for each version: after a crash some may be left, all whole.

        Raises:
            ValueError: the last version can't be deleted.
            CorruptFileError: nodes are missing or damaged.
            StorageError: it can't be written.
        """
        if version >= self.version:
            raise ValueError(f"{version} can't be pruned: {self.version} is the last version")
        for old, following in pairwise(self.versions):
            if old > version:
                break
            with self._writing(old) as transaction:
                commits = [self._commit(transaction, v) for v in (old, following)]
                records.delete_commit(transaction, old, *commits)

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
            records.write_whole(transaction, version, tree.root, root_hash)
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
            elif not found.isdigit():
                raise CorruptFileError(f"{self._path} holds no store that can be read")
            elif int(found) > STORE_FORMAT:
                raise NewerFormatError(
                    f"{self._path} has format {int(found)}, this veperf reads up to "
                    f"{STORE_FORMAT}; update veperf"
                )

    def _commit(self, transaction: lmdb.Transaction, version: int) -> records.Commit:
        commit = records.read_commit(transaction, version)
        if commit is None:
            raise LookupError(f"{self._path} does not have version {version}")
        return commit

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
