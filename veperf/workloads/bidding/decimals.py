"""Exact decimals with 18 places, as the Cosmos SDK's ``LegacyDec``: integers of 1e-18 ("atto").

No float is involved. Unlike ``LegacyNewDecFromStr`` the parser accepts a single notation of a
number: no sign, no leading zeros, no omitted digits around the point.
"""

import re
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from veperf.workloads.bidding.errors import DecimalError

PLACES = 18
ATTO = 10**PLACES
"""One, in units of 1e-18."""
MAX_ATTO = (1 << 315) - 1
"""The largest number: ``LegacyDec`` holds 315 bits."""

_NUMBER = re.compile(r"(0|[1-9][0-9]*)(?:\.([0-9]{1,18}))?")
_MAX_LENGTH = 96  # digits of MAX_ATTO, and the point
_MAX_QUOTED = 40

# An integer, or a numpy array of Python integers, element by element.
Integers = TypeVar("Integers", int, NDArray[np.object_])


def parse_decimal(text: str) -> int:
    """Parse the decimal ``text`` into units of 1e-18: ``"1.5"`` gives 1500000000000000000.

    Raises:
        DecimalError: it is not digits with, optionally, a point and 1 to 18 digits after it (so
            not NaN, infinite, negative, with an exponent), or the number is over ``MAX_ATTO``.
    """
    if not isinstance(text, str):
        raise DecimalError(f"a decimal must be a text, not {type(text).__name__}")
    match = _NUMBER.fullmatch(text) if len(text) <= _MAX_LENGTH else None
    if match is None:
        raise DecimalError(
            f"{text[:_MAX_QUOTED]!r} is not a decimal: digits, at most {PLACES} after a point"
        )
    whole, fraction = match.groups("")
    atto: int = int(whole) * ATTO + int(fraction.ljust(PLACES, "0"))
    if atto > MAX_ATTO:
        raise DecimalError(f"{text[:_MAX_QUOTED]!r} is too large: over 315 bits in units of 1e-18")
    return atto


def format_decimal(atto: int) -> str:
    """Format ``atto`` units of 1e-18 with all 18 places, as ``LegacyDec.String`` does.

    Raises:
        DecimalError: the number is negative or over ``MAX_ATTO``.
    """
    if not 0 <= atto <= MAX_ATTO:
        raise DecimalError("only numbers from 0 to 315 bits of 1e-18 can be formatted")
    whole, fraction = divmod(atto, ATTO)
    return f"{whole}.{fraction:018d}"


def divide_half_even(number: Integers, divisor: int) -> Integers:
    """Divide to the nearest integer, a half to the even one (banker's rounding).

    For a number of at least 0 and an even divisor. ``LegacyDec`` calls it
    ``chopPrecisionAndRound``; with q = floor(n/d) the remainder must exceed d/2, or reach it where
    q is odd: then, and only then, floor((n + d/2 - 1 + q mod 2) / d) is q + 1.
    """
    rounded: Integers = (number + (divisor // 2 - 1) + (number // divisor) % 2) // divisor
    return rounded
