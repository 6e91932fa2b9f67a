"""Find the highest rate that a system sustains: doubling, bisection, and a run to confirm."""

import math
from collections.abc import Callable

from msgspec import Struct

from veperf.core.load import Search, Trial

RESOLUTION = 0.05
# A system that can't sustain this share of the first rate is given up on.
_MIN_RATIO = 1 / 64


class Saturation(Struct, frozen=True):
    """The result of a search."""

    rate: float
    """The highest rate within the limits, in arrivals a second; 0 where none is."""
    trials: tuple[Trial, ...]
    """In order. Where ``rate`` is not 0, the last one is the run that confirmed it."""


def find_saturation(
    trial: Callable[[float], Trial], confirm: Callable[[float], Trial], search: Search
) -> Saturation:
    """Return the highest rate within the limits of ``search``, to within 5 %.

    The rate doubles from ``search.start`` until it misses, or halves until it meets; then the
    interval is bisected, in logarithms. A disturbed machine only ever makes a trial worse: one
    that meets counts at once, one that misses is repeated, and counts when it misses again.

    In a short trial a queue that grows slowly does not show. So ``confirm`` runs for longer at the
    highest rate, which is lowered, at first by 5 %, until it holds.

    Args:
        trial: runs a fresh system at a rate, for a short time.
        confirm: the same, for the full time.
        search: the limits, the rate to begin with and the highest rate to try.
    """
    trials: list[Trial] = []

    def is_sustained(run: Callable[[float], Trial], rate: float) -> bool:
        for _ in range(2):
            trials.append(run(rate))
            if trials[-1].met:
                return True
        return False

    lowest = search.start * _MIN_RATIO
    met, missed, rate = 0.0, math.inf, min(search.start, search.highest)
    while lowest <= rate <= search.highest and missed > met * (1 + RESOLUTION):
        if is_sustained(trial, rate):
            met = rate
        else:
            missed = rate
        rate = _next_rate(met, missed, search.highest)
    step = RESOLUTION
    while met >= lowest and not is_sustained(confirm, met):
        met /= 1 + step
        step *= 2
    return Saturation(met if met >= lowest else 0.0, tuple(trials))


def _next_rate(met: float, missed: float, highest: float) -> float:
    """Return the rate to try next; infinite where ``highest`` is met and the search is over."""
    if met >= highest:
        return math.inf
    if missed == math.inf:
        return min(2 * met, highest)
    return math.sqrt(met * missed) if met else missed / 2
