"""Snapshots: whole versions of a tree in LMDB, written in slices while the chain continues.

As in memiavl (Cronos) a version is a snapshot and the change sets after it. Saved versions don't
change, so a snapshot needs no pause of the chain, and no thread or process: each commit writes some
of its nodes. It is valid once its last slice is written.

::

    "n" version end    -> a slice of the snapshot of version, up to its end-th node
    "s" version        -> the number of its nodes, decimal, once it is whole

Numbers in keys have 8 bytes, big-endian. ``iavl.encoding`` has the layout of a slice.
"""

from struct import Struct as Layout
from struct import error as LayoutError  # noqa: N812  # a class, whatever struct calls it

import lmdb
from msgspec import Struct

from veperf.workloads.transaction.iavl import TreeNode
from veperf.workloads.transaction.iavl.encoding import encode_slice
from veperf.workloads.transaction.records import (
    DamageError,
    delete_range,
    unpack_version,
    version_key,
)

_SLICE_KEY = Layout(">cQQ")
_NODES_AT_ONCE = 4_096


class UnfinishedSnapshot(Struct, frozen=True):
    """A snapshot that is being written."""

    version: int
    root: TreeNode | None
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
    if written > (nodes := _count_nodes(root)):
        raise DamageError(f"{written} nodes of version {version} are written; it has {nodes}")
    return UnfinishedSnapshot(version, root, written)


def write_slice(
    transaction: lmdb.Transaction, snapshot: UnfinishedSnapshot, count: int
) -> UnfinishedSnapshot | None:
    """Write the next ``count`` nodes and return the new state; None when the snapshot is whole."""
    version, root, written = snapshot.version, snapshot.root, snapshot.written
    nodes = _count_nodes(root)
    end = min(written + count, nodes)
    if root is not None and end > written:
        slice_key = _SLICE_KEY.pack(b"n", version, end)
        transaction.put(slice_key, encode_slice(root, written, end - written))
    if end < nodes:
        return UnfinishedSnapshot(version, root, end)
    transaction.put(version_key(b"s", version), b"%d" % nodes)
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


def unfinished_version(transaction: lmdb.Transaction, version: int) -> int | None:
    """Return the version up to ``version`` whose snapshot has been begun, if it isn't whole.

    Raises:
        DamageError: a key is invalid.
    """
    last = _greatest_key_below(transaction, _SLICE_KEY.pack(b"n", version + 1, 0))
    if not last.startswith(b"n"):
        return None
    begun, _ = _unpack_slice_key(last)
    return begun if transaction.get(version_key(b"s", begun)) is None else None


def read_slices(transaction: lmdb.Transaction, version: int) -> list[bytes]:
    """Return the slices of the whole snapshot of ``version``.

    Raises:
        DamageError: nodes are missing, or a key is invalid.
    """
    slices: list[bytes] = []
    end = 0
    cursor = transaction.cursor()
    has_record = cursor.set_range(_SLICE_KEY.pack(b"n", version, 0))
    after = _SLICE_KEY.pack(b"n", version + 1, 0)
    while has_record and (key := bytes(cursor.key())) < after:
        _, end = _unpack_slice_key(key)
        slices.append(bytes(cursor.value()))
        has_record = cursor.next()
    if b"%d" % end != transaction.get(version_key(b"s", version)):
        raise DamageError(f"the snapshot of version {version} ends at node {end}")
    return slices


def delete_snapshots(transaction: lmdb.Transaction, start: int, end: int) -> None:
    """Delete the snapshots of the versions from ``start`` (included) to ``end`` (excluded)."""
    delete_range(transaction, _SLICE_KEY.pack(b"n", start, 0), _SLICE_KEY.pack(b"n", end, 0))
    delete_range(transaction, version_key(b"s", start), version_key(b"s", end))


def _count_nodes(root: TreeNode | None) -> int:
    return 0 if root is None else 2 * root.size - 1


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
