"""How strict each of several looks at growing data must be, so that together they err rarely.

Looking several times gives chance several chances. Alpha spending (Lan, DeMets, Biometrika 70,
1983) fixes beforehand how much of the allowed error may be used up by each look: a function f with
f(0) = 0 and f(1) = 1, here the power family f(t) = t^rho (Kim, DeMets, Biometrika 74, 1987), t the
share of the most pairs there can be. The level of look k is then the largest one with

    P(rejected at look 1, or 2, ... or k) <= alpha f(t_k)

under the hypothesis. A test that sums up independent pairs moves from look to look like a Brownian
motion seen at times n_k, whose crossing probabilities follow by integrating its density from one
look to the next (Armitage, McPherson, Rowe, JRSS A 132, 1969). That is used for how looks depend
on each other only: the test at each look is exact, and levels are rounded down to one that the
exact signed-rank test can reach. What a look can't use is left for those that follow. With few
pairs the walk is no Brownian motion yet and together they would err 4 % more often than allowed
(simulated), so a little less than allowed is spent.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from veperf.stats.wilcoxon import t_distribution

_GRID = 400
# Standard deviations below zero where the density is cut off.
_DEPTH = 8.0
_SPENT_OF_ALLOWED = 0.95
_ROUNDING = 1e-9


def power_family(looks: Sequence[int], rho: float) -> tuple[float, ...]:
    """f(n / n_last) for each of the ascending ``looks``: shares of the error used up by then."""
    return tuple((n / looks[-1]) ** rho for n in looks)


@lru_cache(maxsize=256)
def levels(looks: tuple[int, ...], spent: tuple[float, ...]) -> tuple[float, ...]:
    """The level of each look: reject where the exact one-sided p is no larger. 0 is never.

    ``looks`` are numbers of pairs, ascending; ``spent`` is the error probability that may be used
    up by each of them, in all, ascending too.
    """
    from scipy.special import ndtr, ndtri  # not at the top: most of what judges needs no scipy

    found: list[float] = []
    # The chance to be at ``places`` without having been rejected, as a density times its step.
    places, masses, before, used = np.zeros(1), np.ones(1), 0, 0.0
    for n, allowed in zip(looks, spent, strict=True):
        step = np.sqrt(n - before)
        bound = _bound(places, masses, step, _SPENT_OF_ALLOWED * allowed - used, n)
        level = reachable(float(ndtr(-bound / np.sqrt(n))), n)
        found.append(level)
        # The same bound again, for the level that is really reached.
        bound = -np.sqrt(n) * float(ndtri(level)) if level > 0 else _DEPTH * np.sqrt(n)
        used += _beyond(places, masses, step, bound) if level > 0 else 0.0
        new = np.linspace(-_DEPTH * np.sqrt(n), bound, _GRID)
        width = new[1] - new[0]
        kernel = np.exp(-(((new[:, None] - places) / step) ** 2) / 2) / (step * np.sqrt(2 * np.pi))
        density = kernel @ masses
        density[[0, -1]] /= 2  # trapezoids
        places, masses, before = new, density * width, n
    return tuple(found)


def reachable(level: float, n: int) -> float:
    """The largest p up to ``level`` that the signed-rank test of ``n`` untied pairs can give.

    A shade more, for a p that is summed up in another order.
    """
    chances = np.cumsum(t_distribution(n))
    below = int(np.searchsorted(chances, level * (1 + _ROUNDING), side="right"))
    return float(chances[below - 1]) * (1 + _ROUNDING) if below else 0.0


def _bound(
    places: NDArray[np.float64],
    masses: NDArray[np.float64],
    step: float,
    allowed: float,
    n: int,
) -> float:
    """Where the chance to be beyond, one ``step`` later, is ``allowed``."""
    from scipy.optimize import brentq

    far = _DEPTH * np.sqrt(n)
    if allowed <= _beyond(places, masses, step, far):
        return float(far)
    return float(
        brentq(lambda bound: _beyond(places, masses, step, bound) - allowed, -far, far, xtol=1e-10)
    )


def _beyond(
    places: NDArray[np.float64], masses: NDArray[np.float64], step: float, bound: float
) -> float:
    from scipy.special import ndtr

    return float(masses @ ndtr((places - bound) / step))
