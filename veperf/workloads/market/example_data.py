"""Deterministic example markets of any size, in all states that orders, bids and leases have."""

from collections.abc import Iterator
from functools import cache
from hashlib import sha256

from veperf.workloads.market import keys
from veperf.workloads.market.codec import (
    encode_bid_record,
    encode_lease_record,
    encode_order_record,
)
from veperf.workloads.market.keeper import create_order
from veperf.workloads.market.records import (
    BidId,
    BidRecord,
    BidState,
    GroupId,
    GroupSpec,
    LeaseRecord,
    LeaseState,
    OrderId,
    OrderRecord,
    OrderState,
    Price,
    ReplicaResources,
    ResourceOffer,
    ResourceUnit,
)
from veperf.workloads.transaction.address import address_from_bytes
from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.transaction.iavl import Tree

DENOM = "uve"
PROVIDERS = 1_000
BIDS_PER_ORDER = 3
BIG_TENANT_ORDERS = 300
"""Orders of tenant 0, whatever the size of the market: three pages of a query."""
TENANT_ORDERS = 20
"""Orders of every other tenant."""

_ATTO = 10**18
_SPECS = 16
_GIB = 1 << 30
# Of four orders, in turn, so that every state has its share.
_TURNS = (OrderState.OPEN, OrderState.ACTIVE, OrderState.CLOSED, OrderState.ACTIVE)


@cache
def tenant(number: int) -> str:
    """Return the address of the tenant with this number."""
    return address_from_bytes(sha256(b"veperf tenant %d" % number).digest()[:20]).text


@cache
def provider(number: int) -> str:
    """Return the address of the provider with this number."""
    return address_from_bytes(sha256(b"veperf provider %d" % number).digest()[:20]).text


def price(cents: int) -> Price:
    """Return a price for each block, in hundredths of a coin."""
    return Price(DENOM, cents * _ATTO // 100)


@cache
def spec(number: int) -> GroupSpec:
    """Return what the order with this number asks for: one of sixteen shapes of services."""
    size = 1 + number % 4
    web = ReplicaResources(
        1, 500 * size, size * _GIB, (("default", 10 * size * _GIB),), 0, ((0, 0),)
    )
    worker = ReplicaResources(
        2, 2_000 * size, 4 * size * _GIB, (("default", 5 * _GIB), ("data", 50 * _GIB)), number // 8
    )
    units = (ResourceUnit(web, 2, price(100)), ResourceUnit(worker, size, price(300)))
    return GroupSpec(
        f"group-{number}",
        units[: 1 + number // 4 % 2],
        (("region", ("eu-west", "us-east")[number % 2]), ("tier", "community")),
    )


@cache
def offer(number: int) -> tuple[ResourceOffer, ...]:
    """Return what a provider offers for ``spec(number)``."""
    return tuple(ResourceOffer(unit.resources, unit.count) for unit in spec(number).units)


def order_id(number: int) -> OrderId:
    """Return the id of the order with this number."""
    if number < BIG_TENANT_ORDERS:
        owner = tenant(0)
    else:
        owner = tenant(1 + (number - BIG_TENANT_ORDERS) // TENANT_ORDERS)
    return OrderId(owner, 1_000_000 + number, 1, 1)


def bid_id(number: int, place: int) -> BidId:
    """Return the id of a bid on that order, the first by the provider with the lowest number."""
    return BidId.for_order(order_id(number), provider((7 * number + 13 * place) % PROVIDERS))


def order_numbers(state: OrderState, count: int, entries: int) -> list[int]:
    """Return the numbers of ``count`` orders that are in ``state``, spread over the market."""
    numbers = [n for n in range(order_count(entries)) if _TURNS[n % len(_TURNS)] is state]
    return numbers[:: max(1, len(numbers) // count)][:count]


def order_count(entries: int) -> int:
    """Return how many orders a market of ``entries`` records has.

    With its bids an open order is 4 records; an active or closed one has a lease, too.
    """
    return 4 * entries // (4 * (1 + BIDS_PER_ORDER) + 3)


def records(entries: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values of a market of about ``entries`` orders, bids and leases."""
    for number in range(order_count(entries)):
        yield from _order_records(number, _TURNS[number % len(_TURNS)])


def market_tree(entries: int) -> Tree:
    """Return an unsaved tree with a market of about ``entries`` orders, bids and leases."""
    return Tree.from_sorted(sorted(records(entries)))


def add_popular_order(state: KeyValueStore, bids: int) -> OrderId:
    """Add an open order with ``bids`` open bids, as many as asked; return its id."""
    group = GroupId(tenant(0), 1, 1)
    id = create_order(state, group, spec(0), height=1).id
    for number in range(bids):
        bid_id = BidId.for_order(id, provider(number))
        bid = BidRecord(bid_id, BidState.OPEN, price(90), 1, offer(0))
        state.set(keys.bid_key(bid.state, bid_id), encode_bid_record(bid))
        state.set(keys.bid_provider_key(bid.state, bid_id), encode_bid_record(bid))
    return id


def _order_records(number: int, state: OrderState) -> Iterator[tuple[bytes, bytes]]:
    id, shape = order_id(number), number % _SPECS
    order = OrderRecord(id, state, spec(shape), height := 1 + number // 100)
    yield keys.order_key(state, id), encode_order_record(order)
    for place in range(BIDS_PER_ORDER):
        bid_state = _bid_state(state, place)
        bid = BidRecord(
            bid_id(number, place), bid_state, price(90 + place), height + 1, offer(shape)
        )
        data = encode_bid_record(bid)
        yield keys.bid_key(bid_state, bid.id), data
        if by_provider := keys.bid_provider_key(bid_state, bid.id):
            yield by_provider, data
    if state is OrderState.OPEN:
        return
    is_active = state is OrderState.ACTIVE
    lease = LeaseRecord(
        bid_id(number, 0),
        LeaseState.ACTIVE if is_active else LeaseState.CLOSED,
        price(90),
        height + 2,
        0 if is_active else height + 50,
    )
    data = encode_lease_record(lease)
    yield keys.lease_key(lease.state, lease.id), data
    if by_provider := keys.lease_provider_key(lease.state, lease.id):
        yield by_provider, data


def _bid_state(state: OrderState, place: int) -> BidState:
    """Return the state of an order's bids: the first, the cheapest, is accepted."""
    if state is OrderState.OPEN:
        return BidState.OPEN
    if place:
        return BidState.LOST
    return BidState.ACTIVE if state is OrderState.ACTIVE else BidState.CLOSED
