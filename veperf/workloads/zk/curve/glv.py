"""The endomorphism of G1: (BETA x, y) is LAMBDA times (x, y)."""

from veperf.workloads.zk.field import R, T

BETA = 18 * T**3 + 18 * T**2 + 9 * T + 1
"""A cube root of 1 modulo P."""
LAMBDA = 36 * T**3 + 18 * T**2 + 6 * T + 1
"""A cube root of 1 modulo R."""

# (LONG + SHORT, SHORT) and (SHORT, -LONG) span the pairs (a, b) with a + b LAMBDA = 0 modulo R.
_SHORT = 2 * T + 1
_LONG = 6 * T**2 + 2 * T


def decompose(scalar: int) -> tuple[int, int]:
    """k1 and k2, below 2^126 in absolute value, with k1 + k2 LAMBDA = ``scalar`` modulo R.

    What is left of (scalar, 0) when the nearest pair that the basis spans is taken away
    (Gallant, Lambert, Vanstone: Faster point multiplication with efficient endomorphisms, 2001).
    """
    scalar = scalar % R
    c1 = (scalar * _LONG + R // 2) // R
    c2 = (scalar * _SHORT + R // 2) // R
    return scalar - c1 * (_LONG + _SHORT) - c2 * _SHORT, c2 * _LONG - c1 * _SHORT
