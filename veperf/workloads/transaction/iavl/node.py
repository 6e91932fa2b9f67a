"""The nodes of an IAVL tree and their hashes, byte for byte as cosmos/iavl v1."""

from functools import lru_cache
from hashlib import sha256

from msgspec import Struct

EMPTY_ROOT_HASH = sha256(b"").digest()

_HASH_LENGTH = b"\x20"
_LEAF_SHAPE = b"\x00\x02"  # zigzag(height 0), zigzag(size 1)


class Node(Struct, eq=False, gc=False):
    """A leaf (``height`` 0) with a value, or an inner node with two children.

    A node that has its hash is never changed again and may be shared by any number of trees; one
    that has none yet belongs to the one tree that made it, which changes it in place.
    """

    key: bytes
    """A leaf's own key; an inner node's is the smallest key of its right subtree."""
    value: bytes
    """Empty in an inner node."""
    version: int
    """The commit that made the node."""
    height: int = 0
    size: int = 1
    """How many leaves are below, itself included."""
    left: "Node" = None  # type: ignore[assignment]  # leaves have none: readers ask for height first
    right: "Node" = None  # type: ignore[assignment]  # as above
    hash: bytes = b""
    """Empty until it is known."""
    nonce: int = 0
    """Its place among the nodes of its version in a durable store; 0 where it has none."""


def uvarint(number: int) -> bytes:
    """``number`` (0 or more) in base 128, lowest digit first, as protobuf and Go's binary do."""
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


@lru_cache(maxsize=1 << 10)
def _key_length(length: int) -> bytes:
    return uvarint(length)


@lru_cache(maxsize=1 << 16)
def _shape(height: int, size: int) -> bytes:
    return zigzag(height) + zigzag(size)


def zigzag(number: int) -> bytes:
    """``number`` as a signed varint: 0, -1, 1, -2 ... become 0, 1, 2, 3 ..."""
    return uvarint(number << 1 if number >= 0 else (-number << 1) - 1)


def fill_hashes(root: Node) -> None:
    """Give every node below and including ``root`` its hash, where it has none.

    With zz the zig-zag varint and 20 the length of a hash (cosmos/iavl, ``node.go``)::

        leaf   SHA256(zz(0) || zz(1) || zz(version) || uvarint(len key) || key
                      || 20 || SHA256(value))
        inner  SHA256(zz(height) || zz(size) || zz(version) || 20 || left || 20 || right)
    """
    if root.hash:
        return
    pending = [root]
    for node in pending:
        if node.height:
            if not node.left.hash:
                pending.append(node.left)
            if not node.right.hash:
                pending.append(node.right)
    last, version, version_20, join = -1, b"", b"", b"".join
    for node in reversed(pending):
        if node.version != last:
            last = node.version
            version = zigzag(last)
            version_20 = version + _HASH_LENGTH
        if node.height:
            shape = _shape(node.height, node.size)
            image = (shape, version_20, node.left.hash, _HASH_LENGTH, node.right.hash)
        else:
            key = node.key
            head = _LEAF_SHAPE + version
            image = (head, _key_length(len(key)), key, _HASH_LENGTH, sha256(node.value).digest())
        node.hash = sha256(join(image)).digest()
