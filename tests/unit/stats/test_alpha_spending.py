"""Looks together keep to the error they may use up."""

import numpy as np
import pytest
from numpy.typing import NDArray

from veperf.stats.alpha_spending import look_levels
from veperf.stats.look_schedule import schedule_looks
from veperf.stats.wilcoxon import signed_rank_distribution

SPENT = 0.95  # of what is allowed, see spending


@pytest.mark.parametrize(
    ("first", "expected"),
    [(0.0294, 0.0294), (0.0052, 0.0480)],
    ids=["Pocock", "O'Brien-Fleming"],
)
def test_agrees_with_published_boundaries(first: float, expected: float) -> None:
    """Two equal looks, 5 % two-sided: nominal levels of Pocock and of O'Brien and Fleming."""
    spent = (first / 2 / SPENT, 0.025 / SPENT)

    actual = look_levels((100, 200), spent)

    np.testing.assert_allclose((first, expected), [2 * level for level in actual], rtol=0.01)


def exact_p(d: NDArray[np.float64]) -> NDArray[np.float64]:
    """P(T+ <= t) of each row."""
    ranks = np.argsort(np.argsort(np.abs(d), axis=1), axis=1) + 1
    chances = np.cumsum(signed_rank_distribution(d.shape[1]))
    actual: NDArray[np.float64] = chances[(ranks * (d > 0)).sum(axis=1)]
    return actual


@pytest.mark.parametrize("comparisons", [1, 20])
def test_looks_together_err_no_more_than_allowed(comparisons: int) -> None:
    """Of 60,000 streams without a shift (fixed seed), and nearly as often as they may."""
    d = np.random.default_rng(3).standard_t(3, (60_000, 48))
    schedule, alpha = schedule_looks(), 0.05 / comparisons
    at = {n: exact_p(d[:, :n]) for n in schedule.looks}
    for actual in (schedule.levels_change(alpha), schedule.levels_ok(alpha)):
        rejected = np.zeros(60_000, dtype=bool)
        for n, level in zip(schedule.looks, actual, strict=True):
            rejected |= at[n] <= level

        error = 3 * np.sqrt(alpha / 60_000)
        assert 0.85 * alpha - error < rejected.mean() < alpha + error


def test_what_few_pairs_can_not_use_is_left_for_later() -> None:
    """Among 45 comparisons six pairs can't be called slower; the last look gets most of alpha."""
    actual = schedule_looks((6, 14, 24, 48)).levels_change(0.05 / 45)

    assert 0 == actual[0]
    assert 0 < actual[1] < actual[2] < actual[3] < 0.05 / 45
    assert actual[3] > 0.75 * 0.05 / 45


def test_any_alpha_can_be_spent() -> None:
    """Also one beyond a half, and one that no look can use."""
    assert 0.4 < schedule_looks((100, 200)).levels_change(0.99)[-1] < 1
    assert (0.0, 0.0) == schedule_looks((6, 8)).levels_change(1e-9)
