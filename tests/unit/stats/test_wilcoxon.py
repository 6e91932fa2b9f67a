"""The test agrees with full enumeration, with scipy and with published tables."""

import math
from collections.abc import Sequence
from itertools import product
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from veperf.core.errors import UsageError
from veperf.stats.wilcoxon import wilcoxon

few_values = st.lists(st.integers(-4, 4).map(float), min_size=1, max_size=9)


def enumerated(d: Sequence[float]) -> tuple[float, float]:
    """P(T+ <= t) and P(T+ >= t) by trying every choice of signs, ranks by counting."""
    ranks = [sum(abs(b) < abs(a) for b in d) + sum(abs(b) == abs(a) for b in d) / 2 for a in d]

    def t_plus(values: Sequence[float]) -> float:
        return sum(r + 0.5 for v, r in zip(values, ranks, strict=True) if v > 0)

    signs = product((-1, 1), repeat=len(d))
    seen = [t_plus([s * v for s, v in zip(chosen, d, strict=True)]) for chosen in signs]
    t = t_plus(d)
    return sum(s <= t for s in seen) / len(seen), sum(s >= t for s in seen) / len(seen)


@settings(max_examples=60)
@given(few_values)
def test_ties_and_zeros_agree_with_enumeration(d: list[float]) -> None:
    """Every one-sided p is the share of all choices of signs that are at least as extreme."""
    actual = wilcoxon(d)

    np.testing.assert_allclose((actual.p_less, actual.p_greater), enumerated(d), rtol=1e-12)


def from_scipy(d: Sequence[float], method: Literal["exact", "approx"]) -> tuple[float, ...]:
    """scipy's p of less, greater and two-sided."""
    alternatives: tuple[Literal["less", "greater", "two-sided"], ...]
    alternatives = ("less", "greater", "two-sided")
    return tuple(
        float(stats.wilcoxon(d, alternative=a, method=method, correction=True).pvalue)
        for a in alternatives
    )


@pytest.mark.parametrize("n", [1, 2, 6, 14, 48, 100, 200])
def test_no_ties_agree_with_scipy_exact(n: int) -> None:
    """scipy's exact distribution gives the same three p-values, to the tail's last digits."""
    d = np.random.default_rng(n).normal(0.4, 1, n)

    actual = wilcoxon(d)

    ours = (actual.p_less, actual.p_greater, actual.p_two_sided)
    np.testing.assert_allclose(ours, from_scipy(d.tolist(), "exact"), rtol=1e-9)
    assert actual.exact


def test_large_samples_agree_with_scipy_asymptotic() -> None:
    """Past the exact limit: the normal approximation with both corrections, ties included."""
    d = np.random.default_rng(4).integers(-30, 40, 260)
    d = d[d != 0].astype(float)

    actual = wilcoxon(d)

    ours = (actual.p_less, actual.p_greater, actual.p_two_sided)
    np.testing.assert_allclose(ours, from_scipy(d.tolist(), "approx"), rtol=1e-10)
    assert not actual.exact


# The usual table of the largest T that is significant at 5 %, one-sided and two-sided.
ONE_SIDED = {6: 2, 7: 3, 8: 5, 9: 8, 10: 10, 11: 13, 12: 17, 13: 21, 14: 25, 15: 30, 20: 60}
TWO_SIDED = {6: 0, 7: 2, 8: 3, 9: 5, 10: 8, 11: 10, 12: 13, 13: 17, 14: 21, 15: 25, 20: 52}


def with_t(n: int, t: int) -> list[float]:
    """Differences of sizes 1 ... n, the positive ones chosen so that they add up to ``t``."""
    d = []
    for size in range(n, 0, -1):
        d.append(float(size if size <= t else -size))
        t -= size if size <= t else 0
    return d


@pytest.mark.parametrize("n", ONE_SIDED)
def test_agrees_with_the_published_table(n: int) -> None:
    """The table's critical values are significant, the next ones are not."""
    item, two = ONE_SIDED[n], TWO_SIDED[n]

    assert wilcoxon(with_t(n, item)).p_less <= 0.05 < wilcoxon(with_t(n, item + 1)).p_less
    assert wilcoxon(with_t(n, two)).p_two_sided <= 0.05 < wilcoxon(with_t(n, two + 1)).p_two_sided


def test_the_textbook_example() -> None:
    """Hollander and Wolfe, table 3.1 (depression under a tranquilizer): T+ = 40, p = 0.0195."""
    before = [1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30]
    after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29]

    actual = wilcoxon(np.subtract(before, after))

    assert 40 == actual.t_plus
    assert math.isclose(10 / 2**9, actual.p_greater)


@settings(max_examples=30)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_turning_the_signs_swaps_the_sides(d: list[float]) -> None:
    """Less of d is greater of -d."""
    there, back = wilcoxon(d), wilcoxon([-v for v in d])

    assert math.isclose(there.p_less, back.p_greater, rel_tol=1e-9)
    assert math.isclose(there.p_greater, back.p_less, rel_tol=1e-9)


@pytest.mark.parametrize("n", [8, 300])
def test_no_differences_show_nothing(n: int) -> None:
    """All zero: p is 1 on either side, exact or not."""
    actual = wilcoxon([0.0] * n)

    assert (1.0, 1.0, 1.0) == (actual.p_less, actual.p_greater, actual.p_two_sided)


@pytest.mark.parametrize("bad", [[], [1.0, math.nan], [math.inf]])
def test_what_can_not_be_ranked_is_refused(bad: list[float]) -> None:
    """No differences, NaN and infinities are an error."""
    with pytest.raises(UsageError):
        wilcoxon(bad)
