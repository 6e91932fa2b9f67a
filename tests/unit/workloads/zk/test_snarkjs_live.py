"""snarkjs itself, where it is installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

from veperf.workloads.zk import example_data
from veperf.workloads.zk.circuits.credential import AGE_CIRCUIT, credential_witness
from veperf.workloads.zk.snarkjs.circom_files import write_r1cs, write_wtns
from veperf.workloads.zk.snarkjs.json_files import (
    proof_to_json,
    public_to_json,
    verifying_key_to_json,
)

SNARKJS = shutil.which("snarkjs")
pytestmark = pytest.mark.skipif(SNARKJS is None, reason="snarkjs is not on the PATH")


def snarkjs(folder: Path, *arguments: str) -> str:
    result = subprocess.run(
        [str(SNARKJS), *arguments], cwd=folder, capture_output=True, text=True, timeout=60
    )
    return result.stdout + result.stderr


def test_snarkjs_takes_what_is_made_here(tmp_path):
    """It finds our witness correct for our constraints, and our proof valid for one statement."""
    compiled = AGE_CIRCUIT.compile()
    witness = credential_witness(compiled, example_data.CREDENTIAL, example_data.AGE_STATEMENT)
    prover = example_data.example_prover(compiled.r1cs)
    public = example_data.AGE_STATEMENT.public_inputs()
    (tmp_path / "age.r1cs").write_bytes(write_r1cs(compiled.r1cs))
    (tmp_path / "age.wtns").write_bytes(write_wtns(witness))
    (tmp_path / "key.json").write_bytes(verifying_key_to_json(prover.key.verifying_key))
    (tmp_path / "proof.json").write_bytes(proof_to_json(prover.prove(witness)))
    (tmp_path / "public.json").write_bytes(public_to_json(public))
    (tmp_path / "other.json").write_bytes(public_to_json([*public[:-1], public[-1] + 1]))

    assert "WITNESS IS CORRECT" in snarkjs(tmp_path, "wtns", "check", "age.r1cs", "age.wtns")
    assert "OK" in snarkjs(tmp_path, "groth16", "verify", "key.json", "public.json", "proof.json")
    refused = snarkjs(tmp_path, "groth16", "verify", "key.json", "other.json", "proof.json")
    assert "Invalid proof" in refused
