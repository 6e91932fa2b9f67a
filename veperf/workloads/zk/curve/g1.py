"""G1: the points (x, y) over Fp with y^2 = x^3 + 3, and None, the point at infinity.

The cofactor is 1: every point of the curve is in the group of order R. Sums divide (affine
coordinates): an inverse costs only some eight products here. Nothing runs in constant time.
"""

from veperf._native.core import compiled_kernels
from veperf.workloads.zk.bigint import integer, invert, non_adjacent_form
from veperf.workloads.zk.field import P, PointError, R, T, fp_element
from veperf.workloads.zk.limbs import numbers_from_bytes, numbers_to_bytes, scalars_to_bytes

BETA = 18 * T**3 + 18 * T**2 + 9 * T + 1
"""A cube root of 1 modulo P."""
LAMBDA = 36 * T**3 + 18 * T**2 + 6 * T + 1
"""A cube root of 1 modulo R."""

# (LONG + SHORT, SHORT) and (SHORT, -LONG) span the pairs (a, b) with a + b LAMBDA = 0 modulo R.
_SHORT = 2 * T + 1
_LONG = 6 * T**2 + 2 * T


def split_scalar_g1(scalar: int) -> tuple[int, int]:
    """Return k1 and k2, below 2^126 in absolute value, with k1 + k2 LAMBDA = scalar modulo R.

    They are the difference of (scalar, 0) and the nearest pair that the basis spans
    (Gallant, Lambert, Vanstone: Faster point multiplication with efficient endomorphisms, 2001).
    """
    scalar = scalar % R
    c1 = (scalar * _LONG + R // 2) // R
    c2 = (scalar * _SHORT + R // 2) // R
    return scalar - c1 * (_LONG + _SHORT) - c2 * _SHORT, c2 * _LONG - c1 * _SHORT


G1Point = tuple[int, int] | None

B = 3
G1: tuple[int, int] = (integer(1), integer(2))


def is_on_g1(point: G1Point) -> bool:
    """Return whether ``point`` is on the curve, with coordinates from 0 to P - 1; infinity is."""
    if point is None:
        return True
    x, y = point
    return 0 <= x < P and 0 <= y < P and (y * y - x * x * x - B) % P == 0


def g1_from_ints(x: int, y: int) -> tuple[int, int]:
    """Return the point with these coordinates.

    Raises:
        PointError: a coordinate is out of range, or the point is not on the curve.
    """
    point = fp_element(x), fp_element(y)
    if not is_on_g1(point):
        raise PointError("the point is not on the curve")
    return point


def g1_negate(point: G1Point) -> G1Point:
    """Return -point."""
    return point and (point[0], -point[1] % P)


def g1_add(left: G1Point, right: G1Point) -> G1Point:
    """Return left + right, for any two points of the group."""
    if left is None:
        return right
    if right is None:
        return left
    x1, y1 = left
    x2, y2 = right
    if x1 != x2:
        slope = (y2 - y1) * invert(x2 - x1, P) % P
    elif y1 == y2:  # no point of the group has y = 0: the order is odd
        slope = 3 * x1 * x1 * invert(2 * y1, P) % P
    else:
        return None
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P


def g1_multiply(point: G1Point, scalar: int) -> G1Point:
    """Return ``scalar`` times ``point``, for any integer.

    Both halves of the decomposed scalar share the doublings (Gallant, Lambert, Vanstone 2001).
    """
    if point is None:
        return None
    kernels = compiled_kernels()
    if kernels is not None:
        data = kernels.g1_multiply(numbers_to_bytes(point), scalars_to_bytes([scalar]))
        x, y = numbers_from_bytes(data)
        return (x, y) if x or y else None
    first, second = split_scalar_g1(scalar)
    ahead = point if first >= 0 else g1_negate(point)
    aside: G1Point = (point[0] * BETA % P, point[1] if second >= 0 else -point[1] % P)
    behind, beside = g1_negate(ahead), g1_negate(aside)
    # By the digits of both halves; Python counts -1 from the end.
    multiples = (
        (None, aside, beside),
        (ahead, g1_add(ahead, aside), g1_add(ahead, beside)),
        (behind, g1_add(behind, aside), g1_add(behind, beside)),
    )
    digits = non_adjacent_form(abs(first)), non_adjacent_form(abs(second))
    length = max(map(len, digits))
    for half_digits in digits:
        half_digits.extend([0] * (length - len(half_digits)))
    result: G1Point = None
    for digit, other in zip(reversed(digits[0]), reversed(digits[1]), strict=True):
        result = g1_add(result, result)
        if digit or other:
            result = g1_add(result, multiples[digit][other])
    return result
