"""Points of BabyJubjub: a x^2 + y^2 = 1 + d x^2 y^2 over BN254's scalar field (EIP-2494).

The group has 8 L points, L prime. As a is a square and d is none, the law of addition has no
exceptions (Bernstein, Lange: Faster addition and doubling on elliptic curves, 2007, section 3).
"""

from operator import index

from veperf.workloads.zk.bigint import integer, invert
from veperf.workloads.zk.field import PointError, R

A = 168700
D = 168696
COFACTOR = 8
L = integer(2736030358979909402780800718157159386076813972158567259200215660948447373041)
"""The prime order of the subgroup that :data:`BASE8` generates."""

BabyPoint = tuple[int, int]
IDENTITY: BabyPoint = (integer(0), integer(1))
BASE8: BabyPoint = (
    integer(5299619240641551281634865583518297030282874472190772894086521144482721001553),
    integer(16950150798460657717958625567821834550301663161624707787222815936182638968203),
)
"""circomlib's Base8: 8 times the generator of the whole group."""

POINT_BYTES = 32
_SIGN = 1 << 255


def baby_add(p: BabyPoint, q: BabyPoint) -> BabyPoint:
    """Return the sum of two points of the curve."""
    beta, gamma = p[0] * q[1], p[1] * q[0]
    tau = D * (beta * gamma % R)
    delta = (p[1] - A * p[0]) * (q[0] + q[1])
    plus, minus = 1 + tau, 1 - tau
    inverse = invert(plus * minus % R, R)
    x = (beta + gamma) * (minus * inverse % R) % R
    y = (delta + A * beta - gamma) * (plus * inverse % R) % R
    return x, y


def baby_multiply(point: BabyPoint, scalar: int) -> BabyPoint:
    """Return ``scalar``, which is not negative, times ``point``."""
    total = IDENTITY
    for bit in f"{scalar:b}":
        total = baby_add(total, total)
        if bit == "1":
            total = baby_add(total, point)
    return total


def baby_negate(point: BabyPoint) -> BabyPoint:
    """Return the point that adds up with ``point`` to the identity."""
    return -point[0] % R, point[1]


def baby_point(x: int, y: int) -> BabyPoint:
    """Return a point of the curve, in its subgroup or not.

    Raises:
        PointError: coordinates out of range, or a point off the curve.
    """
    try:
        px, py = index(x), index(y)
    except TypeError as error:
        raise PointError("a coordinate is an integer") from error
    if not (0 <= px < R and 0 <= py < R):
        raise PointError("a coordinate is not between 0 and the modulus of the field")
    xx, yy = px * px % R, py * py % R
    if (A * xx + yy - 1 - D * xx * yy) % R:
        raise PointError("the point is not on BabyJubjub")
    return integer(px), integer(py)


def is_low_order(point: BabyPoint) -> bool:
    """Return whether ``point`` is one of the 8 points that 8 times make the identity."""
    return baby_multiply(point, COFACTOR) == IDENTITY


def pack_baby_point(point: BabyPoint) -> bytes:
    """Return y, little-endian, its highest bit set where x is over (r - 1) / 2, as circomlib."""
    x, y = point
    return int(y | _SIGN if x > R // 2 else y).to_bytes(POINT_BYTES, "little")


def unpack_baby_point(data: bytes) -> BabyPoint:
    """Read a point of :func:`pack_baby_point`; each has one encoding, where circomlib takes more.

    Raises:
        PointError: another length, y out of range, no point with that y, or a sign at x = 0.
    """
    if len(data) != POINT_BYTES:
        raise PointError(f"a packed point has {POINT_BYTES} bytes, not {len(data)}")
    number = int.from_bytes(data, "little")
    y = integer(number & ~_SIGN)
    if y >= R:
        raise PointError("a coordinate is not between 0 and the modulus of the field")
    # d is no square and a is one, so that a - d y^2 is never 0.
    root = _square_root((1 - y * y) * invert((A - D * y * y) % R, R) % R)
    if root is None:
        raise PointError("the point is not on BabyJubjub")
    is_upper = bool(number & _SIGN)
    if root == 0 and is_upper:
        raise PointError("0 has no sign")
    return (root if (root > R // 2) == is_upper else -root % R), y


_TWO_ADICITY = 28
_ODD = (R - 1) >> _TWO_ADICITY
_NON_SQUARE = 5


def _square_root(value: int) -> int | None:
    """Return a square root modulo R by Tonelli's and Shanks's algorithm; None if there is none."""
    if value == 0:
        return value
    if pow(value, (R - 1) // 2, R) != 1:
        return None
    root, rest = pow(value, (_ODD + 1) // 2, R), pow(value, _ODD, R)
    generator, order = pow(integer(_NON_SQUARE), _ODD, R), _TWO_ADICITY
    while rest != 1:
        square, least = rest, 0
        while square != 1:
            square, least = square * square % R, least + 1
        factor = pow(generator, 1 << (order - least - 1), R)
        root, generator, order = root * factor % R, factor * factor % R, least
        rest = rest * generator % R
    return root
