"""Queries of the market page by page, as its gRPC service answers them.

A filter's parts are any where they are empty or 0. Its parts that come first in the key choose the
range that is read; each record in that range is decoded and compared with the rest. Without a
state, the states are read one after the other.

A page ends with the key of the next, which a client hands back (``util/query`` of VirtEngine)::

    4  CRC-32 of what follows, big-endian
    1 + n  states still to be read, a byte each: the first is the one that the page ended in
    1 + n  prefix of the range in that state
    1 + n  rest of the key of the next record
    1 + 1  of bids and leases alone: 1 if it is the range of a provider

Four things differ. VirtEngine ends with no key where a page is full at the last record of a state,
and never answers the states after it; here the key is that of the first record of a later state. It
looks for a provider's lost and closed bids among the keys by provider, where none are; here they
are found. It reads whatever range a key names; here it must be one of the query's own. And it takes
an offset only with a state.
"""

from collections.abc import Callable, Iterator, Sequence
from enum import IntEnum
from itertools import islice
from typing import Generic, TypeVar
from zlib import crc32

from msgspec import Struct

from veperf.workloads.market import keys
from veperf.workloads.market.codec import (
    decode_bid_record,
    decode_lease_record,
    decode_order_record,
)
from veperf.workloads.market.records import (
    BidRecord,
    BidState,
    LeaseRecord,
    LeaseState,
    OrderRecord,
    OrderState,
)
from veperf.workloads.transaction.cache import KeyValueStore

DEFAULT_LIMIT = 100
_CHECKSUM_BYTES = 4

Record = TypeVar("Record", OrderRecord, BidRecord, LeaseRecord)


class PageKeyError(ValueError):
    """A client handed back no key of a page of this query."""


class Page(Struct, Generic[Record], frozen=True):
    """A part of a query's answer."""

    items: tuple[Record, ...]
    next_key: bytes
    """Where the next page begins; empty at the end."""


class _Filter(Struct, frozen=True):
    owner: str = ""
    dseq: int = 0
    gseq: int = 0
    oseq: int = 0


class _ProviderFilter(_Filter, frozen=True):
    provider: str = ""
    bseq: int = 0


class OrderFilter(_Filter, frozen=True):
    """The orders that are asked for."""

    state: OrderState | None = None


class BidFilter(_ProviderFilter, frozen=True):
    """The bids that are asked for."""

    state: BidState | None = None


class LeaseFilter(_ProviderFilter, frozen=True):
    """The leases that are asked for."""

    state: LeaseState | None = None


class _Range(Struct, frozen=True):
    """The records of one state that a query reads."""

    state: IntEnum
    prefix: bytes


class _Query(Struct, Generic[Record], frozen=True):
    """The ranges to read, in their order, and what to keep of them."""

    ranges: Sequence[_Range]
    decode: Callable[[bytes], Record]
    conditions: Sequence[tuple[str, str | int]]
    """Fields of the id, and the value that each must have."""
    ending: bytes
    """Last field of the pages' keys."""


def query_orders(
    state: KeyValueStore,
    filter: OrderFilter,
    *,
    key: bytes = b"",
    offset: int = 0,
    limit: int = DEFAULT_LIMIT,
) -> Page[OrderRecord]:
    """Return a page of the orders that fit ``filter``.

    Args:
        state: The state; a saved version of the tree, where others write meanwhile.
        filter: Which orders.
        key: ``next_key`` of the page before; empty for the first page.
        offset: How many to pass over, in place of a key; each is read.
        limit: How many to return at most.

    Raises:
        PageKeyError: ``key`` is not one of this query's.
        ValueError: ``limit`` is not positive, ``offset`` is negative or given beside a key, or a
            number of the filter is too large for its field.
        TransactionRefused: the owner is no address of the chain.
    """
    states = [filter.state] if filter.state else list(OrderState)
    ranges = _ranges(keys.ORDERS, states, _forward(filter))
    query = _Query(ranges, decode_order_record, _conditions(filter), b"")
    return _read_page(state, query, key, offset, limit)


def query_bids(
    state: KeyValueStore,
    filter: BidFilter,
    *,
    key: bytes = b"",
    offset: int = 0,
    limit: int = DEFAULT_LIMIT,
) -> Page[BidRecord]:
    """Return a page of the bids that fit ``filter``; arguments and errors as ``query_orders``.

    A provider's open or active bids, of any owner, are read from the keys by provider.
    """
    states = [filter.state] if filter.state else list(BidState)
    if _is_by_provider(filter) and filter.state in keys.BIDS_WITH_PROVIDER_KEY:
        ranges = _ranges(keys.BIDS_BY_PROVIDER, states, _backward(filter))
        ending = b"\1"
    else:
        ranges = _ranges(keys.BIDS, states, _forward(filter))
        ending = b"\0"
    query = _Query(ranges, decode_bid_record, _conditions(filter), ending)
    return _read_page(state, query, key, offset, limit)


def query_leases(
    state: KeyValueStore,
    filter: LeaseFilter,
    *,
    key: bytes = b"",
    offset: int = 0,
    limit: int = DEFAULT_LIMIT,
) -> Page[LeaseRecord]:
    """Return a page of the leases that fit ``filter``; arguments and errors as ``query_orders``.

    A provider's active leases, of any owner, are read from the keys by provider.
    """
    states = [filter.state] if filter.state else list(LeaseState)
    if _is_by_provider(filter) and filter.state in keys.LEASES_WITH_PROVIDER_KEY:
        ranges = _ranges(keys.LEASES_BY_PROVIDER, states, _backward(filter))
        ending = b"\1"
    else:
        ranges = _ranges(keys.LEASES, states, _forward(filter))
        ending = b"\0"
    query = _Query(ranges, decode_lease_record, _conditions(filter), ending)
    return _read_page(state, query, key, offset, limit)


# ---------------------------------------------------------------- filters


def _ranges(
    table: bytes, states: Sequence[IntEnum], parts: Sequence[tuple[str | int, int]]
) -> list[_Range]:
    return [_Range(present, keys.filter_prefix(table, present, parts)) for present in states]


def _forward(filter: _Filter) -> list[tuple[str | int, int]]:
    parts: list[tuple[str | int, int]] = [
        (filter.owner, 0), (filter.dseq, 8), (filter.gseq, 4), (filter.oseq, 4)
    ]  # fmt: skip
    if isinstance(filter, _ProviderFilter):
        parts += [(filter.provider, 0), (filter.bseq, 4)]
    return parts


def _backward(filter: _ProviderFilter) -> list[tuple[str | int, int]]:
    return [
        (filter.provider, 0), (filter.bseq, 4),
        (filter.dseq, 8), (filter.gseq, 4), (filter.oseq, 4), (filter.owner, 0),
    ]  # fmt: skip


def _is_by_provider(filter: _ProviderFilter) -> bool:
    return bool(filter.provider) and not filter.owner


def _conditions(filter: _Filter) -> list[tuple[str, str | int]]:
    names = [name for name in filter.__struct_fields__ if name != "state"]
    return [(name, value) for name in names if (value := getattr(filter, name))]


# ---------------------------------------------------------------- pages


def _read_page(
    state: KeyValueStore, query: _Query[Record], key: bytes, offset: int, limit: int
) -> Page[Record]:
    if limit < 1 or offset < 0 or (offset and key):
        raise ValueError(f"no page of {limit} after {offset}{' and a key' * bool(key)}")
    first, start = _parse_key(key, query) if key else (0, b"")
    matches = _matches(state, query, first, start)
    items = tuple(record for _, _, record in islice(matches, offset, offset + limit))
    following = next(matches, None)
    if following is None:
        return Page(items, b"")
    index, rest, _ = following
    return Page(items, _make_key(query, index, rest))


def _matches(
    state: KeyValueStore, query: _Query[Record], first: int, start: bytes
) -> Iterator[tuple[int, bytes, Record]]:
    """Yield the index of the range, the rest of the key, and the record of all that fit."""
    for index, reach in enumerate(query.ranges[first:], first):
        begin = reach.prefix + start
        start = b""
        for key, data in state.iterate(begin, keys.prefix_end(reach.prefix)):
            record = query.decode(data)
            if all(getattr(record.id, name) == value for name, value in query.conditions):
                yield index, key[len(reach.prefix) :], record


def _make_key(query: _Query[Record], index: int, rest: bytes) -> bytes:
    states = bytes(reach.state for reach in query.ranges[index:])
    fields = [states, query.ranges[index].prefix, rest, *[query.ending] * bool(query.ending)]
    body = b"".join(bytes((len(part),)) + part for part in fields)
    return crc32(body).to_bytes(_CHECKSUM_BYTES, "big") + body


def _parse_key(key: bytes, query: _Query[Record]) -> tuple[int, bytes]:
    """Return the index of the range that a page begins in, and the rest of its first key."""
    checksum, body = key[:_CHECKSUM_BYTES], key[_CHECKSUM_BYTES:]
    if checksum != crc32(body).to_bytes(_CHECKSUM_BYTES, "big"):
        raise PageKeyError("the key of a page has a wrong checksum")
    fields = []
    while body:
        length = body[0]
        if len(body) <= length:
            raise PageKeyError("the key of a page ends in the middle of a field")
        fields.append(body[1 : 1 + length])
        body = body[1 + length :]
    for index in range(len(query.ranges)):
        states = bytes(reach.state for reach in query.ranges[index:])
        own = [states, query.ranges[index].prefix]
        ending = [query.ending] * bool(query.ending)
        if fields[:2] == own and len(fields) == 3 + len(ending) and fields[3:] == ending:
            return index, fields[2]
    raise PageKeyError("the key of a page belongs to another query")
