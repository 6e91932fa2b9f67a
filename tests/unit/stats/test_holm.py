"""Holm's correction is the closure of Bonferroni's."""

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.errors import UsageError
from veperf.stats.two_sample import holm

probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=6)


@given(probabilities)
def test_it_is_closed_bonferroni(p: list[float]) -> None:
    """A hypothesis is rejected when Bonferroni rejects every intersection that it is part of."""
    places = range(len(p))
    subsets = [s for size in range(1, len(p) + 1) for s in combinations(places, size)]
    expected = [
        max(min(1, len(s) * min(p[i] for i in s)) for s in subsets if j in s) for j in places
    ]

    np.testing.assert_allclose(holm(p), expected, rtol=1e-12)


@given(st.lists(st.one_of(st.floats(0, 1), st.just(math.nan)), max_size=12))
def test_tests_not_made_do_not_count(p: list[float]) -> None:
    """NaN stays NaN, and the others are corrected as though it were not there."""
    actual = holm(p)
    made = [not math.isnan(v) for v in p]

    assert made == [not math.isnan(v) for v in actual]
    np.testing.assert_array_equal(actual[made], holm([v for v in p if not math.isnan(v)]))


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.inf])
def test_what_is_no_probability_is_refused(bad: float) -> None:
    """A p outside 0 to 1 is a mistake of the caller's."""
    with pytest.raises(UsageError):
        holm([0.5, bad])
