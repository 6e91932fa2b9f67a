"""The bound of growth holds, whenever growth began, and is near it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from veperf.stats.growth_bound import (
    SIZES,
    T_QUANTILES,
    bound_beside_curve,
    bound_growth,
    largest_rise,
)

SHAPES = {
    "none": lambda x: 0 * x,
    "line": lambda x: x,
    "from 55 %": lambda x: np.maximum(0, x - 0.55) / 0.45,
    "from 80 %": lambda x: np.maximum(0, x - 0.8) / 0.2,
    "step at 40 %": lambda x: (x > 0.4) * 1.0,
    "step at 90 %": lambda x: (x > 0.9) * 1.0,
    "five steps": lambda x: np.ceil(5 * x) / 5,
}


def test_quantiles_are_those_of_student_s_t():
    """Of 99.5 %, to the digits that tables have."""
    for freedom, quantile in T_QUANTILES.items():
        assert quantile == pytest.approx(student.ppf(0.995, freedom), abs=1e-4)


@pytest.mark.parametrize("size", [16, 32])
@pytest.mark.parametrize("shape", SHAPES)
def test_growth_is_seldom_above_the_bound(shape, size):
    """In 2 % of series with noise at most; and without growth the bound is not far away."""
    rng = np.random.default_rng(size)
    x = (np.arange(size) + 1) / size
    bounds = np.array(
        [
            bound_growth(x, 100 * (1 + 0.1 * SHAPES[shape](x) + rng.normal(0, 0.005, size)), 0.0)
            for _ in range(300)
        ]
    )

    if shape == "none":
        assert np.median(bounds) < 4
    else:
        assert np.mean(bounds < 10) <= 0.02


@pytest.mark.parametrize("shape", ["none", "line", "from 55 %", "step at 90 %"])
@pytest.mark.parametrize("constant", [0.05, 0.25])
def test_growth_beside_a_curve_is_seldom_above_the_bound(shape, constant):
    """In 2 % of series with noise at most; and without growth the bound is below half of that."""
    rng = np.random.default_rng(8)
    x = (np.arange(32) + 1) / 32
    curve = 140 - 40 * np.exp(-x / constant)
    bounds = np.array(
        [
            bound_beside_curve(x, curve + 10 * SHAPES[shape](x) + rng.normal(0, 0.3, 32))[0]
            for _ in range(60)
        ]
    )

    if shape == "none":
        assert np.median(bounds) < 5
    else:
        assert np.mean(bounds < 10) <= 0.02


def test_what_falls_does_not_grow():
    """However far; but what rises at its end may."""
    x = np.linspace(0, 1, 32)

    assert bound_growth(x, 100 - 50 * x, 0.0) < 1
    assert bound_growth(x, 100 - 20 * x + 200 * np.maximum(0, x - 0.8), 0.0) > 20


def test_a_rise_that_came_back_is_none():
    """Only what later values don't fall below counts."""
    assert 3.0 == largest_rise(np.array([1.0, 9.0, 1.0, 4.0, 5.0, 5.0]))


@given(st.sampled_from(SIZES), st.floats(1e-3, 1e9), st.integers(0, 100))
def test_units_of_size_do_not_matter(size, scale, seed):
    """The bound is in the unit of the sizes."""
    y = 1e4 + np.random.default_rng(seed).uniform(0, 1e4, size)
    x = np.linspace(0.2, 1, size)

    expected = scale * bound_growth(x, y, 0.2)
    assert expected == pytest.approx(bound_growth(x, y * scale, 0.2), rel=1e-6)
