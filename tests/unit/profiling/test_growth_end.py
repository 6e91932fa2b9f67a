"""What has stopped is told from a pause, and a level at the end from one that spikes hide."""

import numpy as np
import pytest

from veperf.profiling.memory.growth_end import ends_low, is_over

PLACE = np.linspace(0, 1, 201)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (100 + 0 * PLACE, True),
        (100 + 50 * np.clip(PLACE / 0.4, 0, 1), True),
        (100 + 50 * (PLACE > 0.03), True),
        (100 + 50 * (PLACE > 0.3), False),
        (100 + 4.0 * sum(PLACE > at for at in (0.1, 0.2, 0.3)), False),
    ],
    ids=["none", "cache", "loading", "one step", "three events"],
)
def test_growth_is_over_where_so_long_a_pause_is_no_chance(size, expected):
    """Many small pieces pause for long by no chance; few large ones may."""
    assert expected == is_over(PLACE, size, 1.0)


@pytest.mark.parametrize(
    ("high", "expected"),
    [([3, 9, 15], True), ([3, 9, 19], True), ([19], False), ([3, 9, 18, 19], False)],
)
def test_high_samples_at_the_end_are_spikes_where_there_were_such_before(high, expected):
    """Twice, and as many in a row."""
    size = np.full(20, 100.0)
    size[high] = 200.0

    assert expected == ends_low(size, 150.0)
