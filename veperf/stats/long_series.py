"""Change points of long series, found window by window, so that old ones need not be found again.

A step is proven by at most 200 values on either side of it (``change_points``), so a window of
3,000 holds all the evidence for those in its middle. A series of up to 3,000 values is one window.
"""

from collections.abc import MutableMapping
from dataclasses import replace
from hashlib import sha256

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.stats.change_points import MIN_INNER, ChangePoint, change_points
from veperf.stats.paired import as_values

WINDOW = 3_000
STRIDE = WINDOW // 2
_MARGIN = STRIDE // 2

_LEAST = 500
"""Values of which change points are worth remembering."""

Memo = MutableMapping[str, tuple[ChangePoint, ...]]
"""Change points of windows, by the SHA-256 of their values."""


def windowed_change_points(series: ArrayLike, memo: Memo) -> tuple[ChangePoint, ...]:
    """Return the steps in ``series``, of shape (n,), as ``change_points``.

    Windows overlap by half, and each answers for its middle; those at the ends for an end as well.
    Windows that ``memo`` has are taken from there, others are added to it.

    Raises:
        UsageError: the series is not a plain list of numbers.
    """
    values = as_values(series)
    if values.size <= WINDOW:
        return _steps(values, memo)
    points: list[ChangePoint] = []
    starts = range(0, values.size - STRIDE, STRIDE)
    for start in starts:
        first = start + _MARGIN if start else 0
        end = start + STRIDE + _MARGIN if start != starts[-1] else values.size
        for point in _steps(values[start : start + WINDOW], memo):
            index = start + point.index
            # The two windows around a border may place one step on either side of it.
            is_own = first - MIN_INNER < index < end
            if is_own and not (points and index - points[-1].index < MIN_INNER):
                points.append(replace(point, index=index))
    return tuple(points)


def _steps(window: NDArray[np.float64], memo: Memo) -> tuple[ChangePoint, ...]:
    if window.size < _LEAST:
        return change_points(window)
    key = sha256(np.ascontiguousarray(window, dtype="<f8").tobytes()).hexdigest()
    if key not in memo:
        memo[key] = change_points(window)
    return memo[key]
