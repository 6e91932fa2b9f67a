"""Trees as bytes: change sets, and slices of snapshots.

Both are msgpack. A change set is an array of pairs, key and new value (nil: removed), *in the order
in which the changes were made*: that order decides how an IAVL tree is balanced. Replayed on the
version before they give the same tree, node for node, which the root hash shows.

A slice is an array of nodes in depth-first pre-order (a node, its left subtree, its right one): the
version that made it for an inner node; an array of version, key and value for a leaf. Everything
else follows from the shape of an AVL tree.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import MsgspecError
from msgspec.msgpack import Decoder, Encoder

from veperf._native.core import built_kernels
from veperf.workloads.transaction.iavl.node import TreeNode, inner_node

Change = tuple[bytes, bytes | None]
"""A key and its new value; None: it is removed."""

Buffer = bytes | memoryview
"""Encoded bytes, or a view of them where they lie."""

_Item = int | tuple[int, bytes, bytes]
_encode = Encoder().encode
_decode_changes = Decoder(list[Change]).decode
_decode_items = Decoder(list[_Item]).decode


def encode_changes(changes: Sequence[Change]) -> bytes:
    """Encode a change set."""
    return _encode(changes)


def decode_changes(data: Buffer) -> list[Change]:
    """Decode a change set.

    Raises:
        ValueError: it can't be read.
    """
    try:
        return _decode_changes(data)
    except MsgspecError as error:
        raise ValueError(str(error)) from error


def encode_slice(subtrees: Sequence[Any], count: int) -> bytes:
    """Encode the first ``count`` nodes of subtrees, one after the other, of either core."""
    if subtrees and not isinstance(subtrees[0], TreeNode):
        return bytes(built_kernels().tree_slice(tuple(subtrees), count))
    items: list[_Item] = []
    pending: list[TreeNode] = list(reversed(subtrees))
    while pending and len(items) < count:
        node = pending.pop()
        if node.height:
            items.append(node.version)
            pending += (node.right, node.left)
        else:
            items.append((node.version, node.key, node.value))
    return _encode(items)


def subtrees_behind(subtrees: Sequence[Any], count: int) -> tuple[Any, ...]:
    """Return the subtrees that are left of ``subtrees`` without their first ``count`` nodes."""
    pending = list(reversed(subtrees))
    while pending and count:
        node = pending.pop()
        nodes = 2 * node.size - 1
        if nodes <= count:
            count -= nodes
        else:
            count -= 1
            pending += (node.right, node.left)
    return tuple(reversed(pending))


def build_tree(slices: Iterable[Buffer]) -> TreeNode | None:
    """Build the tree that the slices, one after the other, are all nodes of, in Python's core.

    Returns its root, None for a tree without nodes.

    Raises:
        ValueError: they can't be read, or don't form an AVL tree.
    """
    items: list[_Item] = []
    try:
        for data in slices:
            items += _decode_items(data)
    except MsgspecError as error:
        raise ValueError(str(error)) from error
    return _build(items)


def _build(items: list[_Item]) -> TreeNode | None:
    # Roots of subtrees from right to left; their first keys.
    done: list[tuple[TreeNode, bytes]] = []
    first: bytes | None = None
    for item in reversed(items):
        version = item[0] if isinstance(item, tuple) else item
        if not 0 <= version < 2**63:
            raise ValueError(f"{version} is no version")
        if isinstance(item, tuple):
            _, key, value = item
            if first is not None and key >= first:
                raise ValueError(f"the key {key[:40]!r} is out of order")
            first = key
            done.append((TreeNode(key, value, version), key))
            continue
        if len(done) < 2:
            raise ValueError("an inner node has no two children")
        (left, left_first), (right, right_first) = done.pop(), done.pop()
        # Else a chain of nodes could be so long that freeing it overflows the stack.
        if abs(left.height - right.height) > 1:
            raise ValueError("the tree is not balanced")
        done.append((inner_node(left, right, right_first, version), left_first))
    if len(done) > 1:
        raise ValueError(f"{len(done)} subtrees are left without a root")
    return done[0][0] if done else None
