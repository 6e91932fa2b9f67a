"""Degradation with size: may a cost be at most k times as high where the size is 10 times as large?

Each size is compared with the next that is at least 10 times as large. With m the means of the
logarithms of their process values, and sizes x < z,

    growth = exp((m_z - m_x) ln 10 / (ln z - ln x))

that is the ratio of costs itself where z = 10 x, and else the one that the power law through both
has there. A law through all sizes would not do: it levels out a cost that is flat first and then
explodes. Intervals are Welch's (``power_law``), at a confidence that holds for all comparisons
together (Bonferroni).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from veperf.core.errors import UsageError
from veperf.stats.hodges_lehmann import Estimate, from_log
from veperf.stats.power_law import LogMean, combine_means, log_means

DegradationStatus = Literal["within", "beyond", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Growth:
    """The growth of a cost from one size to another."""

    smaller: float
    larger: float
    ratio: Estimate
    """Of the costs, at the rule's ratio of sizes."""


@dataclass(frozen=True, slots=True)
class Degradation:
    """The answer to a degradation rule."""

    status: DegradationStatus
    """``within``: every growth's interval ends at or below the limit. ``beyond``: the interval of
    one begins above it. ``inconclusive``: neither is certain."""
    worst: Growth
    """The growth that decides: the one whose interval begins highest where the limit is exceeded,
    else the one whose interval ends highest."""
    growths: tuple[Growth, ...]
    """One for each pair of sizes that is compared, the smaller size ascending."""


def judge_degradation(
    sizes: Sequence[float],
    values: Sequence[ArrayLike],
    *,
    at_most: float,
    size_ratio: float = 10.0,
    confidence: float = 0.95,
) -> Degradation | None:
    """Judge whether the cost at ``size_ratio`` times the size is at most ``at_most`` times as high.

    ``values`` are the costs in each of n_i fresh processes, (n_i,), for each of ``sizes``, in any
    order. A rule on the cost of one item is one on the values divided by their sizes. Where all
    sizes lie within less than ``size_ratio`` the smallest is compared with the largest. None where
    no interval can be given: fewer than two different sizes, a size or value that is not positive
    and finite, or a size with a single value.

    Raises:
        UsageError: the limit is not positive, or the ratio of sizes not over 1.
    """
    if not (0 < at_most < math.inf and 1 < size_ratio < math.inf):
        raise UsageError(
            f"a degradation rule needs a limit over 0 and a ratio of sizes over 1, not {at_most} "
            f"at {size_ratio} times the size"
        )
    means = log_means(sizes, values)
    if means is None or len(set(sizes)) < len(sizes):
        return None
    points = sorted(zip(sizes, means, strict=True), key=lambda point: point[0])
    pairs = _pairs([size for size, _ in points], size_ratio)
    level = 1 - (1 - confidence) / len(pairs)
    growths = tuple(_growth(points[i], points[j], size_ratio, level) for i, j in pairs)
    certain = max(growths, key=lambda growth: growth.ratio.low)
    possible = max(growths, key=lambda growth: growth.ratio.high)
    if certain.ratio.low > at_most:
        return Degradation("beyond", certain, growths)
    status: DegradationStatus = "within" if possible.ratio.high <= at_most else "inconclusive"
    return Degradation(status, possible, growths)


def _pairs(sizes: Sequence[float], size_ratio: float) -> list[tuple[int, int]]:
    """Return each size's index with that of the first at least ``size_ratio`` times as large."""
    # The smallest float below the ratio still counts: 0.3 / 0.03 is 9.999999999999998.
    far = size_ratio * (1 - 1e-12)
    pairs = [
        (i, next(j for j in range(i, len(sizes)) if sizes[j] >= far * size))
        for i, size in enumerate(sizes)
        if sizes[-1] >= far * size
    ]
    return pairs or [(0, len(sizes) - 1)]


def _growth(
    smaller: tuple[float, LogMean], larger: tuple[float, LogMean], size_ratio: float, level: float
) -> Growth:
    scale = math.log(size_ratio) / math.log(larger[0] / smaller[0])
    logs = combine_means(np.array([-scale, scale]), (smaller[1], larger[1]), level)
    ratio = Estimate(from_log(logs.value), from_log(logs.low), from_log(logs.high), logs.confidence)
    return Growth(smaller[0], larger[0], ratio)
