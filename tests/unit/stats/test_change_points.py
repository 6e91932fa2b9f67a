"""Steps in a series are found where they are, and nothing is found where there is none."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import signal, stats

from veperf.core.errors import UsageError
from veperf.stats.change_points import change_points, change_points_of

Floats = NDArray[np.float64]
Series = Callable[[np.random.Generator, int], Floats]


def white(chance: np.random.Generator, n: int) -> Floats:
    return chance.normal(0, 0.01, n)


def autoregressive(chance: np.random.Generator, n: int) -> Floats:
    """First order, autocorrelation 0.5, deviation 1 %."""
    shocks = chance.normal(0, 0.01 * math.sqrt(0.75), n + 100)
    actual: Floats = np.asarray(signal.lfilter([1], [1, -0.5], shocks)[100:], dtype=np.float64)
    return actual


def heavy_tails(chance: np.random.Generator, n: int) -> Floats:
    return np.clip(chance.standard_t(1, n), -300, 300) * 0.01


def spikes(chance: np.random.Generator, n: int) -> Floats:
    """One value in ten is late by some 50 %."""
    return white(chance, n) + (chance.random(n) < 0.1) * chance.exponential(0.5, n)


def two_modes(chance: np.random.Generator, n: int) -> Floats:
    return chance.normal(0, 0.003, n) + 0.05 * (chance.random(n) < 0.4)


def whole_numbers(chance: np.random.Generator, n: int) -> Floats:
    """Counts of about 20: nearly all values tie."""
    return np.log(np.round(20 * np.exp(chance.normal(0, 0.02, n))))


def season(chance: np.random.Generator, n: int) -> Floats:
    """A wave of 4 % up and down over 150 values."""
    return white(chance, n) + 0.04 * np.sin(np.arange(n) * 2 * np.pi / 150)


def trend(chance: np.random.Generator, n: int) -> Floats:
    """20 % more by the end."""
    return white(chance, n) + 0.2 * np.arange(n) / n


FREE = (white, autoregressive, heavy_tails, spikes, two_modes, whole_numbers, season, trend)


@pytest.mark.slow
@pytest.mark.parametrize("kind", FREE)
def test_nothing_is_found_where_there_is_no_step(kind: Series) -> None:
    """30 series of 300 values and one of 5,000: not one change point."""
    chance = np.random.default_rng(12)
    lengths = [300] * 30 + [5_000]

    actual = change_points_of([100 * np.exp(kind(chance, n)) for n in lengths])

    assert [()] * len(lengths) == actual


@pytest.mark.parametrize("side", [25, 40])
def test_steps_of_three_percent_are_found_in_place(side: int) -> None:
    """Nine in ten and more, up and down, at most 5 places off and 0.5 on average."""
    chance = np.random.default_rng(side)
    many = []
    for _ in range(100):
        step = math.log(1.03) * chance.choice([-1, 1])
        y = white(chance, 2 * side) + step * (np.arange(2 * side) >= side)
        many.append(np.exp(y))
    off = [abs(point.index - side) for points in change_points_of(many) for point in points]

    assert 90 <= len(off) <= 100
    assert max(off) <= 5
    assert np.mean(off) < 0.5


def test_many_steps_are_told_apart() -> None:
    """A staircase of 40 steps, 25 values apart, is found step by step."""
    chance = np.random.default_rng(6)
    levels = np.concatenate([[0.0], np.cumsum(chance.choice([-0.03, 0.03], 40))])
    y = white(chance, 41 * 25) + np.repeat(levels, 25)

    actual = [p.index for p in change_points(np.exp(y))]

    assert 40 == len(actual)
    assert max(abs(i - 25 * k) for k, i in enumerate(actual, 1)) <= 2


@pytest.mark.parametrize(("before", "after"), [(27, 5), (20, 6), (13, 8), (11, 10), (500, 5)])
def test_a_late_step_shows_as_soon_as_it_can(before: int, after: int) -> None:
    """Where the segments are just long enough for a Mann-Whitney p below 1e-5."""
    y = white(np.random.default_rng(before), before + after)
    y[before:] += 0.04

    assert [before] == [p.index for p in change_points(np.exp(y))]
    if before < 100:
        assert () == change_points(np.exp(y[1:]))
        assert () == change_points(np.exp(y[:-1]))


TENFOLD_CHANGES = {
    "noise that seems correlated": (
        "7020 7070 7790 7400 7200 7520 7390 7040 7090 6890 6830 6750 6980 6850 7100 7160 7090 7010 "
        "740 748 731 722 747 718 742 734"
    ),
    "independent noise": (
        "8490 8350 8570 9290 8500 9160 9510 8680 8470 8760 8470 8290 8390 8310 8480 8470 8750 8900 "
        "888 848 876 862 850 851 866 874"
    ),
}
"""Medians of 18 runs of a benchmark, and of 8 after a change, as they were measured."""


@pytest.mark.parametrize("kind", TENFOLD_CHANGES)
def test_a_tenfold_step_is_one_whatever_the_noise_seems(kind: str) -> None:
    """Ranks alone can't reach 1e-5 once they are thought correlated."""
    values = [float(word) for word in TENFOLD_CHANGES[kind].split()]

    assert [18] == [p.index for p in change_points(values)]
    assert [8] == [p.index for p in change_points(values[::-1])]


@pytest.mark.parametrize("factor", [1.2, 1.5, 10.0, 0.1])
@pytest.mark.parametrize(("before", "after"), [(10, 5), (15, 5), (9, 6), (7, 7), (18, 20)])
def test_steps_far_beyond_the_noise_need_few_values(before: int, after: int, factor: float) -> None:
    """10 and 5, 9 and 6, 7 and 7 values: where chance can't have made the gap between them."""
    y = white(np.random.default_rng(31), before + after)
    y[before:] += math.log(factor)

    assert [before] == [p.index for p in change_points(np.exp(y))]


def test_a_large_step_in_correlated_noise_is_found() -> None:
    """Ten times more amid autocorrelation 0.8, one value of forty an outlier on either side."""
    shocks = np.random.default_rng(12).normal(0, 0.01, 280)
    y = signal.lfilter([1], [1, -0.8], shocks)[200:]
    y[40:] += math.log(10)
    y[[20, 60]] = y[[60, 20]]

    assert [40] == [p.index for p in change_points(np.exp(y))]


def test_modes_that_chance_sorts_are_no_step() -> None:
    """Two modes a factor 2 apart, in any of 16 values: 1 series in 500, and none of 30 values."""
    chance = np.random.default_rng(13)
    many = {
        n: [np.exp(0.7 * chance.integers(0, 2, n) + chance.normal(0, 0.01, n)) for _ in range(150)]
        for n in (16, 30)
    }

    assert sum(map(bool, change_points_of(many[16]))) <= 2
    assert not any(change_points_of(many[30]))


@pytest.mark.parametrize("n", [3, 5, 8])
def test_a_few_values_are_outliers_if_the_old_level_returns(n: int) -> None:
    """A bad hour is no new level."""
    y = white(np.random.default_rng(1), 200)
    y[100 : 100 + n] += 0.3

    assert () == change_points(np.exp(y))


def test_what_is_reported_of_a_step() -> None:
    """Place, levels and p as other means give them; the interval holds the planted ratio."""
    y = white(np.random.default_rng(3), 120)
    y[70:] += math.log(1.03)
    values = 250 * np.exp(y)

    (actual,) = change_points(values)

    assert 70 == actual.index
    medians = np.median(values[:70]), np.median(values[70:])
    np.testing.assert_allclose(medians, (actual.before, actual.after), rtol=1e-3)
    assert actual.low < 1.03 < actual.high
    assert 1.02 < actual.ratio < 1.04
    p = stats.mannwhitneyu(y[:70], y[70:], method="asymptotic", use_continuity=False).pvalue
    np.testing.assert_allclose(p, actual.p)


def test_correlated_noise_weakens_the_evidence() -> None:
    """The same step in noise with autocorrelation 0.7 has a larger p than its ranks alone say."""
    shocks = np.random.default_rng(2).normal(0, 0.005, 600)
    y = signal.lfilter([1], [1, -0.7], shocks)[200:]
    y[200:] += 0.025

    (actual,) = change_points(np.exp(y))

    p = stats.mannwhitneyu(y[:200], y[200:], method="asymptotic").pvalue
    assert p**0.6 < actual.p < 1e-5


def test_small_steps_do_not_matter() -> None:
    """1.5 % is found only if asked for."""
    y = np.random.default_rng(3).normal(0, 0.003, 200)
    y[100:] += math.log(1.015)

    assert () == change_points(np.exp(y))
    assert 1 == len(change_points(np.exp(y), min_effect=0.01))


def test_what_is_no_value_is_left_out_but_counted() -> None:
    """NaN, infinities, zeros and negative values: the index is that of the whole series."""
    y = np.exp(white(np.random.default_rng(3), 100))
    y[60:] *= 1.2
    y[[0, 5, 30, 59, 61, 80]] = [math.nan, math.inf, 0.0, -1.0, -math.inf, math.nan]

    assert [60] == [p.index for p in change_points(y)]


@settings(max_examples=25)
@given(st.integers(-200, 200), st.integers(0, 50))
def test_the_unit_does_not_matter(exponent: int, seed: int) -> None:
    """Nanoseconds or years: the same places and ratios."""
    chance = np.random.default_rng(seed)
    y = np.exp(white(chance, 150) + 0.05 * (np.arange(150) >= chance.integers(30, 120)))

    item, other = change_points(y), change_points(y * 2.0**exponent)

    assert [p.index for p in item] == [p.index for p in other]
    np.testing.assert_allclose([p.ratio for p in item], [p.ratio for p in other])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(), max_size=80))
def test_any_numbers_are_taken(values: list[float]) -> None:
    """Whatever the numbers: no crash, and each place is in the series and a value."""
    actual = [p.index for p in change_points(values)]

    assert sorted(set(actual)) == actual
    assert all(0 < i < len(values) and 0 < values[i] < math.inf for i in actual)


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ([], []),
        ([1.0], []),
        ([7.0] * 200, []),
        ([1.0, 2.0] * 100, []),
        ([math.nan] * 50, []),
        ([5.0] * 40 + [6.0] * 40, [40]),
        ([1e-308] * 40 + [1e308] * 40, [40]),
    ],
)
def test_series_without_noise(series: list[float], expected: list[int]) -> None:
    """Constants have steps or none; what alternates has none."""
    assert expected == [p.index for p in change_points(series)]


def test_long_series_are_searched_in_parts_without_a_seam() -> None:
    """Steps all over 12,000 values, wherever the parts meet: each found once."""
    places = [1_000, 3_795, 4_000, 7_399, 11_990]
    y = white(np.random.default_rng(4), 12_000)
    for i, place in enumerate(places):
        y[place:] += 0.05 * (-1) ** i

    assert places == [p.index for p in change_points(np.exp(y))]


@pytest.mark.parametrize("setting", [{"alpha": 0.0}, {"alpha": math.nan}, {"min_effect": -1.0}])
def test_settings_out_of_range_are_refused(setting: dict[str, float]) -> None:
    """An alpha that is no probability, an effect below zero."""
    with pytest.raises(UsageError):
        change_points([1.0] * 30, **setting)


@pytest.mark.parametrize("series", [[[1.0]], 3.0, ["fast"]])
def test_only_plain_lists_of_numbers_are_series(series: object) -> None:
    """A table, a lone number or words are refused."""
    with pytest.raises(UsageError):
        change_points(series)  # type: ignore[arg-type]  # wrong on purpose
