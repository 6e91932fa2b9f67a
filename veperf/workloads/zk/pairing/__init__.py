"""The optimal ate pairing of BN254."""

from veperf.workloads.zk.pairing.final import final_exponentiation
from veperf.workloads.zk.pairing.lines import PreparedG2, prepare
from veperf.workloads.zk.pairing.miller import Pair, miller_loop
from veperf.workloads.zk.pairing.product import pairing, pairing_product_is_one

__all__ = [
    "Pair",
    "PreparedG2",
    "final_exponentiation",
    "miller_loop",
    "pairing",
    "pairing_product_is_one",
    "prepare",
]
