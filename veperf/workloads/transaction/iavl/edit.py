"""Changes to an IAVL tree: set, remove and the rotations, as cosmos/iavl's ``mutable_tree.go``.

A change copies the nodes from the root to the leaf, unless the working tree owns them already,
and gives the copies the working version. Saved nodes never change.
"""

from bisect import bisect_left
from collections.abc import Sequence

from veperf.workloads.transaction.iavl.node import TreeNode, hashers


def set_value(root: TreeNode, key: bytes, value: bytes, version: int) -> tuple[TreeNode, bool]:
    """Set ``key``; return the new root, and whether the key was there before."""
    root = _own_inner(root, version)
    path, leaf = _own_path(root, key, version)
    new = TreeNode(key, value, version)
    if key == leaf.key:
        if not path:
            return new, True
        parent = path[-1]
        if parent.left is leaf:
            parent.left = new
        else:
            parent.right = new
        return root, True
    if key < leaf.key:
        new = TreeNode(leaf.key, b"", version, 1, 2, new, leaf)
    else:
        new = TreeNode(key, b"", version, 1, 2, leaf, new)
    return _rebalance(path, key, new, version), False


def remove(root: TreeNode, key: bytes, version: int) -> tuple[TreeNode | None, bytes | None]:
    """Remove ``key``; return the new root, None if the tree is empty, and the removed value.

    Without the key the tree is unchanged and the value None.
    """
    leaf = find(root, key)
    if leaf is None:
        return root, None
    if not root.height:
        return None, leaf.value
    root = _own_inner(root, version)
    path, _ = _own_path(root, key, version)
    parent = path.pop()
    if key < parent.key:
        sibling = parent.right
        for node in path:
            # Only the ancestor in whose right subtree the leaf was the first has its key.
            if node.key == key:
                node.key = parent.key
                key = parent.key
                break
    else:
        sibling = parent.left
    return _rebalance(path, key, sibling, version), leaf.value


def find(root: TreeNode, key: bytes) -> TreeNode | None:
    """Return the leaf of ``key``; None if there is none."""
    node = root
    while node.height:
        node = node.left if key < node.key else node.right
    return node if node.key == key else None


def _own_inner(node: TreeNode, version: int) -> TreeNode:
    if node.hash and node.height:
        return TreeNode(node.key, b"", version, node.height, node.size, node.left, node.right)
    return node


def _own_path(root: TreeNode, key: bytes, version: int) -> tuple[list[TreeNode], TreeNode]:
    """Return the inner nodes from ``root`` to the place of ``key``, all owned, and the leaf."""
    path = []
    node = root
    while node.height:
        path.append(node)
        # _own_inner inlined, twice: a write spends most of its time in this loop.
        if key < node.key:
            child = node.left
            if child.hash and (height := child.height):
                child = node.left = TreeNode(
                    child.key, b"", version, height, child.size, child.left, child.right
                )
        else:
            child = node.right
            if child.hash and (height := child.height):
                child = node.right = TreeNode(
                    child.key, b"", version, height, child.size, child.left, child.right
                )
        node = child
    return path, node


def _rebalance(path: list[TreeNode], key: bytes, child: TreeNode, version: int) -> TreeNode:
    """Put ``child`` below the last node of ``path``, balance upwards and return the new root."""
    for node in reversed(path):
        if key < node.key:
            node.left = child
        else:
            node.right = child
        balance = node.left.height - node.right.height
        if balance > 1:
            child = _fix_left_heavy(node, version)
        elif balance < -1:
            child = _fix_right_heavy(node, version)
        else:
            _measure(node)
            child = node
    return child


def _fix_left_heavy(node: TreeNode, version: int) -> TreeNode:
    left = node.left
    if left.left.height < left.right.height:
        node.left = _rotate_left(_own_inner(left, version), version)
    return _rotate_right(node, version)


def _fix_right_heavy(node: TreeNode, version: int) -> TreeNode:
    right = node.right
    if right.left.height > right.right.height:
        node.right = _rotate_right(_own_inner(right, version), version)
    return _rotate_left(node, version)


def _rotate_right(node: TreeNode, version: int) -> TreeNode:
    top = _own_inner(node.left, version)
    node.left, top.right = top.right, node
    _measure(node)
    _measure(top)
    return top


def _rotate_left(node: TreeNode, version: int) -> TreeNode:
    top = _own_inner(node.right, version)
    node.right, top.left = top.left, node
    _measure(node)
    _measure(top)
    return top


def _measure(node: TreeNode) -> None:
    left, right = node.left, node.right
    node.size = left.size + right.size
    node.height = 1 + (left.height if left.height > right.height else right.height)


def update_existing(
    root: TreeNode, keys: Sequence[bytes], values: Sequence[bytes], version: int
) -> tuple[TreeNode, list[int]]:
    """Set the ``values`` of those ``keys`` that exist; keys ascend and don't repeat.

    A copy gets its hash at once, while its children are in the processor's caches. Nodes without a
    hash are changed in place and still have none.

    Returns the new root and the indices in ``keys`` of those that don't exist.
    """
    absent: list[int] = []
    leaf_hash, inner_hash = hashers(version)

    def sweep(node: TreeNode, start: int, end: int) -> TreeNode:
        """Return the replacement of ``node``, to which ``keys[start:end]`` lead."""
        if end - start == 1:
            return update_one(node, start)
        middle = bisect_left(keys, node.key, start, end)
        if not node.height:
            exists = middle < end and keys[middle] == node.key
            absent.extend(i for i in range(start, end) if i != middle or not exists)
            return update_one(node, middle) if exists else node
        left, right = node.left, node.right
        if start < middle:
            left = sweep(left, start, middle)
        if middle < end:
            right = sweep(right, middle, end)
        if left is node.left and right is node.right:
            return node
        if node.hash:
            height, size = node.height, node.size
            image = inner_hash(height, size, left.hash, right.hash)
            return TreeNode(node.key, b"", version, height, size, left, right, image)
        node.left, node.right = left, right
        return node

    def update_one(node: TreeNode, index: int) -> TreeNode:
        key = keys[index]
        path = []
        below = node
        while below.height:
            path.append(below)
            below = below.left if key < below.key else below.right
        if below.key != key:
            absent.append(index)
            return node
        value = values[index]
        new = TreeNode(key, value, version, hash=leaf_hash(key, value))
        for above in reversed(path):
            if not above.hash:
                if above.left is below:
                    above.left = new
                else:
                    above.right = new
                return node
            left, right = above.left, above.right
            if left is below:
                left = new
            else:
                right = new
            height, size = above.height, above.size
            image = inner_hash(height, size, left.hash, right.hash)
            new = TreeNode(above.key, b"", version, height, size, left, right, image)
            below = above
        return new

    return sweep(root, 0, len(keys)), absent
