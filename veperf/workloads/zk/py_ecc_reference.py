"""BN254 as py_ecc computes it: the lines that our own figures are compared with."""

import sys

from py_ecc.optimized_bn128 import optimized_curve, optimized_pairing  # noqa: E402

_limit = sys.getrecursionlimit()

# py_ecc raises it to 100,000 for good, at which deeply nested JSON ends the process.
sys.setrecursionlimit(_limit)


def pairing() -> object:
    """One pairing of the generators."""
    return optimized_pairing.pairing(optimized_curve.G2, optimized_curve.G1)


def multiply(scalar: int) -> object:
    """``scalar`` times the generator of G1."""
    return optimized_curve.multiply(optimized_curve.G1, scalar)
