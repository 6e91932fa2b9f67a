"""Many values set at once: one sweep over the tree in place of a descent for each key.

A block mostly writes to keys that exist. That changes no node's place, so it does not matter when
it is done among other changes, and all of it can be done together: paths that keys have in common
are walked and copied once. (A key's leaf stays below a node for as long as that node is not part
of a rotation, and one that is gets the working version anyway. So the order decides neither the
tree's shape nor any node's version.)
"""

from bisect import bisect_left
from collections.abc import Sequence

from veperf.workloads.transaction.iavl.node import Node, hashers


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
