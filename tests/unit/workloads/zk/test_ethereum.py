"""Proofs on Ethereum: their encoding, and a verifier that runs in a virtual machine."""

import json
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.evm import Contract
from veperf.core.errors import CorruptFileError, UsageError
from veperf.workloads.zk.curve.g1 import G1, g1_multiply
from veperf.workloads.zk.curve.g2 import G2, g2_multiply
from veperf.workloads.zk.ethereum.encoding import (
    call_from_bytes,
    call_to_bytes,
    call_to_text,
    keccak256,
    proof_words,
)
from veperf.workloads.zk.ethereum.solidity import solidity_verifier
from veperf.workloads.zk.field import P, R
from veperf.workloads.zk.groth16.keys import Proof
from veperf.workloads.zk.groth16.prove import Prover
from veperf.workloads.zk.snarkjs.circom_files import read_wtns
from veperf.workloads.zk.snarkjs.json_files import proof_from_json, public_from_json
from veperf.workloads.zk.snarkjs.zkey import read_zkey

VECTORS = Path(__file__).parents[3] / "vectors" / "zk"
ZKEY = read_zkey((VECTORS / "snarkjs" / "final.zkey").read_bytes())
WITNESS = read_wtns((VECTORS / "circom" / "fixture.wtns").read_bytes())
PUBLIC = [int(value) for value in WITNESS[1:4]]
# Compiled from the source that the code makes of the key, by solc.
VERIFIERS = json.loads((VECTORS / "ethereum" / "verifiers.json").read_bytes())["verifiers"]


@cache
def proof():
    return Prover(ZKEY.circuit, ZKEY.key).prove(WITNESS)


@given(st.binary(max_size=600))
def test_keccak_is_that_of_pycryptodome(data):
    """For any length around the block of 136 bytes."""
    assert keccak(data) == keccak256(data)


def test_calls_are_those_of_snarkjs():
    """`snarkjs zkey export soliditycalldata`, without the blanks."""
    folder = VECTORS / "circom"
    text = call_to_text(
        proof_from_json((folder / "proof.json").read_bytes()),
        public_from_json((folder / "public.json").read_bytes()),
    )

    assert (VECTORS / "ethereum" / "calldata.txt").read_text().strip() == text


@given(st.integers(1, int(R) - 1), st.lists(st.integers(0, int(R) - 1), max_size=3))
@settings(max_examples=15, deadline=None)
def test_calls_come_back(scalar, public):
    """With their selector and without."""
    a, b = g1_multiply(G1, scalar), g2_multiply(G2, scalar)
    assert a is not None
    assert b is not None
    made = Proof(a, b, a)
    data = call_to_bytes(made, public)

    assert (made, public) == call_from_bytes(data) == call_from_bytes(data[4:])


@pytest.mark.parametrize("end", [0, 3, 4, 33, 100, 259, 261])
def test_calls_that_are_cut_off(end):
    """No beginning of a call is one."""
    with pytest.raises(CorruptFileError):
        call_from_bytes(call_to_bytes(proof(), PUBLIC)[:end])


def test_calls_with_invalid_numbers():
    """Points off the curve, inputs of the order and more, another function."""
    data = call_to_bytes(proof(), PUBLIC)
    for place in (4, 100, 228, 300):
        changed = bytearray(data)
        changed[place : place + 32] = b"\xff" * 32
        with pytest.raises(CorruptFileError):
            call_from_bytes(bytes(changed))
    with pytest.raises(CorruptFileError, match="another function"):
        call_from_bytes(b"\0\0\0\0" + data[4:])


def test_names_of_contracts_are_identifiers():
    """What is none could be anything in the source."""
    for name in ("", "A B", "A{}", "Ä", "1"):
        with pytest.raises(UsageError):
            solidity_verifier(ZKEY.key.verifying_key, name)


def test_the_compiled_verifiers_are_of_this_source():
    """Their sources have the hashes that the bytecode was compiled from."""
    key = ZKEY.key.verifying_key
    for verifier, of in zip(VERIFIERS, (key, replace(key, ic=key.ic[:1])), strict=True):
        source = solidity_verifier(of).encode()
        assert verifier["source_sha256"] == sha256(source).hexdigest(), verifier["key"]


@pytest.mark.slow
def test_a_deployed_verifier_takes_our_proofs_alone():
    """Proofs made here pass; with any number changed, infinity, or an input above R, none does."""
    contract = Contract(bytes.fromhex(VERIFIERS[0]["bytecode"]))
    data = call_to_bytes(proof(), PUBLIC)
    true, false = (1).to_bytes(32, "big"), bytes(32)

    assert true == contract.call(data)
    assert contract.gas(data) < 230_000
    for place in range(4, len(data), 32):
        changed = data[:place] + b"\xff" * 32 + data[place + 32 :]
        assert false == contract.call(changed), place
    for place in (36, 228, 260, 324):  # -A's y, C's y, the first and the last input
        value = int.from_bytes(data[place : place + 32], "big")
        other = int(P) - value if place < 260 else value ^ 1
        changed = data[:place] + other.to_bytes(32, "big") + data[place + 32 :]
        assert false == contract.call(changed), place
    for start, size in ((4, 64), (68, 128), (196, 64)):
        infinity = data[:start] + bytes(size) + data[start + size :]
        assert false == contract.call(infinity)
    words = [*proof_words(proof()), *PUBLIC]
    for place in (8, 9, 10):
        again = [word + (int(R) if at == place else 0) for at, word in enumerate(words)]
        encoded = b"".join(word.to_bytes(32, "big") for word in again)
        assert false == contract.call(data[:4] + encoded)
    assert b"" == contract.call(data[:-1])


@pytest.mark.slow
def test_a_verifier_without_inputs_runs():
    """It has another function, and refuses a proof of another statement."""
    contract = Contract(bytes.fromhex(VERIFIERS[1]["bytecode"]))

    assert bytes(32) == contract.call(call_to_bytes(proof(), []))
    assert b"" == contract.call(call_to_bytes(proof(), PUBLIC))
