"""The optimal ate pairing of BN254."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from veperf._native.core import compiled_kernels
from veperf.workloads.zk.bigint import invert, non_adjacent_form
from veperf.workloads.zk.curve.g1 import G1Point, is_on_g1
from veperf.workloads.zk.curve.g2 import G2Point, is_on_g2, psi
from veperf.workloads.zk.field import P, PointError, T
from veperf.workloads.zk.limbs import numbers_from_bytes, numbers_to_bytes
from veperf.workloads.zk.tower import fp2, fp12
from veperf.workloads.zk.tower.fp2 import Fp2
from veperf.workloads.zk.tower.fp12 import SLOT_BITS, Fp12

Line = tuple[int, int, int, int]
"""Slope and intercept, y - slope x, of a line over the twist, each as its two parts in Fp."""

LOOP_DIGITS = non_adjacent_form(6 * T + 2)[-2::-1]
"""The digits of 6 t + 2 after the leading digit, highest first: a doubling each, and an addition
where not 0."""


@dataclass(frozen=True)
class PreparedG2:
    """A point of G2 or infinity with its lines, which each core makes and evaluates in its form.

    The loop over 6t + 2 ends at [6t + 2]Q + psi(Q) - psi^2(Q), which is -psi^3(Q) for the points
    of G2 and for no other point of the curve (a test works out why). So one comparison at the end
    checks that ``point`` is in the subgroup. Both properties raise PointError if it is not, or not
    on the curve, and have no lines for infinity.
    """

    point: G2Point

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The lines in the order of the Miller loop."""
        return _lines(self.point)

    @cached_property
    def native_lines(self) -> bytes:
        """The lines as the compiled kernels take them."""
        if self.point is None:
            return b""
        (x0, x1), (y0, y1) = self.point
        try:
            lines: bytes = compiled_kernels().prepare_g2(numbers_to_bytes((x0, x1, y0, y1)))
        except ValueError as error:
            raise PointError(str(error)) from error
        return lines


def prepare_g2(point: G2Point) -> PreparedG2:
    """Return ``point`` with the lines that the optimal ate pairing evaluates.

    Raises:
        PointError: the point is not on the curve or not in the subgroup.
    """
    prepared = PreparedG2(point)
    _ = prepared.lines if compiled_kernels() is None else prepared.native_lines
    return prepared


def _lines(point: G2Point) -> tuple[Line, ...]:
    if point is None:
        return ()
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
    return tuple(lines)


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
    finite = []
    for p, q in pairs:
        if not is_on_g1(p):
            raise PointError("the point is not on the curve")
        prepared = q if isinstance(q, PreparedG2) else prepare_g2(q)
        if p is not None and prepared.point is not None:
            finite.append((p, prepared))
    if not finite:
        return fp12.ONE
    kernels = compiled_kernels()
    if kernels is not None:
        points = numbers_to_bytes([coordinate for p, _ in finite for coordinate in p])
        return _fp12_from_bytes(
            kernels.miller_loop(points, tuple(prepared.native_lines for _, prepared in finite))
        )
    factors = [_line_values(p, prepared.lines) for p, prepared in finite]
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
    kernels = compiled_kernels()
    if kernels is not None:
        return _native_exponentiation(kernels, f)
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


def _native_exponentiation(kernels: Any, f: Fp12) -> Fp12:
    parts = [part for coefficient in fp12.coefficients(f) for part in coefficient]
    if not any(parts):
        raise ZeroDivisionError("the final exponentiation of 0")
    return _fp12_from_bytes(kernels.final_exponentiation(numbers_to_bytes(parts)))


def _fp12_from_bytes(data: bytes) -> Fp12:
    """Return the element whose twelve coordinates are in ``data``, in the order of the kernels."""
    parts = numbers_from_bytes(data)
    return fp12.from_coefficients(list(zip(parts[::2], parts[1::2], strict=True)))


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
