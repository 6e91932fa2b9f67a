"""A state from the chunks of a snapshot, checked against the app hash of the chain.

Everything is a stream: at most one chunk, a megabyte of its items, and the trees themselves are in
memory. Each chunk is checked before it is used; all the rest is only proved by the app hash at the
end, as in the Cosmos SDK: until then a restored state is not to be trusted.
"""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256

from veperf.workloads.state_sync.errors import (
    AppHashError,
    ChunkHashError,
    ExtraChunkError,
    MissingChunkError,
    SnapshotError,
)
from veperf.workloads.state_sync.items import Item, decode_items
from veperf.workloads.state_sync.snapshot import StateSnapshot, check_snapshot
from veperf.workloads.transaction.iavl import ExportNode, Tree, import_nodes
from veperf.workloads.transaction.multistore import app_hash

ImportStore = Callable[[str, Iterable[ExportNode], int], Tree]
"""Builds a store: its name, the nodes of its export, and the version that they are of."""

_PIECE_BYTES = 1 << 20


def _import_in_memory(_: str, nodes: Iterable[ExportNode], version: int) -> Tree:
    return import_nodes(nodes, version)


def restore_state(
    snapshot: StateSnapshot,
    chunks: Iterable[bytes],
    trusted_hash: bytes,
    import_store: ImportStore = _import_in_memory,
) -> Mapping[str, Tree]:
    """Restore the stores, by name, from the ``chunks`` of ``snapshot``, in their order.

    ``trusted_hash`` is the app hash that the chain agreed on at the snapshot's height.
    ``import_store`` may write each store to disk; whatever it wrote is to be deleted on an error.

    Raises:
        ChunkError: a chunk is damaged, missing, out of order, or there are too many.
        AppHashError: the restored state is not the chain's.
        SnapshotError: the metadata, stream or items are not a snapshot's.
        DataError: the nodes of a store are not one whole tree.
    """
    check_snapshot(snapshot)
    items = decode_items(decompress(verify_chunks(snapshot, chunks)))
    stores = import_items(items, snapshot.height, import_store)
    check_state(stores, trusted_hash)
    return stores


def verify_chunks(snapshot: StateSnapshot, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield each chunk once its hash is found to be that in the metadata.

    Raises:
        ChunkError: one is damaged, missing, out of order, or there are too many; or all are right
            and the hash of the whole is not.
    """
    hashes = snapshot.chunk_hashes
    whole = sha256()
    count = 0
    for chunk in chunks:
        if count == len(hashes):
            raise ExtraChunkError(count, f"the snapshot has only {count}")
        digest = sha256(chunk).digest()
        if digest != hashes[count]:
            raise ChunkHashError(count, _explain(digest, hashes, count))
        whole.update(chunk)
        yield chunk
        count += 1
    if count < len(hashes):
        raise MissingChunkError(count, f"it is missing; the snapshot has {len(hashes)}")
    if whole.digest() != snapshot.hash:
        raise SnapshotError("the chunks have the hashes in the metadata, but the whole has not")


def _explain(digest: bytes, hashes: tuple[bytes, ...], place: int) -> str:
    if digest in hashes:
        return f"it is out of order: it has the hash of chunk {hashes.index(digest)}"
    return f"its SHA-256 is {digest.hex()}, not {hashes[place].hex()}; fetch it again"


def decompress(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the content of the zlib stream in ``chunks``, at most a megabyte at a time.

    Raises:
        SnapshotError: the stream is no zlib stream, is cut off, or something follows it.
    """
    stream = zlib.decompressobj()
    for chunk in chunks:
        data = chunk
        while data:
            try:
                piece = stream.decompress(data, _PIECE_BYTES)
            except zlib.error as error:
                raise SnapshotError(f"the chunks can't be decompressed: {error}") from error
            if piece:
                yield piece
            if stream.unused_data:
                raise SnapshotError("something follows the end of the compressed stream")
            data = stream.unconsumed_tail
    # With all input taken, the end of a repetition may still wait for room.
    while not stream.eof and (piece := stream.decompress(b"", _PIECE_BYTES)):
        yield piece
    if not stream.eof:
        raise SnapshotError("the compressed stream is cut off")


def import_items(
    items: Iterable[Item], height: int, import_store: ImportStore = _import_in_memory
) -> dict[str, Tree]:
    """Build the stores that ``items`` are of, by name.

    Raises:
        SnapshotError: a node comes before the first store, or names don't ascend.
        DataError: the nodes of a store are not one whole tree of that version.
    """
    remaining = iter(items)
    stores: dict[str, Tree] = {}
    item = next(remaining, None)
    while item is not None:
        if not isinstance(item, str):
            raise SnapshotError("the snapshot begins with a node; a store's name belongs there")
        if stores and item <= max(stores):
            raise SnapshotError(f"the store {item!r} is out of order: names ascend")
        nodes = _NodesOfOneStore(remaining)
        stores[item] = import_store(item, nodes, height)
        item = nodes.following
    return stores


class _NodesOfOneStore:
    """The nodes up to the next store's name."""

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self.following: str | None = None
        """The name of the next store, once all nodes were taken; None at the end."""

    def __iter__(self) -> Iterator[ExportNode]:
        for item in self._items:
            if isinstance(item, str):
                self.following = item
                return
            yield item


def check_state(stores: Mapping[str, Tree], trusted_hash: bytes) -> None:
    """Check that ``stores`` have the app hash that the chain agreed on.

    Raises:
        AppHashError: they have another.
    """
    restored = app_hash({name: tree.root_hash for name, tree in stores.items()})
    if restored != trusted_hash:
        raise AppHashError(
            f"the restored state has the app hash {restored.hex()}, the chain has "
            f"{trusted_hash.hex()}: refuse the snapshot and try another peer's"
        )
