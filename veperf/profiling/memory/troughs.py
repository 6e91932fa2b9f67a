"""Troughs: the lowest memory of each stretch of a run, when the least garbage is left."""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from veperf.stats.growth_bound import SIZES
from veperf.stats.monotonic_trend import Floats

LEAST_TROUGHS = 8
WINDOWS = tuple(sorted(SIZES, reverse=True))
"""Numbers of windows; few long ones see through garbage that many short ones don't."""
_LEVEL = 0.05
"""Share of the run by which a level is told: its median, or its least."""
_AT_ONCE = 0.01
"""Share of the run within which a fall is one at once: what settles is no collection."""
_AS_DEEP = 0.8
"""Share of growth that a fall is as deep as: levels leave out the ends of a rise."""
_STAYED = 1 / 3
"""Share of growth that must have stayed through such a fall."""


class Troughs(Struct, frozen=True, eq=False):
    """Places of troughs in the run, 0 to 1, and their sizes; both of shape (n,)."""

    place: Floats
    size: Floats
    resolution: float
    """Median difference to the nearer neighbour in time: a trough may have been that much lower
    between two samples."""

    def __len__(self) -> int:
        return self.size.size

    @property
    def given_back(self) -> float:
        """Largest fall from a trough to a later one."""
        return largest_fall(self.size)


def largest_fall(size: Floats) -> float:
    """Return the largest fall from a value to a later one, however long it takes."""
    return float(np.max(np.maximum.accumulate(size) - size))


def rose_again(size: Floats, growth: float) -> bool:
    """Return whether ``growth`` may be a rise that has fallen back before, as garbage does.

    It is if memory once fell at once by about as much, and hardly any growth stayed after the last
    such fall. Levels count, not samples: troughs tell of shorter periods.
    """
    count, moment = (max(1, round(share * size.size)) for share in (_LEVEL, _AT_ONCE))
    stretches = np.lib.stride_tricks.sliding_window_view(size, count)
    levels, lowest = np.median(stretches, axis=1), stretches.min(axis=1)
    apart = count - 1 + moment
    # Spikes are not high for long.
    depth = lowest[:-apart] - levels[apart:]
    at_once = (size[:-moment] - size[moment:])[count - 1 : count - 1 + depth.size]
    fell = np.flatnonzero(np.minimum(depth, at_once) >= _AS_DEEP * np.maximum(depth, growth))
    if not fell.size:
        return False
    last = int(fell[-1])
    return float(levels[last + apart] - levels[: last + 1].min()) < _STAYED * growth


def window_troughs(place: Floats, size: Floats, windows: int) -> Troughs | None:
    """Return the lowest sample of each of so many windows; None if there are too few samples."""
    if place.size < windows:
        return None
    edges = np.arange(windows + 1) * place.size // windows
    longest = int(np.diff(edges).max())
    # Shorter windows repeat their last sample.
    samples = np.minimum(edges[:-1, None] + np.arange(longest), edges[1:, None] - 1)
    lowest = size[samples].argmin(axis=1)
    return _pick(place, size, samples[np.arange(windows), lowest])


def fall_troughs(place: Floats, size: Floats) -> Troughs | None:
    """Return the lowest sample after each great fall; None if there are fewer than 8.

    A fall is great that is half as deep as the deepest. Collections that windows don't match are
    followed that way, whatever their period is.
    """
    deepest = largest_fall(size)
    lowest = np.array(list(_great_falls(size.tolist(), deepest / 2)), dtype=np.int64)
    return _pick(place, size, lowest) if deepest > 0 and lowest.size >= LEAST_TROUGHS else None


def _great_falls(sizes: list[float], depth: float) -> Iterator[int]:
    peak, lowest, falling = sizes[0], 0, False
    for i, size in enumerate(sizes):
        if not falling:
            peak = max(peak, size)
            if peak - size >= depth:
                falling, lowest = True, i
        elif size < sizes[lowest]:
            lowest = i
        elif size - sizes[lowest] >= depth:
            yield lowest
            falling, peak = False, size
    if falling:
        yield lowest


def _pick(
    place: Floats, size: Floats, lowest: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
) -> Troughs:
    steps = np.concatenate([[np.inf], np.abs(np.diff(size)), [np.inf]])
    nearer = np.minimum(steps[lowest], steps[lowest + 1])
    return Troughs(place[lowest], size[lowest], float(np.median(nearer)))
