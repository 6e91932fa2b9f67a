"""The nodes of an IAVL tree and their hashes, byte for byte as cosmos/iavl v1."""

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256

from msgspec import Struct

EMPTY_ROOT_HASH = sha256(b"").digest()

HASH_LENGTH = b"\x20"
_LEAF_SHAPE = b"\x00\x02"  # zigzag(height 0), zigzag(size 1)


class TreeNode(Struct, eq=False, gc=False):
    """A leaf (``height`` 0) with a value, or an inner node with two children.

    A node that has its hash never changes again and may be shared by any number of trees; a node
    without a hash belongs to the tree that made it, which changes it in place. The nodes of the
    compiled core have the same attributes, to be read only.
    """

    key: bytes
    """Key of a leaf; in an inner node the smallest key of its right subtree."""
    value: bytes
    """Value of a leaf; empty in an inner node."""
    version: int
    """Version of the commit that made the node."""
    height: int = 0
    size: int = 1
    """Number of leaves below, itself included."""
    left: "TreeNode" = None  # type: ignore[assignment]  # leaves have none: readers check height first
    right: "TreeNode" = None  # type: ignore[assignment]  # as above
    hash: bytes = b""
    """Hash, 32 bytes; empty until it is computed."""

    def fill_hashes(self) -> None:
        """Compute the missing hashes of this node and all nodes below."""
        if not self.hash:
            _fill_hashes(self)


def inner_node(left: TreeNode, right: TreeNode, key: bytes, version: int) -> TreeNode:
    """Return a node over two others; ``key`` is the smallest of the right one."""
    height = 1 + (left.height if left.height > right.height else right.height)
    return TreeNode(key, b"", version, height, left.size + right.size, left, right)


def uvarint(number: int) -> bytes:
    """Encode ``number`` (0 or more) in base 128, lowest digit first, as protobuf and Go do."""
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
    """Encode ``number`` as a signed varint: 0, -1, 1, -2 ... become 0, 1, 2, 3 ..."""
    return uvarint(number << 1 if number >= 0 else (-number << 1) - 1)


def hash_prefix(node: TreeNode) -> bytes:
    """Return the first bytes that the hash of ``node`` covers: its height, size and version."""
    return _shape(node.height, node.size) + zigzag(node.version)


def hashers(
    version: int,
) -> tuple[Callable[[bytes, bytes], bytes], Callable[[int, int, bytes, bytes], bytes]]:
    """Return hash functions of a leaf (key, value) and an inner node (height, size, child hashes).

    With zz the zig-zag varint and 20 the length of a hash (cosmos/iavl, ``node.go``)::

        leaf   SHA256(zz(0) || zz(1) || zz(version) || uvarint(len key) || key
                      || 20 || SHA256(value))
        inner  SHA256(zz(height) || zz(size) || zz(version) || 20 || left || 20 || right)
    """
    join = b"".join
    leaf_head = _LEAF_SHAPE + zigzag(version)
    version_20 = zigzag(version) + HASH_LENGTH

    def leaf_hash(key: bytes, value: bytes) -> bytes:
        value_hash = sha256(value).digest()
        image = (leaf_head, _key_length(len(key)), key, HASH_LENGTH, value_hash)
        return sha256(join(image)).digest()

    def inner_hash(height: int, size: int, left: bytes, right: bytes) -> bytes:
        image = (_shape(height, size), version_20, left, HASH_LENGTH, right)
        return sha256(join(image)).digest()

    return leaf_hash, inner_hash


def _fill_hashes(root: TreeNode) -> None:
    pending = [root]
    for node in pending:
        if node.height:
            if not node.left.hash:
                pending.append(node.left)
            if not node.right.hash:
                pending.append(node.right)
    version: int | None = None
    for node in reversed(pending):
        if node.version != version:
            version = node.version
            leaf_hash, inner_hash = hashers(version)
        if node.height:
            node.hash = inner_hash(node.height, node.size, node.left.hash, node.right.hash)
        else:
            node.hash = leaf_hash(node.key, node.value)
