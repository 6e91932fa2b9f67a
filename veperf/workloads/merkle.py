"""Merkle trees over lists, as RFC 6962 and CometBFT's ``crypto/merkle`` hash them."""

from collections.abc import Iterable, Sequence
from hashlib import sha256


def merkle_root(leaves: Iterable[bytes]) -> bytes:
    """Return the root hash of ``leaves`` in their order, 32 bytes.

    With n leaves, and k the largest power of two below n (RFC 6962, section 2.1)::

        MTH({})         SHA256()
        MTH({d})        SHA256(0x00 || d)
        MTH(D)          SHA256(0x01 || MTH(D[0:k]) || MTH(D[k:n]))

    Level by level, an odd last hash moving up as it is, gives the same tree.
    """
    level = [sha256(b"\0" + leaf).digest() for leaf in leaves]
    if not level:
        return sha256().digest()
    while len(level) > 1:
        last = level[-1:] if len(level) % 2 else []
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [sha256(b"\1" + left + right).digest() for left, right in pairs] + last
    return level[0]


def merkle_path(leaves: Sequence[bytes], index: int) -> list[tuple[bool, bytes]]:
    """Return the siblings on the way from the leaf at ``index`` to the root.

    Each is a hash, and if it stands to the left of the way (CometBFT's ``Proof.Aunts``).

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= index < len(leaves):
        raise IndexError(f"there is no leaf {index} of {len(leaves)}")
    path: list[tuple[bool, bytes]] = []
    while len(leaves) > 1:
        split = 1 << (len(leaves) - 1).bit_length() - 1
        left, right = leaves[:split], leaves[split:]
        is_left = index >= split
        path.append((is_left, merkle_root(left if is_left else right)))
        leaves, index = (right, index - split) if is_left else (left, index)
    return path[::-1]
