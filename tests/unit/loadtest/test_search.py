"""The search finds the capacity of systems whose capacity is known."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.simulated import Clock, Server
from veperf.core.load import Search, Trial
from veperf.loadtest.case import to_trial
from veperf.loadtest.generator import run_open_loop
from veperf.loadtest.schedule import Schedule
from veperf.loadtest.search import Saturation, find_saturation
from veperf.measure.run_profiles import LOAD

SEARCH = Search(
    latency_p95_ms=100, latency_p99_ms=250, error_percent=0.1, start=500, highest=20_000
)
QUICK = LOAD["quick"]


def simulated(service_ns: int) -> Callable[[float, float], Trial]:
    """A trial of so many seconds at a rate, of a server with that service time."""

    def trial(rate: float, seconds: float) -> Trial:
        clock = Clock()
        schedule = Schedule(rate, seconds, QUICK.warmup_s, seed=3)
        run = run_open_loop(
            lambda _: Server(clock, service_ns), schedule, clock=clock, sleep=clock.sleep
        )
        return to_trial(run, SEARCH)

    return trial


def threshold(capacity: float, false_misses: frozenset[int] = frozenset()) -> Saturation:
    """The search over a system that meets up to ``capacity``, but for the trials numbered."""
    number = -1

    def trial(rate: float) -> Trial:
        nonlocal number
        number += 1
        met = rate <= capacity and number not in false_misses
        return Trial(rate, 1, rate, 1, 1, 0, met)

    return find_saturation(trial, trial, SEARCH)


@pytest.mark.alone
@given(st.floats(700, 4_000))
@settings(max_examples=4)
def test_the_capacity_of_a_queue_is_found(capacity):
    """A queue is sustained up to its capacity: found to the resolution, and never far beyond."""
    trial = simulated(round(1e9 / capacity))
    saturation = find_saturation(
        lambda rate: trial(rate, QUICK.trial_s), lambda rate: trial(rate, QUICK.seconds), SEARCH
    )

    assert 0.9 * capacity <= saturation.rate <= 1.04 * capacity
    assert (saturation.rate, QUICK.seconds, True) == (
        saturation.trials[-1].rate,
        saturation.trials[-1].seconds,
        saturation.trials[-1].met,
    )


@given(st.floats(8, 19_900))
def test_the_search_ends_within_its_resolution(capacity):
    """The result meets, and 5 % more than it does not; without noise it is done in few trials."""
    saturation = threshold(capacity)

    assert saturation.rate <= capacity < saturation.rate * 1.0501
    assert saturation.trials[-1].met
    assert len(saturation.trials) <= 24


@given(st.floats(8, 19_900), st.integers(0, 24))
def test_one_noisy_trial_changes_nothing(capacity, noisy):
    """A trial that a busy machine spoils, whichever it is, is repeated: the result is the same."""
    assert threshold(capacity).rate == threshold(capacity, frozenset([noisy])).rate


@given(st.floats(1_000, 15_000), st.floats(0.05, 0.9))
def test_what_does_not_hold_for_long_is_lowered(capacity, ratio):
    """A rate that short trials flatter is not the result: the longer run decides."""

    def trial(rate: float, limit: float) -> Trial:
        return Trial(rate, 1, rate, 1, 1, 0, rate <= limit)

    saturation = find_saturation(
        lambda rate: trial(rate, capacity), lambda rate: trial(rate, ratio * capacity), SEARCH
    )

    assert 0 < saturation.rate <= ratio * capacity
    assert saturation.trials[-1].met


@pytest.mark.parametrize("capacity", [0.0, 1.0])
def test_a_system_that_meets_nowhere_sustains_nothing(capacity):
    """No rate is made up; the trials show what was tried."""
    saturation = threshold(capacity)

    assert 0 == saturation.rate
    assert not any(trial.met for trial in saturation.trials)


def test_the_highest_rate_ends_the_search():
    """A system that meets everything gets the highest rate that was to be tried."""
    assert SEARCH.highest == threshold(1e9).rate
    assert SEARCH.highest >= max(trial.rate for trial in threshold(1e9).trials)
