"""The Poseidon hash over the scalar field of BN254, with circomlib's parameters."""

from veperf.workloads.zk.poseidon.permutation import MAX_INPUTS, poseidon

__all__ = ["MAX_INPUTS", "poseidon"]
