"""Ranks and their normal approximation, as the rank tests share them."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.core.errors import UsageError


def finite_sample(values: ArrayLike, requirement: str) -> NDArray[np.float64]:
    """Return ``values`` as a flat array, which must be finite and not empty.

    Raises:
        UsageError: it is not, with ``requirement`` as the message.
    """
    array = np.asarray(values, dtype=np.float64).ravel()
    if array.size == 0 or not np.isfinite(array).all():
        raise UsageError(requirement)
    return array


def doubled_midranks(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], float]:
    """Return twice the midrank of each value, which is whole, and the tie term.

    The tie term is the sum of t^3 - t over the groups of t tied values.
    """
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    doubled = (2 * last - sizes + 1)[group].astype(np.int64)
    return doubled, float(np.sum(sizes.astype(np.float64) ** 3 - sizes))


def normal_cdf(z: float) -> float:
    """Return the standard normal distribution function at ``z``."""
    return math.erfc(-z / math.sqrt(2)) / 2
