"""Multi-scalar multiplication over fixed points, from a table of their multiples."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import compress

from veperf.core.errors import CorruptFileError
from veperf.workloads.zk.bigint import integer
from veperf.workloads.zk.msm.buckets import SignedDigits, digit_count, weighted_sums
from veperf.workloads.zk.msm.group import HALF_BITS, Group, Point, group_of
from veperf.workloads.zk.msm.native import (
    NativeGroup,
    PointCheck,
    native_group,
    native_window_bits,
)

_COORDINATE_BYTES = 32


def points_to_bytes(group: Group, points: Iterable[Point]) -> bytes:
    """Return the coordinates of points that are not infinity, one after the other."""
    return b"".join(
        int(coordinate).to_bytes(_COORDINATE_BYTES, "little")
        for point in points
        for coordinate in group.coordinates(point)
    )


def points_from_bytes(
    group: Group, data: bytes, count: int, *, are_trusted: bool = False
) -> list[Point]:
    """Read ``count`` points, checked to be on the curve, unless trusted; not to be in the subgroup.

    Raises:
        CorruptFileError: there are more or fewer, or a point is not on the curve.
    """
    size = _COORDINATE_BYTES * group.dimension
    if len(data) != count * size:
        raise CorruptFileError(f"{len(data)} bytes are not {count} points of {size}")
    coordinates = (
        integer(int.from_bytes(data[start : start + _COORDINATE_BYTES], "little"))
        for start in range(0, len(data), _COORDINATE_BYTES)
    )
    points = [group.point(*parts) for parts in zip(*[coordinates] * group.dimension, strict=True)]
    if not are_trusted and not all(map(group.is_on_curve, points)):
        raise CorruptFileError("a point is not on the curve")
    return points


_Row = list[Point]


class FixedBase:
    """Points with their multiples by the powers of 2^w, so that all digits share their buckets.

    Sums that are added in the end are cheaper as one sum over the points of all of them.
    """

    def __init__(self, points: Sequence[Point]) -> None:
        """Take points of G1 or of G2, which may be infinity.

        The first sum makes the multiples. Compiled, it does without, and the second makes them.
        """
        self.points = tuple(points)
        self._group = group_of(self.points)
        self._finite = [point for point in self.points if point is not None]
        self._digits = SignedDigits(_window_bits(len(self._finite)), HALF_BITS)
        self._native_table: bytes | None = None
        self._was_used = False

    def msm(self, scalars: Sequence[int]) -> Point:
        """Return the sum of scalars[i] * points[i]; scalars are taken modulo R.

        Raises:
            ValueError: there are not as many scalars as points.
        """
        if (native := native_group(self._group)) is not None:
            return self._native_msm(native, scalars)
        group, digits = self._group, self._digits
        buckets = digits.empty_buckets()
        for scalar, rows in zip(scalars, self._rows, strict=True):
            if not (scalar and rows):
                continue
            for half, row in zip(group.split(scalar), rows, strict=True):
                if half:
                    # Without a loop in Python: this runs for every addition to come.
                    places = map(buckets.__getitem__, digits.offset_digits(half))
                    deque(map(list.append, places, row), maxlen=0)
        return weighted_sums(group, [buckets])[0]

    def _native_msm(self, native: NativeGroup, scalars: Sequence[int]) -> Point:
        """Return the sum by the compiled kernels, to which a table is worth it from the second."""
        if len(scalars) != len(self.points):
            raise ValueError(f"{len(scalars)} scalars for {len(self.points)} points")
        finite = list(compress(scalars, self._is_finite))
        if self._was_used:
            self.prepare()
        self._was_used = True
        if self._native_table is not None:
            return native.msm(self._native_table, finite, self._digits.window_bits)
        return native.msm(self._packed(native), finite, native_window_bits(len(finite)))

    def to_bytes(self) -> bytes:
        """Return the multiples; :meth:`from_bytes` takes them together with the points."""
        if (native := native_group(self._group)) is not None:
            data: bytes = native.kernels.unpack(self._made_table(native))
            return data
        points = (point for column in self._columns for point in column)
        return points_to_bytes(self._group, points)

    @classmethod
    def from_bytes(
        cls, points: Sequence[Point], data: bytes, *, is_trusted: bool = False
    ) -> "FixedBase":
        """Create the sum over ``points`` with multiples from :meth:`to_bytes`.

        Every multiple is checked to be on the curve, unless ``data`` is trusted, and the first to
        be the point. The values of the others are not checked, which would take as long as making
        them: sums over a table that was altered are wrong.

        Raises:
            CorruptFileError: ``data`` is not a table of these points.
        """
        base = cls(points)
        count = len(base._finite)
        if (native := native_group(base._group)) is not None:
            base._load_native(native, data, PointCheck.TRUSTED if is_trusted else PointCheck.FINITE)
            return base
        multiples = points_from_bytes(
            base._group, data, count * base._digits.count, are_trusted=is_trusted
        )
        columns = [multiples[i : i + count] for i in range(0, len(multiples), count or 1)]
        if count and columns[0] != base._finite:
            raise CorruptFileError("the table of multiples belongs to other points")
        base._columns = columns
        return base

    def prepare(self) -> None:
        """Make now the table that sums would make."""
        if (native := native_group(self._group)) is not None:
            self._made_table(native)
        else:
            self._rows  # noqa: B018 - a cached property

    def _made_table(self, native: NativeGroup) -> bytes:
        if self._native_table is None:
            packed = self._packed(native)
            self._native_table = native.kernels.table(packed, self._digits.window_bits)
        return self._native_table

    def _load_native(self, native: NativeGroup, data: bytes, check: PointCheck) -> None:
        count = len(self._finite) * self._digits.count
        if len(data) != count * native.point_bytes:
            raise CorruptFileError(f"{len(data)} bytes are not {count} points")
        try:
            table = native.pack_bytes(data, check)
        except ValueError as error:
            raise CorruptFileError(str(error)) from error
        if not data.startswith(native.points_to_bytes(self._finite)):
            raise CorruptFileError("the table of multiples belongs to other points")
        self._native_table = table

    def _packed(self, native: NativeGroup) -> bytes:
        return native.pack(self._finite)

    @cached_property
    def _is_finite(self) -> list[bool]:
        return [point is not None for point in self.points]

    @cached_property
    def _columns(self) -> list[list[Point]]:
        """For each digit position, all finite points times that power of 2^w."""
        points: list[Point] = self._finite
        columns = [points]
        while len(columns) < self._digits.count:
            for _ in range(self._digits.window_bits):
                points = self._group.double_all(points)
            columns.append(points)
        return columns

    @cached_property
    def _rows(self) -> list[tuple[_Row, _Row] | None]:
        """For each finite point, its multiples and those of its image."""
        rows: Iterator[tuple[Point, ...]] = zip(*self._columns, strict=True)
        return [None if point is None else self._with_images(next(rows)) for point in self.points]

    def _with_images(self, row: Sequence[Point]) -> tuple[_Row, _Row]:
        return list(row), list(map(self._group.endomorphism, row))


def _window_bits(count: int) -> int:
    """Return the width of a digit that takes the fewest additions for ``count`` points."""

    def additions(bits: int) -> int:
        return digit_count(bits, HALF_BITS) * 2 * count + (3 << (bits - 1))

    return min(range(2, 17), key=additions)
