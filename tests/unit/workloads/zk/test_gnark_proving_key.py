"""gnark's proving keys: one that gnark made, compressed and raw, and damaged ones."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.core.errors import CorruptFileError, DataError
from veperf.workloads.zk.gnark import proof_from_gnark, verifying_key_from_gnark
from veperf.workloads.zk.gnark_proving_key import proving_key_from_gnark
from veperf.workloads.zk.groth16.prove import Prover, WrongKeyError
from veperf.workloads.zk.groth16.verify import verify
from veperf.workloads.zk.r1cs.system import R1cs
from veperf.workloads.zk.snarkjs.circom_files import read_r1cs, read_wtns

GNARK = Path(__file__).parents[3] / "vectors" / "zk" / "gnark"
COMPRESSED = (GNARK / "cubic_pk.bin").read_bytes()
RAW = (GNARK / "cubic_pk_raw.bin").read_bytes()
KEY = verifying_key_from_gnark((GNARK / "cubic_vk.bin").read_bytes())
SYSTEM = read_r1cs((GNARK / "cubic.r1cs").read_bytes())
WITNESS = read_wtns((GNARK / "cubic.wtns").read_bytes())
DOMAIN_BYTES = 8 + 5 * 32


@pytest.mark.usefixtures("core")
@pytest.mark.parametrize("data", [COMPRESSED, RAW], ids=["compressed", "raw"])
def test_proofs_by_gnark_s_key(data):
    """They verify under gnark's verifying key, as gnark's own proof does."""
    key = proving_key_from_gnark(data, KEY, SYSTEM)
    proof = Prover(SYSTEM, key).prove(WITNESS)

    assert verify(KEY, WITNESS[1:3], proof)
    assert verify(KEY, WITNESS[1:3], proof_from_gnark((GNARK / "cubic_proof.bin").read_bytes()))
    assert not verify(KEY, [35, 8], proof)


def test_all_encodings_are_the_same_key():
    """Compressed, raw, and as gnark before 0.12 wrote the domain, without its last byte."""
    keys = [
        proving_key_from_gnark(data, KEY, SYSTEM)
        for whole in (COMPRESSED, RAW)
        for data in (whole, whole[:DOMAIN_BYTES] + whole[DOMAIN_BYTES + 1 :])
    ]

    assert [keys[0]] * 4 == keys


def test_keys_that_don_t_belong_together():
    """Another verifying key, another circuit; with as many wires, the proof tells."""
    other = verifying_key_from_gnark((GNARK / "age_vk.bin").read_bytes())
    with pytest.raises(WrongKeyError, match="verifying key"):
        proving_key_from_gnark(RAW, other, SYSTEM)
    smaller = R1cs(SYSTEM.wire_count, 1, SYSTEM.constraints)
    with pytest.raises(WrongKeyError, match="8 wires, 2 of them public"):
        proving_key_from_gnark(RAW, KEY, smaller)
    few = R1cs(SYSTEM.wire_count, 2, SYSTEM.constraints[:3])
    with pytest.raises(WrongKeyError, match="constraints"):
        proving_key_from_gnark(RAW, KEY, few)
    turned = replace(SYSTEM, constraints=SYSTEM.constraints[::-1])
    with pytest.raises(CorruptFileError, match="no valid proof"):
        Prover(turned, proving_key_from_gnark(RAW, KEY, turned)).prove(WITNESS)


def test_commitments_within_circuits_are_named():
    """They are another protocol, and not damage."""
    data = RAW[:-4] + b"\0\0\0\1" + bytes(200)
    with pytest.raises(DataError, match="Pedersen commitments") as caught:
        proving_key_from_gnark(data, KEY, SYSTEM)
    assert not isinstance(caught.value, CorruptFileError)


@pytest.mark.parametrize(
    ("place", "content"),
    [
        (0, bytes(8)),  # a domain of no points
        (0, (1 << 40).to_bytes(8, "big")),
        (7, b"\x06"),
        (40, bytes(32)),  # the root
        (DOMAIN_BYTES, b"\x02"),
        (DOMAIN_BYTES + 1, bytes(64)),  # alpha
        (DOMAIN_BYTES + 1 + 192, b"\xff" * 4),  # the number of points of a
        (-20, b"\2"),  # a wire's mark
        (-20, b"\1"),
        (-28, (1 << 60).to_bytes(8, "big")),
    ],
)
def test_damaged_keys_are_refused(place, content):
    """Wrong counts, marks, numbers and points."""
    changed = bytearray(RAW)
    start = place % len(RAW)
    changed[start : start + len(content)] = content
    with pytest.raises(DataError):
        proving_key_from_gnark(bytes(changed), KEY, SYSTEM)


def test_cut_off_anywhere():
    """No beginning is a key, nor one with more at its end."""
    for data in (COMPRESSED, RAW):
        for end in [*range(0, 300, 11), *range(300, len(data), 61), len(data) - 1]:
            with pytest.raises(DataError):
                proving_key_from_gnark(data[:end], KEY, SYSTEM)
        with pytest.raises(DataError):
            proving_key_from_gnark(data + b"\0", KEY, SYSTEM)


@given(position=st.integers(0, len(RAW) - 1), value=st.integers(0, 255))
@settings(max_examples=20, deadline=None)
def test_a_changed_byte_makes_no_wrong_proof(position, value):
    """It is refused, or no proof is handed out that does not verify."""
    changed = bytearray(RAW)
    changed[position] = value
    try:
        key = proving_key_from_gnark(bytes(changed), KEY, SYSTEM)
        proof = Prover(SYSTEM, key).prove(WITNESS)
    except (DataError, WrongKeyError):
        return
    assert verify(KEY, WITNESS[1:3], proof)
