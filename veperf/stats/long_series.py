"""Change points of long series, found window by window, so that old ones need not be found again.

A step is proven by at most 200 values on either side of it (``change_points``), so a window of
3,000 holds all the evidence for those in its middle. A series of up to 3,000 values is one window.
"""

from collections.abc import MutableMapping, Sequence
from dataclasses import replace
from hashlib import sha256

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.stats.change_points import MIN_INNER, ChangePoint, change_points_of
from veperf.stats.paired import as_values

WINDOW = 3_000
STRIDE = WINDOW // 2
_MARGIN = STRIDE // 2

_LEAST = 500
"""Values of which change points are worth remembering."""

_AT_ONCE = 64
"""Windows that are searched together: more are no faster, and take more memory."""

Memo = MutableMapping[str, tuple[ChangePoint, ...]]
"""Change points of windows, by the SHA-256 of their values."""


def windowed_change_points(
    series: Sequence[ArrayLike], memo: Memo
) -> list[tuple[ChangePoint, ...]]:
    """Return the steps in each of ``series``, of shape (n,), as ``change_points``.

    Windows overlap by half, and each answers for its middle; those at the ends for an end as well.
    Windows that ``memo`` has are taken from there; the others are searched together, and added.

    Raises:
        UsageError: a series is not a plain list of numbers.
    """
    values = [as_values(each) for each in series]
    windows = [
        each[start : start + WINDOW] for each in values for start in _window_starts(each.size)
    ]
    steps = iter(_steps(windows, memo))
    return [_joined(each.size, [next(steps) for _ in _window_starts(each.size)]) for each in values]


def _window_starts(size: int) -> range:
    return range(0, max(1, size - STRIDE), STRIDE) if size > WINDOW else range(1)


def _joined(size: int, steps: Sequence[tuple[ChangePoint, ...]]) -> tuple[ChangePoint, ...]:
    """Return the steps of a series of ``size`` values from those of its windows."""
    points: list[ChangePoint] = []
    starts = _window_starts(size)
    for start, of_window in zip(starts, steps, strict=True):
        first = start + _MARGIN if start else 0
        end = start + STRIDE + _MARGIN if start != starts[-1] else size
        for point in of_window:
            index = start + point.index
            # The two windows around a border may place one step on either side of it.
            is_own = first - MIN_INNER < index < end
            if is_own and not (points and index - points[-1].index < MIN_INNER):
                points.append(replace(point, index=index))
    return tuple(points)


def _steps(windows: Sequence[NDArray[np.float64]], memo: Memo) -> list[tuple[ChangePoint, ...]]:
    keys = [
        sha256(np.ascontiguousarray(window, dtype="<f8").tobytes()).hexdigest()
        if window.size >= _LEAST
        else ""
        for window in windows
    ]
    unknown = [i for i, key in enumerate(keys) if not key or key not in memo]
    searched: dict[int, tuple[ChangePoint, ...]] = {}
    for first in range(0, len(unknown), _AT_ONCE):
        batch = unknown[first : first + _AT_ONCE]
        points_of_batch = change_points_of([windows[i] for i in batch])
        searched |= zip(batch, points_of_batch, strict=True)
    memo.update({keys[i]: points for i, points in searched.items() if keys[i]})
    return [searched[i] if i in searched else memo[key] for i, key in enumerate(keys)]
