"""The prime fields of BN254 (alt_bn128 of Ethereum, bn128 of circom).

A Barreto-Naehrig curve is given by one number t; both primes are polynomials in it
(Barreto, Naehrig: Pairing-friendly elliptic curves of prime order, 2005).
"""

from operator import index

from veperf.workloads.zk.integers import integer

T = integer(4965661367192848881)
P = 36 * T**4 + 36 * T**3 + 24 * T**2 + 6 * T + 1
"""The field of the coordinates has P elements."""
R = 36 * T**4 + 36 * T**3 + 18 * T**2 + 6 * T + 1
"""The groups have order R; scalars, and so signals of a circuit, count modulo R."""


class PointError(ValueError):
    """Coordinates that are out of range, off the curve, or of a point outside the subgroup."""


def coordinate(value: int) -> int:
    """``value`` as an element of Fp.

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
