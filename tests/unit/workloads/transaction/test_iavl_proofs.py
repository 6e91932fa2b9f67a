"""Proofs are those of cosmos/ics23: they prove the contents of a tree, and nothing else."""

import json
from collections.abc import Callable
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.transaction.iavl import (
    Tree,
    proofs,
    prove_key,
    verify_membership,
    verify_non_membership,
)
from veperf.workloads.transaction.iavl.node import uvarint

pytestmark = pytest.mark.usefixtures("core")

VECTORS = Path(__file__).parents[3] / "vectors" / "ics23_iavl"
EXISTENCE = ["exist_left", "exist_middle", "exist_right"]
NON_EXISTENCE = ["nonexist_left", "nonexist_middle", "nonexist_right"]
KEYS = st.binary(min_size=1, max_size=2)
CONTENT = st.dictionaries(KEYS, st.binary(min_size=1, max_size=3), min_size=1, max_size=40)


def vector(name: str) -> tuple[bytes, bytes, bytes, bytes]:
    fields = json.loads((VECTORS / f"{name}.json").read_text())
    root, proof, key, value = (bytes.fromhex(fields[x]) for x in ("root", "proof", "key", "value"))
    return root, proof, key, value


def tree_of(*keys: bytes) -> Tree:
    tree = Tree()
    for key in keys:
        tree.set(key, b"value of " + key)
        if len(tree) % 5 == 0:
            tree.save_version()
    tree.save_version()
    return tree


TREE = tree_of(*(b"%02d" % i for i in range(10, 40, 2)))
ROOT = TREE.root_hash


def read(proof: bytes) -> Any:
    return proofs.CommitmentProof.FromString(proof)


def changed(proof: bytes, change: Callable[[Any], object]) -> bytes:
    message = read(proof)
    change(message)
    return bytes(message.SerializeToString())


def flips(data: bytes) -> list[bytes]:
    number = int.from_bytes(data, "big")
    return [(number ^ 1 << bit).to_bytes(len(data), "big") for bit in range(8 * len(data))]


@pytest.mark.parametrize("name", EXISTENCE)
def test_the_published_existence_proofs_hold(name: str) -> None:
    """They hold for their key, value and root only, and prove no absence."""
    root, proof, key, value = vector(name)

    assert verify_membership(root, proof, key, value)
    assert not any(verify_membership(other, proof, key, value) for other in flips(root))
    assert not any(verify_membership(root, proof, other, value) for other in flips(key))
    assert not any(verify_membership(root, proof, key, other) for other in flips(value))
    assert not verify_membership(root, proof, key, b"")
    assert not verify_non_membership(root, proof, key)


@pytest.mark.parametrize("name", NON_EXISTENCE)
def test_the_published_non_existence_proofs_hold(name: str) -> None:
    """They hold for their key and root only, and don't prove that neighbours exist."""
    root, proof, key, _ = vector(name)
    absence = read(proof).nonexist

    assert verify_non_membership(root, proof, key)
    assert not any(verify_non_membership(other, proof, key) for other in flips(root))
    assert not any(verify_non_membership(root, proof, other) for other in flips(key))
    assert not verify_membership(root, proof, key, b"")
    for neighbour in (absence.left, absence.right):
        assert not verify_membership(root, proof, neighbour.key, neighbour.value)


@pytest.mark.parametrize("name", EXISTENCE + NON_EXISTENCE)
def test_no_bit_of_a_proof_can_be_changed(name: str) -> None:
    """Changing any bit or dropping any byte of the published proofs breaks them."""
    root, proof, key, value = vector(name)
    others = flips(proof) + [proof[:length] for length in range(len(proof))] + [proof + b"\0"]

    assert not any(
        verify_membership(root, other, key, value) or verify_non_membership(root, other, key)
        for other in others
    )


def test_no_bit_of_our_proofs_can_be_changed() -> None:
    """The same holds for a proof of each kind that is made here."""
    for key in (b"20", b"21", b"00", b"99"):
        value = TREE.get(key) or b""
        assert not any(
            verify_membership(ROOT, other, key, value) or verify_non_membership(ROOT, other, key)
            for other in flips(prove_key(TREE, key))
        )


@given(CONTENT, CONTENT, KEYS)
def test_proofs_are_sound(
    content: dict[bytes, bytes], updates: dict[bytes, bytes], probe: bytes
) -> None:
    """Every key is proved to exist, a missing key to be absent, and never the contrary."""
    tree = Tree()
    for key, value in content.items():
        tree.set(key, value)
    old_root, version = tree.save_version()
    for key, value in updates.items():
        tree.set(key, value)
    root = tree.root_hash

    for key, value in (content | updates).items():
        proof = prove_key(tree, key)
        assert verify_membership(root, proof, key, value)
        assert not verify_membership(root, proof, key, value + b"!")
        assert not verify_non_membership(root, proof, key)
    absent = prove_key(tree, probe)
    assert (probe not in content | updates) is verify_non_membership(root, absent, probe)
    assert not verify_membership(root, absent, probe, b"v")
    for key, value in content.items():
        assert verify_membership(old_root, prove_key(tree.at(version), key), key, value)


def test_our_proofs_have_the_form_of_the_published_ones() -> None:
    """They have the same operations, and prefixes and suffixes of IavlSpec's lengths."""
    _, published, _, _ = vector("exist_left")
    expected = read(published).exist
    actual = read(prove_key(TREE, b"20")).exist
    operation = ("hash", "prehash_key", "prehash_value", "length")

    assert [getattr(expected.leaf, name) for name in operation] == [
        getattr(actual.leaf, name) for name in operation
    ]
    assert bytes([0, 2]) == expected.leaf.prefix[:2] == actual.leaf.prefix[:2]
    assert {step.hash for step in expected.path} == {step.hash for step in actual.path} == {1}
    lengths = {(len(step.prefix) - 4, len(step.suffix)) for step in actual.path}
    assert lengths == {(0, 33), (33, 0)}
    assert not read(prove_key(TREE, b"00")).nonexist.HasField("left")
    assert not read(prove_key(TREE, b"99")).nonexist.HasField("right")


def test_neighbours_that_are_not_side_by_side_prove_nothing() -> None:
    """Of all pairs of leaves around a gap, only the two next to it prove it."""
    keys = [key for key, _ in TREE.iterate()]
    exist = {key: read(prove_key(TREE, key)).exist for key in keys}
    gaps = {a + b"\0": (a, b) for a, b in pairwise(keys)}
    edges = {b"00": (None, keys[0]), b"99": (keys[-1], None)}
    for probe in [*gaps, *edges, *keys]:
        for left in [None, *keys]:
            for right in [None, *keys]:
                proof = proofs.CommitmentProof()
                proof.nonexist.key = probe
                if left is not None:
                    proof.nonexist.left.CopyFrom(exist[left])
                if right is not None:
                    proof.nonexist.right.CopyFrom(exist[right])
                honest = (left, right) == (gaps | edges).get(probe)

                actual = verify_non_membership(ROOT, bytes(proof.SerializeToString()), probe)
                assert honest is actual


def set_leaf(name: str, value: object) -> Callable[[Any], object]:
    return lambda proof: setattr(proof.exist.leaf, name, value)


def leaf_changes() -> list[Callable[[Any], object]]:
    names = ("hash", "prehash_key", "prehash_value", "length")
    prefixes = (b"", b"\0", b"\1\2\2", b"\0\2\2\0", b"\2\2\2", b"\0\2\1", b"\0\2\x80")
    return [
        lambda proof: proof.exist.ClearField("leaf"),
        *[set_leaf(name, value) for name in names for value in (0, 1, 2, -1)],
        *[set_leaf("prefix", prefix) for prefix in prefixes],
    ]


def step_changes() -> list[Callable[[Any], object]]:
    def swap(proof: Any) -> None:
        step = proof.exist.path[0]
        step.prefix, step.suffix = step.suffix, step.prefix

    def move_a_byte(proof: Any) -> None:
        step = proof.exist.path[0]
        step.prefix, step.suffix = step.prefix + step.suffix[:1], step.suffix[1:]

    def lower(proof: Any) -> None:
        proof.exist.path[1].prefix = proof.exist.path[0].prefix

    return [
        swap,
        move_a_byte,
        lower,
        lambda proof: setattr(proof.exist.path[0], "hash", 2),
        lambda proof: setattr(proof.exist.path[0], "hash", 0),
        lambda proof: setattr(proof.exist.path[0], "prefix", b""),
        lambda proof: setattr(proof.exist.path[0], "suffix", proof.exist.path[0].suffix * 2),
        lambda proof: proof.exist.path.add(hash=1, prefix=b"\2\2\2\x20"),
        lambda proof: proof.exist.path.__delitem__(0),
        lambda proof: proof.exist.path.reverse(),
        lambda proof: proof.exist.ClearField("path"),
    ]


@pytest.mark.parametrize("change", leaf_changes() + step_changes())
def test_another_spec_is_refused(change: Callable[[Any], object]) -> None:
    """Any other operation, prefix or suffix than IAVL's is rejected, at the leaf and above."""
    proof = prove_key(TREE, b"20")
    other = changed(proof, change)

    assert other == proof or not verify_membership(ROOT, other, b"20", b"value of 20")


def test_an_inner_node_can_not_pass_for_a_leaf() -> None:
    """A value that looks like the children of a node does not make the node a leaf."""
    step = read(prove_key(TREE, b"20")).exist.path[-1]
    whole = changed(
        prove_key(TREE, b"20"), lambda proof: proof.exist.path.__delitem__(slice(0, -1))
    )
    forged = changed(whole, lambda proof: setattr(proof.exist.leaf, "prefix", step.prefix))

    assert not verify_membership(ROOT, forged, b"20", b"value of 20")


def test_empty_keys_and_values_are_refused() -> None:
    """ICS-23 has no such leaves: the prover raises, the verifier returns False."""
    tree = Tree()
    for key in (b"b", b"d", b"f", b"h"):
        tree.set(key, b"" if key == b"d" else b"v")
    proof = prove_key(tree, b"b")
    left_edge = prove_key(tree, b"a")

    assert not verify_membership(
        tree.root_hash, changed(proof, lambda m: m.exist.ClearField("key")), b"", b"v"
    )
    assert not verify_non_membership(
        tree.root_hash, changed(left_edge, lambda m: m.nonexist.ClearField("key")), b""
    )
    for unprovable in (b"", b"d", b"c", b"e"):
        with pytest.raises(ValueError, match="no proof"):
            prove_key(tree, unprovable)
    tree.set(b"", b"v")
    with pytest.raises(ValueError, match="no proof"):
        prove_key(tree, b"a")  # the empty key is beside it now
    with pytest.raises(ValueError, match="empty tree"):
        prove_key(Tree(), b"k")


def batch(*keys: bytes) -> bytes:
    proof = proofs.CommitmentProof()
    for key in keys:
        proof.batch.entries.add().MergeFromString(prove_key(TREE, key))
    return bytes(proof.SerializeToString())


def compressed(*keys: bytes) -> bytes:
    proof = proofs.CommitmentProof()
    steps = proof.compressed.lookup_inners

    def pack(exist: Any, packed: Any) -> None:
        packed.key, packed.value = exist.key, exist.value
        packed.leaf.CopyFrom(exist.leaf)
        for step in exist.path:
            if step not in steps:
                steps.append(step)
            packed.path.append(list(steps).index(step))

    for key in keys:
        plain, entry = read(prove_key(TREE, key)), proof.compressed.entries.add()
        if plain.HasField("exist"):
            pack(plain.exist, entry.exist)
            continue
        entry.nonexist.key = key
        for side in ("left", "right"):
            if plain.nonexist.HasField(side):
                pack(getattr(plain.nonexist, side), getattr(entry.nonexist, side))
    return bytes(proof.SerializeToString())


@pytest.mark.parametrize("form", [batch, compressed])
def test_a_batch_proves_each_of_its_keys(form: Callable[..., bytes]) -> None:
    """It proves existing and absent keys, but none that it does not contain."""
    proof = form(b"20", b"21", b"22", b"00", b"99")

    assert all(verify_membership(ROOT, proof, key, b"value of " + key) for key in (b"20", b"22"))
    assert all(verify_non_membership(ROOT, proof, key) for key in (b"21", b"00", b"99"))
    assert not verify_membership(ROOT, proof, b"24", b"value of 24")
    assert not any(verify_non_membership(ROOT, proof, key) for key in (b"20", b"23", b"98"))
    assert not verify_membership(ROOT, form(), b"20", b"value of 20")


@pytest.mark.parametrize("place", [-1, 1000, 2**31 - 1])
def test_a_missing_step_is_refused(place: int) -> None:
    """A compressed proof that points out of its table is false, not a crash."""

    def point_out(proof: Any) -> None:
        proof.compressed.entries[0].exist.path[0] = place

    proof = changed(compressed(b"20"), point_out)

    assert not verify_membership(ROOT, proof, b"20", b"value of 20")


@given(st.binary(max_size=100))
def test_any_bytes_are_no_proof(data: bytes) -> None:
    """Random bytes are rejected, without an unexpected error."""
    assert not verify_membership(ROOT, data, b"20", b"value of 20")
    assert not verify_non_membership(ROOT, data, b"21")


@pytest.mark.parametrize(("size", "expected"), [(1, True), (0, False), (2, False), (64, False)])
def test_a_leaf_has_the_size_of_one(size: int, expected: bool) -> None:
    """A root that is a leaf of another size is no IAVL tree's, as ics23 says."""
    prefix = bytes([0, *uvarint(2 * size), 2])
    leaf = proofs.LeafOp(hash=1, prehash_value=1, length=1, prefix=prefix)
    proof = proofs.CommitmentProof(exist=proofs.ExistenceProof(key=b"k", value=b"v", leaf=leaf))
    image = prefix + b"\1k\x20" + sha256(b"v").digest()

    assert expected is verify_membership(
        sha256(image).digest(), proof.SerializeToString(), b"k", b"v"
    )
