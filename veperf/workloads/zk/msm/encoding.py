"""Points as bytes: their coordinates, 32 bytes each, low bytes first."""

from collections.abc import Iterable

from veperf.errors import CorruptFileError
from veperf.workloads.zk.integers import integer
from veperf.workloads.zk.msm.group import Group, Point

_COORDINATE_BYTES = 32


def points_to_bytes(group: Group, points: Iterable[Point]) -> bytes:
    """Points that are not infinity, one behind the other."""
    return b"".join(
        int(coordinate).to_bytes(_COORDINATE_BYTES, "little")
        for point in points
        for coordinate in group.coordinates(point)
    )


def points_from_bytes(group: Group, data: bytes, count: int) -> list[Point]:
    """``count`` points that are on the curve; whether in the subgroup is not checked.

    Raises:
        CorruptFileError: there are more or fewer, or what is there is no point.
    """
    size = _COORDINATE_BYTES * group.dimension
    if len(data) != count * size:
        raise CorruptFileError(f"{len(data)} bytes are not {count} points of {size}")
    coordinates = (
        integer(int.from_bytes(data[start : start + _COORDINATE_BYTES], "little"))
        for start in range(0, len(data), _COORDINATE_BYTES)
    )
    points = [group.point(*some) for some in zip(*[coordinates] * group.dimension, strict=True)]
    if not all(map(group.is_on_curve, points)):
        raise CorruptFileError("a point is not on the curve")
    return points
