"""G2: a subgroup of order R of the points over Fp2 with y^2 = x^3 + 3 / (9 + u), and infinity.

Points are ((x0, x1), (y0, y1)), for x0 + x1 u and y0 + y1 u, or None.
"""

from veperf._native.core import compiled_kernels
from veperf.workloads.zk.bigint import integer, non_adjacent_form
from veperf.workloads.zk.field import P, PointError, R, T, fp_element
from veperf.workloads.zk.limbs import numbers_to_bytes
from veperf.workloads.zk.tower import fp2
from veperf.workloads.zk.tower.fp2 import Fp2

# The twist maps (x, y) to (x w^2, y w^3); w^P = XI^((P - 1) / 6) w.
_X_FACTOR = fp2.power(fp2.XI, (P - 1) // 3)
_Y_FACTOR = fp2.power(fp2.XI, (P - 1) // 2)
_EIGENVALUE = 6 * T**2
_TRUSTED = 0  # no check when points are packed for the compiled kernels


def psi(point: tuple[Fp2, Fp2]) -> tuple[Fp2, Fp2]:
    """Return the image of ``point``: P times itself for a point of G2 (Galbraith, Scott 2008)."""
    x, y = point
    return (
        fp2.multiply(fp2.conjugate(x), _X_FACTOR),
        fp2.multiply(fp2.conjugate(y), _Y_FACTOR),
    )


def split_scalar_g2(scalar: int) -> tuple[int, int]:
    """Return k1 and k2, below 2^126 in absolute value, with scalar = k1 + k2 P modulo R.

    P is 6 t^2 modulo R, half as long as R (Galbraith, Scott: Exponentiation in pairing-friendly
    groups using homomorphisms, 2008).
    """
    scalar = (scalar + R // 2) % R - R // 2
    second = (scalar + _EIGENVALUE // 2) // _EIGENVALUE
    return scalar - second * _EIGENVALUE, second


G2Point = tuple[Fp2, Fp2] | None

TWIST_B = fp2.scale(fp2.inverse(fp2.XI), 3)
# The generator of EIP-197, which circom's tools use, too.
G2: tuple[Fp2, Fp2] = (
    (
        integer(10857046999023057135944570762232829481370756359578518086990519993285655852781),
        integer(11559732032986387107991004021392285783925812861821192530917403151452391805634),
    ),
    (
        integer(8495653923123431417604973247489272438418190587263600148770280649306958101930),
        integer(4082367875863433681332203403145435568316851327593401208105741076214120093531),
    ),
)


def is_on_g2(point: G2Point) -> bool:
    """Return whether ``point`` is on the curve, in the subgroup or not; infinity is on it."""
    if point is None:
        return True
    x, y = point
    if not all(0 <= part < P for part in (*x, *y)):
        return False
    return fp2.square(y) == fp2.add(fp2.multiply(fp2.square(x), x), TWIST_B)


def is_in_g2_subgroup(point: G2Point) -> bool:
    """Return whether ``point``, which has to be on the curve, has order R (or 1).

    By [t + 1]Q + psi([t]Q) + psi^2([t]Q) = psi^3([2t]Q), which on the whole curve holds for the
    points of the subgroup alone (Dai, Lin, Zhao, Zhou: Fast subgroup membership testings for G1,
    G2 and GT on pairing-friendly curves, 2022). A test works out why.
    """
    kernels = compiled_kernels()
    if kernels is not None and point is not None:
        (x0, x1), (y0, y1) = point
        packed = kernels.g2_pack(numbers_to_bytes((x0, x1, y0, y1)), False, _TRUSTED)
        return bool(kernels.g2_first_outside(packed) == 1)
    multiple = g2_multiply(point, T)
    if multiple is None:
        return point is None  # t is prime to R
    once = psi(multiple)
    twice = psi(once)
    thrice = psi(twice)
    left = g2_add(g2_add(multiple, point), g2_add(once, twice))
    return left == g2_add(thrice, thrice)


def g2_from_ints(x: tuple[int, int], y: tuple[int, int]) -> tuple[Fp2, Fp2]:
    """Return the point with these coordinates, each as (c0, c1).

    Raises:
        PointError: a coordinate is not a pair or is out of range, or the point is not on the curve
            or not in the subgroup.
    """
    try:
        (x0, x1), (y0, y1) = x, y
    except (TypeError, ValueError) as error:
        raise PointError("a coordinate is a pair of integers") from error
    point = (fp_element(x0), fp_element(x1)), (fp_element(y0), fp_element(y1))
    if not is_on_g2(point):
        raise PointError("the point is not on the curve")
    if not is_in_g2_subgroup(point):
        raise PointError("the point is not in the subgroup")
    return point


def g2_negate(point: G2Point) -> G2Point:
    """Return -point."""
    return point and (point[0], fp2.negate(point[1]))


def g2_add(left: G2Point, right: G2Point) -> G2Point:
    """Return left + right, for any two points of the curve."""
    if left is None:
        return right
    if right is None:
        return left
    x1, y1 = left
    x2, y2 = right
    if x1 != x2:
        slope = fp2.multiply(fp2.subtract(y2, y1), fp2.inverse(fp2.subtract(x2, x1)))
    elif y1 == y2 and y1 != fp2.ZERO:
        slope = fp2.multiply(fp2.scale(fp2.square(x1), 3), fp2.inverse(fp2.add(y1, y1)))
    else:
        return None
    x = fp2.subtract(fp2.subtract(fp2.square(slope), x1), x2)
    return x, fp2.subtract(fp2.multiply(slope, fp2.subtract(x1, x)), y1)


def g2_multiply(point: G2Point, scalar: int) -> G2Point:
    """Return ``scalar`` times ``point``, for any integer and any point of the curve."""
    if scalar < 0:
        point, scalar = g2_negate(point), -scalar
    negative = g2_negate(point)
    result: G2Point = None
    for digit in reversed(non_adjacent_form(scalar)):
        result = g2_add(result, result)
        if digit:
            result = g2_add(result, point if digit > 0 else negative)
    return result
