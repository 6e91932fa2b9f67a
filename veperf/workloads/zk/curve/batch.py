"""Additions and doublings of many points at once, in affine coordinates with one inversion."""

from collections.abc import Sequence
from typing import cast

from veperf.workloads.zk.bigint import batch_inverse
from veperf.workloads.zk.curve.g1 import G1Point, g1_add
from veperf.workloads.zk.curve.g2 import G2Point, g2_add
from veperf.workloads.zk.field import P
from veperf.workloads.zk.tower.fp2 import Fp2

_FiniteG1 = tuple[int, int]


def g1_add_pairs(lefts: Sequence[G1Point], rights: Sequence[G1Point]) -> list[G1Point]:
    """Return lefts[i] + rights[i]; fast where none is infinity and no pair equal or opposite."""
    try:
        return _add_distinct_g1(
            cast(
                Sequence[_FiniteG1], lefts
            ),  # None makes a TypeError, which costs nothing to check
            cast(Sequence[_FiniteG1], rights),
        )
    except (ZeroDivisionError, TypeError):
        return list(map(g1_add, lefts, rights))


def g1_double_all(points: Sequence[_FiniteG1]) -> list[_FiniteG1]:
    """Return the doubles of points that are not infinity."""
    doubles = []
    inverses = batch_inverse([2 * y for _, y in points], P)
    for (x1, y1), inverse in zip(points, inverses, strict=True):
        slope = 3 * x1 * x1 * inverse % P
        x = (slope * slope - 2 * x1) % P
        doubles.append((x, (slope * (x1 - x) - y1) % P))
    return doubles


def _add_distinct_g1(lefts: Sequence[_FiniteG1], rights: Sequence[_FiniteG1]) -> list[G1Point]:
    runs = [right[0] - left[0] for left, right in zip(lefts, rights, strict=True)]
    sums: list[G1Point] = []
    for (x1, y1), (x2, y2), inverse in zip(lefts, rights, batch_inverse(runs, P), strict=True):
        slope = (y2 - y1) * inverse % P
        x = (slope * slope - x1 - x2) % P
        sums.append((x, (slope * (x1 - x) - y1) % P))
    return sums


_FiniteG2 = tuple[Fp2, Fp2]


def g2_add_pairs(lefts: Sequence[G2Point], rights: Sequence[G2Point]) -> list[G2Point]:
    """Return lefts[i] + rights[i]; fast where none is infinity and no pair equal or opposite."""
    try:
        return _add_distinct_g2(
            cast(
                Sequence[_FiniteG2], lefts
            ),  # None makes a TypeError, which costs nothing to check
            cast(Sequence[_FiniteG2], rights),
        )
    except (ZeroDivisionError, TypeError):
        return list(map(g2_add, lefts, rights))


def g2_double_all(points: Sequence[_FiniteG2]) -> list[_FiniteG2]:
    """Return the doubles of points of G2 that are not infinity."""
    inverses = batch_inverse([2 * (b0 * b0 + b1 * b1) % P for _, (b0, b1) in points], P)
    doubles = []
    for point, inverse in zip(points, inverses, strict=True):
        (x0, x1), (b0, b1) = point
        a0 = 3 * (x0 + x1) * (x0 - x1)
        a1 = 6 * x0 * x1
        slope_0 = (a0 * b0 + a1 * b1) % P * inverse % P
        slope_1 = (a1 * b0 - a0 * b1) % P * inverse % P
        doubles.append(_chord_sum(point, point[0], slope_0, slope_1))
    return doubles


def _add_distinct_g2(lefts: Sequence[_FiniteG2], rights: Sequence[_FiniteG2]) -> list[G2Point]:
    runs = [(c0 - a0, c1 - a1) for ((a0, a1), _), ((c0, c1), _) in zip(lefts, rights, strict=True)]
    inverses = batch_inverse([(c0 * c0 + c1 * c1) % P for c0, c1 in runs], P)
    sums: list[G2Point] = []
    for left, (x2, (d0, d1)), (c0, c1), inverse in zip(lefts, rights, runs, inverses, strict=True):
        b0, b1 = left[1]
        a0 = d0 - b0
        a1 = d1 - b1
        slope_0 = (a0 * c0 + a1 * c1) % P * inverse % P
        slope_1 = (a1 * c0 - a0 * c1) % P * inverse % P
        sums.append(_chord_sum(left, x2, slope_0, slope_1))
    return sums


def _chord_sum(point: _FiniteG2, other_x: Fp2, slope_0: int, slope_1: int) -> _FiniteG2:
    """Return the sum of ``point`` and the point at ``other_x`` on the line with that slope."""
    (a0, a1), (b0, b1) = point
    c0, c1 = other_x
    x0 = ((slope_0 + slope_1) * (slope_0 - slope_1) - a0 - c0) % P
    x1 = (2 * slope_0 * slope_1 - a1 - c1) % P
    a0 -= x0
    a1 -= x1
    return (x0, x1), (
        (slope_0 * a0 - slope_1 * a1 - b0) % P,
        (slope_0 * a1 + slope_1 * a0 - b1) % P,
    )
