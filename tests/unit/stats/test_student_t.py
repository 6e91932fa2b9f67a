"""Student's t distribution is scipy's."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import stdtr, stdtrit

from veperf.stats.student_t import t_cdf, t_quantile

degrees = st.one_of(st.floats(0.3, 500), st.floats(500, 1e9), st.just(math.inf))


@given(st.lists(st.tuples(st.floats(-50, 50), degrees), min_size=1, max_size=20))
def test_probabilities(places: list[tuple[float, float]]) -> None:
    """With any degrees of freedom, whole or not, many or infinitely many."""
    t, freedom = np.array(places).T

    assert pytest.approx(stdtr(freedom, t), rel=1e-9, abs=1e-10) == t_cdf(t, freedom)


@given(st.lists(degrees, min_size=1, max_size=20), st.floats(0.5, 0.9999))
def test_quantiles(freedom: list[float], p: float) -> None:
    """From the median on."""
    expected = stdtrit(np.array(freedom), p)

    assert pytest.approx(expected, rel=1e-7, abs=1e-9) == t_quantile(p, np.array(freedom))


def test_the_tail_keeps_its_digits() -> None:
    """The p of what is beyond doubt is small, and no zero."""
    t, freedom = np.array([-40.0, -9.0, -1e6]), np.array([9.0, 180.0, 1.5])

    assert pytest.approx(stdtr(freedom, t), rel=1e-10) == t_cdf(t, freedom)


def test_the_edges() -> None:
    """Half lies below the middle, and all below infinity."""
    with np.errstate(invalid="raise"):
        assert [0.5, 0.5, 0.0] == t_cdf(np.array([0, 0, -1e200]), np.array([3, np.inf, 5])).tolist()
