"""How often a comparison on several machine classes errs, by simulation."""

import math

import numpy as np
import pytest

from tests.support.pair_noise import KINDS, sides
from veperf.core.verdict import ChangeStatus
from veperf.stats.sequential import compare_sequentially

CLASSES, BENCHMARKS = 3, 4


def _statuses(effect: float, trials: int, comparisons: int) -> list[ChangeStatus]:
    chance = np.random.default_rng(8)
    actual = []
    for trial in range(trials):
        noise = KINDS[trial % len(KINDS)](chance, 48)
        pairs = zip(*sides(noise + math.log1p(effect), chance), strict=True)
        each = ((float(a), float(b)) for a, b in pairs)
        actual.append(compare_sequentially(each, comparisons=comparisons).status)
    return actual


@pytest.mark.slow
def test_a_false_alarm_on_any_class_is_rare() -> None:
    """At the smallest effect that counts, at most 5 % (3 SE) of fleets have one anywhere."""
    fleets = 200
    each = CLASSES * BENCHMARKS
    statuses = _statuses(0.01, fleets * each, comparisons=each)
    alarms = [
        ChangeStatus.SLOWER in statuses[first : first + each]
        for first in range(0, len(statuses), each)
    ]

    assert np.mean(alarms) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / fleets)


@pytest.mark.slow
def test_the_same_code_passes_on_all_classes() -> None:
    """A/A: no alarm in 100 fleets, and 19 in 20 comparisons are decided."""
    each = CLASSES * BENCHMARKS
    statuses = _statuses(0.0, 100 * each, comparisons=each)

    assert not {ChangeStatus.SLOWER, ChangeStatus.FASTER} & set(statuses)
    assert np.mean([status is ChangeStatus.OK for status in statuses]) >= 0.95


def test_slowdowns_are_found_among_many() -> None:
    """5 % on one of 3 classes with 45 benchmarks each: 19 in 20."""
    statuses = _statuses(0.05, 200, comparisons=CLASSES * 45)

    assert np.mean([status is ChangeStatus.SLOWER for status in statuses]) >= 0.95
