"""The records of ``store.Store`` in LMDB, except for snapshots.

::

    "c" version    -> root hash (32 bytes), change set of the version
    "format"       -> format number, decimal
    "n" ..., "s"   -> ``snapshots``
    "oldest"       -> the oldest version that can be loaded, decimal

Versions in keys have 8 bytes, big-endian, so that keys sort by version. ``iavl.encoding`` has the
layout of a change set. Replayed on a snapshot of an older version they give the same tree, node for
node, which the root hash shows.
"""

from collections.abc import Iterator, Sequence
from struct import Struct as Layout
from struct import error as LayoutError  # noqa: N812  # a class, whatever struct calls it

import lmdb

from veperf.workloads.transaction.iavl.encoding import Change, encode_changes

_VERSION_KEY = Layout(">cQ")
_OLDEST_KEY = b"oldest"
_MAX_VERSION = (1 << 63) - 1  # of Cosmos chains: heights have 64 bits and a sign
_MAX_DIGITS = 18
_ROOT_HASH_BYTES = 32


class DamageError(ValueError):
    """Records are missing, can't be read, or contradict each other."""


def write_commit(
    transaction: lmdb.Transaction, version: int, root_hash: bytes, changes: Sequence[Change]
) -> None:
    """Write the change set that leads to ``version``, in place of an earlier commit of it."""
    transaction.put(version_key(b"c", version), root_hash + encode_changes(changes))


def read_root_hash(transaction: lmdb.Transaction, version: int) -> bytes | None:
    """Return the root hash of ``version``; None if there is no such version."""
    record = transaction.get(version_key(b"c", version))
    return None if record is None else bytes(record[:_ROOT_HASH_BYTES])


def read_change_sets(
    transaction: lmdb.Transaction, after: int, last: int
) -> tuple[list[bytes], list[bytes]]:
    """Return the root hashes and encoded change sets of the versions behind ``after``, to ``last``.

    Raises:
        DamageError: one is missing.
    """
    root_hashes, change_sets = [], []
    for version in range(after + 1, last + 1):
        record = transaction.get(version_key(b"c", version))
        if record is None:
            raise DamageError(f"the change set of version {version} is missing")
        root_hashes.append(bytes(record[:_ROOT_HASH_BYTES]))
        change_sets.append(bytes(record[_ROOT_HASH_BYTES:]))
    return root_hashes, change_sets


def read_versions(transaction: lmdb.Transaction) -> Iterator[int]:
    """Yield the versions that can be loaded, oldest first.

    Raises:
        DamageError: a version is missing, or a key is invalid.
    """
    oldest = version = read_oldest(transaction)
    cursor = transaction.cursor()
    has_record = cursor.set_range(version_key(b"c", oldest))
    while has_record and (key := bytes(cursor.key())).startswith(b"c"):
        if unpack_version(key) != version:
            break
        yield version
        version += 1
        has_record = cursor.next()
    else:
        if version > oldest or not oldest:
            return
    raise DamageError(f"the change set of version {version} is missing")


def read_oldest(transaction: lmdb.Transaction) -> int:
    """Return the oldest version that can be loaded; 0 when there is none.

    Raises:
        DamageError: the record can't be read.
    """
    record = bytes(transaction.get(_OLDEST_KEY, b"0"))
    if not record.isdigit() or len(record) > _MAX_DIGITS:
        raise DamageError(f"the oldest version is {record[:40]!r}")
    return int(record)


def write_oldest(transaction: lmdb.Transaction, version: int) -> None:
    """Record ``version`` as the oldest that can be loaded."""
    transaction.put(_OLDEST_KEY, b"%d" % version)


def delete_commits(transaction: lmdb.Transaction, before: int) -> None:
    """Delete the change sets of all versions before ``before``."""
    delete_range(transaction, version_key(b"c", 0), version_key(b"c", before))


def delete_range(transaction: lmdb.Transaction, start: bytes, end: bytes) -> None:
    """Delete all records from the key ``start`` (included) to ``end`` (excluded)."""
    cursor = transaction.cursor()
    has_record = cursor.set_range(start)
    while has_record and bytes(cursor.key()) < end:
        has_record = cursor.delete()


def version_key(kind: bytes, version: int) -> bytes:
    """Return the key of a record of ``version``; ``kind`` is a letter."""
    return _VERSION_KEY.pack(kind, version)


def unpack_version(key: bytes) -> int:
    """Return the version in a ``version_key``.

    Raises:
        DamageError: the key has another form.
    """
    try:
        _, version = _VERSION_KEY.unpack(key)
    except LayoutError as error:
        raise DamageError(f"the key {key[:40]!r} is not a store's") from error
    if not 0 < version < _MAX_VERSION:
        raise DamageError(f"there is a version {version}")
    return int(version)
