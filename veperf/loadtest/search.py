"""The highest rate that a system sustains: doubling, bisection, and a longer run to confirm."""

import math
from collections.abc import Callable

from msgspec import Struct

from veperf.core.load import Search, Trial

RESOLUTION = 0.05
# A system that can't do this share of the first rate is given up on.
_LEAST_RATIO = 1 / 64


class Saturation(Struct, frozen=True):
    """What a search found."""

    rate: float
    """The highest rate that meets what was searched for, arrivals a second; 0 where none does."""
    trials: tuple[Trial, ...]
    """In order. Where ``rate`` is not 0, the last one is the run that confirmed it."""


def find_saturation(
    trial: Callable[[float], Trial], confirm: Callable[[float], Trial], search: Search
) -> Saturation:
    """The highest rate that ``search`` allows, to within 5 %.

    The rate doubles from ``search.start`` until it misses, or halves until it meets; then the
    interval is bisected, in logarithms. A disturbed machine only ever makes a trial worse: one
    that meets is believed, one that misses is repeated, and believed when it misses again.

    In a short trial a queue that grows slowly does not show. So ``confirm`` runs for longer at the
    rate found, which is lowered, at first by 5 %, until it holds.

    Args:
        trial: runs a fresh system at a rate, for a short time.
        confirm: the same, for the time that counts.
        search: what is to hold, where to begin and where to end.
    """
    trials: list[Trial] = []

    def meets(run: Callable[[float], Trial], rate: float) -> bool:
        for _ in range(2):
            trials.append(run(rate))
            if trials[-1].met:
                return True
        return False

    least = search.start * _LEAST_RATIO
    met, missed, rate = 0.0, math.inf, min(search.start, search.highest)
    while least <= rate <= search.highest and missed > met * (1 + RESOLUTION):
        if meets(trial, rate):
            met = rate
        else:
            missed = rate
        rate = _next(met, missed, search.highest)
    step = RESOLUTION
    while met >= least and not meets(confirm, met):
        met /= 1 + step
        step *= 2
    return Saturation(met if met >= least else 0.0, tuple(trials))


def _next(met: float, missed: float, highest: float) -> float:
    """The rate to try after these; infinite where ``highest`` is met, and there is none."""
    if met >= highest:
        return math.inf
    if missed == math.inf:
        return min(2 * met, highest)
    return math.sqrt(met * missed) if met else missed / 2
