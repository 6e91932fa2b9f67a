"""The market's records change as a plain model of them does."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.workloads.market import example_data, keeper, keys
from veperf.workloads.market.codec import (
    decode_bid_record,
    decode_lease_record,
    decode_order_record,
)
from veperf.workloads.market.keeper import MarketRefusal, MarketRefused
from veperf.workloads.market.records import (
    BidId,
    BidRecord,
    BidState,
    GroupId,
    LeaseRecord,
    LeaseState,
    OrderId,
    OrderRecord,
    OrderState,
)
from veperf.workloads.transaction.cache import Cache, KeyValueStore
from veperf.workloads.transaction.errors import TransactionRefused
from veperf.workloads.transaction.iavl import Tree

SPEC = example_data.spec(0)
LIMIT_CENTS = SPEC.price.atto * 100 // 10**18
GROUPS = [GroupId(example_data.tenant(t), dseq, 1) for t in range(2) for dseq in (1, 2)]
PROVIDERS = [example_data.provider(number) for number in range(3)]


class Model:
    """Orders, bids and leases in dictionaries: what should be there, and what is refused."""

    def __init__(self) -> None:
        self.orders: dict[OrderId, OrderState] = {}
        self.bids: dict[BidId, tuple[BidState, int]] = {}
        self.leases: dict[BidId, tuple[LeaseState, int]] = {}

    def create_order(self, group: GroupId) -> MarketRefusal | None:
        mine = {id: state for id, state in self.orders.items() if id.group == group}
        if set(mine.values()) - {OrderState.CLOSED}:
            return MarketRefusal.ORDER_ACTIVE
        id = OrderId(group.owner, group.dseq, group.gseq, len(mine) + 1)
        self.orders[id] = OrderState.OPEN
        return None

    def create_bid(self, id: BidId, cents: int) -> MarketRefusal | None:
        if id.order not in self.orders:
            return MarketRefusal.ORDER_MISSING
        if self.orders[id.order] is not OrderState.OPEN:
            return MarketRefusal.ORDER_NOT_OPEN
        if not 0 < cents <= LIMIT_CENTS:
            return MarketRefusal.PRICE_TOO_HIGH
        if id in self.bids:
            return MarketRefusal.BID_EXISTS
        self.bids[id] = BidState.OPEN, cents
        return None

    def create_lease(self, id: BidId) -> MarketRefusal | None:
        if id not in self.bids:
            return MarketRefusal.BID_MISSING
        if self.bids[id][0] is not BidState.OPEN:
            return MarketRefusal.BID_NOT_OPEN
        if self.orders[id.order] is not OrderState.OPEN:
            return MarketRefusal.ORDER_NOT_OPEN
        self.orders[id.order] = OrderState.ACTIVE
        for other, (state, cents) in self.bids.items():
            if other.order == id.order and state is BidState.OPEN:
                self.bids[other] = (BidState.ACTIVE if other == id else BidState.LOST), cents
        self.leases[id] = LeaseState.ACTIVE, self.bids[id][1]
        return None

    def close_bid(self, id: BidId) -> MarketRefusal | None:
        if id not in self.bids:
            return MarketRefusal.BID_MISSING
        if self.bids[id][0] is not BidState.OPEN:
            return MarketRefusal.BID_NOT_OPEN
        self.bids[id] = BidState.CLOSED, self.bids[id][1]
        return None

    def close_lease(self, id: BidId) -> MarketRefusal | None:
        if id.order not in self.orders:
            return MarketRefusal.ORDER_MISSING
        if self.orders[id.order] is not OrderState.ACTIVE:
            return MarketRefusal.ORDER_NOT_ACTIVE
        if id not in self.leases:
            return MarketRefusal.LEASE_MISSING
        cents = self.bids[id][1]
        self.orders[id.order] = OrderState.CLOSED
        self.bids[id] = BidState.CLOSED, cents
        self.leases[id] = LeaseState.CLOSED, cents
        return None

    def keys(self) -> set[bytes]:
        """The keys of all records, those by provider for what is open or active."""
        expected = {keys.order_key(state, id) for id, state in self.orders.items()}
        for id, (bid_state, _) in self.bids.items():
            expected.add(keys.bid_key(bid_state, id))
            if bid_state in (BidState.OPEN, BidState.ACTIVE):
                expected.add(keys.bid_provider_key(bid_state, id))
        for id, (lease_state, _) in self.leases.items():
            expected.add(keys.lease_key(lease_state, id))
            if lease_state is LeaseState.ACTIVE:
                expected.add(keys.lease_provider_key(lease_state, id))
        return expected


BID_IDS = st.builds(
    lambda group, oseq, provider: BidId(group.owner, group.dseq, group.gseq, oseq, provider),
    st.sampled_from(GROUPS[:2]),
    st.integers(1, 2),
    st.sampled_from(PROVIDERS),
)
STEPS = st.lists(
    st.tuples(st.just("create_order"), st.sampled_from(GROUPS[:2]))
    | st.tuples(st.just("create_bid"), BID_IDS, st.sampled_from([0, 5, 9, LIMIT_CENTS + 1]))
    | st.tuples(st.sampled_from(["create_lease", "close_bid", "close_lease"]), BID_IDS),
    max_size=40,
)


def act(state: KeyValueStore, name: str, *arguments: Any) -> MarketRefusal | None:
    """Do one step with the keeper; return why it was refused."""
    calls: dict[str, Callable[..., object]] = {
        "create_order": lambda group: keeper.create_order(state, group, SPEC, 1),
        "create_bid": lambda id, cents: keeper.create_bid(
            state, id, example_data.price(cents), (), 2
        ),
        "create_lease": lambda id: keeper.create_lease(state, id, 3),
        "close_bid": lambda id: keeper.close_bid(state, id),
        "close_lease": lambda id: keeper.close_lease(state, id, 4),
    }
    try:
        calls[name](*arguments)
    except MarketRefused as refused:
        return refused.reason
    return None


@given(STEPS, st.booleans())
def test_it_is_the_model(steps: list[tuple[Any, ...]], through_cache: bool) -> None:
    """After any steps: the same refusals, the same records, and no key more or less."""
    tree, model = Tree(), Model()
    state: KeyValueStore = Cache(tree) if through_cache else tree
    for name, *arguments in steps:
        assert getattr(model, name)(*arguments) == act(state, name, *arguments)
    if isinstance(state, Cache):
        state.write()

    assert model.keys() == {key for key, _ in tree.iterate()}
    for order_id, order_state in model.orders.items():
        order = keeper.get_order(tree, order_id)
        assert OrderRecord(order_id, order_state, SPEC, 1) == order
        bids = {b: s for b, (s, _) in model.bids.items() if b.order == order_id}
        counted = sum(s is not BidState.LOST for s in bids.values())
        assert counted == keeper.count_bids(tree, order_id)
        for bid_state in BidState:
            conditions = {b for b, s in bids.items() if s is bid_state}
            assert conditions == {b.id for b in keeper.order_bids(tree, order_id, bid_state)}
    for id, (bid_state, cents) in model.bids.items():
        assert BidRecord(id, bid_state, example_data.price(cents), 2) == keeper.get_bid(tree, id)
    for id, (lease_state, cents) in model.leases.items():
        closed_on = 4 if lease_state is LeaseState.CLOSED else 0
        expected = LeaseRecord(id, lease_state, example_data.price(cents), 3, closed_on)
        assert expected == keeper.get_lease(tree, id)
    for provider in PROVIDERS:
        leased = any(
            s is LeaseState.ACTIVE for b, (s, _) in model.leases.items() if b.provider == provider
        )
        assert leased == keeper.has_active_leases(tree, provider)
    assert set(model.orders) == {order.id for order in keeper.orders(tree)}


def test_a_refusal_changes_nothing() -> None:
    """The root hash after it is the one before."""
    tree = Tree()
    keeper.create_order(tree, GROUPS[0], SPEC, 1)
    order_id = OrderId(GROUPS[0].owner, GROUPS[0].dseq, GROUPS[0].gseq, 1)
    bid_id = BidId.for_order(order_id, PROVIDERS[0])
    before = tree.root_hash
    for step in (
        ("create_order", GROUPS[0]),
        ("create_bid", bid_id, LIMIT_CENTS + 1),
        ("create_lease", bid_id),
        ("close_lease", bid_id),
    ):
        assert act(tree, *step) is not None
    with pytest.raises(TransactionRefused):
        keeper.create_order(tree, GroupId("virtengine1nobody", 1, 1), SPEC, 1)

    assert before == tree.root_hash


def test_the_lowest_bid_wins() -> None:
    """Of equals the one whose provider's address comes first; without bids there is none."""
    tree = Tree()
    order = keeper.create_order(tree, GROUPS[0], SPEC, 1)
    with pytest.raises(MarketRefused) as none:
        keeper.lowest_bid(tree, order.id)
    assert MarketRefusal.NO_BIDS is none.value.reason
    providers = sorted(PROVIDERS, key=keys.address_part)
    for provider, cents in zip(providers, (8, 7, 7), strict=True):
        bid_id = BidId.for_order(order.id, provider)
        keeper.create_bid(tree, bid_id, example_data.price(cents), (), 1)

    assert providers[1] == keeper.lowest_bid(tree, order.id).id.provider


def test_an_order_has_so_many_bids() -> None:
    """One more than the parameter says, as in VirtEngine; lost bids would not count."""
    tree = Tree()
    order = keeper.create_order(tree, GROUPS[0], SPEC, 1)
    for number in range(keeper.MAX_BIDS + 1):
        bid_id = BidId.for_order(order.id, example_data.provider(number))
        keeper.create_bid(tree, bid_id, example_data.price(5), (), 1)
    bid_id = BidId.for_order(order.id, example_data.provider(99))
    with pytest.raises(MarketRefused) as refused:
        keeper.create_bid(tree, bid_id, example_data.price(5), (), 1)

    assert MarketRefusal.TOO_MANY_BIDS is refused.value.reason


def test_example_markets_are_what_the_keeper_would_have_written() -> None:
    """Each key is that of its record; ids lead to records; every state has its share."""
    entries = dict(example_data.records(2_000))
    tree = example_data.market_tree(2_000)
    decoders: dict[int, Callable[[bytes], OrderRecord | BidRecord | LeaseRecord]] = {
        0x11: decode_order_record,
        0x12: decode_bid_record,
        0x13: decode_lease_record,
    }
    states: set[OrderState | BidState | LeaseState] = set()
    for key, data in entries.items():
        record = decoders[key[0]](data)
        states.add(record.state)
        by_provider = key[1] == 1
        if isinstance(record, OrderRecord):
            expected = keys.order_key(record.state, record.id)
            assert record == keeper.get_order(tree, record.id)
        elif isinstance(record, BidRecord):
            make = keys.bid_provider_key if by_provider else keys.bid_key
            expected = make(record.state, record.id)
            assert record == keeper.get_bid(tree, record.id)
        else:
            make_lease = keys.lease_provider_key if by_provider else keys.lease_key
            expected = make_lease(record.state, record.id)
            assert record == keeper.get_lease(tree, record.id)
        assert expected == key
    forward = sum(key[1] == 0 for key in entries)

    assert {*OrderState, *BidState, LeaseState.ACTIVE, LeaseState.CLOSED} == states
    assert forward == pytest.approx(2_000, rel=0.01)
    assert sorted(entries) == [key for key, _ in tree.iterate()]
