"""Points as snarkjs's binary files have them, and as its hashes take them.

In files a coordinate is c * 2^256 modulo P (Montgomery's form), little-endian, 32 bytes; a point is
x, y, or x0, x1, y0, y1 in G2, and zeros for infinity. Hashes take plain coordinates, big-endian,
y0 and x0 after y1 and x1, and for infinity zeros, too.

Source: iden3, ffjavascript and snarkjs as they behave; tests compare with files of theirs.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

from veperf.core.errors import CorruptFileError
from veperf.workloads.zk.bigint import invert
from veperf.workloads.zk.curve.g1 import g1_from_ints
from veperf.workloads.zk.curve.g2 import g2_from_ints
from veperf.workloads.zk.field import P, PointError
from veperf.workloads.zk.limbs import NUMBER_BYTES, numbers_from_bytes, numbers_to_bytes
from veperf.workloads.zk.msm.group import G1_GROUP, Group, Point
from veperf.workloads.zk.msm.native import PointCheck, native_group

MONTGOMERY = 1 << 8 * NUMBER_BYTES
_PER_MONTGOMERY = invert(MONTGOMERY, P)


def montgomery_bytes(group: Group) -> int:
    """Return the size of a point of ``group``."""
    return NUMBER_BYTES * group.dimension


def points_from_montgomery(
    group: Group, data: bytes | memoryview, what: str, *, allow_infinity: bool = True
) -> list[Point]:
    """Read the points in ``data``, None for infinity; messages call them ``what``.

    Raises:
        CorruptFileError: a coordinate is not below the modulus, a point is not on the curve or not
            in the subgroup, or is infinity where that is not allowed.
    """
    numbers = numbers_from_bytes(bytes(data))
    if numbers and max(numbers) >= P:
        at = next(place for place, number in enumerate(numbers) if number >= P)
        raise CorruptFileError(f"{what}, point {at // group.dimension}: a coordinate out of range")
    coordinates = [number * _PER_MONTGOMERY % P for number in numbers]
    points = [
        group.point(*parts) if any(parts) else None
        for parts in zip(*[iter(coordinates)] * group.dimension, strict=True)
    ]
    if not allow_infinity and None in points:
        raise CorruptFileError(f"{what}, point {points.index(None)}: infinity")
    if not _are_valid(group, coordinates):
        _name_invalid(group, points, what)
    return points


def points_to_montgomery(group: Group, points: Iterable[Point]) -> bytes:
    """Return ``points`` as files have them."""
    infinity = (0,) * group.dimension
    parts = (infinity if point is None else group.coordinates(point) for point in points)
    return numbers_to_bytes([part * MONTGOMERY % P for part in chain.from_iterable(parts)])


def points_for_hash(group: Group, points: Iterable[Point]) -> bytes:
    """Return ``points`` as hashes take them."""
    return b"".join(_plain_bytes(group, point) for point in points)


def _plain_bytes(group: Group, point: Point) -> bytes:
    if point is None:
        return bytes(montgomery_bytes(group))
    if group is G1_GROUP:
        parts = point
    else:
        (x0, x1), (y0, y1) = point
        parts = (x1, x0, y1, y0)
    return b"".join(int(part).to_bytes(NUMBER_BYTES, "big") for part in parts)


def _are_valid(group: Group, coordinates: Sequence[int]) -> bool:
    """Return whether all points are valid; False, too, where only one by one can tell."""
    native = native_group(group)
    if native is None:
        return False
    try:
        packed = native.pack_bytes(numbers_to_bytes(coordinates), PointCheck.ON_CURVE)
    except ValueError:
        return False
    return native.are_in_subgroup(packed)


def _name_invalid(group: Group, points: Sequence[Point], what: str) -> None:
    """Check one point after the other.

    Raises:
        CorruptFileError: one is invalid.
    """
    check = g1_from_ints if group is G1_GROUP else g2_from_ints
    for number, point in enumerate(points):
        if point is None:
            continue
        try:
            check(*point)
        except PointError as error:
            raise CorruptFileError(f"{what}, point {number}: {error}") from error
