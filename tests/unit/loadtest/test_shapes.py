"""Arrivals whose rate changes: their number in each window follows the shape's rate."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from veperf.core.load import Arrivals, Shape
from veperf.loadtest.schedule import (
    BURST,
    BURST_RATIO,
    RAMP,
    Schedule,
    SchedulePart,
    arrival_times,
)

SHAPES: tuple[Shape, ...] = ("soak", "ramp", "burst")
RATE, SECONDS, WARMUP_S = 5_000, 20, 2
WINDOW_S = 0.25


def all_arrivals(schedule: Schedule) -> NDArray[np.int64]:
    return np.concatenate(list(arrival_times(schedule)))


def expected_rate(shape: Shape, at_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rate at a time after the warm-up / mean rate, by the definition of the shape."""
    if shape == "ramp":
        return RAMP[0] + (RAMP[1] - RAMP[0]) * at_s / SECONDS
    if shape == "burst":
        return np.where(at_s % 5 < 5 * BURST_RATIO, *BURST)
    return np.ones_like(at_s)


@pytest.mark.parametrize("shape", SHAPES)
def test_counts_in_windows_follow_the_rate(shape: Shape) -> None:
    """By a chi-squared test of 80 windows; windows end where a burst does."""
    schedule = Schedule(RATE, SECONDS, WARMUP_S, seed=4, shape=shape)
    after_s = all_arrivals(schedule) / 1e9 - WARMUP_S
    edges = np.arange(0, SECONDS + WINDOW_S / 2, WINDOW_S)
    counts, _ = np.histogram(after_s, edges)
    middles = (edges[1:] + edges[:-1]) / 2
    expected = RATE * WINDOW_S * expected_rate(shape, middles)
    deviations = (counts - expected) / np.sqrt(expected)

    assert stats.chi2(middles.size).sf(float(np.sum(deviations**2))) > 0.001
    assert np.abs(deviations).max() < 5
    in_warmup = np.count_nonzero(after_s < 0)
    assert abs(in_warmup - RATE * WARMUP_S) < 6 * (RATE * WARMUP_S) ** 0.5


@pytest.mark.parametrize("shape", SHAPES)
def test_gaps_are_exponential_within_a_window(shape: Shape) -> None:
    """Where the rate hardly changes it is a Poisson process: a Kolmogorov-Smirnov test."""
    after_s = all_arrivals(Schedule(RATE, SECONDS, 0, seed=5, shape=shape)) / 1e9
    gaps = np.diff(after_s[(after_s > 0.1) & (after_s < 0.4)])

    assert stats.kstest(gaps, stats.expon(scale=float(gaps.mean())).cdf).pvalue > 0.01


@given(
    st.sampled_from(SHAPES),
    st.sampled_from(["poisson", "constant"]),
    st.floats(0.5, 20_000),
    st.floats(0.01, 0.5),
)
def test_a_shape_moves_arrivals_and_makes_none(
    shape: Shape, arrivals: Arrivals, rate: float, seconds: float
) -> None:
    """As many as at the constant rate, ascending, none before the start or after the end."""
    times = all_arrivals(Schedule(rate, seconds, 0.1, arrivals, seed=1, shape=shape))
    schedule = Schedule(rate, seconds, 0.1, arrivals, seed=1)

    assert all_arrivals(schedule).size == times.size
    assert np.all(np.diff(times) >= 0)
    assert np.all((times >= 0) & (times < schedule.end_ns))


@pytest.mark.parametrize("shape", SHAPES)
def test_shards_share_the_shape(shape: Shape) -> None:
    """Together their arrivals are those of the whole."""
    whole = Schedule(900, 3, 0.5, seed=7, shape=shape)
    shards = [
        all_arrivals(Schedule(900, 3, 0.5, seed=7, part=SchedulePart(k, 3), shape=shape))
        for k in range(3)
    ]

    np.testing.assert_array_equal(all_arrivals(whole), np.sort(np.concatenate(shards)))
