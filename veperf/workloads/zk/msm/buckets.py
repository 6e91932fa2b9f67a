"""Buckets: points by a digit of their scalars, and the sum of digit * point from them."""

from collections.abc import Sequence

from veperf.workloads.zk.integers import integer, unpack
from veperf.workloads.zk.msm.group import Bucket, Group, Point

_LISTS_AT_ONCE = 128  # enough to share an inversion, few enough for their points to stay in cache


def sum_lists(group: Group, lists: Sequence[Sequence[Point]]) -> list[Point]:
    """The sum of each list."""
    sums = []
    for start in range(0, len(lists), _LISTS_AT_ONCE):
        sums += _sum_some(group, lists[start : start + _LISTS_AT_ONCE])
    return sums


def _sum_some(group: Group, lists: Sequence[Sequence[Point]]) -> list[Point]:
    """Cut all lists into runs with lengths that are powers of 2, and halve runs until they are 1.

    Runs of one length stand behind each other in one flat list, where neighbours are added, which
    costs nothing a list. What came of the runs of a list is then a list again, of some log2(n).
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


class SignedDigits:
    """Digits from -2^(w - 1) to 2^(w - 1) - 1 of numbers below 2^bits in absolute value.

    With ``middle`` = 2^(w - 1) added to every digit, they are those of an ordinary number.
    """

    def __init__(self, window_bits: int, bits: int) -> None:
        """Digits of ``window_bits`` = w bits, enough for numbers of ``bits`` bits and a sign."""
        self.window_bits = window_bits
        self.middle = 1 << (window_bits - 1)
        self.count = digit_count(window_bits, bits)
        # The bit above keeps leading zeros from getting lost.
        self._lift = integer(1) << (window_bits * self.count)
        for place in range(self.count):
            self._lift += self.middle << (window_bits * place)

    def lifted(self, number: int) -> list[int]:
        """The digits, each plus ``middle``, lowest first; behind them one more to ignore."""
        return unpack(number + self._lift, self.window_bits)

    def buckets(self) -> list[Bucket]:
        """Empty buckets by a digit plus ``middle``."""
        return [[] for _ in range(2 * self.middle)]


def digit_count(window_bits: int, bits: int) -> int:
    """The number of digits of ``window_bits`` bits for numbers of ``bits`` bits and a sign."""
    # The highest positive digit is one less than ``middle``, so a bit for the sign is not enough:
    # with n bits in all, the largest number is at least (2^n - 1) / 3.
    return -(-(bits + 2) // window_bits)
