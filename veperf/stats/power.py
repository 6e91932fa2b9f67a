"""Minimum detectable effect of the sequential rule, given how much pairs of the same code vary.

Comparisons are simulated by the smoothed bootstrap: a measured log ratio of either sign, as either
side might have been the slower one, plus normal noise of standard deviation

    h = 0.9 min(s, IQR / 1.34) n^(-1/5)

(Silverman, Density Estimation for Statistics and Data Analysis, 1986, equation 3.31). Without the
noise, the gaps between a dozen pairs would make small effects look certain.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from veperf.core.verdict import ChangeStatus
from veperf.stats.look_schedule import LookSchedule
from veperf.stats.paired import PairRule
from veperf.stats.sequential import SequentialTest

EFFECTS = (0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
POWER = 0.9
_COMPARISONS = 100


def minimum_detectable_effect(
    log_ratios: Sequence[float], rule: PairRule, looks: LookSchedule
) -> float | None:
    """Return the least of ``EFFECTS`` that 9 of 10 comparisons call slower; None if none is.

    ``log_ratios`` are ln(new / old) of the same code, not empty.
    """
    centred = np.asarray(log_ratios) - np.median(log_ratios)
    spread = np.concatenate([centred, -centred])
    # The power grows with the effect, so the list can be bisected.
    detected = partial(_power, spread, rule=rule, looks=looks)
    index = bisect_left(EFFECTS, POWER, key=detected)
    return EFFECTS[index] if index < len(EFFECTS) else None


def _power(
    spread: NDArray[np.float64], effect: float, rule: PairRule, looks: LookSchedule
) -> float:
    """Return the share of simulated comparisons that call ``effect`` slower."""
    generator = np.random.default_rng(0)
    width = _bandwidth(spread)
    statuses = [
        _judge(_simulate_ratios(spread, width, effect, looks.looks[-1], generator), rule, looks)
        for _ in range(_COMPARISONS)
    ]
    return statuses.count(ChangeStatus.SLOWER) / _COMPARISONS


def _simulate_ratios(
    spread: NDArray[np.float64],
    width: float,
    effect: float,
    n: int,
    generator: np.random.Generator,
) -> list[float]:
    noise = generator.choice(spread, n) + generator.normal(0, width, n)
    ratios: list[float] = np.exp(noise + np.log1p(effect)).tolist()
    return ratios


def _bandwidth(spread: NDArray[np.float64]) -> float:
    lower, upper = np.percentile(spread, [25, 75])
    return float(0.9 * min(spread.std(), (upper - lower) / 1.34) * spread.size**-0.2)


def _judge(ratios: Sequence[float], rule: PairRule, looks: LookSchedule) -> ChangeStatus:
    test = SequentialTest(rule, looks)
    for ratio in ratios:
        if (verdict := test.add(1.0, ratio)) is not None:
            return verdict.status
    return test.finish().status
