"""Rank-1 constraint systems: build them with names and operators, check witnesses with reasons."""

from veperf.workloads.zk.r1cs.builder import Builder, Define
from veperf.workloads.zk.r1cs.linear import Constraint, Linear, weighted_sum
from veperf.workloads.zk.r1cs.system import Evaluation, R1cs, UnsatisfiedError

__all__ = [
    "Builder",
    "Constraint",
    "Define",
    "Evaluation",
    "Linear",
    "R1cs",
    "UnsatisfiedError",
    "weighted_sum",
]
