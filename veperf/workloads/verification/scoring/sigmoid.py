"""The score of a logit, 100 / (1 + e^-z), in whole multiples of 2^-20: the same everywhere.

No library's ``exp`` is used, since they differ in the last bit. A table of the sigmoid at steps
of 2^-9 is computed in decimal arithmetic, which is exact about its rounding, and between two
entries a straight line is followed in integers. Linear interpolation is off by at most
h^2/8 max|f''| = 2^-18/8 * 9.63 = 5e-6 points. Beyond |z| = 16 the score stays at that of 16,
1.1e-5 points from 0 or 100.
"""

from decimal import Context, Decimal
from functools import cache

import numpy as np
from numpy.typing import NDArray

from veperf.workloads.verification.features import FRACTION_BITS

POINT_BITS = 20
FULL_SCORE = 100 << POINT_BITS
_STEP_BITS = 9
_REST_BITS = FRACTION_BITS - _STEP_BITS
_LAST = 16 << _STEP_BITS

Integers = NDArray[np.int64]


def scaled_points(logits: NDArray[np.float64]) -> Integers:
    """Points in units of 2^-20 of ``logits``, whole numbers in units of 2^-20; any shape."""
    nearest = np.minimum(np.abs(logits), _LAST << _REST_BITS).astype(np.int64)
    entries, rest = nearest >> _REST_BITS, nearest & ((1 << _REST_BITS) - 1)
    table = _table()
    low = table[entries]
    high = table[np.minimum(entries + 1, _LAST)]
    points = low + ((high - low) * rest >> _REST_BITS)
    mirrored: Integers = np.where(logits < 0, FULL_SCORE - points, points)
    return mirrored


@cache
def _table() -> Integers:
    """The points at 0, 2^-9, 2 * 2^-9 ... 16, rounded half to even."""
    context = Context(prec=40)
    ratio = context.exp(Decimal(-1) / (1 << _STEP_BITS))
    power = Decimal(1)
    points = []
    for _ in range(_LAST + 1):
        points.append(round(context.divide(Decimal(FULL_SCORE), 1 + power)))
        power = context.multiply(power, ratio)
    table = np.array(points, np.int64)
    table.flags.writeable = False
    return table
