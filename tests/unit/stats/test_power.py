"""The smallest slowdown that is called visible is one that the rule does find."""

import numpy as np
import pytest

from veperf.core.verdict import ChangeStatus
from veperf.stats.look_schedule import schedule_looks
from veperf.stats.paired import PairRule
from veperf.stats.power import EFFECTS, minimum_detectable_effect
from veperf.stats.sequential import compare_sequentially

RULE = PairRule(comparisons=3)


def pairs_of(spread: float, n: int = 48, seed: int = 0) -> list[float]:
    actual: list[float] = np.random.default_rng(seed).normal(0, spread, n).tolist()
    return actual


def test_what_is_called_visible_is_found_in_fresh_noise() -> None:
    """In noise that the resampling never saw, 8 of 10 and more; the step before, in fewer."""
    visible = minimum_detectable_effect(pairs_of(0.02), RULE, schedule_looks())
    assert visible is not None
    smaller = EFFECTS[EFFECTS.index(visible) - 1]

    def power(effect: float) -> float:
        actual = [
            compare_sequentially(
                [(1.0, (1 + effect) * np.exp(x)) for x in pairs_of(0.02, seed=seed)], comparisons=3
            )
            for seed in range(1, 101)
        ]
        return sum(f.status is ChangeStatus.SLOWER for f in actual) / len(actual)

    assert power(visible) >= 0.8
    assert power(smaller) < power(visible)


def test_more_noise_hides_more() -> None:
    """The quieter the pairs, the smaller what shows; and wild ones hide everything."""
    quiet, restless, wild = (
        minimum_detectable_effect(pairs_of(spread), RULE, schedule_looks())
        for spread in (0.002, 0.05, 5.0)
    )

    assert EFFECTS[0] == quiet
    assert restless is not None
    assert quiet < restless
    assert wild is None


@pytest.mark.parametrize("pairs", [[0.0], [0.0] * 6, [0.01, -0.01]])
def test_a_few_pairs_are_enough_to_say_something(pairs: list[float]) -> None:
    """Pairs that don't differ at all, or a single one, are no special case."""
    assert minimum_detectable_effect(pairs, RULE, schedule_looks()) in EFFECTS
