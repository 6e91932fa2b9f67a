"""The search by trials finds the capacity of systems whose capacity is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.load import Search, Trial
from veperf.loadtest.search import FoundRate, find_rate

SEARCH = Search(
    latency_p95_ms=100, latency_p99_ms=250, error_percent=0.1, start=500, highest=20_000
)


def threshold(
    capacity: float,
    false_misses: frozenset[int] = frozenset(),
    void: frozenset[int] = frozenset(),
) -> FoundRate:
    """The search over a system that meets up to ``capacity``, but for the trials numbered."""
    number = -1

    def trial(rate: float) -> Trial:
        nonlocal number
        number += 1
        met = rate <= capacity and number not in false_misses | void
        return Trial(rate, 1, rate, 1, 1, 0, met, void=number in void)

    return find_rate(trial, SEARCH)


@given(st.floats(8, 19_900))
def test_the_search_ends_within_its_resolution(capacity):
    """The result meets, and 5 % more than it does not; without noise it is done in few trials."""
    answer = threshold(capacity)

    assert answer.rate is not None
    assert answer.rate <= capacity < answer.rate * 1.0501
    assert len(answer.trials) <= 24


@given(st.floats(8, 19_900), st.integers(0, 24), st.booleans())
def test_one_noisy_trial_changes_nothing(capacity, noisy, is_void):
    """A trial that a busy machine spoils, known or not, is repeated: the result is the same."""
    spoilt = frozenset([noisy])
    actual = threshold(capacity, void=spoilt) if is_void else threshold(capacity, spoilt)

    assert threshold(capacity).rate == actual.rate


@pytest.mark.parametrize("capacity", [0.0, 1.0])
def test_a_system_that_meets_nowhere_sustains_nothing(capacity):
    """No rate is made up; the trials show what was tried."""
    answer = threshold(capacity)

    assert 0 == answer.rate
    assert not any(trial.met for trial in answer.trials)


def test_a_machine_that_stays_busy_ends_the_search():
    """Without an answer: it is not known whether the rate would have met."""
    answer = threshold(1_000, void=frozenset(range(2, 100)))

    assert answer.rate is None
    assert [True] * 3 == [trial.void for trial in answer.trials[-3:]]


def test_the_highest_rate_ends_the_search():
    """A system that meets everything gets the highest rate that was to be tried."""
    assert SEARCH.highest == threshold(1e9).rate
    assert SEARCH.highest >= max(trial.rate for trial in threshold(1e9).trials)
