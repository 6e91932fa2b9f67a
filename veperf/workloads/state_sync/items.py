"""The items of a snapshot: protobuf messages, each after its length, as the SDK's ``rootmulti``.

For each store in the order of names one item with its name, then one for each node of its tree, in
the order of IAVL's export. Messages are those of ``cosmos/store/snapshots/v1/snapshot.proto``; a
length is a uvarint. Items of extensions are refused: the state here has none.
"""

from collections.abc import Iterable, Iterator, Mapping

from google.protobuf.message import DecodeError

from veperf.workloads.state_sync.errors import SnapshotError
from veperf.workloads.transaction.iavl import ExportNode, Tree, export_nodes
from veperf.workloads.transaction.iavl.node import uvarint
from veperf.workloads.transaction.protobuf import message_classes

MAX_ITEM_BYTES = 64_000_000
"""The longest item that the SDK reads."""
_MAX_LENGTH_BYTES = 4
_MAX_HEIGHT = 127  # it is an int8 in cosmos/iavl

_CLASSES = message_classes(
    "veperf.cosmos.snapshots",
    {
        "SnapshotStoreItem": "name string 1",
        "SnapshotIAVLItem": "key bytes 1, value bytes 2, version int64 3, height int32 4",
        "SnapshotExtensionMeta": "name string 1, format uint32 2",
        "SnapshotExtensionPayload": "payload bytes 1",
        "SnapshotItem": "store SnapshotStoreItem 1, iavl SnapshotIAVLItem 2, "
        "extension SnapshotExtensionMeta 3, extension_payload SnapshotExtensionPayload 4",
    },
)
SnapshotItem = _CLASSES["SnapshotItem"]

Item = str | ExportNode
"""The name of the store whose nodes follow, or a node."""


def state_items(stores: Mapping[str, Tree], version: int) -> Iterator[Item]:
    """Yield the items of the saved ``version`` of all ``stores``, by name.

    Raises:
        LookupError: a store does not have that version.
    """
    for name in sorted(stores):
        yield name
        yield from export_nodes(stores[name].at(version))


def encode_items(items: Iterable[Item]) -> Iterator[bytes]:
    """Yield the bytes of each item, its length first."""
    for item in items:
        message = SnapshotItem()
        if isinstance(item, str):
            message.store.name = item
        else:
            node = message.iavl
            node.key, node.version, node.height = item.key, item.version, item.height
            # No field of protobuf 3 tells empty from absent: a leaf's value may be either.
            node.value = item.value or b""
        raw = message.SerializeToString()
        yield uvarint(len(raw)) + raw


def decode_items(pieces: Iterable[bytes]) -> Iterator[Item]:
    """Yield the items in a stream that comes in ``pieces`` of any length.

    Raises:
        SnapshotError: a message can't be read, is no item of a store, is too long, or is cut off.
    """
    rest = b""
    number = 0
    for piece in pieces:
        buffer = rest + piece if rest else piece
        start, end = 0, len(buffer)
        while start < end:
            length, body = _length(buffer, start, number)
            if body < 0 or body + length > end:
                break
            yield _decode_item(buffer[body : body + length], number)
            number += 1
            start = body + length
        rest = buffer[start:]
    if rest:
        raise SnapshotError(f"item {number} is cut off: the stream ends within it")


def _length(buffer: bytes, start: int, number: int) -> tuple[int, int]:
    """Return the length of the item at ``start`` and where it begins; -1: not all is there yet."""
    length = 0
    for place in range(_MAX_LENGTH_BYTES):
        if start + place >= len(buffer):
            return 0, -1
        digit = buffer[start + place]
        length |= (digit & 0x7F) << 7 * place
        if digit < 0x80:
            if length > MAX_ITEM_BYTES:
                break
            return length, start + place + 1
    raise SnapshotError(f"item {number} is longer than {MAX_ITEM_BYTES} bytes")


def _decode_item(raw: bytes, number: int) -> Item:
    try:
        item = SnapshotItem.FromString(raw)
    except DecodeError as error:
        raise SnapshotError(f"item {number} can't be read: {error}") from error
    if item.HasField("iavl"):
        node = item.iavl
        if not 0 <= node.height <= _MAX_HEIGHT:
            raise SnapshotError(f"item {number} is a node of height {node.height}")
        value = node.value if node.value or not node.height else None
        return ExportNode(node.key, value, node.version, node.height)
    if item.HasField("store") and item.store.name:
        return str(item.store.name)
    raise SnapshotError(f"item {number} is neither a store with a name nor a node")
