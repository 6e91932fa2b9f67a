"""Groth16 over BN254: set-up, proofs, verification of one or many, keys and provers on disk."""

from veperf.workloads.zk.groth16.keyfile import (
    proving_key_from_bytes,
    proving_key_to_bytes,
    verifying_key_from_bytes,
    verifying_key_to_bytes,
)
from veperf.workloads.zk.groth16.keys import Proof, ProvingKey, VerifyingKey
from veperf.workloads.zk.groth16.prove import Prover, WrongKeyError, prove
from veperf.workloads.zk.groth16.proverfile import load_prover, save_prover
from veperf.workloads.zk.groth16.setup import setup
from veperf.workloads.zk.groth16.verify import verify, verify_all

__all__ = [
    "Proof",
    "Prover",
    "ProvingKey",
    "VerifyingKey",
    "WrongKeyError",
    "load_prover",
    "prove",
    "proving_key_from_bytes",
    "proving_key_to_bytes",
    "save_prover",
    "setup",
    "verify",
    "verify_all",
    "verifying_key_from_bytes",
    "verifying_key_to_bytes",
]
