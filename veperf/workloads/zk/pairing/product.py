"""Pairings, and the question whether a product of them is 1."""

from collections.abc import Iterable

from veperf.workloads.zk.curve import G1Point, G2Point
from veperf.workloads.zk.pairing.final import final_exponentiation
from veperf.workloads.zk.pairing.lines import PreparedG2
from veperf.workloads.zk.pairing.miller import Pair, miller_loop
from veperf.workloads.zk.tower import fp12
from veperf.workloads.zk.tower.fp12 import Fp12


def pairing(p: G1Point, q: G2Point | PreparedG2) -> Fp12:
    """e(p, q), fully reduced, so that equal values are equal tuples.

    Raises:
        PointError: a point is not on its curve, or q is not in the subgroup.
    """
    return final_exponentiation(miller_loop([(p, q)]))


def pairing_product_is_one(pairs: Iterable[Pair]) -> bool:
    """Whether the pairings of all pairs multiply to 1.

    Raises:
        PointError: a point is not on its curve, or one of G2 is not in the subgroup.
    """
    return final_exponentiation(miller_loop(pairs)) == fp12.ONE
