"""The group operations of G1 and G2 in one interface, so that algorithms are written once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from veperf.workloads.zk.curve.batch import (
    g1_add_pairs,
    g1_double_all,
    g2_add_pairs,
    g2_double_all,
)
from veperf.workloads.zk.curve.g1 import BETA, g1_add, g1_negate, is_on_g1, split_scalar_g1
from veperf.workloads.zk.curve.g2 import g2_add, g2_negate, is_on_g2, psi, split_scalar_g2
from veperf.workloads.zk.field import P

Point = Any
"""A point of either group, or None for infinity."""
Bucket = list[Point]

HALF_BITS = 126
"""Bits of the halves of a split scalar: both are below 2^HALF_BITS in absolute value."""


@dataclass(frozen=True, slots=True)
class Group:
    """The operations of a group whose points have order R.

    ``split`` decomposes a scalar into k1 + k2 e, where ``endomorphism`` multiplies a point by e.
    """

    add: Callable[[Point, Point], Point]
    negate: Callable[[Point], Point]
    add_pairs: Callable[[Sequence[Point], Sequence[Point]], list[Point]]
    double_all: Callable[[Sequence[Point]], list[Point]]
    split: Callable[[int], tuple[int, int]]
    endomorphism: Callable[[Point], Point]
    is_on_curve: Callable[[Point], bool]
    dimension: int
    """The number of coordinates in Fp."""
    coordinates: Callable[[Point], tuple[int, ...]]
    point: Callable[..., Point]


def _endomorphism_g1(point: tuple[int, int]) -> tuple[int, int]:
    x, y = point
    return x * BETA % P, y


G1_GROUP = Group(
    add=g1_add,
    negate=g1_negate,
    add_pairs=g1_add_pairs,
    double_all=g1_double_all,
    split=split_scalar_g1,
    endomorphism=_endomorphism_g1,
    is_on_curve=is_on_g1,
    dimension=2,
    coordinates=lambda point: point,
    point=lambda x, y: (x, y),
)
G2_GROUP = Group(
    add=g2_add,
    negate=g2_negate,
    add_pairs=g2_add_pairs,
    double_all=g2_double_all,
    split=split_scalar_g2,
    endomorphism=psi,
    is_on_curve=is_on_g2,
    dimension=4,
    coordinates=lambda point: (*point[0], *point[1]),
    point=lambda x0, x1, y0, y1: ((x0, x1), (y0, y1)),
)


def group_of(points: Sequence[Point]) -> Group:
    """Return the group that ``points`` belong to; G1's if all are infinity."""
    for point in points:
        if point is not None:
            return G2_GROUP if isinstance(point[0], tuple) else G1_GROUP
    return G1_GROUP
