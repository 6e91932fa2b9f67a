"""Drift is seen as drift and never as a step; what stands still does not drift."""

import numpy as np
import pytest

from veperf.stats.change_points import change_points
from veperf.stats.drift import find_drift


@pytest.mark.parametrize("size", [0.05, 0.1, 0.2])
def test_a_slope_drifts_and_has_no_step(size: float) -> None:
    """Of 40 straight slopes in noise of 1 %: at most 3 have a step; intervals hold the size."""
    dice = np.random.default_rng(7)
    stepped = covered = 0
    for _ in range(40):
        series = np.exp(np.log1p(size) * np.linspace(0, 1, 60) + dice.normal(0, 0.01, 60))
        stepped += bool(change_points(series))
        drift = find_drift(series)
        assert drift is not None
        assert (0, 60) == (drift.index, drift.count)
        covered += drift.low <= 1 + size <= drift.high

    assert stepped <= 3
    assert covered >= 35


@pytest.mark.parametrize("count", [30, 60, 120])
@pytest.mark.parametrize("a_run", [0.002, 0.005, 0.01])
def test_a_steep_slope_is_no_noise(a_run: float, count: int) -> None:
    """Steady growth of 0.2 to 1 % a run in noise of 0.4 % drifts or has steps, 19 times of 20."""
    dice = np.random.default_rng(11)
    seen = 0
    for _ in range(20):
        series = (1 + a_run * np.arange(count)) * np.exp(dice.normal(0, 0.004, count))
        places = change_points(series)
        last = places[-1].index if places else 0
        seen += bool(places) or find_drift(series, last) is not None

    assert seen >= 19


def test_noise_and_whole_seasons_do_not_drift() -> None:
    """Of 100 series that stand still one may; a wave that is back at its level does not."""
    dice = np.random.default_rng(8)
    noise = [find_drift(np.exp(dice.normal(0, 0.02, 80))) for _ in range(100)]
    wave = 0.05 * np.sin(np.linspace(0, 4 * np.pi, 80)) + dice.normal(0, 0.01, 80)

    assert sum(drift is not None for drift in noise) <= 1
    assert find_drift(np.exp(wave)) is None


def test_a_drift_begins_at_the_last_change_point() -> None:
    """A step before the stretch is no part of it; too few values since then say nothing."""
    y = np.random.default_rng(9).normal(0, 0.01, 120)
    y[60:] += 0.3 + 0.1 * np.linspace(0, 1, 60)

    drift = find_drift(np.exp(y), 60)

    assert drift is not None
    assert (60, 60) == (drift.index, drift.count)
    assert drift.low < np.exp(0.1) < drift.high
    assert find_drift(np.exp(y), 105) is None


@pytest.mark.parametrize("few", [3, 4])
@pytest.mark.parametrize("factor", [1.5, 10.0])
def test_a_few_values_at_an_end_are_no_drift(few: int, factor: float) -> None:
    """They are too few to prove a step, and no slow movement, neither last nor first."""
    y = np.random.default_rng(10).normal(0, 0.01, 40)
    y[-few:] += np.log(factor)

    assert find_drift(np.exp(y)) is None
    assert find_drift(np.exp(y[::-1])) is None
