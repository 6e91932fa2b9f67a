"""The records of ``commits.Commits`` in LMDB, except for snapshots.

::

    "c" version    -> the version's ``Commit``, a msgpack array
    "format"       -> format number, decimal
    "n" ..., "s"   -> ``snapshots``
    "oldest"       -> the oldest version that can be loaded, decimal
    "trees"        -> the stores' names, sorted, a msgpack array

Versions in keys have 8 bytes, big-endian, so that keys sort by version. ``iavl.encoding`` has the
layout of a change set. Replayed on a snapshot of an older version they give the same trees, node
for node, which the root hashes show.
"""

from collections.abc import Iterator
from struct import Struct as Layout
from struct import error as LayoutError  # noqa: N812  # a class, whatever struct calls it

import lmdb
from msgspec import MsgspecError, Struct
from msgspec.msgpack import Decoder, Encoder

_VERSION_KEY = Layout(">cQ")
_OLDEST_KEY = b"oldest"
_NAMES_KEY = b"trees"
_MAX_VERSION = (1 << 63) - 1  # of Cosmos chains: heights have 64 bits and a sign
_MAX_DIGITS = 18


class DamageError(ValueError):
    """Records are missing, can't be read, or contradict each other."""


class Commit(Struct, frozen=True, array_like=True, gc=False):
    """The content of a version's commit."""

    app_hash: bytes
    root_hashes: tuple[bytes, ...]
    """Root hash of each store, in the order of their names."""
    change_sets: tuple[memoryview, ...]
    """Encoded changes of each store that lead to this version; views, as long as the transaction.

    There is none in a store's first version, which is written as a whole.
    """


_encode = Encoder().encode
_decode_commit = Decoder(Commit).decode
_decode_names = Decoder(tuple[str, ...]).decode


def write_commit(transaction: lmdb.Transaction, version: int, commit: Commit) -> None:
    """Write the commit of ``version``, in place of an earlier one of it."""
    transaction.put(version_key(b"c", version), _encode(commit))


def read_commit(transaction: lmdb.Transaction, version: int) -> Commit:
    """Return the commit of ``version``.

    Raises:
        DamageError: it is missing or can't be read.
    """
    record = transaction.get(version_key(b"c", version))
    if record is None:
        raise DamageError(f"the commit of version {version} is missing")
    try:
        return _decode_commit(record)
    except MsgspecError as error:
        raise DamageError(f"the commit of version {version} can't be read: {error}") from error


def read_names(transaction: lmdb.Transaction) -> tuple[str, ...]:
    """Return the names of the stores.

    Raises:
        DamageError: the record is missing or can't be read.
    """
    try:
        return _decode_names(transaction.get(_NAMES_KEY, b""))
    except MsgspecError as error:
        raise DamageError(f"the stores' names can't be read: {error}") from error


def write_names(transaction: lmdb.Transaction, names: tuple[str, ...]) -> None:
    """Record the names of the stores."""
    transaction.put(_NAMES_KEY, _encode(names))


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
    raise DamageError(f"the commit of version {version} is missing")


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


def delete_commits(transaction: lmdb.Transaction, before: int, most: int) -> None:
    """Delete commits of versions before ``before``, the oldest first, ``most`` at most."""
    delete_range(transaction, version_key(b"c", 0), version_key(b"c", before), most)


def delete_range(transaction: lmdb.Transaction, start: bytes, end: bytes, most: int) -> int:
    """Delete records from the key ``start`` (included) to ``end`` (excluded), ``most`` at most.

    Returns how many are left of ``most``.
    """
    cursor = transaction.cursor()
    has_record = cursor.set_range(start)
    while most and has_record and bytes(cursor.key()) < end:
        has_record = cursor.delete()
        most -= 1
    return most


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
