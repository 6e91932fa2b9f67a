"""An IAVL tree on disk: one LMDB write transaction for each commit.

Only what a commit made is written. Keys are those of cosmos/iavl v1, (version, nonce), so that a
commit's nodes lie side by side. Neither hashes nor an inner node's key, height and size are
stored: they follow from the leaves and the shape, are computed anew when a store is opened and
checked against the root hash of the commit.

::

    "format"                     -> format number, decimal
    "v" version                  -> root hash (32 bytes), version and nonce of the root
    "n" version nonce            -> 0, length of key, key, value          for a leaf
                                 -> 1, version and nonce of both children for an inner node

Numbers are big-endian: versions 8 bytes, nonces and lengths 4, so keys sort by version. Nonces
start at 1; an empty tree's root is (0, 0).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import Struct
from struct import error as StructError  # noqa: N812  # a class, whatever struct calls it
from types import TracebackType
from typing import Self

import lmdb

from veperf.errors import CorruptFileError, NewerFormatError, StorageError
from veperf.workloads.transaction.iavl import EMPTY_ROOT_HASH, Node, Tree, fill_hashes

# Format history:
#   1  the first
STORE_FORMAT = 1

_FORMAT_KEY = b"format"
_NODE_KEY = Struct(">cQI")
_COMMIT_KEY = Struct(">cQ")
_COMMIT = Struct(">32sQI")
_LEAF = Struct(">BI")
_INNER = Struct(">BQIQI")


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
                self.version = self._last_version()
                """The last version that was committed; 0 when there is none."""
            except BaseException:
                self.close()
                raise

    def load(self) -> Tree:
        """The tree of the last commit, its root hash computed anew.

        Raises:
            CorruptFileError: nodes are missing or damaged, or the root hash is not the commit's.
        """
        if not self.version:
            return Tree()
        damaged = f"version {self.version} in {self._path} is damaged"
        with _translated_errors(damaged), self._environment.begin() as transaction:
            try:
                record = transaction.get(_COMMIT_KEY.pack(b"v", self.version), b"")
                root_hash, version, nonce = _COMMIT.unpack(record)
                root = _read_node(transaction, version, nonce) if nonce else None
            except (StructError, RecursionError) as error:
                raise CorruptFileError(f"{damaged}: {error}; restore it from a copy") from error
        if root is not None:
            fill_hashes(root)
        found = root.hash if root is not None else EMPTY_ROOT_HASH
        if found != root_hash:
            raise CorruptFileError(
                f"{damaged}: its root hash is {found.hex()}, but {root_hash.hex()} was committed; "
                f"restore it from a copy"
            )
        return Tree(root, self.version)

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
        root_hash, root = tree.root_hash, tree.root
        records = _records(root, version)
        place = (root.version, root.nonce) if root is not None else (0, 0)
        with (
            _translated_errors(f"version {version} can't be written to {self._path}"),
            self._environment.begin(write=True) as transaction,
        ):
            transaction.cursor().putmulti(records)
            transaction.put(_COMMIT_KEY.pack(b"v", version), _COMMIT.pack(root_hash, *place))
        self.version = version
        return tree.save_version()

    def close(self) -> None:
        """Free the files."""
        self._environment.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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

    def _last_version(self) -> int:
        with self._environment.begin() as transaction:
            # "v" sorts last.
            cursor = transaction.cursor()
            if not cursor.last() or not cursor.key().startswith(b"v"):
                return 0
            return int(_COMMIT_KEY.unpack(cursor.key())[1])


@contextmanager
def _translated_errors(what: str) -> Iterator[None]:
    try:
        yield
    except (
        lmdb.InvalidError,
        lmdb.VersionMismatchError,
        lmdb.CorruptedError,
        lmdb.PageNotFoundError,
    ) as error:
        raise CorruptFileError(f"{what}: {error}; restore it from a copy") from error
    except (OSError, lmdb.Error) as error:
        raise StorageError(f"{what}: {error}") from error


def _records(root: Node | None, version: int) -> list[tuple[bytes, bytes]]:
    """What to write for the nodes that ``version`` made, which get their nonces here."""
    new = [root] if root is not None and root.version == version else []
    for node in new:
        if node.height:
            new += [child for child in (node.left, node.right) if child.version == version]
    for nonce, node in enumerate(new, start=1):
        node.nonce = nonce
    return [(_NODE_KEY.pack(b"n", version, node.nonce), _encode_node(node)) for node in new]


def _encode_node(node: Node) -> bytes:
    if not node.height:
        return _LEAF.pack(0, len(node.key)) + node.key + node.value
    left, right = node.left, node.right
    if not (left.nonce and right.nonce):
        raise ValueError("the tree has saved versions that were not committed to the store")
    return _INNER.pack(1, left.version, left.nonce, right.version, right.nonce)


def _read_node(transaction: lmdb.Transaction, version: int, nonce: int) -> Node:
    record = bytes(transaction.get(_NODE_KEY.pack(b"n", version, nonce), b""))
    if record[:1] == b"\x01":
        _, left_version, left_nonce, right_version, right_nonce = _INNER.unpack(record)
        left = _read_node(transaction, left_version, left_nonce)
        right = _read_node(transaction, right_version, right_nonce)
        smallest = right
        while smallest.height:
            smallest = smallest.left
        height = 1 + max(left.height, right.height)
        size = left.size + right.size
        return Node(smallest.key, b"", version, height, size, left, right, nonce=nonce)
    _, length = _LEAF.unpack_from(record)
    start = _LEAF.size
    key, value = record[start : start + length], record[start + length :]
    return Node(key, value, version, nonce=nonce)
