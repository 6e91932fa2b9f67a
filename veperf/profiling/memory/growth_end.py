"""The end of growth: whether what came before is over, and whether the last samples show it."""

import numpy as np

from veperf.stats.growth_bound import lowest_later
from veperf.stats.monotonic_trend import Floats

_GOES_ON = 3e-4
"""Probability that growth that goes on pauses for so long; it is over where it is smaller."""
_REACHED = 0.9
"""Share of growth after which the pause begins."""
_LOADED = 0.05
"""Share of the run in which growth is over, whatever its pieces: code is loaded."""
_PIECES = 200
"""A piece of growth takes so small a part of the run at most."""
_TIMES_BEFORE = 2
"""High samples at the end are known to go by where so many rows were as long before."""


def is_over(place: Floats, size: Floats, end: float) -> bool:
    """Return whether growth in pieces, up to the share ``end`` of the run, has not just paused.

    ``place`` are places in the run from 0 to 1, ascending, ``size`` the samples; both of shape
    (n,). With k pieces as large as the largest, up to the share s, chance would leave the rest
    without any with the probability s^k. Growth that goes on in many small pieces is not seen here,
    but by its slope.
    """
    before = place <= end
    lowest = lowest_later(size)[before]
    growth = float(lowest[-1] - lowest[0])
    if growth <= 0:
        return True
    reached = float(place[before][np.argmax(lowest >= lowest[0] + _REACHED * growth)])
    spread = min(max(1, size.size // _PIECES), lowest.size - 1)
    largest = float((lowest[spread:] - lowest[:-spread]).max())
    return reached <= _LOADED or reached ** (growth / largest) < _GOES_ON


def ends_low(size: Floats, high: float) -> bool:
    """Return whether the end of ``size`` was seen below ``high``.

    Samples above it at the end hide that, unless as many came in a row twice before.
    """
    low = np.flatnonzero(size <= high)
    last = size.size - 1 - int(low[-1]) if low.size else size.size
    before = np.diff(low, prepend=-1) - 1
    return last == 0 or int(np.count_nonzero(before >= last)) >= _TIMES_BEFORE
