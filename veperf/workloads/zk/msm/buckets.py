"""Buckets: points by a digit of their scalars, and the sum of digit * point from them."""

from collections.abc import Sequence

from veperf.workloads.zk.msm.group import Group, Point
from veperf.workloads.zk.msm.sums import sum_lists


def weighted_sums(group: Group, sets: Sequence[Sequence[Sequence[Point]]]) -> list[Point]:
    """For each set of 2^k buckets the sum of (i - 2^(k - 1)) * (all points in bucket[i]).

    The sums of buckets of opposite weights are subtracted first. What is left, but the last, lies
    in a square by the upper and lower half of the bits of i. From the sums of its rows and
    columns, two additions a bucket, follows with little more the sum of the buckets whose i has a
    given bit; the last bucket is the only one with the highest.
    """
    folded = _by_magnitude(group, sets)
    size = len(folded[0]) - 1
    bits = size.bit_length() - 1
    width = 1 << (bits // 2)
    height = size // width
    lines: list[Sequence[Point]] = []
    for sums in folded:
        lines += [sums[column:size:width] for column in range(width)]
        lines += [sums[start : start + width] for start in range(0, size, width)]
    line_sums = sum_lists(group, lines)
    by_bit: list[Sequence[Point]] = []
    for start in range(0, len(line_sums), width + height):
        by_bit += _by_bit(line_sums[start : start + width])
        by_bit += _by_bit(line_sums[start + width : start + width + height])
    bit_sums = sum_lists(group, by_bit)
    return [
        horner(group, [*bit_sums[place * bits : (place + 1) * bits], sums[size]], 1)
        for place, sums in enumerate(folded)
    ]


def horner(group: Group, points: Sequence[Point], step_bits: int) -> Point:
    """The sum of 2^(i * step_bits) * points[i]."""
    result = None
    for point in reversed(points):
        for _ in range(step_bits):
            result = group.add(result, result)
        result = group.add(result, point)
    return result


def _by_magnitude(group: Group, sets: Sequence[Sequence[Sequence[Point]]]) -> list[Sequence[Point]]:
    """For each set the sums of weight 0 to 2^(k - 1), of which that of weight 0 is left out."""
    size = len(sets[0])
    middle = size // 2
    sums = sum_lists(
        group, [points for some in sets for points in (*some[:middle], (), *some[middle + 1 :])]
    )
    pairs: list[Sequence[Point]] = []
    for start in range(0, len(sums), size):
        positive = [*sums[start + middle : start + size], None]
        negative = map(group.negate, reversed(sums[start : start + middle + 1]))
        pairs += zip(positive, negative, strict=True)
    sums = sum_lists(group, pairs)
    return [sums[start : start + middle + 1] for start in range(0, len(sums), middle + 1)]


def _by_bit(points: Sequence[Point]) -> list[list[Point]]:
    """For each bit of the indices, the points at those that have it."""
    return [
        [point for place, point in enumerate(points) if place >> bit & 1]
        for bit in range(len(points).bit_length() - 1)
    ]
