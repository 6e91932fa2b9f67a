"""A series in a line of text, and thinned out for small pictures."""

from dataclasses import dataclass

import numpy as np

from veperf.archive.trend import Trend

_BLOCKS = "▁▂▃▄▅▆▇█"
_LEAST_SPAN = 0.05


@dataclass(frozen=True, slots=True)
class Thin:
    """A series of few points: each the median of a stretch of the runs."""

    places: tuple[float, ...]
    """The middle of each stretch, in runs."""
    values: tuple[float, ...]


def thinned(found: Trend, most: int) -> Thin:
    """At most so many points of the series."""
    n = len(found.values)
    parts = np.array_split(np.arange(n), min(n, most))
    return Thin(
        tuple(float(part.mean()) for part in parts),
        tuple(float(np.median(found.values[part])) for part in parts),
    )


def bars(found: Trend, width: int) -> str:
    """The series as blocks, at most ``width`` of them, over a span of at least 5 %."""
    values = thinned(found, width).values
    low, high = min(values), max(values)
    least = _LEAST_SPAN * abs(low + high) / 2
    if high - low < least:
        low, high = (low + high - least) / 2, (low + high + least) / 2
    if high == low:
        return _BLOCKS[len(_BLOCKS) // 2] * len(values)
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round((value - low) / (high - low) * top)] for value in values)
