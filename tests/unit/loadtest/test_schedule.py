"""Arrivals: the rate and the gaps that were asked for, the same ones again, in constant memory."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from veperf.core.errors import UsageError
from veperf.loadtest.schedule import CHUNK, Schedule, arrival_times, count_arrivals

RATES = st.floats(0.5, 50_000)


def all_arrivals(schedule: Schedule) -> np.ndarray:
    return np.concatenate(list(arrival_times(schedule)))


@given(RATES, st.floats(0.01, 0.5), st.sampled_from(["constant", "poisson"]))
def test_arrivals_ascend_within_the_schedule(rate, seconds, kind):
    """None is before the start or after the end, and the count is that of the arrivals."""
    schedule = Schedule(rate, seconds, 0.1, kind, seed=3)
    times = all_arrivals(schedule)

    assert schedule.end_ns == round(0.1 * 1e9) + round(seconds * 1e9)
    assert np.all(np.diff(times) >= 0)
    assert np.all((times >= 0) & (times < schedule.end_ns))
    assert times.size == count_arrivals(schedule)


@given(RATES, st.floats(0.01, 0.5))
def test_constant_arrivals_are_evenly_spaced(rate, seconds):
    """The k-th comes k / rate seconds after the start, across chunks."""
    times = all_arrivals(Schedule(rate, seconds, arrivals="constant"))

    assert times.size == pytest.approx(rate * seconds, abs=1)
    np.testing.assert_allclose(times, np.arange(times.size) / rate * 1e9, atol=1)


@given(st.floats(10_000, 50_000), st.integers(0, 2**32))
def test_poisson_arrivals_keep_the_rate(rate, seed):
    """Their number is Poisson distributed: within 6 standard deviations of its mean."""
    expected = rate * 0.5

    assert abs(count_arrivals(Schedule(rate, 0.5, seed=seed)) - expected) < 6 * np.sqrt(expected)


def test_poisson_gaps_are_exponential():
    """A Kolmogorov-Smirnov test against scipy's distribution finds no fault with 50,000 gaps."""
    gaps_s = np.diff(all_arrivals(Schedule(1_000, 50, seed=1))) / 1e9

    assert stats.kstest(gaps_s, stats.expon(scale=1 / 1_000).cdf).pvalue > 0.01
    assert abs(np.corrcoef(gaps_s[:-1], gaps_s[1:])[0, 1]) < 0.02


def test_the_seed_is_the_schedule():
    """The same seed gives the same arrivals, another one others, a longer one begins the same."""
    first = all_arrivals(Schedule(1_000, 10, seed=5))

    np.testing.assert_array_equal(first, all_arrivals(Schedule(1_000, 10, seed=5)))
    np.testing.assert_array_equal(first, all_arrivals(Schedule(1_000, 20, seed=5))[: first.size])
    assert not np.array_equal(first[:100], all_arrivals(Schedule(1_000, 10, seed=6))[:100])


@pytest.mark.parametrize("kind", ["constant", "poisson"])
def test_an_hour_comes_in_chunks_of_one_size(kind):
    """Whatever the length of the schedule, no more than a chunk is in memory."""
    hour = Schedule(10_000, 3_600, arrivals=kind)
    sizes = {times.size for times in islice(arrival_times(hour), 200)}

    assert {CHUNK} == sizes


@pytest.mark.parametrize(
    ("rate", "seconds", "warmup_s"),
    [
        (0, 1, 0),
        (-1, 1, 0),
        (float("nan"), 1, 0),
        (float("inf"), 1, 0),
        (1, 0, 0),
        (1, float("inf"), 0),
        (1, 1, -1),
        (1, 1, float("nan")),
    ],
)
def test_nonsense_is_refused(rate, seconds, warmup_s):
    """No schedule without a rate and an end."""
    with pytest.raises(UsageError):
        Schedule(rate, seconds, warmup_s)
