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


def doubled_midranks(
    values: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return twice the midrank of each value, which is whole, and the same in ascending order.

    Ranks are those among the last axis of ``values``, of shape (..., n).
    """
    order = np.argsort(values, axis=-1, kind="stable")
    ascending = np.take_along_axis(values, order, axis=-1)
    places = np.arange(values.shape[-1])
    edge = np.ones((*values.shape[:-1], 1), dtype=np.bool_)
    differs = ascending[..., 1:] != ascending[..., :-1]
    starts = np.concatenate([edge, differs], axis=-1)
    ends = np.concatenate([differs, edge], axis=-1)
    first = np.maximum.accumulate(np.where(starts, places, 0), axis=-1)
    last = np.minimum.accumulate(np.where(ends, places, places.size)[..., ::-1], axis=-1)[..., ::-1]
    ordered = first + last + 2
    doubled = np.empty_like(ordered)
    np.put_along_axis(doubled, order, ordered, axis=-1)
    return doubled, ordered


def normal_cdf(z: float) -> float:
    """Return the standard normal distribution function at ``z``."""
    return math.erfc(-z / math.sqrt(2)) / 2
