"""ICS-23 proofs that a key is, or is not, in a tree."""

from collections.abc import Iterator
from hashlib import sha256
from itertools import takewhile
from typing import Any

from google.protobuf.message import DecodeError

from veperf._native.core import built_kernels
from veperf.workloads.transaction.iavl.node import HASH_LENGTH, TreeNode, hash_prefix, uvarint
from veperf.workloads.transaction.iavl.tree import Tree
from veperf.workloads.transaction.protobuf import message_classes

# Values of HashOp and LengthOp.
NO_HASH = 0
SHA256 = 1
VAR_PROTO = 1

# A oneof there is several fields here, of which a reader must find exactly one.
_CLASSES = message_classes(
    "veperf.ics23",
    {
        "LeafOp": "hash int32 1, prehash_key int32 2, prehash_value int32 3, length int32 4, "
        "prefix bytes 5",
        "InnerOp": "hash int32 1, prefix bytes 2, suffix bytes 3",
        "ExistenceProof": "key bytes 1, value bytes 2, leaf LeafOp 3, path *InnerOp 4",
        "NonExistenceProof": "key bytes 1, left ExistenceProof 2, right ExistenceProof 3",
        "BatchEntry": "exist ExistenceProof 1, nonexist NonExistenceProof 2",
        "BatchProof": "entries *BatchEntry 1",
        "CompressedExistenceProof": "key bytes 1, value bytes 2, leaf LeafOp 3, path *int32 4",
        "CompressedNonExistenceProof": "key bytes 1, left CompressedExistenceProof 2, "
        "right CompressedExistenceProof 3",
        "CompressedBatchEntry": "exist CompressedExistenceProof 1, "
        "nonexist CompressedNonExistenceProof 2",
        "CompressedBatchProof": "entries *CompressedBatchEntry 1, lookup_inners *InnerOp 2",
        "CommitmentProof": "exist ExistenceProof 1, nonexist NonExistenceProof 2, "
        "batch BatchProof 3, compressed CompressedBatchProof 4",
    },
)

LeafOp = _CLASSES["LeafOp"]
InnerOp = _CLASSES["InnerOp"]
ExistenceProof = _CLASSES["ExistenceProof"]
NonExistenceProof = _CLASSES["NonExistenceProof"]
BatchEntry = _CLASSES["BatchEntry"]
BatchProof = _CLASSES["BatchProof"]
CompressedBatchProof = _CLASSES["CompressedBatchProof"]
CommitmentProof = _CLASSES["CommitmentProof"]


def prove_key(tree: Tree, key: bytes) -> bytes:
    """Prove the value of ``key`` in the working version of ``tree``, or that there is no such key.

    Returns the bytes of a CommitmentProof (cosmos/ics23, ``proofs.proto``) that holds against the
    tree's ``root_hash``: an existence proof of the key's leaf, or a non-existence proof made of
    those of the leaves before and after it. Use ``tree.at(version)`` for an older version.

    Raises:
        ValueError: an empty tree, an empty key and a leaf (the key's or a neighbour's) with an
            empty key or value have no proof in ICS-23.
    """
    root = tree.root
    if root is None or not key:
        raise ValueError("an empty tree and an empty key have no proof in ICS-23")
    root.fill_hashes()
    value = tree.get(key)
    if value is not None:
        return _field(1, _exist(root, key, value))
    proof = _field(1, key)
    for before, value in tree.iterate(end=key, ascending=False):
        proof += _field(2, _exist(root, before, value))
        break
    for after, value in tree.iterate(start=key):
        proof += _field(3, _exist(root, after, value))
        break
    return _field(2, proof)


def _field(number: int, data: bytes) -> bytes:
    """Encode a protobuf field of bytes, or of an encoded message."""
    return bytes([number << 3 | 2]) + uvarint(len(data)) + data


def _exist(root: Any, key: bytes, value: bytes) -> bytes:
    """Encode the ExistenceProof of a leaf; ``root`` is a node of either core."""
    if not key or not value:
        raise ValueError(f"key {key.hex()!r}: no proof in ICS-23 has an empty key or value")
    if not isinstance(root, TreeNode):
        return bytes(built_kernels().tree_prove(root, key))
    steps = []
    node: TreeNode = root
    while node.height:
        start = hash_prefix(node) + HASH_LENGTH
        if key < node.key:
            step = InnerOp(prefix=start, suffix=HASH_LENGTH + node.right.hash)
            node = node.left
        else:
            step = InnerOp(prefix=start + node.left.hash + HASH_LENGTH)
            node = node.right
        step.hash = SHA256
        steps.append(step)
    leaf = LeafOp(
        hash=SHA256,
        prehash_value=SHA256,
        length=VAR_PROTO,
        prefix=hash_prefix(node),
    )
    proof = ExistenceProof(key=key, value=value, leaf=leaf, path=reversed(steps))
    return bytes(proof.SerializeToString())


_LEAF = (SHA256, NO_HASH, SHA256, VAR_PROTO)
_LEFT, _RIGHT = 0, 1
_MAX_PREFIX = 11  # IavlSpec's longest prefix is 12, with the length of a hash


def verify_membership(root_hash: bytes, proof: bytes, key: bytes, value: bytes) -> bool:
    """Return if ``proof`` shows that the tree with this root hash has ``value`` at ``key``.

    ``proof`` is an encoded CommitmentProof; any other bytes are no proof.
    """
    return any(
        entry.exist.key == key and entry.exist.value == value and _root(entry.exist) == root_hash
        for entry in _entries(proof)
        if entry.HasField("exist")
    )


def verify_non_membership(root_hash: bytes, proof: bytes, key: bytes) -> bool:
    """Return if ``proof`` shows that the tree with this root hash does not have ``key``.

    ``proof`` is an encoded CommitmentProof; any other bytes are no proof.
    """
    return any(
        entry.nonexist.key == key and _separates(entry.nonexist, root_hash)
        for entry in _entries(proof)
        if entry.HasField("nonexist")
    )


# ---------------------------------------------------------------- forms of a proof


def _entries(data: bytes) -> Iterator[Any]:
    """Yield the messages with an ``exist`` or a ``nonexist``: one, or those of a batch."""
    try:
        proof = CommitmentProof.FromString(data)
    except DecodeError:
        return
    proof.DiscardUnknownFields()
    if proof.SerializeToString() != data or len(proof.ListFields()) != 1:
        return
    if proof.HasField("compressed"):
        entries = [
            _expand(entry, proof.compressed.lookup_inners) for entry in proof.compressed.entries
        ]
    elif proof.HasField("batch"):
        entries = list(proof.batch.entries)
    else:
        entries = [proof]
    yield from (entry for entry in entries if len(entry.ListFields()) == 1)


def _expand(packed: Any, steps: Any) -> Any:
    """Expand a compressed entry, which names its steps by their indices in ``steps``."""
    entry = BatchEntry()
    if packed.HasField("exist"):
        _expand_exist(packed.exist, steps, entry.exist)
    if packed.HasField("nonexist"):
        entry.nonexist.key = packed.nonexist.key
        if packed.nonexist.HasField("left"):
            _expand_exist(packed.nonexist.left, steps, entry.nonexist.left)
        if packed.nonexist.HasField("right"):
            _expand_exist(packed.nonexist.right, steps, entry.nonexist.right)
    return entry


def _expand_exist(packed: Any, steps: Any, exist: Any) -> None:
    exist.key, exist.value = packed.key, packed.value
    exist.leaf.CopyFrom(packed.leaf)
    # A missing step becomes one without a hash, which no spec allows.
    exist.path.extend(
        steps[index] if 0 <= index < len(steps) else InnerOp() for index in packed.path
    )


# ---------------------------------------------------------------- verification


def _root(proof: Any) -> bytes | None:
    """Return the root hash that an existence proof leads to; None if it is not an IAVL proof."""
    leaf = proof.leaf
    form = (leaf.hash, leaf.prehash_key, leaf.prehash_value, leaf.length)
    if form != _LEAF or not proof.key or not proof.value:
        return None
    height, size, remainder = _parse_hash_prefix(leaf.prefix)
    if (height, size, remainder) != (0, 1, b""):
        return None
    key, value_hash = proof.key, sha256(proof.value).digest()
    digest = sha256(leaf.prefix + uvarint(len(key)) + key + HASH_LENGTH + value_hash).digest()
    for layer, step in enumerate(proof.path, start=1):
        if _child(step, layer) is None:
            return None
        digest = sha256(step.prefix + digest + step.suffix).digest()
    return digest


def _child(step: Any, layer: int) -> int | None:
    """Return the child that ``step`` goes up from; None if its node is lower than ``layer``."""
    height, _, hashes = _parse_hash_prefix(step.prefix)
    if height is None or height < layer or step.hash != SHA256:
        return None
    if hashes == HASH_LENGTH and len(step.suffix) == 33 and step.suffix.startswith(HASH_LENGTH):
        return _LEFT
    if len(hashes) == 34 and hashes[:1] == hashes[33:] == HASH_LENGTH and not step.suffix:
        return _RIGHT
    return None


def _parse_hash_prefix(prefix: bytes) -> tuple[int | None, int, bytes]:
    """Parse height, size and version; return height, size and the bytes that follow.

    The height is None if they are not three zig-zag varints that aren't negative.
    """
    numbers = []
    start = 0
    for end, byte in enumerate(prefix[:_MAX_PREFIX], start=1):
        if byte & 0x80:
            continue
        numbers.append(sum((b & 0x7F) << 7 * i for i, b in enumerate(prefix[start:end])))
        start = end
        if len(numbers) == 3:
            break
    if len(numbers) < 3 or any(number & 1 for number in numbers):
        return None, 0, b""
    return numbers[0] >> 1, numbers[1] >> 1, prefix[start:]


def _separates(proof: Any, root_hash: bytes) -> bool:
    """Return if the key lies between two adjacent leaves, or beyond the first or last."""
    left = proof.left if proof.HasField("left") else None
    right = proof.right if proof.HasField("right") else None
    if not proof.key:
        return False
    if left is not None and not (left.key < proof.key and _root(left) == root_hash):
        return False
    if right is not None and not (proof.key < right.key and _root(right) == root_hash):
        return False
    if left is None:
        return right is not None and _all(_LEFT, right.path, len(right.path))
    if right is None:
        return _all(_RIGHT, left.path, len(left.path))
    pairs = zip(reversed(left.path), reversed(right.path), strict=False)
    common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    left_top, right_top = len(left.path) - common - 1, len(right.path) - common - 1
    return (
        left_top >= 0
        and right_top >= 0
        and _child(left.path[left_top], left_top + 1) == _LEFT
        and _child(right.path[right_top], right_top + 1) == _RIGHT
        and _all(_RIGHT, left.path, left_top)
        and _all(_LEFT, right.path, right_top)
    )


def _all(side: int, path: Any, below: int) -> bool:
    """Return if the first ``below`` steps of ``path`` all go up from the child ``side``."""
    return all(_child(path[i], i + 1) == side for i in range(below))
