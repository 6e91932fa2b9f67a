"""The work of transactions on the market's records, as ``x/market``'s keeper and handlers do it.

The state is any key-value store: a tree, or a write cache over one. Checks come first: what is
refused has changed nothing. Escrow accounts, deposits, audits and the gating by identity belong to
other modules, and are not here.
"""

from collections.abc import Iterator
from enum import Enum

from veperf.workloads.market import keys
from veperf.workloads.market.codec import (
    decode_bid_record,
    decode_lease_record,
    decode_order_record,
    encode_bid_record,
    encode_lease_record,
    encode_order_record,
)
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
    ResourceOffer,
)
from veperf.workloads.transaction.cache import KeyValueStore

MAX_BIDS = 20
"""Bids that an order may have: the default of the module's ``order_max_bids``."""

# The order in which VirtEngine looks: what is most often asked for comes first.
_ORDER_STATES = (OrderState.ACTIVE, OrderState.OPEN, OrderState.CLOSED)
_BID_STATES = (BidState.ACTIVE, BidState.OPEN, BidState.LOST, BidState.CLOSED)
_LEASE_STATES = (LeaseState.ACTIVE, LeaseState.INSUFFICIENT_FUNDS, LeaseState.CLOSED)
_COUNTED_BIDS = (BidState.OPEN, BidState.ACTIVE, BidState.CLOSED)


class MarketRefusal(Enum):
    """The reason of a refusal, in words."""

    ORDER_ACTIVE = "the group has an order that is not closed"
    ORDER_MISSING = "there is no such order"
    ORDER_NOT_OPEN = "the order is not open"
    ORDER_NOT_ACTIVE = "the order is not active"
    BID_EXISTS = "the provider has bid on this order"
    BID_MISSING = "there is no such bid"
    BID_NOT_OPEN = "the bid is not open"
    NO_BIDS = "nobody bids on the order"
    TOO_MANY_BIDS = "the order has as many bids as it may have"
    PRICE_TOO_HIGH = "the price is not one that the order allows"
    LEASE_MISSING = "there is no such lease"
    LEASE_NOT_ACTIVE = "the lease is not active"


class MarketRefused(ValueError):  # noqa: N818  # a normal result, not an error
    """A transaction is refused, and changes nothing: ``reason`` is for machines."""

    def __init__(self, reason: MarketRefusal, about: object) -> None:
        super().__init__(f"{reason.value}: {about}")
        self.reason = reason


# ---------------------------------------------------------------- orders


def create_order(state: KeyValueStore, group: GroupId, spec: GroupSpec, height: int) -> OrderRecord:
    """Make an open order for ``group``, numbered after the closed ones that it had.

    Raises:
        MarketRefused: it has one that is not closed.
        TransactionRefused: the owner is no address of the chain.
    """
    for present in (OrderState.ACTIVE, OrderState.OPEN):
        for order in group_orders(state, present, group):
            raise MarketRefused(MarketRefusal.ORDER_ACTIVE, order.id)
    closed = sum(1 for _ in group_orders(state, OrderState.CLOSED, group))
    id = OrderId(group.owner, group.dseq, group.gseq, closed + 1)
    order = OrderRecord(id, OrderState.OPEN, spec, height)
    state.set(keys.order_key(order.state, id), encode_order_record(order))
    return order


def get_order(state: KeyValueStore, id: OrderId) -> OrderRecord | None:
    """Return the order ``id``, whatever its state; None if there is none."""
    for present in _ORDER_STATES:
        data = state.get(keys.order_key(present, id))
        if data is not None:
            return decode_order_record(data)
    return None


def orders(state: KeyValueStore) -> Iterator[OrderRecord]:
    """Iterate over all orders: the open ones, the active ones, the closed ones, each by owner."""
    return map(decode_order_record, _values(state, keys.ORDERS))


def group_orders(
    state: KeyValueStore, present: OrderState, group: GroupId
) -> Iterator[OrderRecord]:
    """Iterate over the orders of ``group`` that are in the state ``present``."""
    return map(decode_order_record, _values(state, keys.group_prefix(present, group)))


def _move_order(state: KeyValueStore, order: OrderRecord, to: OrderState) -> None:
    state.remove(keys.order_key(order.state, order.id))
    moved = OrderRecord(order.id, to, order.spec, order.created_at)
    state.set(keys.order_key(to, order.id), encode_order_record(moved))


# ---------------------------------------------------------------- bids


def create_bid(
    state: KeyValueStore, id: BidId, price: Price, offer: tuple[ResourceOffer, ...], height: int
) -> BidRecord:
    """Make an open bid on an open order.

    As VirtEngine counts them, lost bids don't, and one more than ``MAX_BIDS`` is let in.

    Raises:
        MarketRefused: there is no such open order, it has too many bids or one of this provider,
            or the price is higher than it allows, not positive, or in another coin.
        TransactionRefused: owner or provider is no address of the chain.
    """
    if count_bids(state, id.order) > MAX_BIDS:
        raise MarketRefused(MarketRefusal.TOO_MANY_BIDS, id.order)
    order = _require_order(state, id.order, OrderState.OPEN, MarketRefusal.ORDER_NOT_OPEN)
    limit = order.spec.price
    if price.denom != limit.denom or not 0 < price.atto <= limit.atto:
        raise MarketRefused(MarketRefusal.PRICE_TOO_HIGH, price)
    if get_bid(state, id) is not None:
        raise MarketRefused(MarketRefusal.BID_EXISTS, id)
    bid = BidRecord(id, BidState.OPEN, price, height, offer)
    _set_bid(state, bid)
    return bid


def get_bid(state: KeyValueStore, id: BidId) -> BidRecord | None:
    """Return the bid ``id``, whatever its state; None if there is none."""
    for present in _BID_STATES:
        data = state.get(keys.bid_key(present, id))
        if data is not None:
            return decode_bid_record(data)
    return None


def order_bids(
    state: KeyValueStore, id: OrderId, present: BidState = BidState.OPEN
) -> Iterator[BidRecord]:
    """Iterate over the bids on the order ``id`` that are in the state ``present``, by provider."""
    return map(decode_bid_record, _values(state, keys.order_bids_prefix(present, id)))


def count_bids(state: KeyValueStore, id: OrderId) -> int:
    """Return how many bids the order ``id`` has that are open, active or closed."""
    return sum(
        1 for present in _COUNTED_BIDS for _ in _values(state, keys.order_bids_prefix(present, id))
    )


def lowest_bid(state: KeyValueStore, id: OrderId) -> BidRecord:
    """Return the open bid on the order ``id`` with the lowest price; of equals the first.

    Raises:
        MarketRefused: there is none.
    """
    best = min(order_bids(state, id), key=lambda bid: bid.price.atto, default=None)
    if best is None:
        raise MarketRefused(MarketRefusal.NO_BIDS, id)
    return best


def close_bid(state: KeyValueStore, id: BidId) -> None:
    """Close an open bid: its provider takes it back.

    Raises:
        MarketRefused: there is no such open bid.
    """
    _move_bid(state, _require_open_bid(state, id), BidState.CLOSED)


def _require_open_bid(state: KeyValueStore, id: BidId) -> BidRecord:
    bid = get_bid(state, id)
    if bid is None:
        raise MarketRefused(MarketRefusal.BID_MISSING, id)
    if bid.state is not BidState.OPEN:
        raise MarketRefused(MarketRefusal.BID_NOT_OPEN, id)
    return bid


def _set_bid(state: KeyValueStore, bid: BidRecord) -> None:
    data = encode_bid_record(bid)
    state.set(keys.bid_key(bid.state, bid.id), data)
    if by_provider := keys.bid_provider_key(bid.state, bid.id):
        state.set(by_provider, data)


def _move_bid(state: KeyValueStore, bid: BidRecord, to: BidState) -> None:
    state.remove(keys.bid_key(bid.state, bid.id))
    if by_provider := keys.bid_provider_key(bid.state, bid.id):
        state.remove(by_provider)
    _set_bid(state, BidRecord(bid.id, to, bid.price, bid.created_at, bid.offer))


# ---------------------------------------------------------------- leases


def create_lease(state: KeyValueStore, id: BidId, height: int) -> LeaseRecord:
    """Make the open bid ``id`` a lease: its order becomes active, the other open bids are lost.

    Raises:
        MarketRefused: there is no such open bid, or its order is not open.
    """
    bid = _require_open_bid(state, id)
    order = _require_order(state, id.order, OrderState.OPEN, MarketRefusal.ORDER_NOT_OPEN)
    lease = LeaseRecord(id, LeaseState.ACTIVE, bid.price, height)
    _set_lease(state, lease)
    _move_order(state, order, OrderState.ACTIVE)
    _move_bid(state, bid, BidState.ACTIVE)
    for loser in list(order_bids(state, order.id)):
        _move_bid(state, loser, BidState.LOST)
    return lease


def get_lease(state: KeyValueStore, id: BidId) -> LeaseRecord | None:
    """Return the lease ``id``, whatever its state; None if there is none."""
    for present in _LEASE_STATES:
        data = state.get(keys.lease_key(present, id))
        if data is not None:
            return decode_lease_record(data)
    return None


def has_active_leases(state: KeyValueStore, provider: str) -> bool:
    """Return whether ``provider`` has an active lease: one look at the keys by provider."""
    prefix = keys.provider_leases_prefix(LeaseState.ACTIVE, provider)
    return next(_values(state, prefix), None) is not None


def close_lease(state: KeyValueStore, id: BidId, height: int) -> LeaseRecord:
    """Close an active lease, with its bid and its order.

    Raises:
        MarketRefused: there is no such active lease, or its order is not active.
    """
    order = _require_order(state, id.order, OrderState.ACTIVE, MarketRefusal.ORDER_NOT_ACTIVE)
    bid, lease = get_bid(state, id), get_lease(state, id)
    if bid is None or lease is None:
        raise MarketRefused(MarketRefusal.LEASE_MISSING, id)
    if lease.state is not LeaseState.ACTIVE:
        raise MarketRefused(MarketRefusal.LEASE_NOT_ACTIVE, id)
    state.remove(keys.lease_key(lease.state, id))
    if by_provider := keys.lease_provider_key(lease.state, id):
        state.remove(by_provider)
    closed = LeaseRecord(id, LeaseState.CLOSED, lease.price, lease.created_at, height)
    _set_lease(state, closed)
    _move_bid(state, bid, BidState.CLOSED)
    _move_order(state, order, OrderState.CLOSED)
    return closed


def _set_lease(state: KeyValueStore, lease: LeaseRecord) -> None:
    data = encode_lease_record(lease)
    state.set(keys.lease_key(lease.state, lease.id), data)
    if by_provider := keys.lease_provider_key(lease.state, lease.id):
        state.set(by_provider, data)


# ---------------------------------------------------------------- shared


def _require_order(
    state: KeyValueStore, id: OrderId, present: OrderState, otherwise: MarketRefusal
) -> OrderRecord:
    order = get_order(state, id)
    if order is None:
        raise MarketRefused(MarketRefusal.ORDER_MISSING, id)
    if order.state is not present:
        raise MarketRefused(otherwise, id)
    return order


def _values(state: KeyValueStore, prefix: bytes) -> Iterator[bytes]:
    return (value for _, value in state.iterate(prefix, keys.prefix_end(prefix)))
