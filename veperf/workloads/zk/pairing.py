"""The optimal ate pairing of BN254."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from veperf.workloads.zk.bigint import invert, non_adjacent_form
from veperf.workloads.zk.curve.g1 import G1Point, is_on_g1
from veperf.workloads.zk.curve.g2 import G2Point, is_on_g2, psi
from veperf.workloads.zk.field import P, PointError, T
from veperf.workloads.zk.tower import fp2, fp12
from veperf.workloads.zk.tower.fp2 import Fp2
from veperf.workloads.zk.tower.fp12 import SLOT_BITS, Fp12

Line = tuple[int, int, int, int]
"""Slope and intercept, y - slope x, of a line over the twist, each as its two parts in Fp."""

LOOP_DIGITS = non_adjacent_form(6 * T + 2)[-2::-1]
"""The digits of 6 t + 2 after the leading digit, highest first: a doubling each, and an addition
where not 0."""


@dataclass(frozen=True, slots=True)
class PreparedG2:
    """The lines of a point of G2 in the order of the Miller loop; none for infinity."""

    lines: tuple[Line, ...]


def prepare_g2(point: G2Point) -> PreparedG2:
    """Return the lines through multiples of ``point`` that the optimal ate pairing evaluates.

    The loop over 6t + 2 ends at [6t + 2]Q + psi(Q) - psi^2(Q), which is -psi^3(Q) for the points
    of G2 and for no other point of the curve (a test works out why). So one comparison at the end
    checks that ``point`` is in the subgroup.

    Raises:
        PointError: the point is not on the curve or not in the subgroup.
    """
    if point is None:
        return PreparedG2(())
    if not is_on_g2(point):
        raise PointError("the point is not on the curve")
    lines: list[Line] = []
    steps = {1: point, -1: (point[0], fp2.negate(point[1]))}
    try:
        multiple = point
        for digit in LOOP_DIGITS:
            multiple = _add_line(lines, multiple, multiple)
            if digit:
                multiple = _add_line(lines, multiple, steps[digit])
        once = psi(point)
        twice = psi(once)
        multiple = _add_line(lines, multiple, once)
        multiple = _add_line(lines, multiple, (twice[0], fp2.negate(twice[1])))
    except ZeroDivisionError as error:  # a multiple of a point of small order
        raise PointError("the point is not in the subgroup") from error
    thrice = psi(twice)
    if multiple != (thrice[0], fp2.negate(thrice[1])):
        raise PointError("the point is not in the subgroup")
    return PreparedG2(tuple(lines))


def _add_line(lines: list[Line], left: tuple[Fp2, Fp2], right: tuple[Fp2, Fp2]) -> tuple[Fp2, Fp2]:
    """Return left + right, and append the line through them (or tangent) to ``lines``.

    Raises:
        ZeroDivisionError: the line is vertical.
    """
    (a0, a1), (b0, b1) = left
    (c0, c1), (d0, d1) = right
    if left == right:
        # 3 x^2 / 2 y
        rise_0 = 3 * (a0 + a1) * (a0 - a1)
        rise_1 = 6 * a0 * a1
        run_0 = 2 * b0
        run_1 = 2 * b1
    else:
        rise_0 = d0 - b0
        rise_1 = d1 - b1
        run_0 = c0 - a0
        run_1 = c1 - a1
    norm = invert(run_0 * run_0 + run_1 * run_1, P)
    run_0 = run_0 * norm % P
    run_1 = run_1 * norm % P
    slope_0 = (rise_0 * run_0 + rise_1 * run_1) % P
    slope_1 = (rise_1 * run_0 - rise_0 * run_1) % P
    x_0 = ((slope_0 + slope_1) * (slope_0 - slope_1) - a0 - c0) % P
    x_1 = (2 * slope_0 * slope_1 - a1 - c1) % P
    intercept_0 = (b0 - slope_0 * a0 + slope_1 * a1) % P
    intercept_1 = (b1 - slope_0 * a1 - slope_1 * a0) % P
    lines.append((slope_0, slope_1, intercept_0, intercept_1))
    return (x_0, x_1), (
        (slope_1 * x_1 - slope_0 * x_0 - intercept_0) % P,
        (-slope_0 * x_1 - slope_1 * x_0 - intercept_1) % P,
    )


Pair = tuple[G1Point, G2Point | PreparedG2]


def miller_loop(pairs: Iterable[Pair]) -> Fp12:
    """Return the product of f_{6t+2,Q}(P) and its two closing lines over all pairs (P, Q).

    Vercauteren: Optimal pairings, 2010. Only its ``final_exponentiation`` is meaningful: the value
    is correct up to factors that it takes to 1. All pairs share the squarings; one with infinity in
    it counts 1.

    Raises:
        PointError: a point of G1 is not on the curve, or a point of G2 that is not prepared is not
            on the curve or not in the subgroup.
    """
    factors = []
    for p, q in pairs:
        if not is_on_g1(p):
            raise PointError("the point is not on the curve")
        lines = (q if isinstance(q, PreparedG2) else prepare_g2(q)).lines
        if p is not None and lines:
            factors.append(_line_values(p, lines))
    if not factors:
        return fp12.ONE
    steps = zip(*factors, strict=True)
    result = fp12.ONE
    for digit in LOOP_DIGITS:
        result = fp12.square(result)
        for line in chain(next(steps), next(steps) if digit else ()):
            result = fp12.multiply(result, line)
    for line in chain.from_iterable(steps):  # through psi(Q) and -psi^2(Q)
        result = fp12.multiply(result, line)
    return result


def _line_values(point: tuple[int, int], lines: Sequence[Line]) -> list[Fp12]:
    """Return the value of each line at ``point`` (x, y), divided by y.

    It is 1 - slope (x / y) w - intercept (1 / y) w^3. The twist takes (x, y) to (x w^2, y w^3), and
    so the line y' = slope x' + intercept to y = slope w x + intercept w^3.
    """
    x, y = point
    y_part = -invert(y, P) % P
    x_part = x * y_part % P
    return [
        (
            1
            + ((slope_0 * x_part % P) << SLOT_BITS)
            + ((intercept_0 * y_part % P) << 3 * SLOT_BITS),
            ((slope_1 * x_part % P) << SLOT_BITS) + ((intercept_1 * y_part % P) << 3 * SLOT_BITS),
        )
        for slope_0, slope_1, intercept_0, intercept_1 in lines
    ]


_T_DIGITS = non_adjacent_form(T)[-2::-1]  # after the leading digit


def final_exponentiation(f: Fp12) -> Fp12:
    """Return f^(2t (6t^2 + 3t + 1) (P^12 - 1) / R), fully reduced.

    It is 1 exactly where f^((P^12 - 1) / R) is 1.

    The easy part is f^((P^6 - 1) (P^2 + 1)). The hard part is that of Fuentes-Castaneda, Knapp,
    Rodriguez-Henriquez: Faster hashing to G2, 2011: a multiple of (P^4 - P^2 + 1) / R by a factor
    prime to R takes three powers of t.

    Raises:
        ZeroDivisionError: f is 0, which no Miller loop is.
    """
    multiply, square, conjugate = fp12.multiply, fp12.square, fp12.conjugate
    f = multiply(conjugate(f), fp12.inverse(f))
    f = multiply(fp12.frobenius(f, 2), f)

    # From here on the conjugate is the inverse. Names are the exponents.
    t2 = square(_power_t(f))
    t6 = multiply(square(t2), t2)
    t6_2 = _power_t(t6)
    t12_3 = _power_t(square(t6_2))
    a = multiply(multiply(t12_3, t6_2), t6)  # 12 t^3 + 6 t^2 + 6 t
    b = multiply(a, conjugate(t2))  # 12 t^3 + 6 t^2 + 4 t
    c = multiply(multiply(a, t6_2), f)  # 12 t^3 + 12 t^2 + 6 t + 1
    # The whole: c + b P + a P^2 + (b - 1) P^3
    result = multiply(c, fp12.frobenius(b, 1))
    result = multiply(result, fp12.frobenius(a, 2))
    result = multiply(result, fp12.frobenius(multiply(b, conjugate(f)), 3))
    return fp12.reduced(result)


def _power_t(f: Fp12) -> Fp12:
    """Return f^t."""
    factors = {1: f, -1: fp12.conjugate(f)}
    result = f
    for digit in _T_DIGITS:
        result = fp12.square(result)
        if digit:
            result = fp12.multiply(result, factors[digit])
    return result


def pairing(p: G1Point, q: G2Point | PreparedG2) -> Fp12:
    """Return e(p, q), fully reduced, so that equal values are equal tuples.

    Raises:
        PointError: a point is not on its curve, or q is not in the subgroup.
    """
    return final_exponentiation(miller_loop([(p, q)]))


def is_product_one(product: Fp12) -> bool:
    """Return whether the pairings multiply to 1, given the ``product`` of their Miller loops."""
    return final_exponentiation(product) == fp12.ONE
