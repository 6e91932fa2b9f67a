"""gnark's files: VirtEngine's own key, and keys and proofs of our own through gnark's encoding."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.core.errors import CorruptFileError, DataError
from veperf.workloads.zk import example_data
from veperf.workloads.zk.circuits.credential import SCORE_CIRCUIT, credential_witness
from veperf.workloads.zk.curve.g1 import G1, g1_multiply
from veperf.workloads.zk.curve.g2 import G2, g2_multiply
from veperf.workloads.zk.field import P, R
from veperf.workloads.zk.gnark import (
    _g1_bytes,
    _g2_bytes,
    proof_from_gnark,
    proof_to_gnark,
    verifying_key_from_gnark,
    verifying_key_to_gnark,
)
from veperf.workloads.zk.groth16.verify import verify
from veperf.workloads.zk.tower import fp2

KEY_FILE = Path(__file__).parents[3] / "vectors" / "zk" / "gnark" / "age_vk.bin"
KEY = KEY_FILE.read_bytes()
"""VirtEngine's x/veid/zk/params/age_vk.bin, made by gnark."""
# Of the points in a key: alpha, beta and delta in G1, and the public ones.
POINTS = 3 * 32 + 3 * 64


@cache
def proven():
    compiled = SCORE_CIRCUIT.compile()
    prover = example_data.make_prover(compiled.r1cs)
    witness = credential_witness(compiled, example_data.CREDENTIAL, example_data.SCORE_STATEMENT)
    return prover.key, prover.prove(witness), example_data.SCORE_STATEMENT.public_inputs()


def raw(x, y):
    """An uncompressed point, of either group."""
    parts = [*reversed(x), *reversed(y)] if isinstance(x, tuple) else [x, y]
    return b"".join(int(part).to_bytes(32, "big") for part in parts)


def test_virtengine_s_key_is_read():
    """Its points are on their curves, its two betas and deltas agree, and it has three inputs."""
    key = verifying_key_from_gnark(KEY)

    assert 3 == key.public_count
    assert KEY[:32] == _g1_bytes(key.alpha)
    assert KEY[64:128] + KEY[128:192] == _g2_bytes(key.beta) + _g2_bytes(key.gamma)
    assert KEY[POINTS + 4 : -8] == b"".join(map(_g1_bytes, key.ic))


def test_a_key_without_room_for_commitments_is_read():
    """As gnark wrote it before version 0.9."""
    assert verifying_key_from_gnark(KEY) == verifying_key_from_gnark(KEY[:-8])


def test_keys_and_proofs_of_our_own_verify_as_read():
    """Compressed and raw, a proof with and without the part for commitments."""
    key, proof, public = proven()
    data = verifying_key_to_gnark(key)
    verifying = key.verifying_key
    uncompressed = b"".join(
        (
            raw(*verifying.alpha),
            raw(*key.beta_g1),
            raw(*verifying.beta),
            raw(*verifying.gamma),
            raw(*key.delta_g1),
            raw(*verifying.delta),
            len(verifying.ic).to_bytes(4, "big"),
            *(raw(*point) for point in verifying.ic),
        )
    )
    raw_proof = raw(*proof.a) + raw(*proof.b) + raw(*proof.c)

    assert verifying == verifying_key_from_gnark(data) == verifying_key_from_gnark(uncompressed)
    written = proof_to_gnark(proof)
    for encoded in (written, written[:128], raw_proof, raw_proof + bytes(4 + 64)):
        assert proof == proof_from_gnark(encoded)
        assert verify(verifying, public, proof_from_gnark(encoded))
    assert not verify(verifying_key_from_gnark(KEY), public, proof_from_gnark(written))


@given(st.integers(1, int(R) - 1))
@settings(max_examples=20, deadline=None)
def test_points_are_read_as_they_were_written(scalar):
    """Whichever sign they have."""
    g1, g2 = g1_multiply(G1, scalar), g2_multiply(G2, scalar)
    assert g1 is not None
    assert g2 is not None
    data = _g1_bytes(g1) + _g2_bytes(g2) + _g1_bytes(g1)

    assert (g1, g2) == (proof_from_gnark(data).a, proof_from_gnark(data).b)


@given(st.integers(0, int(P) - 1), st.integers(0, int(P) - 1))
@settings(max_examples=20, deadline=None)
def test_square_roots_in_fp2(c0, c1):
    """Of each square, and of no element times one that is no square."""
    square = fp2.square((c0, c1))

    assert fp2.square_root(square) in [(c0, c1), fp2.negate((c0, c1))]
    if (c0, c1) != fp2.ZERO:
        with pytest.raises(ArithmeticError):
            fp2.square_root(fp2.multiply(square, fp2.XI))


def test_elements_of_fp_have_roots_in_fp2():
    """Also those without one in Fp: -4 is (2 u)^2."""
    for value in (4, -4, 9, -3):
        root = fp2.square_root((value % int(P), 0))
        assert (value % P, 0) == fp2.square(root)


INFINITY = b"\x40" + bytes(31)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda d: d[:-1], "cut off"),
        (lambda d: d[:100], "cut off"),
        (lambda d: b"", "cut off"),
        (lambda d: d + b"\0", "follow"),
        (lambda d: INFINITY + d[32:], "infinity"),
        (lambda d: b"\xbf" + b"\xff" * 31 + d[32:], "byte 32"),
        (lambda d: d[:32] + d[:32] + d[64:], "beta in G1 is not beta in G2"),
        (lambda d: d[:192] + d[:32] + d[224:], "delta in G1 is not delta in G2"),
        (lambda d: d[:32] + bytes([d[32] ^ 0x40]) + d[33:], "infinity|beta"),
        (lambda d: d[:POINTS] + b"\xff" * 4 + d[POINTS + 4 :], "more than the file has"),
        (lambda d: d[:POINTS] + bytes(4) + d[-8:], "no point for the constant"),
    ],
)
def test_damaged_keys_are_refused(damage, words):
    """In words, with the place."""
    with pytest.raises(CorruptFileError, match=words):
        verifying_key_from_gnark(damage(KEY))


def test_commitments_within_circuits_are_named():
    """They are another protocol, and not damage."""
    _, proof, _ = proven()
    with_commitment = proof_to_gnark(proof)[:128] + b"\0\0\0\1" + bytes(64)
    for read, data in (
        (verifying_key_from_gnark, KEY[:-8] + b"\0\0\0\0\0\0\0\1" + bytes(64)),
        (proof_from_gnark, with_commitment),
    ):
        with pytest.raises(DataError, match="Pedersen commitments") as caught:
            read(data)
        assert not isinstance(caught.value, CorruptFileError)


def test_flipped_bits_are_noticed():
    """In each byte of a proof: another point, which does not verify, or no point."""
    key, proof, public = proven()
    data = proof_to_gnark(proof)
    for at in range(0, len(data), 3):
        altered = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        try:
            read = proof_from_gnark(altered)
        except DataError:
            continue
        assert not verify(key.verifying_key, public, read)


@given(st.binary(max_size=500))
@settings(max_examples=30)
def test_other_bytes_are_refused(data):
    """With the errors of data."""
    for read in (verifying_key_from_gnark, proof_from_gnark):
        for prefix in (b"", KEY[:32], KEY[:POINTS]):
            with pytest.raises(DataError):
                read(prefix + data)
