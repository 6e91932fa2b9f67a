"""Pairs: what is slower is found, what is not is not, and what is unknown never passes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.support.pair_noise import KINDS, Noise, sides
from veperf.core.errors import UsageError
from veperf.core.verdict import ChangeStatus, Severity
from veperf.stats.paired import PairedVerdict, compare_pairs

MIRRORED = {ChangeStatus.SLOWER: ChangeStatus.FASTER, ChangeStatus.FASTER: ChangeStatus.SLOWER}


def tried(kind: Noise, effect: float, n: int, trials: int = 400) -> list[PairedVerdict]:
    chance = np.random.default_rng(n)
    shifts = (kind(chance, n) + math.log1p(effect) for _ in range(trials))
    return [compare_pairs(*sides(d, chance)) for d in shifts]


def share(found: list[PairedVerdict], status: ChangeStatus) -> float:
    return sum(f.status is status for f in found) / len(found)


AT_MOST_ALPHA = 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


@pytest.mark.parametrize("kind", KINDS)
def test_errors_keep_to_alpha(kind: Noise) -> None:
    """At most 5 % (3 SE) slower at the smallest effect that counts, or ok at the margin."""
    assert share(tried(kind, 0.01, 14), ChangeStatus.SLOWER) <= AT_MOST_ALPHA
    assert share(tried(kind, 0.03, 14), ChangeStatus.OK) <= AT_MOST_ALPHA


@pytest.mark.parametrize("kind", KINDS)
def test_planted_slowdowns_are_found(kind: Noise) -> None:
    """19 in 20 slowdowns of 6 % are found by 24 pairs."""
    assert share(tried(kind, 0.06, 24), ChangeStatus.SLOWER) >= 0.95


def test_p_values_are_those_of_scipy() -> None:
    """Each hypothesis is the signed-rank test of the log ratios less its bound."""
    chance = np.random.default_rng(3)
    a = chance.lognormal(5, 0.1, 20)
    b = a * chance.lognormal(0.02, 0.03, 20)

    actual = compare_pairs(a, b)

    d = np.log(b / a)
    expected = [
        stats.wilcoxon(d - math.log(1.01), alternative="greater", method="exact").pvalue,
        stats.wilcoxon(d + math.log(1.01), alternative="less", method="exact").pvalue,
        stats.wilcoxon(d - math.log(1.03), alternative="less", method="exact").pvalue,
    ]
    np.testing.assert_allclose(expected, (actual.p_slower, actual.p_faster, actual.p_equivalent))


@settings(max_examples=60)
@given(st.floats(0.85, 1.2), st.integers(6, 30), st.integers(0, 1000))
def test_swapping_the_sides_mirrors_the_answer(effect: float, n: int, seed: int) -> None:
    """Slower becomes faster, p-values change places and the ratio is inverted."""
    chance = np.random.default_rng(seed)
    a, b = sides(chance.normal(math.log(effect), 0.02, n), chance)

    there, back = compare_pairs(a, b), compare_pairs(b, a)

    if there.status in MIRRORED or back.status in MIRRORED:
        assert MIRRORED[there.status] is back.status
    np.testing.assert_allclose((there.p_slower, there.p_faster), (back.p_faster, back.p_slower))
    np.testing.assert_allclose(
        (there.ratio, there.low, there.high), (1 / back.ratio, 1 / back.high, 1 / back.low)
    )


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 50), st.integers(1, 50)), min_size=6, max_size=20),
    st.floats(1e-6, 1e6),
    st.randoms(),
)
def test_neither_unit_nor_order_matters(
    pairs: list[tuple[int, int]], unit: float, shuffler: object
) -> None:
    """Small whole numbers, full of ties: scaled and shuffled they give the same p-values."""
    a, b = np.array(pairs, dtype=float).T
    shuffled = list(pairs)
    shuffler.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a Random
    c, d = np.array(shuffled, dtype=float).T * unit

    item, other = compare_pairs(a, b), compare_pairs(c, d)

    assert item.status is other.status
    np.testing.assert_allclose(
        (item.p_slower, item.p_faster, item.p_equivalent, item.ratio),
        (other.p_slower, other.p_faster, other.p_equivalent, other.ratio),
    )


@given(st.floats(0.8, 1.25), st.integers(0, 100))
def test_rates_are_judged_like_their_times(effect: float, seed: int) -> None:
    """``better="higher"`` on 1 / t says of the rate what ``lower`` says of t."""
    chance = np.random.default_rng(seed)
    a, b = sides(chance.normal(math.log(effect), 0.03, 12), chance)

    times, rates = compare_pairs(a, b), compare_pairs(1 / a, 1 / b, better="higher")

    assert times.status is rates.status
    np.testing.assert_allclose((times.ratio, times.p_slower), (rates.ratio, rates.p_slower))


@pytest.mark.parametrize(
    ("effect", "status", "severity"),
    [
        (1.0, "ok", "none"),
        (1.02, "slower", "warn"),
        (1.049, "slower", "warn"),
        (1.10, "slower", "fail"),
        (0.9, "faster", "none"),
    ],
)
def test_severity_is_of_the_whole_interval(effect: float, status: str, severity: str) -> None:
    """A failure only where even the interval's mild end is beyond 5 %."""
    base = np.random.default_rng(1).lognormal(5, 0.1, 12)

    actual = compare_pairs(base, base * effect)

    assert (status, severity) == (actual.status, actual.severity)


def test_an_interval_that_reaches_below_the_limit_only_warns() -> None:
    """7 % slower, but perhaps less than 5 %: a warning, or a failure past 3 %."""
    a, b = sides(np.linspace(-0.01, 0.15, 20), np.random.default_rng(2))

    actual = compare_pairs(a, b)

    assert actual.low < 1.05 < actual.ratio
    assert Severity.WARN is actual.severity
    assert Severity.FAIL is compare_pairs(a, b, fail_over=0.03).severity


@given(
    st.lists(st.floats(0.5, 2), min_size=6, max_size=12),
    st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0]),
    st.booleans(),
)
def test_what_has_no_ratio_never_passes(values: list[float], bad: float, in_base: bool) -> None:
    """One NaN, infinity, zero or negative value, however good the others look."""
    good, spoiled = [*values, 1.0], [*(v / 2 for v in values), bad]
    actual = compare_pairs(spoiled, good) if in_base else compare_pairs(good, spoiled)

    expected = "inconclusive" if math.isfinite(bad) else "error"

    assert expected == actual.status


@pytest.mark.parametrize("n", [0, 1, 5])
@pytest.mark.parametrize("factor", [0.1, 1.0, 9.0])
def test_too_few_never_pass_or_fail(n: int, factor: float) -> None:
    """With 5 pairs the smallest two-sided p is 0.0625."""
    assert compare_pairs([1.0] * n, [factor] * n).status is ChangeStatus.NOT_ENOUGH


def test_many_comparisons_need_many_pairs() -> None:
    """Nine pairs, all 10 % slower, are proof alone, but not among 45: 2^-9 is over 0.05 / 45."""
    a = np.linspace(1, 2, 9)

    assert compare_pairs(a, a * 1.1).status is ChangeStatus.SLOWER
    assert compare_pairs(a, a * 1.1, comparisons=45).status is ChangeStatus.NOT_ENOUGH
    assert compare_pairs(a, a, comparisons=45).status is ChangeStatus.OK


def test_extreme_values_are_ratios_like_others() -> None:
    """From the smallest to the largest number there is: no overflow, and slower."""
    actual = compare_pairs([5e-324] * 8, [1.7e308] * 8)

    assert (ChangeStatus.SLOWER, math.inf) == (actual.status, actual.ratio)


@pytest.mark.parametrize(
    "setting",
    [
        {"alpha": 0.0},
        {"alpha": math.nan},
        {"min_effect": -0.1},
        {"min_effect": 0.05},
        {"margin": math.inf},
        {"fail_over": 0.001},
        {"comparisons": 0},
        {"better": "less"},
    ],
)
def test_settings_out_of_range_are_refused(setting: dict[str, object]) -> None:
    """A negative effect, a margin below the effect and the like are mistakes, not choices."""
    with pytest.raises(UsageError):
        compare_pairs([1.0] * 6, [1.0] * 6, **setting)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    ("a", "b"), [([1.0], [1.0, 2.0]), ([[1.0]], [[1.0]]), (["fast"], [1.0]), (3.0, [1.0])]
)
def test_only_lists_of_equal_length_are_pairs(a: object, b: object) -> None:
    """Nothing is cut off, and tables, words and lone numbers are refused."""
    with pytest.raises(UsageError):
        compare_pairs(a, b)  # type: ignore[arg-type]  # wrong on purpose
