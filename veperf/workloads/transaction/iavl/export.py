"""A version of a tree as a stream of nodes, and back, as cosmos/iavl's ``export.go``.

The stream has the nodes in depth-first post-order: left subtree, right subtree, node. Sizes and
hashes are not in it; they follow.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from veperf.core.errors import DataError
from veperf.workloads.transaction.iavl.node import Node, fill_hashes
from veperf.workloads.transaction.iavl.tree import Tree


class ExportNode(Struct, frozen=True, gc=False):
    """One node of the stream."""

    key: bytes
    value: bytes | None
    """None in an inner node (``height`` over 0)."""
    version: int
    """The commit that made it."""
    height: int


class _Subtree(Struct):
    root: Node
    smallest: bytes
    greatest: bytes


def export_nodes(tree: Tree) -> Iterator[ExportNode]:
    """The nodes of the last saved version of ``tree``; ``tree.at(version)`` has an older one."""
    root = tree.at(tree.version).root
    pending = [(root, False)] if root is not None else []
    while pending:
        node, children_done = pending.pop()
        if not node.height:
            yield ExportNode(node.key, node.value, node.version, 0)
        elif children_done:
            yield ExportNode(node.key, None, node.version, node.height)
        else:
            pending += [(node, True), (node.right, False), (node.left, False)]


def import_nodes(nodes: Iterable[ExportNode], version: int) -> Tree:
    """A tree whose last saved version is ``version``, with the nodes of an export.

    It has the root hash of the tree that was exported and goes on as that one would; which root
    hash that should be is for the caller to compare.

    Raises:
        DataError: the nodes are not those of one whole AVL tree of that version in post-order.
    """
    done: list[_Subtree] = []
    for place, node in enumerate(nodes):
        where = f"node {place} of the export"
        if not 0 < node.version <= version:
            raise DataError(f"{where} has version {node.version}, which version {version} can't")
        done.append(_inner(node, done, where) if node.height else _leaf(node, done, where))
    if len(done) > 1:
        raise DataError(f"the export ends early: {len(done)} subtrees are left without a root")
    if not done:
        return Tree(None, version)
    fill_hashes(done[0].root)
    return Tree(done[0].root, version)


def _leaf(node: ExportNode, done: list[_Subtree], where: str) -> _Subtree:
    if node.value is None:
        raise DataError(f"{where} is a leaf without a value")
    if done and node.key <= done[-1].greatest:
        raise DataError(f"{where} is out of order: its key is not over the one before")
    return _Subtree(Node(node.key, node.value, node.version), node.key, node.key)


def _inner(node: ExportNode, done: list[_Subtree], where: str) -> _Subtree:
    if node.value is not None or len(done) < 2:
        raise DataError(f"{where} is an inner node with a value, or without two children")
    right, left = done.pop(), done.pop()
    heights = left.root.height, right.root.height
    if node.height != 1 + max(heights) or abs(heights[0] - heights[1]) > 1:
        raise DataError(f"{where} has height {node.height} over children of {heights}")
    if node.key != right.smallest:
        raise DataError(f"{where} has another key than the smallest of its right subtree")
    if node.version < max(left.root.version, right.root.version):
        raise DataError(f"{where} is older than one of its children")
    root = Node(
        node.key,
        b"",
        node.version,
        node.height,
        left.root.size + right.root.size,
        left.root,
        right.root,
    )
    return _Subtree(root, left.smallest, right.greatest)
