"""One order against all providers of a table: who can serve it, for how much, who is cheapest.

The columns are gone through whole, with numpy; prices are worked out only for those that are left,
in Python integers, so that no float ever decides.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from veperf.workloads.bidding.columns import NONE, Columns, Kind
from veperf.workloads.bidding.decimals import MAX_ATTO
from veperf.workloads.bidding.orders import Order
from veperf.workloads.bidding.pricing import marked_up
from veperf.workloads.bidding.table import ProviderTable

Rows = NDArray[np.intp]
_NOBODY: Rows = np.empty(0, dtype=np.intp)
_NOBODY.flags.writeable = False


class Quote(Struct, frozen=True, order=True):
    """What one provider asks; cheaper ones, then those with lower ids (by code point), first."""

    price_atto: int
    """An hour, in units of 1e-18."""
    provider: str


def match(table: ProviderTable, order: Order, now_ns: int) -> Rows:
    """The rows of the providers that could serve ``order``, whatever their price.

    They are active, sell the offering in the order's currency, are in the region, have enough
    free of every resource, GPUs of the right type, and every attribute that the order asks for.
    An expired order has none.
    """
    if order.has_expired(now_ns):
        return _NOBODY
    wanted = [(kind, table.number(kind, name)) for kind, name in _wanted(order)]
    if any(number == NONE for _, number in wanted):
        return _NOBODY
    columns = table.columns
    size = columns.size
    fits = columns.active[:size].copy()
    for free, amount in zip(columns.free, order.resources.amounts, strict=True):
        # Of a resource that it does not ask for there may be less than none.
        if amount:
            fits &= free[:size] >= amount
    for kind, number in wanted:
        if kind is not Kind.ATTRIBUTE:
            fits &= _has(columns, kind, number)
    rows = np.flatnonzero(fits)
    for kind, number in wanted:
        if kind is Kind.ATTRIBUTE:
            rows = rows[(columns.labels[kind][:, rows] == number).any(axis=0)]
    return rows


def quotes(table: ProviderTable, order: Order, rows: Rows) -> list[Quote]:
    """What the providers in ``rows`` ask for ``order``, in no order; those without a price none.

    The same price as ``pricing.price_atto``, for many at once.
    """
    if not len(rows):
        return []
    rates = table.columns.rates
    total = np.zeros(len(rows), dtype=object)
    for unit_price, amount in zip(rates[:4], order.resources.amounts, strict=True):
        if amount:
            total = total + unit_price[rows] * amount
    prices = np.maximum(marked_up(total, rates[4, rows]), rates[5, rows]).tolist()
    ids = table.columns.ids[rows].tolist()
    return [
        Quote(price, provider)
        for price, provider in zip(prices, ids, strict=True)
        if 0 < price <= MAX_ATTO
    ]


def rank(table: ProviderTable, order: Order, now_ns: int) -> list[Quote]:
    """All that can serve ``order`` for its highest price or less, the cheapest first."""
    offers: Iterable[Quote] = quotes(table, order, match(table, order, now_ns))
    highest = order.max_price_atto
    if highest is not None:
        offers = [quote for quote in offers if quote.price_atto <= highest]
    return sorted(offers)


def _wanted(order: Order) -> Iterator[tuple[Kind, str | tuple[str, str]]]:
    """The labels that a provider must have."""
    yield Kind.CURRENCY, order.currency
    yield Kind.OFFERING, order.offering
    if order.region:
        yield Kind.REGION, order.region
    if order.gpu_type and order.resources.gpus:
        yield Kind.GPU_TYPE, order.gpu_type
    for pair in order.attributes.items():
        yield Kind.ATTRIBUTE, pair


def _has(columns: Columns, kind: Kind, number: int) -> NDArray[np.bool_]:
    """Which rows have the label, size booleans. Slot by slot: faster than ``any`` over an axis."""
    first, *others = columns.labels[kind][:, : columns.size]
    found: NDArray[np.bool_] = first == number
    for slot in others:
        found |= slot == number
    return found
