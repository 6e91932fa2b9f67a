"""Export and import of a tree's version as a stream of nodes, as in cosmos/iavl's ``export.go``.

The stream has the nodes in depth-first post-order: left subtree, right subtree, node. Sizes and
hashes are not in it; they are derived.
"""

from collections.abc import Iterable, Iterator
from itertools import starmap
from typing import Any

from msgspec import Struct

from veperf._native.core import built_kernels
from veperf.core.errors import DataError
from veperf.workloads.transaction.iavl.node import TreeNode
from veperf.workloads.transaction.iavl.tree import Tree


class ExportNode(Struct, frozen=True, gc=False):
    """A node of the stream."""

    key: bytes
    value: bytes | None
    """Value of a leaf; None in an inner node (``height`` over 0)."""
    version: int
    """Version of the commit that made the node."""
    height: int


class _Subtree(Struct):
    root: Any  # a node of either core
    smallest: bytes
    greatest: bytes


def export_nodes(tree: Tree) -> Iterator[ExportNode]:
    """Yield the nodes of ``tree``'s last saved version; use ``tree.at(version)`` for others."""
    root: Any = tree.at(tree.version).root  # of either core
    if root is not None and not isinstance(root, TreeNode):
        yield from starmap(ExportNode, built_kernels().tree_export(root))
        return
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
    """Build a tree whose last saved version is ``version`` from the nodes of an export.

    It has the root hash of the exported tree and continues as that would; the caller compares the
    root hash with the expected one.

    Raises:
        DataError: the nodes are not one whole AVL tree of that version in post-order.
    """
    tree = Tree(None, version)
    done: list[_Subtree] = []
    for index, node in enumerate(nodes):
        where = f"node {index} of the export"
        if not 0 < node.version <= version:
            raise DataError(
                f"{where} has version {node.version}, which is not within 1 to {version}"
            )
        add = _add_inner if node.height else _add_leaf
        add(tree, node, done, where)
    if len(done) > 1:
        raise DataError(f"the export ends early: {len(done)} subtrees are left without a root")
    if not done:
        return tree
    root = done[0].root
    root.fill_hashes()
    return Tree(root, version)


def _add_leaf(tree: Tree, node: ExportNode, done: list[_Subtree], where: str) -> None:
    if node.value is None:
        raise DataError(f"{where} is a leaf without a value")
    if done and node.key <= done[-1].greatest:
        raise DataError(f"{where} is out of order: its key is not over the one before")
    leaf = tree.make_leaf(node.key, node.value, node.version)
    done.append(_Subtree(leaf, node.key, node.key))


def _add_inner(tree: Tree, node: ExportNode, done: list[_Subtree], where: str) -> None:
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
    root = tree.make_inner(left.root, right.root, node.key, node.version)
    done.append(_Subtree(root, left.smallest, right.greatest))
