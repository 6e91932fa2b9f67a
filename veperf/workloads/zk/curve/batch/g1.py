"""Many sums or doubles in G1 that share one inversion: six or seven products each."""

from collections.abc import Sequence
from typing import cast

from veperf.workloads.zk.curve.g1 import G1Point, g1_add
from veperf.workloads.zk.field import P
from veperf.workloads.zk.integers import batch_inverse

_Finite = tuple[int, int]


def g1_add_pairs(lefts: Sequence[G1Point], rights: Sequence[G1Point]) -> list[G1Point]:
    """The sums lefts[i] + rights[i]; fast where no two are equal or opposite, and none infinity."""
    try:
        return _add_distinct(
            cast(Sequence[_Finite], lefts),  # None makes a TypeError, which costs nothing to check
            cast(Sequence[_Finite], rights),
        )
    except (ZeroDivisionError, TypeError):
        return list(map(g1_add, lefts, rights))


def g1_double_all(points: Sequence[_Finite]) -> list[_Finite]:
    """The doubles of points that are not infinity."""
    doubles = []
    inverses = batch_inverse([2 * y for _, y in points], P)
    for (x1, y1), inverse in zip(points, inverses, strict=True):
        slope = 3 * x1 * x1 * inverse % P
        x = (slope * slope - 2 * x1) % P
        doubles.append((x, (slope * (x1 - x) - y1) % P))
    return doubles


def _add_distinct(lefts: Sequence[_Finite], rights: Sequence[_Finite]) -> list[G1Point]:
    runs = [right[0] - left[0] for left, right in zip(lefts, rights, strict=True)]
    sums: list[G1Point] = []
    for (x1, y1), (x2, y2), inverse in zip(lefts, rights, batch_inverse(runs, P), strict=True):
        slope = (y2 - y1) * inverse % P
        x = (slope * slope - x1 - x2) % P
        sums.append((x, (slope * (x1 - x) - y1) % P))
    return sums
