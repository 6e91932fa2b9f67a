"""Files of other tools: circom's .r1cs, snarkjs's .wtns, and snarkjs's JSON of Groth16."""

from veperf.workloads.zk.snarkjs.circom_files import read_r1cs, read_wtns, write_r1cs, write_wtns
from veperf.workloads.zk.snarkjs.json_files import (
    proof_from_json,
    proof_to_json,
    public_from_json,
    public_to_json,
    verifying_key_from_json,
    verifying_key_to_json,
)

__all__ = [
    "proof_from_json",
    "proof_to_json",
    "public_from_json",
    "public_to_json",
    "read_r1cs",
    "read_wtns",
    "verifying_key_from_json",
    "verifying_key_to_json",
    "write_r1cs",
    "write_wtns",
]
