"""Whole versions of a tree in LMDB, written a slice at a time while the chain goes on.

As in memiavl (Cronos) a version is a snapshot and the change sets after it. Saved versions don't
change, so a snapshot needs no stop of the chain, and no thread or process: each commit writes some
of its nodes. It counts from the moment when its last slice is written.

::

    "n" version end    -> a slice of the snapshot of version, up to its end-th node
    "s" version        -> the number of its nodes, decimal, once it is whole

Numbers in keys have 8 bytes, big-endian. A slice is a msgpack array of nodes in depth-first
pre-order (a node, its left subtree, its right one): the version that made it for an inner node; an
array of version, key and value for a leaf. The rest follows from the shape of an AVL tree.
"""

from struct import Struct as Layout
from struct import error as LayoutError  # noqa: N812  # a class, whatever struct calls it

import lmdb
from msgspec import MsgspecError, Struct
from msgspec.msgpack import Decoder, Encoder

from veperf.workloads.transaction.iavl import Node
from veperf.workloads.transaction.records import (
    DamageError,
    delete_range,
    unpack_version,
    version_key,
)

_SLICE_KEY = Layout(">cQQ")
_NODES_AT_ONCE = 4_096

_Item = int | tuple[int, bytes, bytes]
_encode = Encoder().encode
_decode = Decoder(list[_Item]).decode


class Unfinished(Struct, frozen=True):
    """A snapshot that is being written."""

    version: int
    pending: tuple[Node, ...]
    """The roots of what is not written yet, in reverse order. What is written is let go."""
    written: int
    """Nodes."""


def unfinished(transaction: lmdb.Transaction, version: int, root: Node | None) -> Unfinished | None:
    """The snapshot of the saved ``version`` as far as it is written; None when it is whole.

    Raises:
        DamageError: more nodes are written than there are.
    """
    if transaction.get(version_key(b"s", version)) is not None:
        return None
    last = _before(transaction, _SLICE_KEY.pack(b"n", version + 1, 0))
    written = _unpack_slice_key(last)[1] if last > _SLICE_KEY.pack(b"n", version, 0) else 0
    pending = [] if root is None else [root]
    skipped = 0
    while skipped < written:
        if not pending:
            raise DamageError(f"of {skipped} nodes of version {version} {written} are written")
        node = pending.pop()
        nodes = 2 * node.size - 1
        if skipped + nodes <= written:
            skipped += nodes
        else:
            pending += (node.right, node.left)
            skipped += 1
    return Unfinished(version, tuple(pending), written)


def write(transaction: lmdb.Transaction, snapshot: Unfinished, count: int) -> Unfinished | None:
    """Write the next ``count`` nodes: what is left to do; None when the snapshot is whole."""
    items: list[_Item] = []
    pending = list(snapshot.pending)
    while pending and len(items) < count:
        node = pending.pop()
        if node.height:
            items.append(node.version)
            pending += (node.right, node.left)
        else:
            items.append((node.version, node.key, node.value))
    version, written = snapshot.version, snapshot.written + len(items)
    if items:
        transaction.put(_SLICE_KEY.pack(b"n", version, written), _encode(items))
    if pending:
        return Unfinished(version, tuple(pending), written)
    transaction.put(version_key(b"s", version), b"%d" % written)
    return None


def write_whole(transaction: lmdb.Transaction, version: int, root: Node | None) -> None:
    """Write a snapshot at once, in place of another one of that version."""
    delete(transaction, version, version + 1)
    snapshot = unfinished(transaction, version, root)
    while snapshot is not None:
        snapshot = write(transaction, snapshot, _NODES_AT_ONCE)


def newest(transaction: lmdb.Transaction, version: int) -> int:
    """The newest version up to ``version`` that has a whole snapshot.

    Raises:
        DamageError: there is none.
    """
    key = _before(transaction, version_key(b"s", version + 1))
    if not key.startswith(b"s"):
        raise DamageError(f"there is no snapshot of version {version} or before")
    return unpack_version(key)


def read(transaction: lmdb.Transaction, version: int) -> Node | None:
    """The root of the snapshot of ``version``, which is whole; without hashes.

    Raises:
        DamageError: nodes are missing or can't be read, or are those of no AVL tree.
    """
    items: list[_Item] = []
    cursor = transaction.cursor()
    found = cursor.set_range(_SLICE_KEY.pack(b"n", version, 0))
    after = _SLICE_KEY.pack(b"n", version + 1, 0)
    try:
        while found and (key := bytes(cursor.key())) < after:
            _, end = _unpack_slice_key(key)
            items += _decode(cursor.value())
            if len(items) != end:
                raise DamageError(f"a slice up to node {end} ends at {len(items)}")
            found = cursor.next()
        if b"%d" % len(items) != transaction.get(version_key(b"s", version)):
            raise DamageError(f"there are {len(items)} nodes, which are not all")
        return _build(items)
    except (DamageError, MsgspecError) as error:
        raise DamageError(f"the snapshot of version {version}: {error}") from error


def delete(transaction: lmdb.Transaction, start: int, end: int) -> None:
    """Delete the snapshots of the versions from ``start`` (included) to ``end`` (excluded)."""
    delete_range(transaction, _SLICE_KEY.pack(b"n", start, 0), _SLICE_KEY.pack(b"n", end, 0))
    delete_range(transaction, version_key(b"s", start), version_key(b"s", end))


def _before(transaction: lmdb.Transaction, key: bytes) -> bytes:
    """The greatest key under ``key``; empty where there is none."""
    cursor = transaction.cursor()
    if cursor.set_range(key):
        cursor.prev()
    else:
        cursor.last()
    return bytes(cursor.key())


def _unpack_slice_key(key: bytes) -> tuple[int, int]:
    try:
        _, version, end = _SLICE_KEY.unpack(key)
    except LayoutError as error:
        raise DamageError(f"the key {key[:40]!r} is none of a slice") from error
    return version, end


def _build(items: list[_Item]) -> Node | None:
    """The root of the tree whose nodes are ``items``, in pre-order."""
    done: list[tuple[Node, bytes]] = []  # roots of subtrees from right to left; their first keys
    first: bytes | None = None
    for item in reversed(items):
        if isinstance(item, tuple):
            version, key, value = item
            if first is not None and key >= first:
                raise DamageError(f"the key {key[:40]!r} is out of order")
            first = key
            done.append((Node(key, value, version), key))
            continue
        if len(done) < 2:
            raise DamageError("an inner node is without two children")
        (left, left_first), (right, right_first) = done.pop(), done.pop()
        # Or a chain of nodes could be so long that freeing it takes more stack than there is.
        if abs(left.height - right.height) > 1:
            raise DamageError("the tree is not balanced")
        height = 1 + max(left.height, right.height)
        size = left.size + right.size
        done.append((Node(right_first, b"", item, height, size, left, right), left_first))
    if len(done) > 1:
        raise DamageError(f"{len(done)} subtrees are left without a root")
    return done[0][0] if done else None
