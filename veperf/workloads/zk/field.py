"""The prime fields of BN254 (Ethereum's alt_bn128, circom's bn128).

A Barreto-Naehrig curve is given by one number t; both primes are polynomials in it
(Barreto, Naehrig: Pairing-friendly elliptic curves of prime order, 2005).
"""

from operator import index

from veperf.workloads.zk.bigint import integer

T = integer(4965661367192848881)
P = 36 * T**4 + 36 * T**3 + 24 * T**2 + 6 * T + 1
"""The order of the coordinate field."""
R = 36 * T**4 + 36 * T**3 + 18 * T**2 + 6 * T + 1
"""The order of the groups; scalars, and so the signals of a circuit, are taken modulo R."""


class PointError(ValueError):
    """Coordinates that are out of range, off the curve, or of a point outside the subgroup."""


def fp_square_root(value: int) -> int | None:
    """Return a square root of ``value`` modulo P, which is 3 modulo 4; None if there is none."""
    root = pow(value, (P + 1) // 4, P)
    return root if (root * root - value) % P == 0 else None


def fp_element(value: int) -> int:
    """Return ``value`` as an element of Fp.

    Raises:
        PointError: it is not an integer from 0 to P - 1.
    """
    try:
        element = index(value)
    except TypeError as error:
        raise PointError("a coordinate is an integer") from error
    if not 0 <= element < P:
        raise PointError("a coordinate is not between 0 and the modulus of the field")
    return integer(element)
