"""How well simple shapes fit points, as sums of squares of what each leaves (least squares)."""

from collections.abc import Iterable

import numpy as np

from veperf.memory.trend import Floats


def straight(x: Floats, y: Floats) -> float:
    """A straight line."""
    return _left(y, x - x[0])


def step(y: Floats) -> float:
    """Two levels, one after the other, parted at the best place; of n of 2 points at least."""
    n = y.size
    sums = np.cumsum(y - y.mean())
    first = np.arange(1, n)
    explained = sums[:-1] ** 2 * (1 / first + 1 / (n - first))
    return max(0.0, float(np.sum((y - y.mean()) ** 2) - explained.max()))


def levelling_off(x: Floats, y: Floats, constants: Iterable[float]) -> float:
    """A level that is approached as exp(-x / constant), with the best of ``constants``."""
    return min(_left(y, np.exp(-(x - x[0]) / constant)) for constant in constants)


def _left(y: Floats, column: Floats) -> float:
    columns = np.column_stack([column, np.ones_like(column)])
    # Sizes are large and alike: less their mean, no digits are lost in the squares.
    centred = y - y.mean()
    left = centred - columns @ np.linalg.lstsq(columns, centred, rcond=None)[0]
    return float(left @ left)
