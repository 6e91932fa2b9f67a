"""Prices are those of VirtEngine's bid engine, worked out here in fractions."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from veperf.workloads.bidding.decimals import ATTO, MAX_ATTO, format_decimal
from veperf.workloads.bidding.errors import PriceError
from veperf.workloads.bidding.pricing import price_atto, rates_of
from veperf.workloads.bidding.providers import Pricing, Resources

ATTOS = st.integers(0, 3 * ATTO) | st.sampled_from([0, 1, ATTO // 2, ATTO - 1, ATTO + 1, 10**30])
AMOUNTS = st.integers(0, 1_000) | st.just(10**15)
RESOURCES = st.builds(Resources, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)


def pricing(*attos: int) -> Pricing:
    return Pricing("uve", *[format_decimal(atto) for atto in attos])


def rounded(number: Fraction) -> Fraction:
    """To 18 places, half to even: Python's own rounding of fractions."""
    return Fraction(round(number * ATTO), ATTO)


def model(wanted: Resources, prices: Pricing) -> Fraction:
    """The formula of the module, in fractions."""
    total = (
        wanted.cpu_cores * Fraction(prices.cpu_core)
        + wanted.memory_gb * Fraction(prices.memory_gb)
        + wanted.storage_gb * Fraction(prices.storage_gb)
        + wanted.gpus * Fraction(prices.gpu)
    )
    factor = 1 + rounded(Fraction(prices.markup_percent) / 100)
    return max(rounded(total * factor), Fraction(prices.minimum))


@given(RESOURCES, st.builds(pricing, *[ATTOS] * 6))
@example(Resources(1), pricing(1, 0, 0, 0, 50 * ATTO, 0))  # 1.5 units go to 2
@example(Resources(1), pricing(3, 0, 0, 0, 50 * ATTO, 0))  # 4.5 to 4
@example(Resources(1), pricing(ATTO, 0, 0, 0, 50, 0))  # a markup of half a unit goes to 0
@example(Resources(1), pricing(ATTO, 0, 0, 0, 150, 0))  # of 1.5 units to 2
def test_prices_are_exact(wanted: Resources, prices: Pricing) -> None:
    """To the last of 18 places, ties included."""
    expected = model(wanted, prices)

    if expected:
        assert expected == Fraction(price_atto(wanted, rates_of(prices)), ATTO)
    else:
        with pytest.raises(PriceError):
            price_atto(wanted, rates_of(prices))


@given(RESOURCES, st.builds(pricing, *[ATTOS] * 4), st.integers(0, 10**18))
def test_a_markup_of_16_places_is_rounded_once(
    wanted: Resources, prices: Pricing, hundredths: int
) -> None:
    """So that nobody who works it out in one go gets another price."""
    rates = rates_of(
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
    exact = model(wanted, prices) * (1 + Fraction(hundredths, ATTO))

    assert max(rounded(exact), Fraction(1, ATTO)) == Fraction(price_atto(wanted, rates), ATTO)


def test_the_prices_of_virtengines_benchmark() -> None:
    """4 cores, 8 GB, 100 GB at 0.1, 0.05 and 0.01 and 10 %: 1.98; four times one GPU's 1 is 4.4."""
    prices = Pricing("uvirt", "0.1", "0.05", "0.01", "1.0", "10", "0.001")

    assert "1.980000000000000000" == format_decimal(
        price_atto(Resources(4, 8, 100), rates_of(prices))
    )
    assert "4.400000000000000000" == format_decimal(price_atto(Resources(gpus=4), rates_of(prices)))


def test_the_minimum_is_not_undercut_nor_marked_up() -> None:
    """It is the price where the resources cost less, and it only."""
    prices = Pricing("uve", "0.1", "0", "0", "0", "50", "0.3")

    assert 3 * 10**17 == price_atto(Resources(0), rates_of(prices))
    assert 3 * 10**17 == price_atto(Resources(2), rates_of(prices))
    assert 45 * 10**16 == price_atto(Resources(3), rates_of(prices))


def test_a_price_beyond_all_bounds() -> None:
    """Is refused, not wrapped around."""
    with pytest.raises(PriceError):
        price_atto(Resources(2), rates_of(pricing(MAX_ATTO, 0, 0)))
    assert MAX_ATTO == price_atto(Resources(1), rates_of(pricing(MAX_ATTO, 0, 0)))
