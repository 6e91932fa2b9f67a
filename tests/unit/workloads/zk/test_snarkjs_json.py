"""snarkjs's files, against what snarkjs itself wrote."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.errors import CorruptFileError
from veperf.workloads.zk.field import P, R
from veperf.workloads.zk.groth16.verify import verify_proof
from veperf.workloads.zk.snarkjs.json_files import (
    proof_from_json,
    proof_to_json,
    public_from_json,
    public_to_json,
    verifying_key_from_json,
    verifying_key_to_json,
)

VECTORS = Path(__file__).parents[3] / "vectors" / "zk"
folders = pytest.mark.parametrize(
    "folder", [VECTORS / "age", VECTORS / "circom"], ids=lambda f: f.name
)
AGE = VECTORS / "age"
PROOF = json.loads((AGE / "proof.json").read_text())
KEY = json.loads((AGE / "verification_key.json").read_text())


def files(folder):
    names = ("verification_key.json", "public.json", "proof.json")
    return [(folder / name).read_bytes() for name in names]


@folders
def test_proofs_of_snarkjs_verify(folder):
    """Its proof under its key, and not with another public input."""
    key, public, proof = files(folder)
    key, public, proof = (
        verifying_key_from_json(key),
        public_from_json(public),
        proof_from_json(proof),
    )

    assert verify_proof(key, public, proof)
    assert not verify_proof(key, [*public[:-1], public[-1] + 1], proof)


@folders
def test_files_are_written_as_snarkjs_does(folder):
    """Byte for byte, the pairing in the key included."""
    key, public, proof = files(folder)

    assert key == verifying_key_to_json(verifying_key_from_json(key))
    assert public == public_to_json(public_from_json(public))
    assert proof == proof_to_json(proof_from_json(proof))


NUMBERS = [
    "",
    "-1",
    "+1",
    " 1",
    "1 ",
    "01",
    "0x1",
    "1e3",
    "1.0",
    "\N{ARABIC-INDIC DIGIT ONE}",
    "NaN",
    "9" * 79,
    "9" * 5000,
    1,
    None,
    [],
    {},
    True,
    1.5,
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: repr(n)[:12])
def test_numbers_are_decimal_strings(number):
    """Signs, spaces, other notations, other types and endless digits are refused everywhere."""
    proof, key = json.loads(json.dumps(PROOF)), json.loads(json.dumps(KEY))
    proof["pi_b"][0][1] = number
    key["IC"][1][0] = number
    for read, value in (
        (proof_from_json, proof),
        (verifying_key_from_json, key),
        (public_from_json, [number]),
    ):
        with pytest.raises(CorruptFileError):
            read(json.dumps(value))


@pytest.mark.parametrize("value", [int(R), int(R) + 1, int(P), 1 << 256])
def test_public_inputs_are_field_elements(value):
    """r itself and what lies beyond."""
    with pytest.raises(CorruptFileError):
        public_from_json(json.dumps(["1", str(value)]))


def changed(value, path, new):
    copy = json.loads(json.dumps(value))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = new
    return json.dumps(copy)


@pytest.mark.parametrize(
    ("path", "new"),
    [
        (("protocol",), "plonk"),
        (("curve",), "bls12381"),
        (("curve",), None),
        (("pi_a",), []),
        (("pi_a",), ["0", "1", "0"]),
        (("pi_a",), ["0", "0", "1"]),
        (("pi_a",), ["1", "3", "1"]),
        (("pi_a", 2), "0"),
        (("pi_a", 2), "2"),
        (("pi_a", 0), str(P)),
        (("pi_a", 0), str(int(PROOF["pi_a"][0]) + int(P))),
        (("pi_b", 2), ["0", "0"]),
        (("pi_b", 2), ["1", "1"]),
        (("pi_b", 0), ["1", "1"]),
        (("pi_b", 0), PROOF["pi_b"][0][::-1]),
        (("pi_b",), [["0", "0"], ["1", "0"], ["0", "0"]]),
        (("pi_c",), "1"),
        (("pi_d",), ["1", "2", "1"]),
    ],
)
def test_malformed_proofs_are_refused(path, new):
    """Other protocols, infinity, points that are none, fields too many."""
    with pytest.raises(CorruptFileError):
        proof_from_json(changed(PROOF, path, new))


@pytest.mark.parametrize(
    ("path", "new"),
    [
        (("nPublic",), 3),
        (("nPublic",), 5),
        (("nPublic",), -1),
        (("nPublic",), "4"),
        (("nPublic",), 4.5),
        (("IC",), []),
        (("IC",), KEY["IC"][:-1]),
        (("IC", 0), ["0", "1", "0"]),
        (("vk_alpha_1",), ["0", "1", "0"]),
        (("vk_beta_2",), KEY["vk_gamma_2"]),
        (("vk_gamma_2",), [["0", "0"], ["1", "0"], ["0", "0"]]),
        (("vk_delta_2", 0), KEY["vk_delta_2"][0][::-1]),
        (("vk_alphabeta_12",), []),
        (("vk_alphabeta_12", 0), KEY["vk_alphabeta_12"][1]),
        (("protocol",), "fflonk"),
        (("curve",), "bn254"),
        (("extra",), 1),
    ],
)
def test_malformed_keys_are_refused(path, new):
    """Counts that don't fit, points that are none, a pairing that is not that of the points."""
    with pytest.raises(CorruptFileError):
        verifying_key_from_json(changed(KEY, path, new))


@pytest.mark.parametrize("value", [PROOF, KEY])
def test_every_field_is_needed(value):
    """A file that lacks one is refused."""
    read = proof_from_json if value is PROOF else verifying_key_from_json
    for name in value:
        with pytest.raises(CorruptFileError):
            read(json.dumps({k: v for k, v in value.items() if k != name}))


@given(
    st.one_of(st.binary(), st.text(), st.recursive(st.none() | st.text(), st.lists).map(json.dumps))
)
def test_other_bytes_are_refused(data):
    """Any other content gives the one error; public inputs may be an empty list."""
    for read in (proof_from_json, verifying_key_from_json):
        with pytest.raises(CorruptFileError):
            read(data)
    try:
        public = public_from_json(data)
    except CorruptFileError:
        return
    assert [str(value) for value in public] == json.loads(data)


def test_deep_nesting_is_refused():
    """A million brackets end in an error, not in the stack."""
    for read in (proof_from_json, verifying_key_from_json, public_from_json):
        for data in ("[" * 1_000_000, '{"pi_a":' * 100_000, '{"x":' + "[" * 1_000_000):
            with pytest.raises(CorruptFileError):
                read(data)
