"""Files of other tools: circom's .r1cs, snarkjs's .wtns, and snarkjs's JSON of Groth16."""

from veperf.workloads.zk.interop.r1cs_file import read_r1cs, write_r1cs
from veperf.workloads.zk.interop.snarkjs import (
    proof_from_json,
    proof_to_json,
    public_from_json,
    public_to_json,
    verifying_key_from_json,
    verifying_key_to_json,
)
from veperf.workloads.zk.interop.wtns_file import read_wtns, write_wtns

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
