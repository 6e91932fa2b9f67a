"""Groth16 over BN254: set-up, proofs, verification of one or many, keys as bytes."""

from veperf.workloads.zk.groth16.batch import verify_all
from veperf.workloads.zk.groth16.keys import Proof, ProvingKey, VerifyingKey
from veperf.workloads.zk.groth16.prove import Prover, WrongKeyError, prove
from veperf.workloads.zk.groth16.setup import setup
from veperf.workloads.zk.groth16.verify import verify

__all__ = [
    "Proof",
    "Prover",
    "ProvingKey",
    "VerifyingKey",
    "WrongKeyError",
    "prove",
    "setup",
    "verify",
    "verify_all",
]
