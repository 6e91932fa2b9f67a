"""The lines of a Miller loop, which depend on the point of G2 alone."""

from dataclasses import dataclass

from veperf.workloads.zk.curve import G2Point, PointError, is_on_g2
from veperf.workloads.zk.curve.frobenius import psi
from veperf.workloads.zk.field import P, T
from veperf.workloads.zk.integers import invert, non_adjacent_form
from veperf.workloads.zk.tower import fp2
from veperf.workloads.zk.tower.fp2 import Fp2

Line = tuple[int, int, int, int]
"""The slope and the intercept, y - slope x, of a line over the twist: both parts of each."""

LOOP = non_adjacent_form(6 * T + 2)[-2::-1]
"""The digits of 6 t + 2 behind the leading one, highest first: a doubling each, and an addition
where not 0."""


@dataclass(frozen=True, slots=True)
class PreparedG2:
    """A point of G2 as its lines in the order of the Miller loop; none for infinity."""

    lines: tuple[Line, ...]


def prepare(point: G2Point) -> PreparedG2:
    """The lines through the multiples of ``point`` that the optimal ate pairing goes along.

    The loop over 6t + 2 ends at [6t + 2]Q + psi(Q) - psi^2(Q), which is -psi^3(Q) for the points
    of G2 and for no other point of the curve (a test works out why): whether ``point`` is in the
    subgroup is known at the end for one more addition.

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
        for digit in LOOP:
            multiple = _step(lines, multiple, multiple)
            if digit:
                multiple = _step(lines, multiple, steps[digit])
        once = psi(point)
        twice = psi(once)
        multiple = _step(lines, multiple, once)
        multiple = _step(lines, multiple, (twice[0], fp2.negate(twice[1])))
    except ZeroDivisionError as error:  # a multiple of a point of small order
        raise PointError("the point is not in the subgroup") from error
    thrice = psi(twice)
    if multiple != (thrice[0], fp2.negate(thrice[1])):
        raise PointError("the point is not in the subgroup")
    return PreparedG2(tuple(lines))


def _step(lines: list[Line], left: tuple[Fp2, Fp2], right: tuple[Fp2, Fp2]) -> tuple[Fp2, Fp2]:
    """The sum left + right; the line through them (or tangent) is appended to ``lines``.

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
