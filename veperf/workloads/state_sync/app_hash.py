"""The app hash: one hash of the root hashes of all stores, as the Cosmos SDK's ``CommitInfo.Hash``.

The stores, sorted by name, are the leaves of a Merkle tree, with the bytes of a leaf

    uvarint(len name) || name || uvarint(32) || SHA256(root hash)
"""

from collections.abc import Mapping
from hashlib import sha256

from veperf.workloads.merkle import merkle_root
from veperf.workloads.transaction.iavl.node import HASH_LENGTH, uvarint


def app_hash(root_hashes: Mapping[str, bytes]) -> bytes:
    """Return the app hash, 32 bytes, of the stores' root hashes by name."""
    stores = sorted((name.encode(), value) for name, value in root_hashes.items())
    return merkle_root(
        uvarint(len(name)) + name + HASH_LENGTH + sha256(value).digest() for name, value in stores
    )
