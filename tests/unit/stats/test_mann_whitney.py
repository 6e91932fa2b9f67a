"""The test agrees with full enumeration, with scipy and with Go's benchstat."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from veperf.core.errors import UsageError
from veperf.stats.mann_whitney import mann_whitney, mann_whitney_rows, u_distribution

GOBENCH = Path(__file__).parents[2] / "vectors" / "gobench"

few_values = st.lists(st.integers(0, 4).map(float), min_size=1, max_size=6)


def enumerated(x: Sequence[float], y: Sequence[float]) -> tuple[float, float]:
    """P(U <= u) and P(U >= u) by trying every way to split the values, U by counting pairs."""

    def u_of(a: Sequence[float], b: Sequence[float]) -> float:
        return sum((p > q) + 0.5 * (p == q) for p in a for q in b)

    values = [*x, *y]
    places = range(len(values))
    seen = [
        u_of([values[i] for i in chosen], [values[i] for i in places if i not in chosen])
        for chosen in combinations(places, len(x))
    ]
    u = u_of(x, y)
    return sum(s <= u for s in seen) / len(seen), sum(s >= u for s in seen) / len(seen)


@settings(max_examples=60)
@given(few_values, few_values)
def test_ties_agree_with_enumeration(x: list[float], y: list[float]) -> None:
    """With ties, every one-sided p is the share of splits at least as extreme."""
    actual = mann_whitney(x, y)

    np.testing.assert_allclose((actual.p_less, actual.p_greater), enumerated(x, y), rtol=1e-12)


def from_scipy(
    x: NDArray[np.float64], y: NDArray[np.float64], method: Literal["exact", "asymptotic"]
) -> tuple[float, ...]:
    """scipy's U, then its p of less, greater and two-sided."""
    alternatives: tuple[Literal["less", "greater", "two-sided"], ...]
    alternatives = ("less", "greater", "two-sided")
    actual = [stats.mannwhitneyu(x, y, alternative=a, method=method) for a in alternatives]
    return (float(actual[0].statistic), *(float(f.pvalue) for f in actual))


@pytest.mark.parametrize(("n_x", "n_y"), [(1, 1), (2, 9), (6, 6), (12, 7), (24, 24), (50, 50)])
def test_no_ties_agree_with_scipy_exact(n_x: int, n_y: int) -> None:
    """scipy's exact distribution gives the same three p-values, to the tail's last digits."""
    chance = np.random.default_rng(n_x * 100 + n_y)
    x, y = chance.normal(size=n_x), chance.normal(0.7, size=n_y)

    actual = mann_whitney(x, y)

    ours = (actual.u, actual.p_less, actual.p_greater, actual.p_two_sided)
    np.testing.assert_allclose(ours, from_scipy(x, y, "exact"), rtol=1e-10)
    assert actual.exact


def test_large_samples_agree_with_scipy_asymptotic() -> None:
    """Past the exact limit: the normal approximation with both corrections, ties included."""
    chance = np.random.default_rng(5)
    x, y = chance.integers(0, 40, 90).astype(float), chance.integers(2, 42, 110).astype(float)

    actual = mann_whitney(x, y)

    ours = (actual.u, actual.p_less, actual.p_greater, actual.p_two_sided)
    np.testing.assert_allclose(ours, from_scipy(x, y, "asymptotic"), rtol=1e-10)
    assert not actual.exact


@pytest.mark.parametrize(
    ("x", "y", "u", "p"),
    [
        ([2, 1, 3, 5], [12, 11, 13, 15], 0, 0.028571428571428577),
        ([2, 1, 3, 5], [0, 4, 6, 7], 5, 0.485714285714285770),
        ([2, 1, 3, 5], [2, 1, 3, 5], 8, 1),
        ([2, 1, 3, 5], [2, 2, 2, 2], 10, 0.7142857142857143),
        (np.arange(500) * 2, np.arange(600) * 2 - 41, 135250, 0.0049335360814172224),
        (np.arange(500) * 2, np.arange(500) * 2, 125000, 1),
    ],
)
def test_agrees_with_benchstats_own_vectors(
    x: list[float], y: list[float], u: float, p: float
) -> None:
    """The cases of go-moremath's utest_test.go (U of the first sample, not the smaller one)."""
    actual = mann_whitney(x, y)

    assert u == actual.u
    np.testing.assert_allclose(actual.p_two_sided, p, rtol=1e-12)


def gobench(name: str) -> dict[str, list[float]]:
    actual: dict[str, list[float]] = {}
    for line in (GOBENCH / name).read_text().splitlines():
        if line.startswith("Benchmark"):
            benchmark, _, time, _ = line.split()
            actual.setdefault(benchmark, []).append(float(time))
    return actual


@pytest.mark.parametrize(("benchmark", "expected"), [("json", "0.000"), ("gob", "0.446")])
def test_agrees_with_benchstats_published_comparison(benchmark: str, expected: str) -> None:
    """p=0.000 and p=0.446, as benchstat's documentation prints for these files (with ties)."""
    name = f"BenchmarkEncode/format={benchmark}-48"

    actual = mann_whitney(gobench("old.txt")[name], gobench("new.txt")[name])

    assert expected == f"{actual.p_two_sided:.3f}"


@settings(max_examples=30)
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12),
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12),
)
def test_swapping_the_samples_swaps_the_sides(x: list[float], y: list[float]) -> None:
    """x less than y is y greater than x, also for unequal sizes."""
    there, back = mann_whitney(x, y), mann_whitney(y, x)

    np.testing.assert_allclose(there.p_less, back.p_greater, rtol=1e-12)
    np.testing.assert_allclose(there.p_greater, back.p_less, rtol=1e-12)


@pytest.mark.parametrize("constant", [8, 80])
def test_equal_constants_show_nothing(constant: int) -> None:
    """All values the same: p is 1 on either side, exact or not."""
    actual = mann_whitney([3.0] * constant, [3.0] * constant)

    assert (1.0, 1.0, 1.0) == (actual.p_less, actual.p_greater, actual.p_two_sided)


@pytest.mark.parametrize("bad", [[], [1.0, float("nan")], [float("inf")]])
def test_what_can_not_be_ranked_is_refused(bad: list[float]) -> None:
    """Empty samples, NaN and infinities are an error on either side."""
    with pytest.raises(UsageError):
        mann_whitney(bad, [1.0])
    with pytest.raises(UsageError):
        mann_whitney([1.0], bad)


@settings(max_examples=40)
@given(
    st.integers(1, 5).flatmap(
        lambda n: st.lists(
            st.tuples(
                st.lists(st.integers(0, 4).map(float), min_size=n, max_size=n),
                st.lists(st.integers(0, 4).map(float), min_size=4, max_size=4),
            ),
            min_size=1,
            max_size=5,
        )
    )
)
def test_rows_that_are_tested_together_are_tested_as_each_by_itself(
    rows: list[tuple[list[float], list[float]]],
) -> None:
    """Every p is that of enumeration, whatever ties the other rows have."""
    actual = mann_whitney_rows(np.array([x for x, _ in rows]), np.array([y for _, y in rows]))

    expected = [enumerated(x, y) for x, y in rows]
    np.testing.assert_allclose([(r.p_less, r.p_greater) for r in actual], expected, rtol=1e-12)


@pytest.mark.parametrize(("n_x", "n_y"), [(1, 3), (10, 10), (17, 19), (50, 50)])
def test_the_distribution_without_ties_is_scipys(n_x: int, n_y: int) -> None:
    """Its tails, at any size of the counts, and it adds up to 1."""
    actual = u_distribution(n_x, n_y)

    x, y = np.arange(n_x) + 0.5, np.concatenate([[-1.0], np.arange(n_y - 1) + n_x])
    u = int(stats.mannwhitneyu(x, y).statistic)
    expected = stats.mannwhitneyu(x, y, alternative="less", method="exact").pvalue
    np.testing.assert_allclose(actual[: u + 1].sum(), expected, rtol=1e-10)
    assert actual.sum() == pytest.approx(1, abs=1e-12)
