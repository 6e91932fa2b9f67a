"""The Miller loop of the optimal ate pairing, for many pairs at once."""

from collections.abc import Iterable, Sequence
from itertools import chain

from veperf.workloads.zk.curve import G1Point, G2Point, PointError, is_on_g1
from veperf.workloads.zk.field import P
from veperf.workloads.zk.integers import invert
from veperf.workloads.zk.pairing.lines import LOOP, Line, PreparedG2, prepare
from veperf.workloads.zk.tower import fp12
from veperf.workloads.zk.tower.fp12 import SLOT_BITS, Fp12

Pair = tuple[G1Point, G2Point | PreparedG2]


def miller_loop(pairs: Iterable[Pair]) -> Fp12:
    """The product of f_{6t+2,Q}(P) and its two closing lines over all pairs (P, Q).

    Vercauteren: Optimal pairings, 2010. Only its ``final_exponentiation`` means something: the
    values are right up to factors that it takes to 1. All pairs share the squarings; one with
    infinity in it counts 1.

    Raises:
        PointError: a point of G1 is not on the curve, or a point of G2 that is not prepared is not
            on the curve or not in the subgroup.
    """
    factors = []
    for p, q in pairs:
        if not is_on_g1(p):
            raise PointError("the point is not on the curve")
        lines = (q if isinstance(q, PreparedG2) else prepare(q)).lines
        if p is not None and lines:
            factors.append(_line_values(p, lines))
    if not factors:
        return fp12.ONE
    steps = zip(*factors, strict=True)
    result = fp12.ONE
    for digit in LOOP:
        result = fp12.square(result)
        for line in chain(next(steps), next(steps) if digit else ()):
            result = fp12.multiply(result, line)
    for line in chain.from_iterable(steps):  # through psi(Q) and -psi^2(Q)
        result = fp12.multiply(result, line)
    return result


def _line_values(point: tuple[int, int], lines: Sequence[Line]) -> list[Fp12]:
    """What each line is at ``point`` (x, y), over y: 1 - slope (x / y) w - intercept (1 / y) w^3.

    The twist takes (x, y) to (x w^2, y w^3), and so the line y' = slope x' + intercept to
    y = slope w x + intercept w^3.
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
