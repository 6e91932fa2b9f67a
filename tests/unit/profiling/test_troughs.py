"""Troughs: the samples with the least garbage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.profiling.memory.troughs import fall_troughs, largest_fall, window_troughs

SIZES = st.lists(st.integers(0, 1_000), min_size=8, max_size=80)


@given(SIZES, st.sampled_from([8, 16, 32]))
def test_each_window_has_its_lowest(values, windows):
    """As many troughs as windows, in order, the lowest of all among them."""
    size = np.array(values, dtype=float)
    troughs = window_troughs(np.linspace(0, 1, size.size), size, windows)

    if troughs is None:
        assert size.size < windows
    else:
        assert windows == troughs.size.size
        assert size.min() == troughs.size.min()
        assert (np.diff(troughs.place) > 0).all()


@pytest.mark.parametrize("period", [7, 23, 50])
def test_collections_are_followed_whatever_their_period(period):
    """The first sample after each."""
    time = np.arange(500)
    troughs = fall_troughs(time / 499, 100.0 + time % period)

    assert troughs is not None
    assert list(range(period, 500, period)) == np.rint(troughs.place * 499).tolist()
    assert {100.0} == set(troughs.size)
    assert 1.0 == troughs.resolution


def test_few_falls_are_no_series():
    """Eight are the least."""
    time = np.arange(70, dtype=np.float64)

    assert fall_troughs(time / 69, 100.0 + time % 10) is None
    assert fall_troughs(time / 69, 100.0 + time) is None


@given(SIZES)
def test_the_largest_fall_is_from_any_value_to_a_later_one(values):
    """By trying all pairs."""
    pairs = [a - b for i, a in enumerate(values) for b in values[i:]]

    assert max(pairs) == largest_fall(np.array(values, dtype=float))
