"""Growth that goes on is told from growth that has ended, by the fit of their shapes."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.stats.growth_shapes import (
    LEVELS_OFF,
    RAMP,
    WAVE,
    find_onset,
    rival_evidence,
    step_residuals,
)

X = 0.2 + 0.8 * (np.arange(32) + 0.5) / 32


@given(st.lists(st.integers(-50, 50), min_size=5, max_size=8))
@settings(max_examples=25)
def test_steps_leave_what_the_best_levels_do(values):
    """One to four of them, by trying all."""
    y = np.array(values, dtype=float)

    for count, actual in enumerate(step_residuals(y, 4), 1):
        expected = min(
            sum(float(np.sum((part - part.mean()) ** 2)) for part in np.split(y, cuts))
            for cuts in itertools.combinations(range(1, y.size), count)
        )
        assert expected == pytest.approx(actual, abs=1e-6)


@pytest.mark.parametrize("onset", [0.2, 0.5, 0.7, 0.85])
def test_an_onset_is_found(onset):
    """To the grid of 5 %, on which a line also beats every shape that has ended."""
    y = 100 + 20 * np.maximum(0, X - onset) + np.random.default_rng(9).normal(0, 0.05, 32)

    assert onset == pytest.approx(find_onset(X, y)[0], abs=0.051)
    assert min(rival_evidence(X, y).values()) > 0


@pytest.mark.parametrize(
    ("shape", "growth"),
    [
        ("a single step fits as well as a line", (X > 0.5) * 1.0),
        ("three steps fit as well as a line", 1.0 * (X > 0.3) + (X > 0.42) + (X > 0.8)),
        (LEVELS_OFF, 1 - np.exp(-X / 0.3)),
        (LEVELS_OFF, X**0.3),
        (LEVELS_OFF, np.log(X)),
        (RAMP, np.clip(X, 0.3, 0.9)),
        (WAVE, np.sin(2 * np.pi * (X / 1.6 + 0.7))),
    ],
)
def test_growth_that_has_ended_or_will_is_known_by_its_shape(shape, growth):
    """It fits better than a line from any onset, and best of all shapes."""
    y = 100 + 20 * growth + np.random.default_rng(10).normal(0, 0.05, 32)

    actual = rival_evidence(X, y)
    assert shape == min(actual, key=lambda name: actual[name])
    assert actual[shape] < 0
