"""The groups G1 and G2 of BN254."""

from veperf.workloads.zk.curve.g1 import (
    G1,
    G1Point,
    g1_add,
    g1_from_ints,
    g1_multiply,
    g1_negate,
    is_on_g1,
)
from veperf.workloads.zk.curve.g2 import (
    G2,
    G2Point,
    g2_add,
    g2_from_ints,
    g2_multiply,
    g2_negate,
    is_in_g2_subgroup,
    is_on_g2,
)
from veperf.workloads.zk.field import PointError

__all__ = [
    "G1",
    "G2",
    "G1Point",
    "G2Point",
    "PointError",
    "g1_add",
    "g1_from_ints",
    "g1_multiply",
    "g1_negate",
    "g2_add",
    "g2_from_ints",
    "g2_multiply",
    "g2_negate",
    "is_in_g2_subgroup",
    "is_on_g1",
    "is_on_g2",
]
