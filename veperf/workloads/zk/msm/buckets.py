"""Bucket method: points collected by a digit of their scalars, and weighted sums of the buckets."""

from collections.abc import Sequence

from veperf.workloads.zk.bigint import integer, unpack
from veperf.workloads.zk.msm.group import Bucket, Group, Point

_LISTS_PER_BATCH = 128  # enough to share an inversion, few enough for the points to stay in cache


def sum_lists(group: Group, lists: Sequence[Sequence[Point]]) -> list[Point]:
    """Return the sum of each list."""
    sums = []
    for start in range(0, len(lists), _LISTS_PER_BATCH):
        sums += _sum_batch(group, lists[start : start + _LISTS_PER_BATCH])
    return sums


def _sum_batch(group: Group, lists: Sequence[Sequence[Point]]) -> list[Point]:
    """Cut all lists into runs whose lengths are powers of 2, and halve runs until they are 1.

    Runs of one length stand one after the other in one flat list, where neighbours are added, so
    that a list costs nothing extra. The sums of a list's runs are a list again, of some log2(n).
    """
    remaining = [list(filter(None, points)) for points in lists]
    while (longest := max(map(len, remaining))) > 1:
        owners = []
        runs: list[Point] = []
        length = 1 << (longest.bit_length() - 1)
        while length:
            runs = group.add_pairs(runs[::2], runs[1::2])
            for points in remaining:
                if len(points) & length:
                    owners.append(points)
                    runs += points[-length:]
                    del points[-length:]
            length >>= 1
        for points, point in zip(owners, runs, strict=True):
            points.append(point)
    return [points[0] if points else None for points in remaining]


def weighted_sums(group: Group, sets: Sequence[Sequence[Sequence[Point]]]) -> list[Point]:
    """Return for each set of 2^k buckets the sum of (i - 2^(k - 1)) * (all points in bucket[i]).

    The sums of buckets of opposite weights are subtracted first. The remaining buckets, except the
    last, are arranged in a square by the upper and lower half of the bits of i. The sums of its
    rows and columns take two additions a bucket; they give, with little more work, the sum of the
    buckets whose i has a given bit. The last bucket is the only one with the highest bit.
    """
    folded = _fold_signs(group, sets)
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
        by_bit += _points_by_bit(line_sums[start : start + width])
        by_bit += _points_by_bit(line_sums[start + width : start + width + height])
    bit_sums = sum_lists(group, by_bit)
    return [
        horner(group, [*bit_sums[index * bits : (index + 1) * bits], sums[size]], 1)
        for index, sums in enumerate(folded)
    ]


def horner(group: Group, points: Sequence[Point], step_bits: int) -> Point:
    """Return the sum of 2^(i * step_bits) * points[i]."""
    result = None
    for point in reversed(points):
        for _ in range(step_bits):
            result = group.add(result, result)
        result = group.add(result, point)
    return result


def _fold_signs(group: Group, sets: Sequence[Sequence[Sequence[Point]]]) -> list[Sequence[Point]]:
    """Return for each set the sums of weight 0 to 2^(k - 1); that of weight 0 is left empty."""
    size = len(sets[0])
    middle = size // 2
    sums = sum_lists(
        group,
        [points for buckets in sets for points in (*buckets[:middle], (), *buckets[middle + 1 :])],
    )
    pairs: list[Sequence[Point]] = []
    for start in range(0, len(sums), size):
        positive = [*sums[start + middle : start + size], None]
        negative = map(group.negate, reversed(sums[start : start + middle + 1]))
        pairs += zip(positive, negative, strict=True)
    sums = sum_lists(group, pairs)
    return [sums[start : start + middle + 1] for start in range(0, len(sums), middle + 1)]


def _points_by_bit(points: Sequence[Point]) -> list[list[Point]]:
    """Return for each bit of the indices the points whose index has it."""
    return [
        [point for index, point in enumerate(points) if index >> bit & 1]
        for bit in range(len(points).bit_length() - 1)
    ]


class SignedDigits:
    """Digits from -2^(w - 1) to 2^(w - 1) - 1 of numbers below 2^bits in absolute value.

    With ``middle`` = 2^(w - 1) added to each, they are the digits of an ordinary number.
    """

    def __init__(self, window_bits: int, bits: int) -> None:
        """Create digits of ``window_bits`` = w bits for numbers of ``bits`` bits and a sign."""
        self.window_bits = window_bits
        self.middle = 1 << (window_bits - 1)
        self.count = digit_count(window_bits, bits)
        # The bit above keeps leading zeros from getting lost.
        self._offset = integer(1) << (window_bits * self.count)
        for index in range(self.count):
            self._offset += self.middle << (window_bits * index)

    def offset_digits(self, number: int) -> list[int]:
        """Return the digits, each plus ``middle``, lowest first, then one more to ignore."""
        return unpack(number + self._offset, self.window_bits)

    def empty_buckets(self) -> list[Bucket]:
        """Return empty buckets, indexed by a digit plus ``middle``."""
        return [[] for _ in range(2 * self.middle)]


def digit_count(window_bits: int, bits: int) -> int:
    """Return the number of digits of ``window_bits`` bits for ``bits`` bits and a sign."""
    # The highest positive digit is one less than ``middle``, so a bit for the sign is not enough:
    # with n bits in all, the largest number is at least (2^n - 1) / 3.
    return -(-(bits + 2) // window_bits)
