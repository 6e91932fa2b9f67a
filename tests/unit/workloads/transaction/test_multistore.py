"""The app hash and proofs under it are those of the Cosmos SDK and of ICS-23."""

import json
from collections.abc import Callable
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from veperf.workloads.merkle import merkle_path, merkle_root
from veperf.workloads.transaction.iavl import EMPTY_ROOT_HASH, Tree
from veperf.workloads.transaction.iavl.proofs import CommitmentProof
from veperf.workloads.transaction.multistore import (
    MultiStore,
    ProofStep,
    app_hash,
    verify_no_value,
    verify_simple_membership,
    verify_value,
)

pytestmark = pytest.mark.usefixtures("core")

VECTORS = Path(__file__).parents[3] / "vectors" / "ics23_tendermint"
EXISTENCE = ["exist_left", "exist_middle", "exist_right"]
NAMES = st.text(st.characters(codec="ascii", categories=["Ll"]), min_size=1, max_size=12)


def vector(name: str) -> tuple[bytes, bytes, bytes, bytes]:
    fields = json.loads((VECTORS / f"{name}.json").read_text())
    root, proof, key, value = (bytes.fromhex(fields[x]) for x in ("root", "proof", "key", "value"))
    return root, proof, key, value


def flips(data: bytes) -> list[bytes]:
    number = int.from_bytes(data, "big")
    return [(number ^ 1 << bit).to_bytes(len(data), "big") for bit in range(8 * len(data))]


def chain(*names: str) -> MultiStore:
    stores = MultiStore.of_names(names)
    for tree, name in zip(stores.trees.values(), stores.trees, strict=True):
        for number in range(10):
            tree.set(b"key %d" % number, name.encode() + b" %d" % number)
    return stores


@pytest.mark.parametrize(
    ("entries", "expected"),
    # TestMerkleMap of cosmos-sdk, store/internal/maps/maps_test.go.
    [
        ({}, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ({"key1": b"value1"}, "a44d3cc7daba1a4600b00a2434b30f8b970652169810d6dfa9fb1793a2189324"),
        ({"key1": b"value2"}, "0638e99b3445caec9d95c05e1a3fc1487b4ddec6a952ff337080360b0dcc078c"),
        (
            {"key2": b"value2", "key1": b"value1"},
            "8fd19b19e7bb3f2b3ee0574027d8a5a4cec370464ea2db2fbfa5c7d35bb0cff3",
        ),
        (
            {"key1": b"value1", "key3": b"value3", "key2": b"value2"},
            "1dd674ec6782a0d586a903c9c63326a41cbe56b3bba33ed6ff5b527af6efb3dc",
        ),
    ],
)
def test_the_app_hash_is_that_of_the_sdk(entries: dict[str, bytes], expected: str) -> None:
    """Its published vectors, whatever the order of the stores."""
    assert expected == app_hash(entries).hex()


@pytest.mark.parametrize("name", EXISTENCE)
def test_the_published_proofs_hold(name: str) -> None:
    """Those of cosmos/ics23 for its TendermintSpec; no bit of them can be changed."""
    root, proof, key, value = vector(name)

    assert verify_simple_membership(root, proof, key, value)
    others = [
        *((root, other, key, value) for other in [*flips(proof), proof[:-1], b""]),
        *((other, proof, key, value) for other in flips(root)),
        *((root, proof, other, value) for other in flips(key)),
        *((root, proof, key, other) for other in [*flips(value), b""]),
    ]
    assert not any(verify_simple_membership(*other) for other in others)


def test_a_proof_of_absence_proves_no_store() -> None:
    """The published one doesn't show that the keys beside the absent one exist."""
    root, proof, _, _ = vector("nonexist_middle")
    left = CommitmentProof.FromString(proof).nonexist.left

    assert not verify_simple_membership(root, proof, left.key, left.value)


@given(st.lists(st.binary(max_size=3), min_size=1, max_size=40), st.data())
def test_paths_lead_to_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    """Hashed with its siblings on the way, each leaf gives the root of RFC 6962."""
    index = data.draw(st.integers(0, len(leaves) - 1))
    digest = sha256(b"\0" + leaves[index]).digest()
    for is_left, sibling in merkle_path(leaves, index):
        pair = sibling + digest if is_left else digest + sibling
        digest = sha256(b"\1" + pair).digest()

    assert merkle_root(leaves) == digest


@given(st.sets(NAMES, min_size=1, max_size=20))
def test_values_are_proved_through_both_levels(names: set[str]) -> None:
    """Each value in each of any stores, and what is in none; never the contrary."""
    stores = chain(*names)
    hash_of_app = stores.app_hash
    for name in names:
        value = name.encode() + b" 7"
        proof = stores.prove(name, b"key 7")
        absence = stores.prove(name, b"key x")

        assert verify_value(hash_of_app, proof, name, b"key 7", value)
        assert verify_no_value(hash_of_app, absence, name, b"key x")
        assert not verify_value(hash_of_app, proof, name, b"key 7", b"another")
        assert not verify_value(hash_of_app, absence, name, b"key x", value)
        assert not verify_no_value(hash_of_app, proof, name, b"key 7")
    for name, other in pairwise(sorted(names)):
        proof = stores.prove(name, b"key 7")
        assert not verify_value(hash_of_app, proof, other, b"key 7", name.encode() + b" 7")
        mixed = (proof[0], stores.prove(other, b"key 7")[1])
        assert not verify_value(hash_of_app, mixed, other, b"key 7", name.encode() + b" 7")


def break_step(index: int, **changes: Any) -> Callable[[list[ProofStep]], list[ProofStep]]:
    def change(proof: list[ProofStep]) -> list[ProofStep]:
        return [
            replace(step, **changes) if place == index else step for place, step in enumerate(proof)
        ]

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda proof: proof[:1],
        lambda proof: proof[1:],
        lambda proof: [],
        lambda proof: proof[::-1],
        lambda proof: [*proof, proof[1]],
        lambda proof: [proof[0], replace(proof[1], data=proof[0].data)],
        break_step(0, type="ics23:simple"),
        break_step(1, type="ics23:iavl"),
        break_step(0, key=b"key 6"),
        break_step(1, key=b"acc"),
        break_step(0, data=b""),
        break_step(1, data=b""),
        break_step(1, data=b"\xff"),
    ],
)
def test_other_steps_prove_nothing(
    change: Callable[[list[ProofStep]], list[ProofStep]],
) -> None:
    """Steps that are missing, of another type, key or level."""
    stores = chain("acc", "bank", "staking")
    proof = list(stores.prove("bank", b"key 7"))

    assert verify_value(stores.app_hash, proof, "bank", b"key 7", b"bank 7")
    assert not verify_value(stores.app_hash, change(proof), "bank", b"key 7", b"bank 7")


def test_stores_are_committed_together() -> None:
    """An empty commit keeps the hash (TestHashStableWithEmptyCommit), and versions stay."""
    stores = chain("acc", "bank")
    first, version = stores.commit()
    second = stores.commit()
    stores.trees["acc"].set(b"key 7", b"new")
    third, _ = stores.commit()

    assert (1, (first, 2), 3) == (version, second, stores.version)
    assert third != first
    old = stores.at(1)
    assert first == old.app_hash
    assert verify_value(first, old.prove("acc", b"key 7"), "acc", b"key 7", b"acc 7")
    assert verify_value(third, stores.prove("acc", b"key 7"), "acc", b"key 7", b"new")


def test_an_empty_store_is_a_leaf_like_any_other() -> None:
    """Its root hash is that of no bytes; it has no proof in ICS-23, but its neighbours have."""
    stores = MultiStore({"acc": Tree(), "bank": chain("bank").trees["bank"]})

    assert stores.app_hash == app_hash(
        {"acc": EMPTY_ROOT_HASH, "bank": stores.trees["bank"].root_hash}
    )
    proof = stores.prove("bank", b"key 1")
    assert verify_value(stores.app_hash, proof, "bank", b"key 1", b"bank 1")
    with pytest.raises(ValueError, match="empty"):
        stores.prove("acc", b"key 1")


def test_stores_that_are_no_chain_are_refused() -> None:
    """None at all, one without a name, versions that differ, and names that aren't there."""
    saved = Tree()
    saved.save_version()
    for trees in ({}, {"": Tree()}, {"acc": Tree(), "bank": saved}):
        with pytest.raises(ValueError, match=r"store"):
            MultiStore(trees)
    with pytest.raises(LookupError, match="there are acc, bank"):
        chain("bank", "acc").prove("staking", b"key 1")
    with pytest.raises(IndexError):
        merkle_path([b"leaf"], 1)
