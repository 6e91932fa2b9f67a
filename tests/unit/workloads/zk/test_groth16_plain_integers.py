"""The same with Python's integers as with gmpy2's, and in either core."""

import json
import os
import subprocess
import sys
from hashlib import sha256
from random import Random

import pytest

from veperf.workloads.zk.example_data import compile_squarings, squarings_inputs
from veperf.workloads.zk.groth16.files import proving_key_to_bytes, verifying_key_to_bytes
from veperf.workloads.zk.groth16.prove import Prover
from veperf.workloads.zk.groth16.setup import setup
from veperf.workloads.zk.poseidon import poseidon
from veperf.workloads.zk.snarkjs.json_files import proof_to_json

PROGRAM = f"import {__name__} as test; import json; print(json.dumps(test.results()))"


def results() -> list[str]:
    """Keys, a proof and a hash, all from known seeds."""
    compiled = compile_squarings(5)
    key = setup(compiled.r1cs, Random(3).randrange)
    witness = compiled.witness(squarings_inputs(5))
    proof = Prover(compiled.r1cs, key).prove(witness, Random(4).randrange)
    return [
        sha256(proving_key_to_bytes(key)).hexdigest(),
        sha256(verifying_key_to_bytes(key.verifying_key)).hexdigest(),
        proof_to_json(proof).decode(),
        str(poseidon([1, 2, 3])),
    ]


@pytest.mark.parametrize("native", ["0", "1"])
@pytest.mark.parametrize("plain", ["0", "1"])
def test_plain_integers_give_the_same(plain: str, native: str):
    """Keys, proof and hash are the same to the bit."""
    environment = os.environ | {"VEPERF_PLAIN_INTEGERS": plain, "VEPERF_NATIVE": native}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    output = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, check=True, capture_output=True
    ).stdout

    assert results() == json.loads(output)
