"""Decimals are exact, as Python's decimal and fractions are, and nothing else is accepted."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.bidding.decimals import (
    ATTO,
    MAX_ATTO,
    divide_half_even,
    format_decimal,
    parse_decimal,
)
from veperf.workloads.bidding.errors import DecimalError

EXACT = Context(prec=400, rounding=ROUND_HALF_EVEN)
NUMBERS = st.integers(0, MAX_ATTO) | st.integers(0, 10**20)


@given(st.integers(0, 10**70), st.text("0123456789", max_size=18))
def test_parsing_agrees_with_decimal(whole: int, fraction: str) -> None:
    """Every accepted text is the number that Python's decimal reads."""
    text = f"{whole}.{fraction}" if fraction else str(whole)

    assert int(EXACT.multiply(Decimal(text), Decimal(ATTO))) == parse_decimal(text)


@given(NUMBERS)
def test_writing_and_reading_again(atto: int) -> None:
    """All 18 places are written, and read again as the same number."""
    text = format_decimal(atto)

    assert 18 == len(text.partition(".")[2])
    assert Fraction(atto, ATTO) == Fraction(text)
    assert atto == parse_decimal(text)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "NaN", "nan", "sNaN", "inf", "-inf", "Infinity", "None", "0x10", "1_000"),
        *("-1", "+1", "-0", "1e3", "1E-3", "1.", ".5", ".", "1.2.3", "1,5", "01", "00", "01.5"),
        *(
            " 1",
            "1 ",
            "1\n",
            "1.5\n",
            "\t1",
            "1\0",
            "\uff11",
            "\u0663",
            "1.\u0663",
            "\u00b2",
            "\u00bd",
        ),
        *("0." + "0" * 19, "0." + "1" * 19, "1." + "0" * 1_000_000, "9" * 97, "9" * 1_000_000),
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    """Signs, exponents, spaces, other scripts' digits, a 19th place, endless texts."""
    with pytest.raises(DecimalError):
        parse_decimal(text)


@pytest.mark.parametrize("value", [None, 1, 1.5, True, b"1", Decimal(1), ["1"]])
def test_only_texts_are_parsed(value: object) -> None:
    """A number is rejected: it may have been a float."""
    with pytest.raises(DecimalError):
        parse_decimal(value)  # type: ignore[arg-type]  # the wrong type is the point


def test_the_largest_number() -> None:
    """315 bits are accepted, as by LegacyDec; one unit more is neither read nor written."""
    largest = format_decimal(MAX_ATTO)
    whole, _, fraction = largest.partition(".")

    assert 315 == parse_decimal(largest).bit_length()
    with pytest.raises(DecimalError):
        parse_decimal(f"{whole}.{int(fraction) + 1:018d}")
    with pytest.raises(DecimalError):
        format_decimal(MAX_ATTO + 1)
    with pytest.raises(DecimalError):
        format_decimal(-1)


@given(NUMBERS, st.sampled_from([2, 10, 100, ATTO]))
def test_rounding_agrees_with_decimal_and_fractions(number: int, divisor: int) -> None:
    """Half to even, as Python rounds fractions and decimals."""
    quotient = EXACT.divide(Decimal(number), Decimal(divisor))

    assert round(Fraction(number, divisor)) == divide_half_even(number, divisor)
    assert int(quotient.to_integral_value(ROUND_HALF_EVEN)) == divide_half_even(number, divisor)


@given(st.integers(0, 10**30), st.sampled_from([-1, 0, 1]), st.sampled_from([2, 100, ATTO]))
def test_rounding_next_to_a_half(quotient: int, off: int, divisor: int) -> None:
    """One below a half goes down, one above goes up, a half goes to the even side."""
    number = quotient * divisor + divisor // 2 + off

    assert round(Fraction(number, divisor)) == divide_half_even(number, divisor)
