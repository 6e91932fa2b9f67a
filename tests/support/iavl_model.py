"""A slow, literal model of cosmos/iavl's ``mutable_tree.go`` and ``node.go`` (v1), for comparison.

Function by function as there: recursive, every touched node a new one, hashes written out by hand.
It shares nothing with ``veperf.workloads.transaction.iavl``.
"""

from dataclasses import dataclass, replace
from hashlib import sha256


@dataclass(frozen=True)
class ModelNode:
    key: bytes
    value: bytes = b""
    height: int = 0
    size: int = 1
    left: "ModelNode | None" = None
    right: "ModelNode | None" = None
    version: int | None = None  # None until it is saved

    @property
    def children(self) -> "tuple[ModelNode, ModelNode]":
        assert self.left is not None
        assert self.right is not None
        return self.left, self.right


class ModelTree:
    """A MutableTree that keeps the root of every version."""

    def __init__(self) -> None:
        self.root: ModelNode | None = None
        self.version = 0
        self.saved: dict[int, ModelNode | None] = {}

    def set(self, key: bytes, value: bytes) -> None:
        if self.root is None:
            self.root = ModelNode(key, value)
        else:
            self.root, _ = recursive_set(self.root, key, value)

    def remove(self, key: bytes) -> None:
        if self.root is not None:
            self.root, _, _ = recursive_remove(self.root, key)

    def save_version(self) -> bytes:
        self.version += 1
        self.root = self.saved[self.version] = stamp(self.root, self.version)
        return hash_of(self.root)


def recursive_set(node: ModelNode, key: bytes, value: bytes) -> tuple[ModelNode, bool]:
    if not node.height:
        new = ModelNode(key, value)
        if key < node.key:
            return ModelNode(node.key, height=1, size=2, left=new, right=node), False
        if key > node.key:
            return ModelNode(key, height=1, size=2, left=node, right=new), False
        return new, True
    left, right = node.children
    if key < node.key:
        child, updated = recursive_set(left, key, value)
        node = replace(node, left=child, version=None)
    else:
        child, updated = recursive_set(right, key, value)
        node = replace(node, right=child, version=None)
    return (node, True) if updated else (balance(measure(node)), False)


def recursive_remove(node: ModelNode, key: bytes) -> tuple[ModelNode | None, bytes | None, bool]:
    """The new node, the new key for the ancestor on whose right it is, whether it was there."""
    if not node.height:
        return (None, None, True) if node.key == key else (node, None, False)
    left, right = node.children
    if key < node.key:
        child, new_key, removed = recursive_remove(left, key)
        if not removed:
            return node, None, False
        if child is None:
            return right, node.key, True
        return balance(measure(replace(node, left=child, version=None))), new_key, True
    child, new_key, removed = recursive_remove(right, key)
    if not removed:
        return node, None, False
    if child is None:
        return left, None, True
    changed = replace(node, right=child, key=node.key if new_key is None else new_key, version=None)
    return balance(measure(changed)), None, True


def measure(node: ModelNode) -> ModelNode:
    left, right = node.children
    return replace(node, height=1 + max(left.height, right.height), size=left.size + right.size)


def lean(node: ModelNode) -> int:
    left, right = node.children
    return left.height - right.height


def balance(node: ModelNode) -> ModelNode:
    left, right = node.children
    if lean(node) > 1:
        if lean(left) < 0:
            node = replace(node, left=rotate_left(left), version=None)
        return rotate_right(node)
    if lean(node) < -1:
        if lean(right) > 0:
            node = replace(node, right=rotate_right(right), version=None)
        return rotate_left(node)
    return node


def rotate_right(node: ModelNode) -> ModelNode:
    left, _ = node.children
    node = measure(replace(node, left=left.right, version=None))
    return measure(replace(left, right=node, version=None))


def rotate_left(node: ModelNode) -> ModelNode:
    _, right = node.children
    node = measure(replace(node, right=right.left, version=None))
    return measure(replace(right, left=node, version=None))


def stamp(node: ModelNode | None, version: int) -> ModelNode | None:
    if node is None or node.version is not None:
        return node
    left, right = stamp(node.left, version), stamp(node.right, version)
    return replace(node, left=left, right=right, version=version)


def hash_of(node: ModelNode | None) -> bytes:
    if node is None:
        return sha256(b"").digest()
    assert node.version is not None
    head = varint(2 * node.height) + varint(2 * node.size) + varint(2 * node.version)
    if node.height:
        body = b"\x20" + hash_of(node.left) + b"\x20" + hash_of(node.right)
    else:
        value_hash = sha256(node.value).digest()
        body = varint(len(node.key)) + node.key + b"\x20" + value_hash
    return sha256(head + body).digest()


def varint(number: int) -> bytes:
    if number < 128:
        return bytes([number])
    return bytes([number % 128 + 128]) + varint(number // 128)


def nodes_of(node: ModelNode | None) -> list[tuple[bytes, bytes | None, int | None, int]]:
    """Key, value, version and height of each node in post-order, as ``export.go`` has them."""
    if node is None:
        return []
    own = (node.key, None if node.height else node.value, node.version, node.height)
    return [*nodes_of(node.left), *nodes_of(node.right), own]
