"""What has stopped is told from a pause, and a level at the end from one that spikes hide."""

import numpy as np
import pytest

from veperf.profiling.memory.growth_end import ends_low, is_over, jumps_are_over

PLACE = np.linspace(0, 1, 201)


def steps(*at, height=4.0):
    """Growth in events."""
    return height * np.searchsorted(at, PLACE)


def ramp(start, end):
    return 60 * np.clip((PLACE - start) / (end - start), 0, 1)


@pytest.mark.parametrize(
    ("growth", "expected"),
    [
        (0 * PLACE, True),
        (ramp(0, 0.4), True),
        (60 * (1 - np.exp(-PLACE / 0.04)), True),
        (steps(0.03, height=50), True),
        (steps(0.3, height=50), False),
        (steps(0.1, 0.2, 0.3), False),
        (steps(0.1, 0.2, 0.3, 0.4, 0.5), False),
        (ramp(0, 0.05) + steps(0.28, 0.31, 0.34, 0.41, 0.59), False),
        (ramp(0, 0.1) + ramp(0.3, 0.35), False),
        (ramp(0, 0.5) + steps(0.1, 0.3, 0.45), False),
    ],
    ids=[
        "none",
        "cache",
        "warm-up",
        "loading",
        "one step",
        "three events",
        "five events",
        "five events after a warm-up",
        "a stretch after a warm-up",
        "three events while a cache fills",
    ],
)
def test_growth_is_over_where_so_long_a_pause_is_no_chance(growth, expected):
    """A warm-up of many pieces before tells nothing of events that come more rarely."""
    assert expected == is_over(PLACE, 100 + growth, 0.6, 2.4)


@pytest.mark.parametrize("count", [3, 5, 8])
def test_random_events_are_seldom_over(count):
    """Anywhere in the run, with a short warm-up, a long one, or none: 2 % at most."""
    rng = np.random.default_rng(count)
    before = [0 * PLACE, ramp(0, 0.05), ramp(0, 0.2)]
    over = [
        is_over(PLACE, 100 + growth + steps(*np.sort(rng.uniform(0, 1, count))), 1.0, 2.4)
        for growth in before
        for _ in range(100)
    ]

    assert np.mean(over) <= 0.02


def test_jumps_are_seen_in_growth_that_levels_off():
    """That itself has none."""
    curve = 100 + 60 * (1 - np.exp(-PLACE / 0.3))

    assert jumps_are_over(PLACE, curve, 1.0, 2.4)
    assert not jumps_are_over(PLACE, curve + steps(0.2, 0.5), 1.0, 2.4)


def test_a_step_at_the_end_of_growth_is_seen():
    """Between the last sample before and the first after."""
    assert not is_over(PLACE, 100 + 50.0 * (PLACE > 0.599).astype(float), 0.598, 2.4)


@pytest.mark.parametrize(
    ("high", "expected"),
    [
        ([3, 9, 15], True),
        ([3, 9, 19], True),
        ([19], False),
        ([3, 9, 18, 19], False),
        ([2, 3, 8, 9, 18, 19], False),
    ],
)
def test_high_samples_at_the_end_are_spikes_where_there_were_such_before(high, expected):
    """Twice, as many in a row, and no more than a twentieth of all."""
    size = np.full(20, 100.0)
    size[high] = 200.0

    assert expected == ends_low(size, 150.0)
