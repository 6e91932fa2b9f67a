"""What is wrong with a point that came from elsewhere."""

from operator import index

from veperf.workloads.zk.field import P
from veperf.workloads.zk.integers import integer


class PointError(ValueError):
    """Coordinates that are out of range, off the curve, or of a point outside the subgroup."""


def coordinate(value: int) -> int:
    """``value`` as an element of Fp.

    Raises:
        PointError: it is not an integer from 0 to P - 1.
    """
    try:
        element = index(value)
    except TypeError as error:
        raise PointError("a coordinate is an integer") from error
    if not 0 <= element < P:
        raise PointError("a coordinate is not between 0 and the modulus of the field")
    return integer(element)
