"""Snapshots: whole versions of a tree in LMDB, written in slices while the chain continues.

As in memiavl (Cronos) a version is a snapshot and the change sets after it. Saved versions don't
change, so a snapshot needs no pause of the chain, and no thread or process: each commit writes some
of its nodes. It is valid once its last slice is written.

::

    "n" version end    -> a slice of the snapshot of version, up to its end-th node
    "s" version        -> the number of its nodes, decimal, once it is whole

Numbers in keys have 8 bytes, big-endian. A slice is a msgpack array of nodes in depth-first
pre-order (a node, its left subtree, its right one): the version that made it for an inner node; an
array of version, key and value for a leaf. Everything else follows from the shape of an AVL tree.
"""

from struct import Struct as Layout
from struct import error as LayoutError  # noqa: N812  # a class, whatever struct calls it

import lmdb
from msgspec import MsgspecError, Struct
from msgspec.msgpack import Decoder, Encoder

from veperf.workloads.transaction.iavl import TreeNode
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


class UnfinishedSnapshot(Struct, frozen=True):
    """A snapshot that is being written."""

    version: int
    pending: tuple[TreeNode, ...]
    """Roots of the subtrees that are not written yet, in reverse order."""
    written: int
    """Number of nodes written."""


def find_unfinished_snapshot(
    transaction: lmdb.Transaction, version: int, root: TreeNode | None
) -> UnfinishedSnapshot | None:
    """Return the state of the snapshot of the saved ``version``; None when it is whole.

    Raises:
        DamageError: more nodes are written than the tree has.
    """
    if transaction.get(version_key(b"s", version)) is not None:
        return None
    last = _greatest_key_below(transaction, _SLICE_KEY.pack(b"n", version + 1, 0))
    written = _unpack_slice_key(last)[1] if last > _SLICE_KEY.pack(b"n", version, 0) else 0
    pending = [] if root is None else [root]
    skipped = 0
    while skipped < written:
        if not pending:
            raise DamageError(f"{written} nodes of version {version} are written; it has {skipped}")
        node = pending.pop()
        nodes = 2 * node.size - 1
        if skipped + nodes <= written:
            skipped += nodes
        else:
            pending += (node.right, node.left)
            skipped += 1
    return UnfinishedSnapshot(version, tuple(pending), written)


def write_slice(
    transaction: lmdb.Transaction, snapshot: UnfinishedSnapshot, count: int
) -> UnfinishedSnapshot | None:
    """Write the next ``count`` nodes and return the new state; None when the snapshot is whole."""
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
        return UnfinishedSnapshot(version, tuple(pending), written)
    transaction.put(version_key(b"s", version), b"%d" % written)
    return None


def write_snapshot(transaction: lmdb.Transaction, version: int, root: TreeNode | None) -> None:
    """Write a whole snapshot, in place of another one of that version."""
    delete_snapshots(transaction, version, version + 1)
    snapshot = find_unfinished_snapshot(transaction, version, root)
    while snapshot is not None:
        snapshot = write_slice(transaction, snapshot, _NODES_AT_ONCE)


def newest_snapshot(transaction: lmdb.Transaction, version: int) -> int:
    """Return the newest version up to ``version`` that has a whole snapshot.

    Raises:
        DamageError: no version has one.
    """
    key = _greatest_key_below(transaction, version_key(b"s", version + 1))
    if not key.startswith(b"s"):
        raise DamageError(f"there is no snapshot of version {version} or before")
    return unpack_version(key)


def read_snapshot(transaction: lmdb.Transaction, version: int) -> TreeNode | None:
    """Return the root of the whole snapshot of ``version``, without hashes.

    Raises:
        DamageError: nodes are missing or can't be read, or don't form an AVL tree.
    """
    items: list[_Item] = []
    cursor = transaction.cursor()
    has_record = cursor.set_range(_SLICE_KEY.pack(b"n", version, 0))
    after = _SLICE_KEY.pack(b"n", version + 1, 0)
    try:
        while has_record and (key := bytes(cursor.key())) < after:
            _, end = _unpack_slice_key(key)
            items += _decode(cursor.value())
            if len(items) != end:
                raise DamageError(f"a slice up to node {end} ends at {len(items)}")
            has_record = cursor.next()
        if b"%d" % len(items) != transaction.get(version_key(b"s", version)):
            raise DamageError(f"some nodes are missing: there are {len(items)}")
        return _build(items)
    except (DamageError, MsgspecError) as error:
        raise DamageError(f"the snapshot of version {version}: {error}") from error


def delete_snapshots(transaction: lmdb.Transaction, start: int, end: int) -> None:
    """Delete the snapshots of the versions from ``start`` (included) to ``end`` (excluded)."""
    delete_range(transaction, _SLICE_KEY.pack(b"n", start, 0), _SLICE_KEY.pack(b"n", end, 0))
    delete_range(transaction, version_key(b"s", start), version_key(b"s", end))


def _greatest_key_below(transaction: lmdb.Transaction, key: bytes) -> bytes:
    """Return the greatest key below ``key``; empty if there is none."""
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
        raise DamageError(f"the key {key[:40]!r} is not a slice's") from error
    return version, end


def _build(items: list[_Item]) -> TreeNode | None:
    """Build the tree whose nodes are ``items``, in pre-order, and return its root."""
    done: list[
        tuple[TreeNode, bytes]
    ] = []  # roots of subtrees from right to left; their first keys
    first: bytes | None = None
    for item in reversed(items):
        if isinstance(item, tuple):
            version, key, value = item
            if first is not None and key >= first:
                raise DamageError(f"the key {key[:40]!r} is out of order")
            first = key
            done.append((TreeNode(key, value, version), key))
            continue
        if len(done) < 2:
            raise DamageError("an inner node has no two children")
        (left, left_first), (right, right_first) = done.pop(), done.pop()
        # Else a chain of nodes could be so long that freeing it overflows the stack.
        if abs(left.height - right.height) > 1:
            raise DamageError("the tree is not balanced")
        height = 1 + max(left.height, right.height)
        size = left.size + right.size
        done.append((TreeNode(right_first, b"", item, height, size, left, right), left_first))
    if len(done) > 1:
        raise DamageError(f"{len(done)} subtrees are left without a root")
    return done[0][0] if done else None
