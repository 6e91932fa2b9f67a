"""The smallest slowdown that the rule finds, given how much pairs of the same code vary.

Comparisons are drawn from pairs that were measured, by the smoothed bootstrap: one of them, of
either sign, as either side might have been the slower, plus normal noise of standard deviation

    h = 0.9 min(s, IQR / 1.34) n^(-1/5)

(Silverman, Density Estimation for Statistics and Data Analysis, 1986, equation 3.31), without
which the gaps between a dozen pairs would make small effects look certain.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from veperf.core.verdict import ChangeStatus
from veperf.stats.look_schedule import Plan
from veperf.stats.pairs import PairRule
from veperf.stats.sequential import Sequential

EFFECTS = (0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
POWER = 0.9
_SUITES = 100


def smallest_visible(log_ratios: Sequence[float], rule: PairRule, looks: Plan) -> float | None:
    """The least of ``EFFECTS`` that is called slower in 9 of 10 comparisons; None if none is.

    ``log_ratios`` are of new by old of the same code, not empty.
    """
    centred = np.asarray(log_ratios) - np.median(log_ratios)
    spread = np.concatenate([centred, -centred])
    below, found = 0, len(EFFECTS)
    while below < found:  # the power grows with the effect: halve the list
        middle = (below + found) // 2
        if _power(spread, EFFECTS[middle], rule, looks) >= POWER:
            found = middle
        else:
            below = middle + 1
    return EFFECTS[found] if found < len(EFFECTS) else None


def _power(spread: NDArray[np.float64], effect: float, rule: PairRule, looks: Plan) -> float:
    chance = np.random.default_rng(0)
    width = _bandwidth(spread)
    found = [
        _judged(_drawn(spread, width, effect, looks.looks[-1], chance), rule, looks)
        for _ in range(_SUITES)
    ]
    return sum(status is ChangeStatus.SLOWER for status in found) / _SUITES


def _drawn(
    spread: NDArray[np.float64],
    width: float,
    effect: float,
    n: int,
    chance: np.random.Generator,
) -> list[float]:
    """Ratios of ``n`` pairs."""
    noise = chance.choice(spread, n) + chance.normal(0, width, n)
    found: list[float] = np.exp(noise + np.log1p(effect)).tolist()
    return found


def _bandwidth(spread: NDArray[np.float64]) -> float:
    lower, upper = np.percentile(spread, [25, 75])
    return float(0.9 * min(spread.std(), (upper - lower) / 1.34) * spread.size**-0.2)


def _judged(ratios: Sequence[float], rule: PairRule, looks: Plan) -> ChangeStatus:
    state = Sequential(rule, looks)
    for ratio in ratios:
        if (verdict := state.add(1.0, ratio)) is not None:
            return verdict.status
    return state.finish().status
