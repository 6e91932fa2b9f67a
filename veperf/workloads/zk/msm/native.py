"""The compiled kernels of G1 and G2, on points and scalars as Python has them."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from itertools import chain
from typing import Any

from veperf._native.core import compiled_kernels
from veperf.workloads.zk.limbs import (
    NUMBER_BYTES,
    numbers_from_bytes,
    numbers_to_bytes,
    scalars_to_bytes,
)
from veperf.workloads.zk.msm.buckets import digit_count
from veperf.workloads.zk.msm.group import G1_GROUP, G2_GROUP, HALF_BITS, Group, Point

_MANY_POINTS = 30
"""From which on checking random sums of points takes less than checking each."""
_CHECK_BYTES = 20


class PointCheck(IntEnum):
    """The requirement that points meet before they are packed."""

    TRUSTED = 0
    ON_CURVE = 1
    FINITE = 2
    """On the curve, and not infinity."""


@dataclass(frozen=True, slots=True)
class NativeGroup:
    """The kernels of one group. Packed points and tables are bytes for these kernels alone."""

    group: Group
    kernels: Any
    """The functions of ``veperf._native.kernels`` without their prefix, as attributes."""

    @property
    def point_bytes(self) -> int:
        """The size of a point, packed or not."""
        return NUMBER_BYTES * self.group.dimension

    def pack(self, points: Iterable[Point]) -> bytes:
        """Return ``points``, infinity among them or not, as the kernels calculate with them."""
        return self.pack_bytes(self.points_to_bytes(points), PointCheck.TRUSTED)

    def pack_bytes(
        self, data: bytes | memoryview, check: PointCheck, *, is_big_endian: bool = False
    ) -> bytes:
        """Return the points in ``data``, coordinates of 32 bytes each, as packed ones.

        Raises:
            ValueError: a coordinate is out of range, or a point is not as ``check`` says.
        """
        packed: bytes = self.kernels.pack(data, is_big_endian, check)
        return packed

    def are_in_subgroup(self, packed: bytes) -> bool:
        """Return whether points of the curve are in the group of order R, as all of G1 are."""
        if self.group is G1_GROUP:
            return True
        count = len(packed) // self.point_bytes
        if count < _MANY_POINTS:
            return bool(compiled_kernels().g2_first_outside(packed) == count)
        random = secrets.token_bytes(_CHECK_BYTES * count)
        return bool(compiled_kernels().g2_are_in_subgroup(packed, random))

    def points_to_bytes(self, points: Iterable[Point]) -> bytes:
        """Return the coordinates of points, of infinity zeros."""
        coordinates, infinity = self.group.coordinates, (0,) * self.group.dimension
        parts = [infinity if point is None else coordinates(point) for point in points]
        return numbers_to_bytes(list(chain.from_iterable(parts)))

    def points_from_bytes(self, data: bytes) -> list[Point]:
        """Return the points of coordinates as the kernels give them."""
        make, dimension = self.group.point, self.group.dimension
        numbers = iter(numbers_from_bytes(data))
        return [
            make(*coordinates) if any(coordinates) else None
            for coordinates in zip(*[numbers] * dimension, strict=True)
        ]

    def msm(self, table: bytes, scalars: Sequence[int], window_bits: int) -> Point:
        """Return the sum of scalars[i] * points[i], for packed points or a table of them."""
        (total,) = self.points_from_bytes(
            self.kernels.msm(table, scalars_to_bytes(scalars), window_bits)
        )
        return total


class _Prefixed:
    """The kernels of a module whose names begin with a prefix, by the rest of their names."""

    def __init__(self, module: Any, prefix: str) -> None:
        for name in ("pack", "unpack", "table", "msm", "digit_table", "digit_table_sums"):
            setattr(self, name, getattr(module, f"{prefix}_{name}"))


@cache
def _native_groups(module: Any) -> dict[int, NativeGroup]:
    return {
        group.dimension: NativeGroup(group, _Prefixed(module, prefix))
        for group, prefix in ((G1_GROUP, "g1"), (G2_GROUP, "g2"))
    }


def native_window_bits(count: int) -> int:
    """Return the width of a digit that takes the least work for ``count`` points without a table.

    An addition to a running sum, two a bucket, costs some 2.7 of those that share an inversion.
    """

    def additions(bits: int) -> float:
        return digit_count(bits, HALF_BITS) * (2 * count + 2 * 2.7 * (1 << (bits - 1)))

    return min(range(2, 17), key=additions)


def native_group(group: Group) -> NativeGroup | None:
    """Return the compiled kernels of ``group``, or None where Python's code is to run."""
    kernels = compiled_kernels()
    return None if kernels is None else _native_groups(kernels)[group.dimension]
