"""Many multiples of one point, from a table of small ones."""

from collections.abc import Sequence
from functools import cached_property
from itertools import chain

from veperf.workloads.zk.field import R
from veperf.workloads.zk.limbs import scalars_to_bytes
from veperf.workloads.zk.msm.buckets import SignedDigits, digit_count, sum_lists
from veperf.workloads.zk.msm.group import Group, Point, group_of
from veperf.workloads.zk.msm.native import native_group

_SCALAR_BITS = int(R).bit_length()


class MultiplesTables:
    """The multiples of some points by each digit at each place, for sums that need no doubling."""

    def __init__(self, points: Sequence[Point], window_bits: int) -> None:
        """Take finite points of one group; the first sums make the tables, of ``window_bits``."""
        self._points = tuple(points)
        self._group = group_of(points)
        self._digits = SignedDigits(window_bits, _SCALAR_BITS)

    def sums(self, scalars: Sequence[Sequence[int]]) -> list[Point]:
        """Return for each group of scalars, one a point, the sum of scalar * point modulo R.

        Raises:
            ValueError: a group has not as many scalars as there are points.
        """
        if (native := native_group(self._group)) is not None:
            if any(len(group) != len(self._points) for group in scalars):
                raise ValueError("there are not as many scalars as points")
            flat = scalars_to_bytes(list(chain.from_iterable(scalars)))
            tables = self._native_tables
            window_bits = self._digits.window_bits
            return native.points_from_bytes(
                native.kernels.digit_table_sums(tables, flat, window_bits)
            )
        return sum_lists(self._group, [self._summands(group) for group in scalars])

    def _summands(self, scalars: Sequence[int]) -> list[Point]:
        return [
            column[digit]
            for table, scalar in zip(self._tables, scalars, strict=True)
            for digit, column in zip(self._digits.offset_digits(scalar % R), table, strict=False)
        ]

    @cached_property
    def _tables(self) -> list[list[list[Point]]]:
        return [_digit_table(self._group, point, self._digits) for point in self._points]

    @cached_property
    def _native_tables(self) -> bytes:
        native = native_group(self._group)
        assert native is not None
        window_bits = self._digits.window_bits
        return b"".join(
            native.kernels.digit_table(native.points_to_bytes([point]), window_bits)
            for point in self._points
        )


def multiples(point: Point, scalars: Sequence[int]) -> list[Point]:
    """Return scalar * ``point`` for each scalar, modulo R, from one table."""
    if point is None:
        return [None] * len(scalars)
    tables = MultiplesTables([point], _window_bits(len(scalars)))
    return tables.sums([(scalar,) for scalar in scalars])


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
