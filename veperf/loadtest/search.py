"""Find a rate to confirm by trials: doubling, then bisection."""

import math
from collections.abc import Callable

from msgspec import Struct

from veperf.core.load import Search, Trial

RESOLUTION = 0.05
# A system that can't sustain this share of the first rate is given up on.
_MIN_RATIO = 1 / 64
_MOST_VOID = 3


class FoundRate(Struct, frozen=True):
    """The result of a search."""

    rate: float | None
    """The highest rate within the limits, in arrivals a second; 0 where none is, None where the
    machine was too busy to tell."""
    trials: tuple[Trial, ...]
    """In order."""


def lowest_rate(search: Search) -> float:
    """Return the rate below which a system is given up on."""
    return search.start * _MIN_RATIO


def find_rate(trial: Callable[[float], Trial], search: Search) -> FoundRate:
    """Return the highest rate within the limits of ``search``, to within 5 %, for a short time.

    The rate doubles from ``search.start`` until it misses, or halves until it meets; then the
    interval is bisected, in logarithms. A disturbed machine only ever makes a trial worse: one
    that meets counts at once, one that misses is repeated, and if these two disagree a third
    decides. A void trial counts neither way and is repeated; three of a rate end the search.

    In a short trial a queue that grows slowly does not show: the rate is to be confirmed.

    Args:
        trial: runs a fresh system at a rate, for a short time.
        search: the limits, the rate to begin with and the highest rate to try.
    """
    trials: list[Trial] = []

    def is_met(rate: float) -> bool | None:
        """Try ``rate``; return None where the machine was too busy."""
        votes: list[bool] = []
        void = 0
        while votes != [True] and max(votes.count(True), votes.count(False)) < 2:
            trials.append(trial(rate))
            if not trials[-1].void:
                votes.append(trials[-1].met)
                continue
            void += 1
            if void == _MOST_VOID:
                return None
        return votes.count(True) > votes.count(False)

    lowest = lowest_rate(search)
    met, missed, rate = 0.0, math.inf, min(search.start, search.highest)
    while lowest <= rate <= search.highest and missed > met * (1 + RESOLUTION):
        answer = is_met(rate)
        if answer is None:
            return FoundRate(None, tuple(trials))
        if answer:
            met = rate
        else:
            missed = rate
        rate = _next_rate(met, missed, search.highest)
    return FoundRate(met, tuple(trials))


def _next_rate(met: float, missed: float, highest: float) -> float:
    """Return the rate to try next; infinite where ``highest`` is met and the search is over."""
    if met >= highest:
        return math.inf
    if missed == math.inf:
        return min(2 * met, highest)
    return math.sqrt(met * missed) if met else missed / 2
