"""Many multiples of one point, from a table of small ones."""

from collections.abc import Sequence

from veperf.workloads.zk.field import R
from veperf.workloads.zk.msm.buckets import SignedDigits, digit_count, sum_lists
from veperf.workloads.zk.msm.group import Group, Point, group_of

_SCALAR_BITS = int(R).bit_length()


class MultiplesTable:
    """The multiples of a point by each digit at each place, for sums that need no doubling."""

    def __init__(self, point: Point, window_bits: int) -> None:
        """Make the table of a finite ``point``, with digits of ``window_bits``."""
        self._digits = SignedDigits(window_bits, _SCALAR_BITS)
        self._table = _digit_table(group_of([point]), point, self._digits)

    def summands(self, scalar: int) -> list[Point]:
        """Return points that add up to ``scalar`` times the point, modulo R."""
        digits = self._digits.offset_digits(scalar % R)
        return [column[digit] for digit, column in zip(digits, self._table, strict=False)]


def multiples(point: Point, scalars: Sequence[int]) -> list[Point]:
    """Return scalar * ``point`` for each scalar, modulo R, from one table."""
    if point is None:
        return [None] * len(scalars)
    table = MultiplesTable(point, _window_bits(len(scalars)))
    return sum_lists(group_of([point]), [table.summands(scalar) for scalar in scalars])


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


def _window_bits(count: int) -> int:
    """Return the width of a digit that takes the fewest additions for ``count`` multiples."""

    def additions(bits: int) -> int:
        return digit_count(bits, _SCALAR_BITS) * (count + (1 << (bits - 1)))

    return min(range(2, 17), key=additions)
