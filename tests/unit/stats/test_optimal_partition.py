"""The best fit by steps is the best, and the one that another implementation finds."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from ruptures import KernelCPD

from veperf.stats.optimal_partition import optimal_steps

MIN_SIZE = 5
Floats = NDArray[np.float64]


def stepped(chance: np.random.Generator, n: int, *, slope: float = 0.0) -> Floats:
    """Noise of deviation 1 with a few steps, and a slope."""
    series = chance.normal(0, 1, n) + np.linspace(0, slope, n)
    for _ in range(chance.integers(0, 6)):
        series[chance.integers(0, n) :] += chance.normal(0, 3)
    return series


def cost(series: Floats, steps: list[int], penalty: float) -> float:
    """Sum of squares about the levels, and the penalties."""
    parts = np.split(series, steps)
    return sum(float(((p - p.mean()) ** 2).sum()) for p in parts) + penalty * len(steps)


def least_cost(series: Floats, penalty: float) -> float:
    """The same of the best fit, by trying every last step of every part."""
    best = {0: -penalty}
    for end in range(MIN_SIZE, series.size + 1):
        best[end] = min(
            before + penalty + float(((part := series[start:end]) - part.mean()) @ part)
            for start, before in best.items()
            if end - start >= MIN_SIZE
        )
    return best[series.size]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.sampled_from([1.0, 8.0, 25.0]))
def test_no_fit_is_better(seed: int, number: int, penalty: float) -> None:
    """Of series of several lengths at once, and no segment is shorter than allowed."""
    chance = np.random.default_rng(seed)
    many = [stepped(chance, int(chance.integers(MIN_SIZE, 70))) for _ in range(number)]

    for series, steps in zip(many, optimal_steps(many, [penalty] * number, MIN_SIZE), strict=True):
        assert all(b - a >= MIN_SIZE for a, b in pairwise([0, *steps, series.size]))
        expected = least_cost(series, penalty)
        assert cost(series, steps, penalty) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("slope", [0.0, 6.0])
def test_the_steps_are_those_of_ruptures(slope: float) -> None:
    """Of its KernelCPD, whose pruning with a shortest segment now and then misses the best."""
    chance = np.random.default_rng(int(slope))
    many = [stepped(chance, n, slope=slope) for n in (30, 100, 250, 400, 700)]
    penalties = [3 * np.log(series.size) for series in many]

    actual = optimal_steps(many, penalties, MIN_SIZE)

    for series, penalty, steps in zip(many, penalties, actual, strict=True):
        search = KernelCPD("linear", min_size=MIN_SIZE).fit(series[:, None])
        theirs = search.predict(pen=penalty)[:-1]
        is_as_good = cost(series, steps, penalty) <= cost(series, theirs, penalty) * (1 + 1e-12)
        assert is_as_good
        assert theirs == steps or cost(series, theirs, penalty) > cost(series, steps, penalty)


@pytest.mark.parametrize("n", [0, 1, MIN_SIZE, 2 * MIN_SIZE - 1])
def test_what_is_too_short_for_two_segments_has_no_step(n: int) -> None:
    """However much it moves."""
    assert [[]] == optimal_steps([np.linspace(0, 1e6, n)], [1.0], MIN_SIZE)


def test_a_series_alone_and_beside_others_has_the_same_steps() -> None:
    """Also where the tables of the others are longer, or the batch has more than one part."""
    chance = np.random.default_rng(3)
    many = [stepped(chance, int(n)) for n in chance.integers(10, 120, 70)]
    alone = [optimal_steps([series], [9.0], MIN_SIZE)[0] for series in many]

    assert alone == optimal_steps(many, [9.0] * len(many), MIN_SIZE)
