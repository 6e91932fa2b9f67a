"""ICS-23 proofs that a key is, or is not, in a tree."""

from typing import Any

from veperf.workloads.transaction.iavl import ics23
from veperf.workloads.transaction.iavl.node import HASH_LENGTH, Node, head
from veperf.workloads.transaction.iavl.tree import Tree


def prove(tree: Tree, key: bytes) -> bytes:
    """That ``key`` has its value in the working version of ``tree``, or that it is not there.

    The bytes of a CommitmentProof (cosmos/ics23, ``proofs.proto``) that holds against the tree's
    ``root_hash``: an existence proof of the key's leaf, or a non-existence proof made of those of
    the leaves before and after it. ``tree.at(version)`` proves the same of an older version.

    Raises:
        ValueError: an empty tree, an empty key and a leaf with an empty key or value have no proof
            in ICS-23; the last is that of the key or one beside it.
    """
    root = tree.root
    if root is None or not key:
        raise ValueError("an empty tree and an empty key have no proof in ICS-23")
    assert tree.root_hash  # which gives every node its hash
    if tree.get(key) is not None:
        return bytes(ics23.CommitmentProof(exist=_exist(root, key)).SerializeToString())
    proof = ics23.NonExistenceProof(key=key)
    for before, _ in tree.iterate(end=key, ascending=False):
        proof.left.CopyFrom(_exist(root, before))
        break
    for after, _ in tree.iterate(start=key):
        proof.right.CopyFrom(_exist(root, after))
        break
    return bytes(ics23.CommitmentProof(nonexist=proof).SerializeToString())


def _exist(root: Node, key: bytes) -> Any:
    steps = []
    node = root
    while node.height:
        start = head(node) + HASH_LENGTH
        if key < node.key:
            step = ics23.InnerOp(prefix=start, suffix=HASH_LENGTH + node.right.hash)
            node = node.left
        else:
            step = ics23.InnerOp(prefix=start + node.left.hash + HASH_LENGTH)
            node = node.right
        step.hash = ics23.SHA256
        steps.append(step)
    if not node.key or not node.value:
        raise ValueError(f"key {node.key.hex()!r}: no proof in ICS-23 has an empty key or value")
    leaf = ics23.LeafOp(
        hash=ics23.SHA256,
        prehash_value=ics23.SHA256,
        length=ics23.VAR_PROTO,
        prefix=head(node),
    )
    return ics23.ExistenceProof(key=node.key, value=node.value, leaf=leaf, path=reversed(steps))
