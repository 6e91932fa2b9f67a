"""Changes to an IAVL tree: set, remove and the rotations, as cosmos/iavl's ``mutable_tree.go``.

A change copies the nodes from the root to the leaf, unless they are the working tree's own
already, and gives the copies the working version. What was saved is never touched.
"""

from bisect import bisect_left
from collections.abc import Sequence

from veperf.workloads.transaction.iavl.node import Node, hashers


def set_value(root: Node, key: bytes, value: bytes, version: int) -> tuple[Node, bool]:
    """Set ``key``: the new root, and whether the key was there before."""
    root = _own_inner(root, version)
    path, leaf = _own_path(root, key, version)
    new = Node(key, value, version)
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
        new = Node(leaf.key, b"", version, 1, 2, new, leaf)
    else:
        new = Node(key, b"", version, 1, 2, leaf, new)
    return _rebalance(path, key, new, version), False


def remove(root: Node, key: bytes, version: int) -> tuple[Node | None, bytes | None]:
    """Remove ``key``: the new root, None where nothing is left, and the value that was there.

    A key that is not there leaves the tree as it is.
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
            # Only the ancestor to whose right the leaf was the first one has its key.
            if node.key == key:
                node.key = parent.key
                key = parent.key
                break
    else:
        sibling = parent.left
    return _rebalance(path, key, sibling, version), leaf.value


def find(root: Node, key: bytes) -> Node | None:
    """The leaf that holds ``key``."""
    node = root
    while node.height:
        node = node.left if key < node.key else node.right
    return node if node.key == key else None


def _own_inner(node: Node, version: int) -> Node:
    if node.hash and node.height:
        return Node(node.key, b"", version, node.height, node.size, node.left, node.right)
    return node


def _own_path(root: Node, key: bytes, version: int) -> tuple[list[Node], Node]:
    """The inner nodes from ``root`` to where ``key`` belongs, all made our own, and the leaf."""
    path = []
    node = root
    while node.height:
        path.append(node)
        # _own_inner written out, twice: this loop is where most of the time of a write goes.
        if key < node.key:
            child = node.left
            if child.hash and (height := child.height):
                child = node.left = Node(
                    child.key, b"", version, height, child.size, child.left, child.right
                )
        else:
            child = node.right
            if child.hash and (height := child.height):
                child = node.right = Node(
                    child.key, b"", version, height, child.size, child.left, child.right
                )
        node = child
    return path, node


def _rebalance(path: list[Node], key: bytes, child: Node, version: int) -> Node:
    """Put ``child`` below the last node of ``path`` and balance upwards: the new root."""
    for node in reversed(path):
        if key < node.key:
            node.left = child
        else:
            node.right = child
        lean = node.left.height - node.right.height
        if lean > 1:
            child = _lean_left(node, version)
        elif lean < -1:
            child = _lean_right(node, version)
        else:
            _measure(node)
            child = node
    return child


def _lean_left(node: Node, version: int) -> Node:
    left = node.left
    if left.left.height < left.right.height:
        node.left = _rotate_left(_own_inner(left, version), version)
    return _rotate_right(node, version)


def _lean_right(node: Node, version: int) -> Node:
    right = node.right
    if right.left.height > right.right.height:
        node.right = _rotate_right(_own_inner(right, version), version)
    return _rotate_left(node, version)


def _rotate_right(node: Node, version: int) -> Node:
    top = _own_inner(node.left, version)
    node.left, top.right = top.right, node
    _measure(node)
    _measure(top)
    return top


def _rotate_left(node: Node, version: int) -> Node:
    top = _own_inner(node.right, version)
    node.right, top.left = top.left, node
    _measure(node)
    _measure(top)
    return top


def _measure(node: Node) -> None:
    left, right = node.left, node.right
    node.size = left.size + right.size
    node.height = 1 + (left.height if left.height > right.height else right.height)


def update_existing(
    root: Node, keys: Sequence[bytes], values: Sequence[bytes], version: int
) -> tuple[Node, list[int]]:
    """Give those of ``keys`` that are there their new ``values``; keys ascend and don't repeat.

    A copy gets its hash at once, while its children are at hand. Nodes that had none are changed
    in place and still have none.

    Returns the new root and the places in ``keys`` of those that are not there.
    """
    absent: list[int] = []
    leaf_hash, inner_hash = hashers(version)

    def sweep(node: Node, start: int, end: int) -> Node:
        """The node in place of ``node``, to which ``keys[start:end]`` lead."""
        if end - start == 1:
            return update_one(node, start)
        middle = bisect_left(keys, node.key, start, end)
        if not node.height:
            found = middle < end and keys[middle] == node.key
            absent.extend(place for place in range(start, end) if place != middle or not found)
            return update_one(node, middle) if found else node
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
            return Node(node.key, b"", version, height, size, left, right, image)
        node.left, node.right = left, right
        return node

    def update_one(node: Node, place: int) -> Node:
        key = keys[place]
        path = []
        below = node
        while below.height:
            path.append(below)
            below = below.left if key < below.key else below.right
        if below.key != key:
            absent.append(place)
            return node
        value = values[place]
        new = Node(key, value, version, hash=leaf_hash(key, value))
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
            new = Node(above.key, b"", version, height, size, left, right, image)
            below = above
        return new

    return sweep(root, 0, len(keys)), absent
