"""snarkjs's files, against what snarkjs itself wrote."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.errors import CorruptFileError, DataError
from veperf.workloads.zk.field import P, R
from veperf.workloads.zk.groth16.verify import verify
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

    assert verify(key, public, proof)
    assert not verify(key, [*public[:-1], public[-1] + 1], proof)


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
    "0x",
    "0xg",
    "0x" + "f" * 65,
    "0b1",
    "0o1",
    "1_000",
    "1e3",
    "1.0",
    "\N{ARABIC-INDIC DIGIT ONE}",
    "NaN",
    "9" * 79,
    "9" * 5000,
    -1,
    10**78,
    None,
    [],
    {},
    True,
    1.5,
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: repr(n)[:12])
def test_other_numbers_are_refused(number):
    """Signs, spaces, other notations, other types and endless digits, everywhere."""
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
    ],
)
def test_malformed_proofs_are_refused(path, new):
    """Infinity, points that are none, other types."""
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
    for name in value.keys() - {"protocol", "curve", "vk_alphabeta_12"}:
        with pytest.raises(CorruptFileError):
            read(json.dumps({k: v for k, v in value.items() if k != name}))


def with_numbers(value, write):
    """The same file with each number written another way."""
    if isinstance(value, dict):
        return {name: with_numbers(part, write) for name, part in value.items()}
    if isinstance(value, list):
        return [with_numbers(part, write) for part in value]
    return write(int(value)) if isinstance(value, str) and value.isdigit() else value


@pytest.mark.parametrize("write", [int, hex, lambda n: f"0X{n:X}", lambda n: f"0x{n:064x}"])
def test_numbers_may_be_integers_or_hexadecimal(write):
    """They mean the same."""
    key, public, proof = (json.loads(file) for file in files(AGE))

    assert proof_from_json(json.dumps(proof)) == proof_from_json(
        json.dumps(with_numbers(proof, write))
    )
    assert verifying_key_from_json(json.dumps(key)) == verifying_key_from_json(
        json.dumps(with_numbers(key, write))
    )
    assert public_from_json(json.dumps(public)) == public_from_json(
        json.dumps(with_numbers(public, write))
    )


@pytest.mark.parametrize(
    "headings",
    [
        {"protocol": "groth16"},
        {"curve": "bn128"},
        {},
        {"protocol": "Groth16", "curve": "BN254"},
        {"protocol": "groth16", "curve": "alt_bn128", "system": "of another tool"},
    ],
)
def test_files_of_others_are_read(headings):
    """rapidsnark's proofs have no curve, other tools' keys no pairing; the rest is ignored."""
    proof = {k: v for k, v in PROOF.items() if k.startswith("pi_")} | headings
    key = {k: v for k, v in KEY.items() if k not in ("protocol", "curve", "vk_alphabeta_12")}

    assert proof_from_json(json.dumps(PROOF)) == proof_from_json(json.dumps(proof))
    assert verifying_key_from_json(json.dumps(KEY)) == verifying_key_from_json(
        json.dumps(key | headings)
    )


def test_what_full_prove_returns_is_read():
    """Its proof, and its public signals."""
    _, public, _ = files(AGE)
    both = json.dumps({"proof": PROOF, "publicSignals": json.loads(public)})

    assert proof_from_json(json.dumps(PROOF)) == proof_from_json(both)
    assert public_from_json(public) == public_from_json(both)


@pytest.mark.parametrize("read", [proof_from_json, verifying_key_from_json])
@pytest.mark.parametrize(
    ("headings", "words"),
    [
        (
            {"protocol": "plonk", "curve": "bn128"},
            "; only Groth16 on bn128 is read",
        ),
        ({"protocol": "fflonk"}, "a fflonk "),
        ({"protocol": "groth16", "curve": "bls12381"}, " on bls12381; only"),
        ({"curve": "bls12-381" + "\x1b" * 99}, " on bls12-381"),
    ],
)
def test_other_proof_systems_are_named(read, headings, words):
    """They are not corrupt, and a proof of theirs need not have the fields of a Groth16 one."""
    with pytest.raises(DataError, match=re.escape(words)) as caught:
        read(json.dumps({"A": ["1", "2", "1"]} | headings))
    assert not isinstance(caught.value, CorruptFileError)
    assert len(str(caught.value)) < 200


def test_other_files_of_groth16_are_named():
    """One in the place of another."""
    key, public, proof = files(AGE)
    for read, file, words in (
        (proof_from_json, key, "a verifying key, not a proof"),
        (verifying_key_from_json, proof, "a proof, not a verifying key"),
        (public_from_json, proof, "not public inputs"),
        (public_from_json, key, "not public inputs"),
    ):
        with pytest.raises(DataError, match=words):
            read(file)
    for read in (proof_from_json, verifying_key_from_json):
        with pytest.raises(CorruptFileError):
            read(public)


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
    assert public == [int(str(value), 0) for value in json.loads(data)]


def test_deep_nesting_is_refused():
    """A million brackets end in an error, not in the stack."""
    for read in (proof_from_json, verifying_key_from_json, public_from_json):
        for data in ("[" * 1_000_000, '{"pi_a":' * 100_000, '{"x":' + "[" * 1_000_000):
            with pytest.raises(CorruptFileError):
                read(data)
