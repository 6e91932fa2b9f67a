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

_Item = int | tuple[int, bytes, bytes]
_encode = Encoder().encode
_decode_changes = Decoder(list[Change]).decode
_decode_items = Decoder(list[_Item]).decode


def encode_changes(changes: Sequence[Change]) -> bytes:
    """Encode a change set."""
    return _encode(changes)


def decode_changes(data: bytes) -> list[Change]:
    """Decode a change set.

    Raises:
        ValueError: it can't be read.
    """
    try:
        return _decode_changes(data)
    except MsgspecError as error:
        raise ValueError(str(error)) from error


def encode_slice(root: Any, start: int, count: int) -> bytes:
    """Encode up to ``count`` nodes of the tree below ``root``, after the first ``start``.

    ``root`` is a node of either core.
    """
    if not isinstance(root, TreeNode):
        return bytes(built_kernels().tree_slice(root, start, count))
    items: list[_Item] = []
    pending: list[TreeNode] = [root]
    skipped = 0
    while pending and len(items) < count:
        node = pending.pop()
        if skipped < start:
            if skipped + 2 * node.size - 1 <= start:
                skipped += 2 * node.size - 1
                continue
            skipped += 1
        elif node.height:
            items.append(node.version)
        else:
            items.append((node.version, node.key, node.value))
        if node.height:
            pending += (node.right, node.left)
    return _encode(items)


def build_tree(slices: Iterable[bytes]) -> TreeNode | None:
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
