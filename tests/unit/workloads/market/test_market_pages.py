"""Pages of a query together are its whole answer, in order."""

from collections.abc import Callable, Iterable, Iterator
from enum import IntEnum
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.market import example_data, keys
from veperf.workloads.market.codec import (
    decode_bid_record,
    decode_lease_record,
    decode_order_record,
)
from veperf.workloads.market.pages import (
    BidFilter,
    LeaseFilter,
    OrderFilter,
    Page,
    PageKeyError,
    _make_key,
    _Query,
    _Range,
    query_bids,
    query_leases,
    query_orders,
)
from veperf.workloads.market.records import BidState, LeaseState, OrderState
from veperf.workloads.transaction.errors import TransactionRefused
from veperf.workloads.transaction.iavl import Tree

Filter = OrderFilter | BidFilter | LeaseFilter
Query = Callable[..., Page[Any]]
KINDS: dict[Query, tuple[bytes, Callable[[bytes], Any], type[Filter]]] = {
    query_orders: (keys.ORDERS, decode_order_record, OrderFilter),
    query_bids: (keys.BIDS, decode_bid_record, BidFilter),
    query_leases: (keys.LEASES, decode_lease_record, LeaseFilter),
}
STATES: dict[Query, Iterable[IntEnum]] = {
    query_orders: OrderState,
    query_bids: BidState,
    query_leases: LeaseState,
}


@cache
def market() -> Tree:
    tree = example_data.market_tree(600)
    tree.save_version()
    return tree


@cache
def all_records(query: Query) -> list[Any]:
    """Every record, in the order of its key, which begins with its state."""
    table, decode, _ = KINDS[query]
    pairs = market().iterate(table, keys.prefix_end(table))
    return [decode(data) for _, data in pairs]


def expected_records(query: Query, filter: Any) -> list[Any]:
    """The brute-force answer."""
    return [
        record
        for record in all_records(query)
        if all(
            getattr(record.id, name) == value
            for name in filter.__struct_fields__
            if name != "state" and (value := getattr(filter, name))
        )
        and filter.state in (None, record.state)
    ]


def read_pages(query: Query, filter: Any, limit: int) -> Iterator[Page[Any]]:
    page = query(market(), filter, limit=limit)
    yield page
    while page.next_key:
        page = query(market(), filter, key=page.next_key, limit=limit)
        yield page


@st.composite
def questions(draw: st.DrawFn) -> tuple[Query, Any]:
    """A query and a filter, made from a record that is there and parts of its id."""
    query = draw(st.sampled_from(list(KINDS)))
    record = draw(st.sampled_from(all_records(query)))
    kind = KINDS[query][2]
    names = [name for name in kind.__struct_fields__ if name not in ("state", "bseq")]
    chosen = draw(st.sets(st.sampled_from(names)))
    parts = {name: getattr(record.id, name) for name in chosen}
    states = st.sampled_from([None, record.state, *STATES[query]])
    return query, kind(**parts, state=draw(states))


@given(questions(), st.integers(1, 40))
def test_pages_are_complete_and_in_order(question: tuple[Query, Any], limit: int) -> None:
    """Whatever the filter and the size of a page: each record once, in the order of the keys."""
    query, filter = question
    pages = list(read_pages(query, filter, limit))
    records = [record for page in pages for record in page.items]

    expected = expected_records(query, filter)
    if filter.state and getattr(filter, "provider", "") and not filter.owner:
        # By provider, they come in the order of the keys by provider.
        assert len(expected) == len(records)
        assert all(record in records for record in expected)
    else:
        assert expected == records
    assert all(limit == len(page.items) for page in pages[:-1])
    assert not records or pages[-1].items


@given(questions(), st.integers(0, 50), st.integers(1, 40))
def test_an_offset_is_so_many_records_on(
    question: tuple[Query, Any], offset: int, limit: int
) -> None:
    """A page at an offset is that part of the whole answer."""
    query, filter = question
    whole = query(market(), filter, limit=10_000).items

    page = query(market(), filter, offset=offset, limit=limit)
    assert whole[offset : offset + limit] == page.items
    assert bool(page.next_key) == (len(whole) > offset + limit)


def test_a_page_that_is_full_at_the_end_of_a_state_is_not_the_last() -> None:
    """The states after it follow: VirtEngine loses them."""
    filter = OrderFilter(owner=example_data.tenant(0))
    opened = len(
        query_orders(
            market(), OrderFilter(owner=filter.owner, state=OrderState.OPEN), limit=1_000
        ).items
    )
    first, second = list(read_pages(query_orders, filter, opened))[:2]

    assert {OrderState.OPEN} == {order.state for order in first.items}
    assert OrderState.ACTIVE is second.items[0].state


def test_a_providers_bids_are_found_in_every_state() -> None:
    """Those lost and closed have no key by provider."""
    for state in BidState:
        filter = BidFilter(provider=all_records(query_bids)[0].id.provider, state=state)
        expected = {bid.id for bid in expected_records(query_bids, filter)}
        assert expected == {bid.id for bid in query_bids(market(), filter).items}


def test_the_keys_of_pages_are_virtengines() -> None:
    """Byte for byte what its util/query encodes, compiled with Go."""

    def make(states: list[Any], prefix: bytes, rest: bytes, ending: bytes) -> str:
        ranges = [_Range(state, prefix) for state in states]
        return _make_key(_Query(ranges, decode_order_record, [], ending), 0, rest).hex()

    orders = make([*OrderState], bytes.fromhex("11000102aabb"), b"rest", b"")
    bids = make([BidState.ACTIVE], bytes.fromhex("120102"), b"\0\xff", b"\1")
    assert "4f311663030102030611000102aabb0472657374" == orders
    assert "e81478670102031201020200ff0101" == bids


@given(st.data())
def test_keys_of_pages_are_checked(data: st.DataObject) -> None:
    """A changed bit, an end cut off, another query's key: refused, and nothing else is raised."""
    filter = OrderFilter(owner=example_data.tenant(0))
    key = query_orders(market(), filter, limit=3).next_key
    damaged = bytearray(key)
    bit = data.draw(st.integers(0, 8 * len(key) - 1))
    damaged[bit // 8] ^= 1 << bit % 8
    for wrong in (bytes(damaged), key[: data.draw(st.integers(1, len(key) - 1))]):
        with pytest.raises(PageKeyError):
            query_orders(market(), filter, key=wrong)
    for other in (
        OrderFilter(owner=example_data.tenant(1)),
        OrderFilter(),
        OrderFilter(owner=filter.owner, state=OrderState.OPEN),
    ):
        with pytest.raises(PageKeyError, match="another query"):
            query_orders(market(), other, key=key)
    with pytest.raises(PageKeyError):
        query_bids(market(), BidFilter(owner=filter.owner), key=key)


@given(st.binary(min_size=1, max_size=80))
def test_any_bytes_are_a_key_or_refused(key: bytes) -> None:
    """With a right checksum, too: fields that end early, are missing or too many."""
    from zlib import crc32

    for attempt in (key, crc32(key).to_bytes(4, "big") + key):
        with pytest.raises(PageKeyError):
            query_leases(market(), LeaseFilter(), key=attempt)


def test_wrong_questions_are_refused() -> None:
    """Limits, offsets, numbers that no field holds, and what is no address."""
    key = query_orders(market(), OrderFilter(), limit=1).next_key
    for arguments in ({"limit": 0}, {"offset": -1}, {"offset": 1, "key": key}):
        with pytest.raises(ValueError, match="no page"):
            query_orders(market(), OrderFilter(), **arguments)
    owner = example_data.tenant(0)
    for wrong in (OrderFilter(owner, dseq=1 << 64), OrderFilter(owner, dseq=-1)):
        with pytest.raises(ValueError, match="8 bytes"):
            query_orders(market(), wrong)
    with pytest.raises(TransactionRefused):
        query_leases(market(), LeaseFilter(owner="somebody"))
    assert () == query_leases(Tree(), LeaseFilter(state=LeaseState.ACTIVE)).items
