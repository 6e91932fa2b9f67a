"""A chain's stores: an IAVL tree for each module, and one app hash over all of them.

As the Cosmos SDK's ``rootmulti`` has it: the stores, sorted by name, are the leaves of a Merkle
tree (``CommitInfo.Hash``, CometBFT's ``crypto/merkle``), with the bytes of a leaf

    uvarint(len name) || name || uvarint(32) || SHA256(root hash)

A value is proved in two steps, as an ABCI query returns them: from the key to the root hash of its
store (ICS-23, ``IavlSpec``), and from there to the app hash (``TendermintSpec``).
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from google.protobuf.message import DecodeError
from msgspec import Struct

from veperf.workloads.merkle import merkle_path, merkle_root
from veperf.workloads.transaction.iavl import (
    Tree,
    prove_key,
    verify_membership,
    verify_non_membership,
)
from veperf.workloads.transaction.iavl.node import HASH_LENGTH, uvarint
from veperf.workloads.transaction.iavl.proofs import (
    NO_HASH,
    SHA256,
    VAR_PROTO,
    CommitmentProof,
    ExistenceProof,
    InnerOp,
    LeafOp,
)

_LEAF = (SHA256, NO_HASH, SHA256, VAR_PROTO, b"\0")
_INNER = b"\1"
_MAX_DEPTH = 128  # of TendermintSpec, by default
_HASH_BYTES = 32


class ProofStep(Struct, frozen=True):
    """A step of a proof: CometBFT's ``ProofOp``."""

    type: str
    """``ics23:iavl`` for a key in its store, ``ics23:simple`` for a store under the app hash."""
    key: bytes
    """The key, or the store's name."""
    data: bytes
    """An encoded ICS-23 CommitmentProof."""


class MultiStore:
    """The trees of a chain's modules, which are committed together."""

    def __init__(self, trees: Mapping[str, Tree]) -> None:
        """Take the stores by name.

        Raises:
            ValueError: there is none, one has no name, or their versions differ.
        """
        self.trees = {name: trees[name] for name in sorted(trees)}
        """The stores by name, in the order of their names."""
        if not trees or not all(trees):
            raise ValueError("a multistore has at least one store, and each has a name")
        versions = {name: tree.version for name, tree in self.trees.items()}
        if len(set(versions.values())) > 1:
            raise ValueError(f"stores of one chain have one version, not {versions}")

    @classmethod
    def of_names(cls, names: Iterable[str]) -> "MultiStore":
        """Make empty stores of these names."""
        return cls({name: Tree() for name in names})

    @property
    def version(self) -> int:
        """The last committed version, 0 when there is none."""
        return next(iter(self.trees.values())).version

    @property
    def app_hash(self) -> bytes:
        """The app hash of the working version, 32 bytes."""
        return app_hash({name: tree.root_hash for name, tree in self.trees.items()})

    def commit(self) -> tuple[bytes, int]:
        """Save the working version of all stores; return the app hash and the version's number."""
        root_hashes = {name: tree.save_version()[0] for name, tree in self.trees.items()}
        return app_hash(root_hashes), self.version

    def at(self, version: int) -> "MultiStore":
        """Return the stores as they were at a committed ``version``.

        Raises:
            LookupError: the version was never committed, or is pruned.
        """
        return MultiStore({name: tree.at(version) for name, tree in self.trees.items()})

    def prove(self, name: str, key: bytes) -> tuple[ProofStep, ProofStep]:
        """Prove what the store ``name`` has at ``key``, or that it has nothing there.

        Raises:
            LookupError: there is no such store.
            ValueError: an empty store and empty keys and values have no proof in ICS-23.
        """
        if name not in self.trees:
            raise LookupError(f"there is no store {name!r}; there are {', '.join(self.trees)}")
        in_store = prove_key(self.trees[name], key)
        return (
            ProofStep("ics23:iavl", key, in_store),
            ProofStep("ics23:simple", name.encode(), self._prove_store(name)),
        )

    def _prove_store(self, name: str) -> bytes:
        root_hashes = {other: tree.root_hash for other, tree in self.trees.items()}
        stores = _sorted_stores(root_hashes)
        place = [store for store, _ in stores].index(name.encode())
        leaf = LeafOp(hash=SHA256, prehash_value=SHA256, length=VAR_PROTO, prefix=_LEAF[-1])
        proof = ExistenceProof(key=name.encode(), value=root_hashes[name], leaf=leaf)
        for is_left, sibling in merkle_path([_leaf(*store) for store in stores], place):
            prefix, suffix = (_INNER + sibling, b"") if is_left else (_INNER, sibling)
            proof.path.append(InnerOp(hash=SHA256, prefix=prefix, suffix=suffix))
        return bytes(CommitmentProof(exist=proof).SerializeToString())


def app_hash(root_hashes: Mapping[str, bytes]) -> bytes:
    """Return the app hash, 32 bytes, of the stores' root hashes by name."""
    return merkle_root(_leaf(*store) for store in _sorted_stores(root_hashes))


def verify_value(
    hash_of_app: bytes, proof: Sequence[ProofStep], name: str, key: bytes, value: bytes
) -> bool:
    """Return if ``proof`` shows that a chain with this app hash has ``value`` at ``key``."""
    root_hash = _proved_root_hash(hash_of_app, proof, name, key)
    return root_hash is not None and verify_membership(root_hash, proof[0].data, key, value)


def verify_no_value(hash_of_app: bytes, proof: Sequence[ProofStep], name: str, key: bytes) -> bool:
    """Return if ``proof`` shows that the store ``name`` under this app hash has no ``key``."""
    root_hash = _proved_root_hash(hash_of_app, proof, name, key)
    return root_hash is not None and verify_non_membership(root_hash, proof[0].data, key)


def verify_simple_membership(root_hash: bytes, proof: bytes, key: bytes, value: bytes) -> bool:
    """Return if ``proof`` shows that a simple Merkle tree with this root has ``value`` at ``key``.

    ``proof`` is an encoded CommitmentProof of one existence proof by ICS-23's ``TendermintSpec``;
    any other bytes are no proof.
    """
    exist = _existence(proof)
    return (
        exist is not None
        and exist.key == key
        and exist.value == value
        and _simple_root(exist) == root_hash
    )


def _sorted_stores(root_hashes: Mapping[str, bytes]) -> list[tuple[bytes, bytes]]:
    return sorted((name.encode(), value) for name, value in root_hashes.items())


def _leaf(name: bytes, root_hash: bytes) -> bytes:
    return uvarint(len(name)) + name + HASH_LENGTH + sha256(root_hash).digest()


def _proved_root_hash(
    hash_of_app: bytes, proof: Sequence[ProofStep], name: str, key: bytes
) -> bytes | None:
    """Return the root hash of the store that the second step proves; None if it proves none."""
    expected = [("ics23:iavl", key), ("ics23:simple", name.encode())]
    if [(step.type, step.key) for step in proof] != expected:
        return None
    store = proof[1]
    exist = _existence(store.data)
    if exist is None:
        return None
    root_hash = bytes(exist.value)
    proved = verify_simple_membership(hash_of_app, store.data, store.key, root_hash)
    return root_hash if proved else None


def _existence(data: bytes) -> Any | None:
    try:
        proof = CommitmentProof.FromString(data)
    except DecodeError:
        return None
    proof.DiscardUnknownFields()
    canonical = proof.SerializeToString() == data and len(proof.ListFields()) == 1
    return proof.exist if canonical and proof.HasField("exist") else None


def _simple_root(exist: Any) -> bytes | None:
    """Return the root hash that an existence proof leads to; None if it has another form."""
    leaf = exist.leaf
    form = (leaf.hash, leaf.prehash_key, leaf.prehash_value, leaf.length, leaf.prefix)
    if form != _LEAF or not exist.key or not exist.value or len(exist.path) > _MAX_DEPTH:
        return None
    digest = sha256(leaf.prefix + _leaf(exist.key, exist.value)).digest()
    for step in exist.path:
        # One sibling, to the left or to the right, behind the byte of an inner node.
        sizes = (len(step.prefix), len(step.suffix))
        one_sibling = sizes in ((1 + _HASH_BYTES, 0), (1, _HASH_BYTES))
        if step.hash != SHA256 or not one_sibling or not step.prefix.startswith(_INNER):
            return None
        digest = sha256(step.prefix + digest + step.suffix).digest()
    return digest
