"""Snapshots: whole versions of trees in LMDB, written in slices while the chain continues.

As in memiavl (Cronos) a version is a snapshot and the change sets after it. Saved versions don't
change, so a snapshot needs no pause of the chain, and no thread or process: each commit writes some
of its nodes. It has all stores of a version, one after the other in the order of their names, and
is valid once its last slice is written.

::

    "n" version store end -> a slice of the store's tree in version, up to its end-th node
    "s" version           -> the number of nodes of each tree, a msgpack array, once it is whole

Versions and ends in keys have 8 bytes and a store's number 2, big-endian. ``iavl.encoding`` has the
layout of a slice.
"""

from collections.abc import Sequence
from struct import Struct as Layout
from struct import error as LayoutError  # noqa: N812  # a class, whatever struct calls it

import lmdb
from msgspec import Struct, msgpack

from veperf.workloads.transaction.iavl import TreeNode
from veperf.workloads.transaction.iavl.encoding import Buffer, encode_slice, subtrees_behind
from veperf.workloads.transaction.records import (
    DamageError,
    delete_range,
    unpack_version,
    version_key,
)

MAX_STORES = 1 << 16
_SLICE_KEY = Layout(">cQHQ")
_NODES_AT_ONCE = 4_096

_Subtrees = tuple[TreeNode, ...]


class UnfinishedSnapshot(Struct, frozen=True):
    """A snapshot that is being written.

    It keeps the nodes alone that aren't written yet. A version's own nodes are freed slice by
    slice, as it is written: all at once they would take seconds for millions of keys.
    """

    version: int
    node_counts: tuple[int, ...]
    """Number of nodes of each store's tree."""
    pending: tuple[_Subtrees, ...]
    """Subtrees that are left of each store that isn't whole, in their order."""
    written: int
    """Number of nodes written of the first of these."""

    @property
    def is_begun(self) -> bool:
        """If some of it is written."""
        return bool(self.written) or len(self.pending) < len(self.node_counts)


def find_unfinished_snapshot(
    transaction: lmdb.Transaction, version: int, roots: Sequence[TreeNode | None]
) -> UnfinishedSnapshot | None:
    """Return the state of the snapshot of the saved ``version``; None when it is whole.

    Raises:
        DamageError: more is written than the trees have.
    """
    if transaction.get(version_key(b"s", version)) is not None:
        return None
    node_counts = tuple([0 if root is None else 2 * root.size - 1 for root in roots])
    pending = [() if root is None else (root,) for root in roots]
    last = _greatest_key_below(transaction, _SLICE_KEY.pack(b"n", version + 1, 0, 0))
    if last <= _SLICE_KEY.pack(b"n", version, 0, 0):
        return UnfinishedSnapshot(version, node_counts, tuple(pending), 0)
    _, store, written = _unpack_slice_key(last)
    if store >= len(roots) or written > node_counts[store]:
        raise DamageError(
            f"of version {version} are {written} nodes of store {store} written, the stores have "
            f"{node_counts}"
        )
    pending[store] = subtrees_behind(pending[store], written)
    return UnfinishedSnapshot(version, node_counts, tuple(pending[store:]), written)


def is_up_to_date(transaction: lmdb.Transaction, snapshot: UnfinishedSnapshot) -> bool:
    """Return if ``snapshot`` goes on where its slices end.

    Raises:
        DamageError: a key is invalid.
    """
    version, node_counts = snapshot.version, snapshot.node_counts
    first = len(node_counts) - len(snapshot.pending)
    expected = sum(node_counts[:first]) + snapshot.written
    last = _greatest_key_below(transaction, _SLICE_KEY.pack(b"n", version + 1, 0, 0))
    if last <= _SLICE_KEY.pack(b"n", version, 0, 0):
        return expected == 0
    _, store, written = _unpack_slice_key(last)
    return sum(node_counts[:store]) + written == expected


def write_slices(
    transaction: lmdb.Transaction, snapshot: UnfinishedSnapshot, count: int
) -> UnfinishedSnapshot | None:
    """Write the next ``count`` nodes and return the new state; None when the snapshot is whole."""
    version, node_counts, written = snapshot.version, snapshot.node_counts, snapshot.written
    first = len(node_counts) - len(snapshot.pending)
    for index, subtrees in enumerate(snapshot.pending):
        store = first + index
        end = min(written + count, node_counts[store])
        if end > written:
            slice_key = _SLICE_KEY.pack(b"n", version, store, end)
            transaction.put(slice_key, encode_slice(subtrees, end - written))
        if end < node_counts[store]:
            left = subtrees_behind(subtrees, end - written)
            pending = (left, *snapshot.pending[index + 1 :])
            return UnfinishedSnapshot(version, node_counts, pending, end)
        count -= end - written
        written = 0
    transaction.put(version_key(b"s", version), msgpack.encode(node_counts))
    return None


def write_snapshot(
    transaction: lmdb.Transaction, version: int, roots: Sequence[TreeNode | None]
) -> None:
    """Write a whole snapshot, in place of another one of that version."""
    delete_snapshots(transaction, version, version + 1, -1)
    snapshot = find_unfinished_snapshot(transaction, version, roots)
    while snapshot is not None:
        snapshot = write_slices(transaction, snapshot, _NODES_AT_ONCE)


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
        DamageError: a key is invalid, or no version has a whole snapshot.
    """
    last = _greatest_key_below(transaction, _SLICE_KEY.pack(b"n", version + 1, 0, 0))
    if not last.startswith(b"n"):
        return None
    begun, _, _ = _unpack_slice_key(last)
    return begun if begun > newest_snapshot(transaction, version) else None


def read_slices(
    transaction: lmdb.Transaction, version: int, stores: int
) -> Sequence[Sequence[Buffer]]:
    """Return the slices of each store in the whole snapshot of ``version``.

    Of a transaction with ``buffers=True`` they are views of the mapped file, not copies.

    Raises:
        DamageError: nodes are missing, or a key is invalid.
    """
    slices: list[list[Buffer]] = [[] for _ in range(stores)]
    ends = [0] * stores
    cursor = transaction.cursor()
    has_record = cursor.set_range(_SLICE_KEY.pack(b"n", version, 0, 0))
    after = _SLICE_KEY.pack(b"n", version + 1, 0, 0)
    while has_record and (key := bytes(cursor.key())) < after:
        _, store, end = _unpack_slice_key(key)
        if store >= stores:
            raise DamageError(f"the snapshot of version {version} has a store {store}")
        slices[store].append(cursor.value())
        ends[store] = end
        has_record = cursor.next()
    if transaction.get(version_key(b"s", version)) != msgpack.encode(ends):
        raise DamageError(f"the snapshot of version {version} ends at the nodes {ends}")
    return slices


def delete_snapshots(transaction: lmdb.Transaction, start: int, end: int, most: int) -> None:
    """Delete snapshots of the versions from ``start`` (included) to ``end`` (excluded).

    Of their records go ``most`` at most, all if it is negative. A snapshot that is deleted in part
    still counts as whole, as only unfinished ones are continued.
    """
    first, after = _SLICE_KEY.pack(b"n", start, 0, 0), _SLICE_KEY.pack(b"n", end, 0, 0)
    most = delete_range(transaction, first, after, most)
    delete_range(transaction, version_key(b"s", start), version_key(b"s", end), most)


def _greatest_key_below(transaction: lmdb.Transaction, key: bytes) -> bytes:
    """Return the greatest key below ``key``; empty if there is none."""
    cursor = transaction.cursor()
    if cursor.set_range(key):
        cursor.prev()
    else:
        cursor.last()
    return bytes(cursor.key())


def _unpack_slice_key(key: bytes) -> tuple[int, int, int]:
    try:
        _, version, store, end = _SLICE_KEY.unpack(key)
    except LayoutError as error:
        raise DamageError(f"the key {key[:40]!r} is not a slice's") from error
    return version, store, end
