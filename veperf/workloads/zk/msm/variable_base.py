"""Multi-scalar multiplication over any points (Pippenger 1976)."""

from collections.abc import Sequence

from veperf.workloads.zk.msm.buckets import (
    SignedDigits,
    digit_count,
    horner,
    weighted_sums,
)
from veperf.workloads.zk.msm.group import HALF_BITS, Point, group_of
from veperf.workloads.zk.msm.native import native_group, native_window_bits


def msm(points: Sequence[Point], scalars: Sequence[int]) -> Point:
    """Return the sum of scalars[i] * points[i], in G1 or G2.

    Scalars are taken modulo R, so the points have to be in the group of that order. Each scalar is
    split in two by the endomorphism of the group. For each digit, the points go into buckets by
    its value.

    Raises:
        ValueError: there are not as many points as scalars.
    """
    group = group_of(points)
    if (native := native_group(group)) is not None:
        window_bits = native_window_bits(len(points))
        return native.msm(native.pack(points), scalars, window_bits)
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
