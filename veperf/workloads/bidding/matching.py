"""Matching of an order with all providers of a table, and quotes of those that can serve it.

Matching evaluates whole columns with numpy; prices are computed only for the matching providers, in
Python integers, so that no float decides.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from veperf.workloads.bidding.columns import NO_LABEL, LabelKind, ProviderColumns
from veperf.workloads.bidding.decimals import MAX_ATTO
from veperf.workloads.bidding.orders import Order
from veperf.workloads.bidding.pricing import apply_markup
from veperf.workloads.bidding.table import ProviderTable

Rows = NDArray[np.intp]
_NO_ROWS: Rows = np.empty(0, dtype=np.intp)
_NO_ROWS.flags.writeable = False


class Quote(Struct, frozen=True, order=True):
    """A provider's price; ordered by price, then by id (code points)."""

    price_atto: int
    """Price an hour, in units of 1e-18."""
    provider: str


def match_providers(table: ProviderTable, order: Order, now_ns: int) -> Rows:
    """Return the rows of the providers that can serve ``order``, whatever their price.

    They are active, sell the offering in the order's currency, are in the region, have enough
    free of every resource, GPUs of the right type, and every attribute of the order. An expired
    order has none.
    """
    if order.has_expired(now_ns):
        return _NO_ROWS
    required = [(kind, table.number(kind, name)) for kind, name in _required_labels(order)]
    if any(number == NO_LABEL for _, number in required):
        return _NO_ROWS
    columns = table.columns
    size = columns.size
    fits = columns.active[:size].copy()
    for free, amount in zip(columns.free, order.resources.amounts, strict=True):
        # The free amount of a resource that the order does not need may be negative.
        if amount:
            fits &= free[:size] >= amount
    for kind, number in required:
        if kind is not LabelKind.ATTRIBUTE:
            fits &= _rows_with_label(columns, kind, number)
    rows = np.flatnonzero(fits)
    for kind, number in required:
        if kind is LabelKind.ATTRIBUTE:
            rows = rows[(columns.labels[kind][:, rows] == number).any(axis=0)]
    return rows


def quote_prices(table: ProviderTable, order: Order, rows: Rows) -> list[Quote]:
    """Return the quotes of the providers in ``rows``, unsorted; invalid prices are left out.

    The prices are those of ``pricing.price_atto``, computed for many rows at once.
    """
    if not len(rows):
        return []
    rates = table.columns.rates
    total = np.zeros(len(rows), dtype=object)
    for unit_price, amount in zip(rates[:4], order.resources.amounts, strict=True):
        if amount:
            total = total + unit_price[rows] * amount
    prices = np.maximum(apply_markup(total, rates[4, rows]), rates[5, rows]).tolist()
    ids = table.columns.ids[rows].tolist()
    return [
        Quote(price, provider)
        for price, provider in zip(prices, ids, strict=True)
        if 0 < price <= MAX_ATTO
    ]


def rank_quotes(table: ProviderTable, order: Order, now_ns: int) -> list[Quote]:
    """Return the quotes up to the order's highest price, the cheapest first."""
    quotes: Iterable[Quote] = quote_prices(table, order, match_providers(table, order, now_ns))
    highest = order.max_price_atto
    if highest is not None:
        quotes = [quote for quote in quotes if quote.price_atto <= highest]
    return sorted(quotes)


def _required_labels(order: Order) -> Iterator[tuple[LabelKind, str | tuple[str, str]]]:
    """Yield the labels that a provider must have."""
    yield LabelKind.CURRENCY, order.currency
    yield LabelKind.OFFERING, order.offering
    if order.region:
        yield LabelKind.REGION, order.region
    if order.gpu_type and order.resources.gpus:
        yield LabelKind.GPU_TYPE, order.gpu_type
    for pair in order.attributes.items():
        yield LabelKind.ATTRIBUTE, pair


def _rows_with_label(columns: ProviderColumns, kind: LabelKind, number: int) -> NDArray[np.bool_]:
    """Return if each row has the label. Slot by slot: faster than ``any`` over an axis."""
    first, *others = columns.labels[kind][:, : columns.size]
    has_label: NDArray[np.bool_] = first == number
    for slot in others:
        has_label |= slot == number
    return has_label
