"""Power laws and degradation rules: against scipy, known curves, and simulated processes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from veperf.core.errors import UsageError
from veperf.stats import power_law
from veperf.stats.degradation import judge_degradation
from veperf.stats.power_law import fit_power_law

SIZES = [1e3, 1e4, 1e5]


@pytest.fixture
def scipy_quantiles(monkeypatch):
    """The quantiles of scipy, which are the same, in the thousands of fits of a simulation."""
    monkeypatch.setattr(power_law, "t_quantile", lambda p, freedom: special.stdtrit(freedom, p))


def _noisy(random, costs, counts, deviation, shared=0.0):
    common = random.normal(0, shared, max(counts))
    return [
        cost * np.exp(random.normal(0, deviation, count) + common[:count])
        for cost, count in zip(costs, counts, strict=True)
    ]


@pytest.mark.parametrize("power", [-1.0, 0.0, 0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_law_is_found(power):
    """Points on y = 3 x^b give b back, and nothing is far from the law; 0 is no growth."""
    law = fit_power_law([1, 10, 100], [[3 * x**power] * 3 for x in (1, 10, 100)])

    assert law is not None
    assert power == pytest.approx(law.exponent.value, abs=1e-12)
    assert 1.0 == pytest.approx(law.largest_error)
    assert 10**power == pytest.approx(law.ratio_at(10).value)
    assert (abs(power) > 0) == (abs(law.exponent.value) > 1e-12)


def test_with_two_sizes_the_interval_is_that_of_welch():
    """The slope between two sizes is a difference of means: scipy has its interval."""
    random = np.random.default_rng(3)
    small, large = random.lognormal(0, 0.1, 6), random.lognormal(1, 0.3, 4)

    law = fit_power_law([10, 1_000], [small, large])
    test = stats.ttest_ind(np.log(large), np.log(small), equal_var=False)
    interval = test.confidence_interval(0.95)

    assert law is not None
    assert interval.low / math.log(100) == pytest.approx(law.exponent.low)
    assert interval.high / math.log(100) == pytest.approx(law.exponent.high)


@pytest.mark.usefixtures("scipy_quantiles")
@pytest.mark.parametrize(
    ("costs", "counts", "shared", "least", "most"),
    [
        ([1.0, 10.0, 100.0], [6, 3, 3], 0.0, 0.93, 0.97),
        ([1.0, 10.0, 100.0], [6, 6, 6], 0.0, 0.935, 0.97),
        ([1.0, 1.0, 1.0], [6, 3, 3], 0.0, 0.93, 0.97),
        ([4.0, 13.0, 103.0], [6, 6, 6], 0.0, 0.935, 0.97),  # a fixed cost: the line's own slope
        ([1.0, 10.0, 100.0], [6, 6, 6], 0.05, 0.95, 1.0),  # what a process has in common cancels
    ],
)
def test_the_interval_covers_the_exponent_as_often_as_it_says(costs, counts, shared, least, most):
    """In 95 % of 2,000 simulated runs, whose processes differ by 3 %; more if they share noise."""
    random = np.random.default_rng(7)
    truth = stats.linregress(np.log(SIZES), np.log(costs)).slope
    covered = 0
    for _ in range(2_000):
        law = fit_power_law(SIZES, _noisy(random, costs, counts, 0.03, shared))
        assert law is not None
        covered += law.exponent.low <= truth <= law.exponent.high

    assert least <= covered / 2_000 <= most


@pytest.mark.usefixtures("scipy_quantiles")
def test_growth_is_shown_as_rarely_by_chance_as_the_interval_says():
    """Costs that don't depend on size show growth in 5 % of runs, on average."""
    random = np.random.default_rng(11)
    laws = [fit_power_law(SIZES, _noisy(random, [5.0] * 3, [6, 6, 6], 0.05)) for _ in range(2_000)]

    assert 0.03 <= sum(law is not None and law.shows_growth for law in laws) / 2_000 <= 0.07


@pytest.mark.parametrize(
    ("sizes", "values"),
    [
        ([10], [[1.0, 2.0]]),
        ([10, 10], [[1.0, 2.0], [1.0, 2.0]]),
        ([10, 100], [[1.0], [1.0, 2.0]]),
        ([10, 100], [[1.0, 0.0], [1.0, 2.0]]),
        ([10, 100], [[1.0, math.nan], [1.0, 2.0]]),
        ([0, 100], [[1.0, 2.0], [1.0, 2.0]]),
    ],
)
def test_without_an_interval_there_is_no_exponent(sizes, values):
    """One size, one value at a size, or something that has no logarithm."""
    assert fit_power_law(sizes, values) is None
    assert judge_degradation(sizes, values, at_most=10) is None


@settings(max_examples=25)
@given(
    st.lists(st.integers(1, 10**9), min_size=2, max_size=6, unique=True),
    st.floats(0.1, 10),
    st.floats(0.1, 10),
    st.randoms(),
)
def test_units_do_not_matter(sizes, cost_unit, size_unit, random):
    """The exponent is the same in whatever units sizes and costs are."""
    values = [[random.uniform(1, 2) for _ in range(3)] for _ in sizes]
    law = fit_power_law(sizes, values)
    scaled = fit_power_law(
        [size * size_unit for size in sizes], [[v * cost_unit for v in vs] for vs in values]
    )

    assert law is not None
    assert scaled is not None
    width = law.exponent.high - law.exponent.low
    assert law.exponent.value == pytest.approx(scaled.exponent.value, abs=1e-6 * width + 1e-9)
    assert width == pytest.approx(scaled.exponent.high - scaled.exponent.low, rel=1e-6)


def _steady(cost_of, sizes):
    return [[cost_of(size) * factor for factor in (0.99, 1.0, 1.01)] for size in sizes]


@pytest.mark.parametrize(
    ("cost_of", "at_most", "status"),
    [
        (lambda n: n, 12, "within"),
        (lambda n: n, 8, "beyond"),
        (lambda n: n, 10, "inconclusive"),  # exactly on the limit: nobody can tell
        (lambda n: math.log(n), 2, "within"),
        (lambda n: 1e7 + n * n, 50, "beyond"),  # flat first, then the square
        (lambda n: 1.0, 1.5, "within"),
    ],
)
def test_a_degradation_rule_is_decided_by_the_worst_tenfold_growth(cost_of, at_most, status):
    """Each size against the one ten times as large; a law through all would hide what explodes."""
    sizes = [1e5, 1e3, 1e4]
    degradation = judge_degradation(sizes, _steady(cost_of, sizes), at_most=at_most)

    assert degradation is not None
    assert status == degradation.status
    assert [(1e3, 1e4), (1e4, 1e5)] == [(g.smaller, g.larger) for g in degradation.growths]
    exact = [cost_of(1e4) / cost_of(1e3), cost_of(1e5) / cost_of(1e4)]
    assert exact == pytest.approx([g.ratio.value for g in degradation.growths])


def test_sizes_less_than_ten_times_apart_are_extended_and_more_brought_back():
    """2 and 4 times the cost at 2 and 4 times the size, 100 at 100: each is 10 at 10 times."""
    for sizes in ([100, 200, 400], [1, 100]):
        degradation = judge_degradation(sizes, _steady(lambda n: n, sizes), at_most=20)
        assert degradation is not None
        (growth,) = degradation.growths
        assert (sizes[0], sizes[-1]) == (growth.smaller, growth.larger)
        assert 10 == pytest.approx(growth.ratio.value)


@pytest.mark.usefixtures("scipy_quantiles")
def test_a_rule_that_holds_is_rarely_called_broken():
    """Costs exactly at the limit: beyond it in at most 2.5 % of runs, whatever the comparisons."""
    random = np.random.default_rng(5)
    statuses = [
        judge_degradation(SIZES, _noisy(random, [1, 10, 100], [6, 6, 6], 0.05), at_most=10)
        for _ in range(1_000)
    ]
    count = sum(d is not None and d.status == "beyond" for d in statuses)

    assert count <= 45


@pytest.mark.parametrize(("at_most", "size_ratio"), [(0, 10), (-1, 10), (2, 1), (math.inf, 10)])
def test_a_rule_that_makes_no_sense_is_refused(at_most, size_ratio):
    """A limit that is not positive, or the same size."""
    with pytest.raises(UsageError):
        judge_degradation([1, 10], [[1.0, 2.0], [1.0, 2.0]], at_most=at_most, size_ratio=size_ratio)
