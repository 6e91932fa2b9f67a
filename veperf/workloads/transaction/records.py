"""How an IAVL tree lies in LMDB: the records of ``store.Store``.

Only what a commit made is written. Keys are those of cosmos/iavl v1, (version, nonce), so that a
commit's nodes lie side by side. Neither hashes nor an inner node's key, height and size are
stored: they follow from the leaves and the shape, are computed anew when a version is read and
checked against the root hash of the commit.

::

    "format"                     -> format number, decimal
    "v" version                  -> root hash (32 bytes), version and nonce of the root
    "n" version nonce            -> 0, length of key, key, value          for a leaf
                                 -> 1, version and nonce of both children for an inner node

Numbers are big-endian: versions 8 bytes, nonces and lengths 4, so keys sort by version. Nonces
start at 1; an empty tree's root is (0, 0).
"""

from collections import Counter
from collections.abc import Iterator
from struct import Struct as Layout
from struct import error as LayoutError  # noqa: N812  # a class, whatever struct calls it

import lmdb
from msgspec import Struct

from veperf.workloads.transaction.iavl import EMPTY_ROOT_HASH, Node, fill_hashes

_NODE_KEY = Layout(">cQI")
_COMMIT_KEY = Layout(">cQ")
_COMMIT = Layout(">32sQI")
_LEAF = Layout(">BI")
_INNER = Layout(">BQIQI")

Place = tuple[int, int]
"""Version and nonce of a node."""


class DamageError(ValueError):
    """Records that contradict each other, or that are missing."""


class Commit(Struct, frozen=True):
    """What is kept of a commit beside its nodes."""

    root_hash: bytes
    root: Place


def read_commit(transaction: lmdb.Transaction, version: int) -> Commit | None:
    """The commit of ``version``; None where there is none.

    Raises:
        DamageError: it can't be read.
    """
    record = transaction.get(_COMMIT_KEY.pack(b"v", version))
    if record is None:
        return None
    try:
        root_hash, root_version, nonce = _COMMIT.unpack(record)
    except LayoutError as error:
        raise DamageError(str(error)) from error
    return Commit(root_hash, (root_version, nonce))


def read_versions(transaction: lmdb.Transaction) -> Iterator[int]:
    """The versions that were committed and not pruned, last one first."""
    # "v" sorts last.
    for key in transaction.cursor().iterprev(keys=True, values=False):
        if not bytes(key).startswith(b"v"):
            return
        yield int(_COMMIT_KEY.unpack(key)[1])


def read_tree(transaction: lmdb.Transaction, commit: Commit) -> Node | None:
    """The root of ``commit`` with all that is below it, its hash computed anew.

    Raises:
        DamageError: nodes are missing or damaged, or the root hash is not the commit's.
    """
    try:
        root = _read_node(transaction, commit.root) if commit.root[1] else None
    except (LayoutError, RecursionError) as error:
        raise DamageError(str(error)) from error
    if root is not None:
        fill_hashes(root)
    found = root.hash if root is not None else EMPTY_ROOT_HASH
    if found != commit.root_hash:
        raise DamageError(
            f"the root hash is {found.hex()}, but {commit.root_hash.hex()} was committed"
        )
    return root


def write_commit(
    transaction: lmdb.Transaction, version: int, root: Node | None, root_hash: bytes
) -> None:
    """Write what ``version`` made, in place of what an earlier commit of it had made.

    Raises:
        ValueError: a node below ``root`` is of an older version and was never written.
    """
    new = [root] if root is not None and root.version == version else []
    for node in new:
        if node.height:
            new += [child for child in (node.left, node.right) if child.version == version]
    for nonce, node in enumerate(new, start=1):
        node.nonce = nonce
    _put(transaction, version, root, root_hash, new)
    cursor = transaction.cursor()
    found = cursor.set_range(_NODE_KEY.pack(b"n", version, len(new) + 1))
    while found and bytes(cursor.key()).startswith(_COMMIT_KEY.pack(b"n", version)):
        found = cursor.delete()


def write_whole(
    transaction: lmdb.Transaction, version: int, root: Node | None, root_hash: bytes
) -> None:
    """Write ``version`` with all its nodes, of which none may ever have been written."""
    nodes = [root] if root is not None else []
    made: Counter[int] = Counter()
    for node in nodes:
        made[node.version] += 1
        node.nonce = made[node.version]
        if node.height:
            nodes += [node.left, node.right]
    _put(transaction, version, root, root_hash, nodes)


def delete_commit(
    transaction: lmdb.Transaction, version: int, commit: Commit, following: Commit
) -> None:
    """Delete ``version``, the oldest, and its nodes that ``following``, the next one, lacks.

    A node is never under another parent in a later version unless that parent is new, so the
    shared subtrees are those that the new nodes of ``following`` have as children.

    Raises:
        DamageError: a node is missing or damaged.
    """
    shared = set()
    pending = [following.root]
    while pending:
        place = pending.pop()
        if place[0] > version:
            pending += _children(transaction.get(_NODE_KEY.pack(b"n", *place)))
        else:
            shared.add(place)
    pending = [commit.root] if commit.root[1] else []
    while pending:
        place = pending.pop()
        if place not in shared:
            pending += _children(transaction.pop(_NODE_KEY.pack(b"n", *place)))
    transaction.delete(_COMMIT_KEY.pack(b"v", version))


def _put(
    transaction: lmdb.Transaction,
    version: int,
    root: Node | None,
    root_hash: bytes,
    nodes: list[Node],
) -> None:
    items = [(_NODE_KEY.pack(b"n", node.version, node.nonce), _encode(node)) for node in nodes]
    transaction.cursor().putmulti(items)
    place = (root.version, root.nonce) if root is not None else (0, 0)
    transaction.put(_COMMIT_KEY.pack(b"v", version), _COMMIT.pack(root_hash, *place))


def _encode(node: Node) -> bytes:
    if not node.height:
        return _LEAF.pack(0, len(node.key)) + node.key + node.value
    left, right = node.left, node.right
    if not (left.nonce and right.nonce):
        raise ValueError("the tree has saved versions that were not committed to the store")
    return _INNER.pack(1, left.version, left.nonce, right.version, right.nonce)


def _children(record: bytes | memoryview | None) -> tuple[Place, ...]:
    if record is None:
        raise DamageError("a node is missing")
    if record[:1] == b"\0":
        return ()
    try:
        _, left_version, left_nonce, right_version, right_nonce = _INNER.unpack(record)
    except LayoutError as error:
        raise DamageError(str(error)) from error
    return (left_version, left_nonce), (right_version, right_nonce)


def _read_node(transaction: lmdb.Transaction, place: Place) -> Node:
    record = bytes(transaction.get(_NODE_KEY.pack(b"n", *place), b""))
    version, nonce = place
    if record[:1] == b"\1":
        _, left_version, left_nonce, right_version, right_nonce = _INNER.unpack(record)
        left = _read_node(transaction, (left_version, left_nonce))
        right = _read_node(transaction, (right_version, right_nonce))
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
