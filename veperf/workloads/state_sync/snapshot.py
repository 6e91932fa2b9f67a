"""Snapshots in the Cosmos SDK's format 3: a zlib stream of items, cut into chunks of 10 MB.

A snapshot is its metadata and its chunks. The metadata has the SHA-256 of every chunk, and of all
of them together; none of it is tied to the chain, so that only the app hash of the restored state
shows whether it is the right one (``restore``). The compressed bytes are of the same level as the
SDK's, 7, but of another library: a snapshot of the same state has other chunk hashes than a Go
node's, and either side reads the other's.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import islice

from google.protobuf.message import DecodeError
from msgspec import Struct

from veperf.workloads.state_sync.errors import SnapshotError
from veperf.workloads.state_sync.items import encode_items, state_items
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.transaction.protobuf import message_classes

FORMAT = 3
CHUNK_BYTES = 10_000_000
COMPRESSION_LEVEL = 7
MAX_HEIGHT = (1 << 63) - 1
_HASH_BYTES = 32
_ITEMS_AT_ONCE = 1_024

_CLASSES = message_classes(
    "veperf.cosmos.snapshot_metadata",
    {
        "Metadata": "chunk_hashes *bytes 1",
        "Snapshot": "height uint64 1, format uint32 2, chunks uint32 3, hash bytes 4, "
        "metadata Metadata 5",
    },
)
_Metadata = _CLASSES["Metadata"]
_Snapshot = _CLASSES["Snapshot"]


class StateSnapshot(Struct, frozen=True):
    """The metadata of a snapshot."""

    height: int
    """The height, and version of every store, that it is of."""
    format: int
    hash: bytes
    """SHA-256 of all chunks, one after the other."""
    chunk_hashes: tuple[bytes, ...]
    """SHA-256 of each chunk."""


def export_chunks(
    stores: Mapping[str, Tree], height: int, *, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[bytes]:
    """Yield the chunks of a snapshot of the saved version ``height`` of all ``stores``.

    Blocks may be committed meanwhile: a saved version does not change.

    Raises:
        LookupError: a store does not have that version.
    """
    return compress_chunks(encode_items(state_items(stores, height)), chunk_bytes=chunk_bytes)


def compress_chunks(items: Iterable[bytes], *, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Yield the zlib stream of ``items`` in chunks of ``chunk_bytes``; the last may be shorter."""
    compressor = zlib.compressobj(COMPRESSION_LEVEL)
    remaining = iter(items)
    buffer = bytearray()
    while batch := b"".join(islice(remaining, _ITEMS_AT_ONCE)):
        buffer += compressor.compress(batch)
        while len(buffer) >= chunk_bytes:
            yield bytes(buffer[:chunk_bytes])
            del buffer[:chunk_bytes]
    buffer += compressor.flush()
    for start in range(0, len(buffer), chunk_bytes):
        yield bytes(buffer[start : start + chunk_bytes])


def describe_chunks(height: int, chunks: Iterable[bytes]) -> StateSnapshot:
    """Return the metadata of a snapshot with these ``chunks``; only one is held at once."""
    whole = sha256()
    hashes = []
    for chunk in chunks:
        whole.update(chunk)
        hashes.append(sha256(chunk).digest())
    return StateSnapshot(height, FORMAT, whole.digest(), tuple(hashes))


def encode_snapshot(snapshot: StateSnapshot) -> bytes:
    """Return the protobuf message ``Snapshot`` of the SDK."""
    message = _Snapshot(
        height=snapshot.height,
        format=snapshot.format,
        chunks=len(snapshot.chunk_hashes),
        hash=snapshot.hash,
        metadata=_Metadata(chunk_hashes=snapshot.chunk_hashes),
    )
    raw: bytes = message.SerializeToString()
    return raw


def decode_snapshot(raw: bytes) -> StateSnapshot:
    """Decode a message ``Snapshot``; ``encode_snapshot`` is the inverse.

    Raises:
        SnapshotError: it can't be read, or is not a snapshot that can be restored.
    """
    try:
        message = _Snapshot.FromString(raw)
    except DecodeError as error:
        raise SnapshotError(f"the metadata can't be read: {error}") from error
    snapshot = StateSnapshot(
        message.height, message.format, message.hash, tuple(message.metadata.chunk_hashes)
    )
    if message.chunks != len(snapshot.chunk_hashes):
        raise SnapshotError(
            f"the metadata has {len(snapshot.chunk_hashes)} hashes of {message.chunks} chunks"
        )
    check_snapshot(snapshot)
    return snapshot


def check_snapshot(snapshot: StateSnapshot) -> None:
    """Check that ``snapshot`` is one that can be restored, as far as its metadata shows.

    Raises:
        SnapshotError: another format, no height, no chunks, or hashes of another length.
    """
    if snapshot.format != FORMAT:
        raise SnapshotError(
            f"the snapshot has format {snapshot.format}, only {FORMAT} can be restored"
        )
    if not 0 < snapshot.height <= MAX_HEIGHT:
        raise SnapshotError(f"a snapshot can't be of height {snapshot.height}")
    if not snapshot.chunk_hashes:
        raise SnapshotError("the snapshot has no chunks")
    if any(len(hash_) != _HASH_BYTES for hash_ in (snapshot.hash, *snapshot.chunk_hashes)):
        raise SnapshotError(f"a hash in the metadata has not {_HASH_BYTES} bytes")
