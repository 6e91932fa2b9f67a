"""Multi-scalar multiplication over any points (Pippenger 1976), and many multiples of one point."""

from collections.abc import Sequence

from veperf.workloads.zk.field import R
from veperf.workloads.zk.msm.buckets import (
    SignedDigits,
    digit_count,
    horner,
    sum_lists,
    weighted_sums,
)
from veperf.workloads.zk.msm.group import HALF_BITS, Group, Point, group_of


def msm(points: Sequence[Point], scalars: Sequence[int]) -> Point:
    """Return the sum of scalars[i] * points[i], in G1 or G2.

    Scalars are taken modulo R, so the points have to be in the group of that order. Each scalar is
    split in two by the endomorphism of the group. For each digit, the points go into buckets by
    its value.

    Raises:
        ValueError: there are not as many points as scalars.
    """
    group = group_of(points)
    halves = []
    for point, scalar in zip(points, scalars, strict=True):
        if point is None:
            continue
        first, second = group.split(scalar)
        if first:
            halves.append((point, first))
        if second:
            halves.append((group.endomorphism(point), second))
    if not halves:
        return None
    digits = SignedDigits(_window_bits(len(halves)), HALF_BITS)
    sets = [digits.empty_buckets() for _ in range(digits.count)]
    for point, half in halves:
        for buckets, digit in zip(sets, digits.offset_digits(half), strict=False):
            buckets[digit].append(point)
    return horner(group, weighted_sums(group, sets), digits.window_bits)


def _window_bits(count: int) -> int:
    """Return the width of a digit that takes the fewest additions for ``count`` scalar halves."""

    def additions(bits: int) -> int:
        return digit_count(bits, HALF_BITS) * (count + (3 << (bits - 1)))

    return min(range(2, 17), key=additions)


_SCALAR_BITS = int(R).bit_length()


def multiples(point: Point, scalars: Sequence[int]) -> list[Point]:
    """Return scalar * ``point`` for each scalar, modulo R, from one table."""
    if point is None:
        return [None] * len(scalars)
    group = group_of([point])
    digits = SignedDigits(_window_bits_multiples(len(scalars)), _SCALAR_BITS)
    table = _digit_table(group, point, digits)
    summands = [
        [
            column[digit]
            for digit, column in zip(digits.offset_digits(scalar % R), table, strict=False)
        ]
        for scalar in scalars
    ]
    return sum_lists(group, summands)


def _digit_table(group: Group, point: Point, digits: SignedDigits) -> list[list[Point]]:
    """Return for each digit position j and digit d the multiple d * 2^(w j) * ``point``.

    It is at [j][d + middle].
    """
    bases = [point]
    while len(bases) < digits.count:
        point = bases[-1]
        for _ in range(digits.window_bits):
            point = group.add(point, point)
        bases.append(point)
    # Rows of 1, 2, 4, ... multiples of every base: the upper half is the lower plus its last.
    rows = [bases]
    while len(rows) < digits.middle:
        count = len(rows)
        flat = [base for row in rows for base in row]
        added = group.add_pairs(flat, rows[-1] * count)
        rows += [added[i : i + len(bases)] for i in range(0, len(added), len(bases))]
    columns = []
    for column in zip(*rows, strict=True):
        negatives = [group.negate(multiple) for multiple in reversed(column)]
        columns.append([*negatives, None, *column[:-1]])
    return columns


def _window_bits_multiples(count: int) -> int:
    """Return the width of a digit that takes the fewest additions for ``count`` multiples."""

    def additions(bits: int) -> int:
        return digit_count(bits, _SCALAR_BITS) * (count + (1 << (bits - 1)))

    return min(range(2, 17), key=additions)
