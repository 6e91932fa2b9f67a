"""Prices are those of VirtEngine's bid engine, computed in fractions."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from veperf.workloads.bidding.decimals import ATTO, MAX_ATTO, format_decimal
from veperf.workloads.bidding.errors import PriceError
from veperf.workloads.bidding.pricing import parse_rates, price_atto
from veperf.workloads.bidding.providers import Pricing, Resources

ATTOS = st.integers(0, 3 * ATTO) | st.sampled_from([0, 1, ATTO // 2, ATTO - 1, ATTO + 1, 10**30])
AMOUNTS = st.integers(0, 1_000) | st.just(10**15)
RESOURCES = st.builds(Resources, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)


def pricing(*attos: int) -> Pricing:
    return Pricing("uve", *[format_decimal(atto) for atto in attos])


def rounded(number: Fraction) -> Fraction:
    """Round to 18 places, half to even, by Python's rounding of fractions."""
    return Fraction(round(number * ATTO), ATTO)


def model(resources: Resources, prices: Pricing) -> Fraction:
    """Return the price by the module's formula, in fractions."""
    total = (
        resources.cpu_cores * Fraction(prices.cpu_core)
        + resources.memory_gb * Fraction(prices.memory_gb)
        + resources.storage_gb * Fraction(prices.storage_gb)
        + resources.gpus * Fraction(prices.gpu)
    )
    factor = 1 + rounded(Fraction(prices.markup_percent) / 100)
    return max(rounded(total * factor), Fraction(prices.minimum))


@given(RESOURCES, st.builds(pricing, *[ATTOS] * 6))
@example(Resources(1), pricing(1, 0, 0, 0, 50 * ATTO, 0))  # 1.5 units go to 2
@example(Resources(1), pricing(3, 0, 0, 0, 50 * ATTO, 0))  # 4.5 to 4
@example(Resources(1), pricing(ATTO, 0, 0, 0, 50, 0))  # a markup of half a unit goes to 0
@example(Resources(1), pricing(ATTO, 0, 0, 0, 150, 0))  # of 1.5 units to 2
def test_prices_are_exact(resources: Resources, prices: Pricing) -> None:
    """All 18 places are right, ties included."""
    expected = model(resources, prices)

    if expected:
        assert expected == Fraction(price_atto(resources, parse_rates(prices)), ATTO)
    else:
        with pytest.raises(PriceError):
            price_atto(resources, parse_rates(prices))


@given(RESOURCES, st.builds(pricing, *[ATTOS] * 4), st.integers(0, 10**18))
def test_a_markup_of_16_places_is_rounded_once(
    resources: Resources, prices: Pricing, hundredths: int
) -> None:
    """So computing the price in one step gives the same."""
    rates = parse_rates(
        Pricing(
            "uve",
            prices.cpu_core,
            prices.memory_gb,
            prices.storage_gb,
            prices.gpu,
            format_decimal(100 * hundredths),
            format_decimal(1),
        )
    )
    exact = model(resources, prices) * (1 + Fraction(hundredths, ATTO))

    assert max(rounded(exact), Fraction(1, ATTO)) == Fraction(price_atto(resources, rates), ATTO)


def test_the_prices_of_virtengines_benchmark() -> None:
    """4 cores, 8 GB, 100 GB at 0.1, 0.05 and 0.01 and 10 %: 1.98; four times one GPU's 1 is 4.4."""
    prices = Pricing("uvirt", "0.1", "0.05", "0.01", "1.0", "10", "0.001")

    assert "1.980000000000000000" == format_decimal(
        price_atto(Resources(4, 8, 100), parse_rates(prices))
    )
    assert "4.400000000000000000" == format_decimal(
        price_atto(Resources(gpus=4), parse_rates(prices))
    )


def test_the_minimum_is_not_undercut_nor_marked_up() -> None:
    """It alone is the price if the resources cost less."""
    prices = Pricing("uve", "0.1", "0", "0", "0", "50", "0.3")

    assert 3 * 10**17 == price_atto(Resources(0), parse_rates(prices))
    assert 3 * 10**17 == price_atto(Resources(2), parse_rates(prices))
    assert 45 * 10**16 == price_atto(Resources(3), parse_rates(prices))


def test_a_price_beyond_all_bounds() -> None:
    """It is rejected, not wrapped around."""
    with pytest.raises(PriceError):
        price_atto(Resources(2), parse_rates(pricing(MAX_ATTO, 0, 0)))
    assert MAX_ATTO == price_atto(Resources(1), parse_rates(pricing(MAX_ATTO, 0, 0)))
