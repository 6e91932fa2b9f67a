"""A provider's exact price for an order, with 18 places, as VirtEngine's bid engine computes it.

::

    total  = sum of amount * unit price           exact
    factor = 1 + markup_percent / 100             rounded to 18 places, half to even
    price  = max(total * factor, minimum)         rounded to 18 places, half to even

That is ``calculateBidPrice`` of VirtEngine's provider daemon with ``LegacyDec``'s Mul and Quo,
which round half to even. A markup of up to 16 places loses nothing at the first rounding, so the
price is then rounded only once. A price of zero is invalid.
"""

from msgspec import Struct

from veperf.workloads.bidding.decimals import (
    ATTO,
    MAX_ATTO,
    Integers,
    divide_half_even,
    parse_decimal,
)
from veperf.workloads.bidding.errors import PriceError
from veperf.workloads.bidding.providers import Pricing, Resources


class Rates(Struct, frozen=True):
    """A provider's pricing in units of 1e-18."""

    cpu_core: int
    memory_gb: int
    storage_gb: int
    gpu: int
    factor: int
    """1 + markup / 100."""
    minimum: int


def parse_rates(pricing: Pricing) -> Rates:
    """Parse ``pricing`` into integers."""
    return Rates(
        parse_decimal(pricing.cpu_core),
        parse_decimal(pricing.memory_gb),
        parse_decimal(pricing.storage_gb),
        parse_decimal(pricing.gpu),
        ATTO + divide_half_even(parse_decimal(pricing.markup_percent), 100),
        parse_decimal(pricing.minimum),
    )


def apply_markup(total: Integers, factor: Integers) -> Integers:
    """Return ``total`` * ``factor``, both in units of 1e-18, rounded half to even."""
    return divide_half_even(total * factor, ATTO)


def price_atto(resources: Resources, rates: Rates) -> int:
    """Return the price of ``resources`` an hour, in units of 1e-18.

    Raises:
        PriceError: the price is zero, or over ``MAX_ATTO``.
    """
    total = (
        resources.cpu_cores * rates.cpu_core
        + resources.memory_gb * rates.memory_gb
        + resources.storage_gb * rates.storage_gb
        + resources.gpus * rates.gpu
    )
    price = max(apply_markup(total, rates.factor), rates.minimum)
    if not 0 < price <= MAX_ATTO:
        raise PriceError("a price of zero" if price == 0 else "a price over 315 bits of 1e-18")
    return price
