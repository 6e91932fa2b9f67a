"""The end of growth: whether what came before is over, and whether the last samples show it."""

import numpy as np

from veperf.stats.growth_bound import lowest_later
from veperf.stats.monotonic_trend import Floats

_CHANCE = 1e-4
"""Chance that growth that goes on pauses for so long; it is over where that is smaller."""
_LOADED = 0.05
"""Share of the run in which growth is over, whatever its pauses: code is loaded."""
_TICKS = 4
"""Growth is counted in pieces of so small a part of what is allowed after it."""
_JUMPS = 2
"""A jump is so large a part of it, at once."""
_MOMENTS = 200
"""At once is within so small a part of the run."""
_ALIKE = 4
"""Pauses count that are so large a part of the longest: a quick warm-up has many short ones."""
_HIDDEN = 0.05
"""Share of the run that high samples may hide at its end."""
_TIMES_BEFORE = 2
"""High samples at the end are known to go by where so many rows were as long before."""


def is_over(place: Floats, size: Floats, end: float, allowed: float) -> bool:
    """Return whether growth up to the share ``end`` of the run is over, and has not just paused.

    ``place`` are places in the run from 0 to 1, ascending, ``size`` the samples, both of shape
    (n,); ``allowed`` is the growth that doesn't count after ``end``, in the unit of ``size``.

    It has a clock: the times at which memory had grown by another quarter of ``allowed`` for good.
    Jumps by half of it have one of their own, since they may hide in smooth growth. The pause at
    the end must be longer than those of either clock, by more than chance.
    """
    at, lowest = (values.tolist() for values in _until(place, size, end))
    times: list[float] = []
    level = lowest[0]
    for time, now in zip(at, lowest, strict=True):
        if now - level >= allowed / _TICKS:
            times.append(time)
            level = now
    return _has_stopped(times) and jumps_are_over(place, size, end, allowed)


def jumps_are_over(place: Floats, size: Floats, end: float, allowed: float) -> bool:
    """Return the same of jumps alone: memory may still level off."""
    moment = max(1, size.size // _MOMENTS)
    at, lowest = (values[::moment] for values in _until(place, size, end))
    return _has_stopped(at[1:][np.diff(lowest) >= allowed / _JUMPS].tolist())


def _until(place: Floats, size: Floats, end: float) -> tuple[Floats, Floats]:
    """Return places up to the first from ``end`` on, and the lowest of each and all later sizes."""
    count = int(np.searchsorted(place, end)) + 1
    return place[:count], lowest_later(size)[:count]


def _has_stopped(times: list[float]) -> bool:
    """Return whether events at ``times``, in shares of the run, have stopped.

    After k pauses between random events, the next is c times as long as the longest of them with
    the probability k! / ((1 + c) (2 + c) ... (k + c)). One event tells nothing of pauses.
    """
    if not times or times[-1] <= _LOADED:
        return True
    if len(times) == 1:
        return False
    pauses = np.diff(times)
    longest = float(pauses.max())
    k = np.arange(1, 1 + np.count_nonzero(pauses >= longest / _ALIKE))
    return float(np.prod(k / (k + (1 - times[-1]) / longest))) < _CHANCE


def ends_low(size: Floats, high: float) -> bool:
    """Return whether the end of ``size`` was seen below ``high``.

    Samples above it at the end hide that, unless they are few and as many came in a row twice
    before.
    """
    low = np.flatnonzero(size <= high)
    last = size.size - 1 - int(low[-1]) if low.size else size.size
    before = np.diff(low, prepend=-1) - 1
    known = int(np.count_nonzero(before >= last)) >= _TIMES_BEFORE
    return last == 0 or (known and last <= _HIDDEN * size.size)
