"""Long series have the change points that they would have as a whole."""

import numpy as np
import pytest

from veperf.stats.change_points import ChangePoint, change_points
from veperf.stats.long_series import STRIDE, WINDOW, windowed_change_points


def noise(size: int, seed: int = 0) -> np.ndarray:
    return 100 * np.random.default_rng(seed).normal(1, 0.005, size)


@pytest.mark.parametrize("size", [0, 9, 600, WINDOW])
def test_a_short_series_is_as_it_was(size: int):
    """Exactly, whether it is remembered or not."""
    series = noise(size)
    series[size // 2 :] *= 1.05
    memo: dict[str, tuple[ChangePoint, ...]] = {}

    assert [change_points(series)] == windowed_change_points([series], memo)
    assert [change_points(series)] == windowed_change_points([series], memo)
    assert (size >= 500) == bool(memo)


def test_a_long_series_has_the_same_steps():
    """At the same places as without windows, with sizes that differ by less than their noise."""
    series = noise(4 * WINDOW + 700)
    for place, ratio in ((40, 1.1), (1_499, 1.04), (5_000, 0.95), (8_251, 1.06), (12_660, 1.05)):
        series[place:] *= ratio

    expected, (actual,) = change_points(series), windowed_change_points([series], {})

    assert 5 == len(expected)
    assert [point.index for point in expected] == [point.index for point in actual]
    assert [p.ratio for p in expected] == pytest.approx([p.ratio for p in actual], rel=0.005)


@pytest.mark.parametrize("offset", range(-12, 13, 3))
def test_a_step_where_windows_meet_is_found_once(offset: int):
    """By one of the two, wherever noise puts it."""
    place = STRIDE + STRIDE // 2 + offset
    many = [noise(2 * WINDOW, seed) for seed in range(3)]
    for series in many:
        series[place:] *= 1.05

    for (point,) in windowed_change_points(many, {}):
        assert abs(point.index - place) <= 2


def test_nothing_is_searched_twice():
    """A value more leaves all windows but the last as they were."""
    series = noise(3 * WINDOW)
    memo: dict[str, tuple[ChangePoint, ...]] = {}
    windowed_change_points([series[:-1]], memo)
    before = len(memo)
    windowed_change_points([series], memo)

    assert before + 1 == len(memo)


def test_series_that_are_searched_together_keep_their_own_steps():
    """Of any lengths, with and without steps, remembered and not: as each has them alone."""
    chance = np.random.default_rng(7)
    many = []
    for size in (0, 9, 30, 499, 500, 1_200, WINDOW + 1):
        series = noise(size, size)
        series[chance.integers(0, size + 1) :] *= 1.05
        many.append(series)
    alone = [windowed_change_points([series], {})[0] for series in many]
    memo: dict[str, tuple[ChangePoint, ...]] = {}
    windowed_change_points(many[2:5], memo)

    assert alone == windowed_change_points(many, memo)
