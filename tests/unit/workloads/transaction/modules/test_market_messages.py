"""Deployments, bids and leases as transactions: who may, what it costs, where the coins go."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from msgspec.structs import replace

from veperf.workloads.market import keeper
from veperf.workloads.market.example_data import offer, price
from veperf.workloads.market.records import (
    BidState,
    GroupSpec,
    LeaseState,
    OrderState,
    Price,
    ReplicaResources,
    ResourceUnit,
)
from veperf.workloads.transaction.address import PREFIX, Address
from veperf.workloads.transaction.codec import Coin
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.example_data import BALANCE, CHAIN
from veperf.workloads.transaction.modules import deployments, escrow
from veperf.workloads.transaction.modules import example_data as chain
from veperf.workloads.transaction.modules import example_virtengine as virtengine
from veperf.workloads.transaction.modules.blocks import deliver_block
from veperf.workloads.transaction.modules.context import COMMUNITY_POOL, ESCROW
from veperf.workloads.transaction.modules.example_traffic import GAS_LIMIT, Signing
from veperf.workloads.transaction.modules.messages import Message, pack_message, unpack_message
from veperf.workloads.transaction.multistore import MultiStore
from veperf.workloads.transaction.state import get_balance

TENANT, PROVIDER, OTHER = 0, 1, 2
DEPOSIT = virtengine.DEPOSIT.amount
FEE = chain.example_fee(GAS_LIMIT).amount[0].amount


class Market:
    """A chain with the messages of its accounts, a block for each call of ``block``."""

    def __init__(self) -> None:
        self.stores: MultiStore = chain.genesis(4)
        self._signing = Signing()

    def block(self, *entries: tuple[int, Message]) -> list[Code]:
        """Deliver a transaction for each signer and message; return the codes."""
        raws = [self._signing.sign(*entry) for entry in entries]
        return [result.code for result in deliver_block(self.stores, raws, CHAIN, 1).results]

    def spent(self, account: int | Address, fees: int = 0) -> int:
        """Return what an account has less than at the beginning, but for its fees."""
        address = chain.example_address(account) if isinstance(account, int) else account
        balance = get_balance(self.stores.trees["bank"], address.data, CHAIN.fee_denom)
        return (BALANCE if isinstance(account, int) else 0) - balance - fees * FEE


@pytest.fixture
def market() -> Market:
    market = Market()
    market.block((TENANT, virtengine.example_deployment(TENANT)))
    return market


def bids(market: Market) -> list[Code]:
    return market.block(
        (PROVIDER, virtengine.example_bid(TENANT, PROVIDER)),
        (OTHER, virtengine.example_bid(TENANT, OTHER, cents=80)),
    )


def states(market: Market, provider: int = PROVIDER) -> tuple[Any, Any, Any]:
    state, id = market.stores.trees["market"], virtengine.example_bid_id(TENANT, provider)
    order, bid, lease = (
        keeper.get_order(state, id.order), keeper.get_bid(state, id), keeper.get_lease(state, id)
    )  # fmt: skip
    return tuple(record and record.state for record in (order, bid, lease))  # type: ignore[return-value]  # three


def test_a_lease_is_paid_by_block_and_every_end_gives_back(market: Market) -> None:
    """Ten blocks at 0.90 a block: 9 coins, of which the community takes 2 percent, rounded down."""
    assert [Code.OK, Code.OK] == bids(market)
    assert [3 * DEPOSIT, -3 * DEPOSIT] == [
        market.spent(TENANT, 1) + market.spent(PROVIDER, 1) + market.spent(OTHER, 1),
        market.spent(ESCROW),
    ]
    assert [Code.OK] == market.block((TENANT, virtengine.acceptance(TENANT, PROVIDER)))
    assert (OrderState.ACTIVE, BidState.ACTIVE, LeaseState.ACTIVE) == states(market)
    assert (OrderState.ACTIVE, BidState.LOST, None) == states(market, OTHER)
    assert 0 == market.spent(OTHER, 1)
    for _ in range(9):
        market.block()
    assert [Code.OK] == market.block((TENANT, virtengine.end_of_lease(TENANT, PROVIDER)))
    assert (OrderState.CLOSED, BidState.CLOSED, LeaseState.CLOSED) == states(market)
    assert -9 == market.spent(PROVIDER, 1)
    assert 0 == market.spent(COMMUNITY_POOL)
    # The group is open, so it has another order; with the deployment ends all.
    again = virtengine.example_bid_id(TENANT, PROVIDER, oseq=2).order
    assert keeper.get_order(market.stores.trees["market"], again) is not None
    assert [Code.OK] == market.block((TENANT, virtengine.end_of_deployment(TENANT)))
    assert [9, 0] == [market.spent(TENANT, 4), market.spent(ESCROW)]


def test_the_community_takes_two_percent(market: Market) -> None:
    """Of 90 coins one, as 1.8 is rounded down."""
    bids(market)
    market.block((TENANT, virtengine.acceptance(TENANT, PROVIDER)))
    for _ in range(99):
        market.block()
    market.block((TENANT, virtengine.end_of_deployment(TENANT)))

    assert [90, -89, -1, 0] == [
        market.spent(TENANT, 3),
        market.spent(PROVIDER, 1),
        market.spent(COMMUNITY_POOL),
        market.spent(ESCROW),
    ]
    assert (OrderState.CLOSED, BidState.CLOSED, LeaseState.CLOSED) == states(market)


def test_a_deposit_that_is_used_up_closes_the_deployment() -> None:
    """The provider gets what there was, and the group has insufficient funds."""
    market = Market()
    units = virtengine.example_deployment(TENANT).groups[0].units
    dear = replace(units[0], price=price(100 * DEPOSIT))
    spec = replace(virtengine.example_deployment(TENANT).groups[0], units=(dear,))
    deployment = replace(virtengine.example_deployment(TENANT), groups=(spec,))
    bid = replace(virtengine.example_bid(TENANT, PROVIDER, cents=40 * DEPOSIT), offer=())
    outcomes = [
        market.block((TENANT, deployment)),
        market.block((PROVIDER, bid)),
        market.block((TENANT, virtengine.acceptance(TENANT, PROVIDER))),
        market.block(),
        market.block(),
        market.block((TENANT, virtengine.end_of_lease(TENANT, PROVIDER))),
    ]

    assert [[Code.OK]] * 3 + [[], [], [Code.OK]] == outcomes
    assert [DEPOSIT, 0] == [market.spent(TENANT, 3), market.spent(ESCROW)]
    assert -DEPOSIT == market.spent(PROVIDER, 1) + market.spent(COMMUNITY_POOL)
    stores, group = market.stores.trees, virtengine.example_bid_id(TENANT, PROVIDER).order.group
    owner = chain.example_address(TENANT).text
    assert deployments.CLOSED == deployments.deployment_state(stores["deployment"], owner, 1)
    assert deployments.GROUP_INSUFFICIENT_FUNDS == deployments.group_state(
        stores["deployment"], group
    )
    account = escrow.account_state(stores["escrow"], escrow.deployment_account(owner, 1))
    assert account is not None
    assert escrow.OVERDRAWN == account.state


def test_a_provider_takes_a_bid_back_and_ends_a_lease(market: Market) -> None:
    """An open bid is closed; with a lease its group is paused, so that it gets no order."""
    bids(market)
    assert [Code.OK] == market.block((OTHER, virtengine.withdrawal(TENANT, OTHER)))
    assert [0, BidState.CLOSED] == [market.spent(OTHER, 2), states(market, OTHER)[1]]
    market.block((TENANT, virtengine.acceptance(TENANT, PROVIDER)))
    assert [Code.OK] == market.block((PROVIDER, virtengine.withdrawal(TENANT, PROVIDER)))
    assert (OrderState.CLOSED, BidState.CLOSED, LeaseState.CLOSED) == states(market)
    group = virtengine.example_bid_id(TENANT, PROVIDER).order.group
    state = deployments.group_state(market.stores.trees["deployment"], group)
    again = virtengine.example_bid_id(TENANT, PROVIDER, oseq=2).order
    assert deployments.GROUP_PAUSED == state
    assert keeper.get_order(market.stores.trees["market"], again) is None


def test_messages_of_all_modules_take_effect_or_none(market: Market) -> None:
    """A bid that is refused takes back a transfer and a bid of the same transaction."""
    bid = virtengine.example_bid(TENANT, PROVIDER)
    send = chain.example_send(PROVIDER, OTHER, 5)
    raw = Signing().sign(PROVIDER, send, bid, bid)
    (result,) = deliver_block(market.stores, [raw], CHAIN, 1).results

    assert (Code.BID_EXISTS, "market", 21, True) == (
        result.code, result.code.codespace, result.code.abci, result.paid
    )  # fmt: skip
    assert [0, None, 0] == [market.spent(PROVIDER, 1), states(market)[1], market.spent(OTHER)]


def bid_with(**changes: Any) -> Message:
    return replace(virtengine.example_bid(TENANT, PROVIDER), **changes)


def few() -> Coin:
    return Coin(CHAIN.fee_denom, DEPOSIT - 1)


REFUSED: list[tuple[int, Callable[[], Message], Code]] = [
    (TENANT, lambda: virtengine.example_deployment(TENANT), Code.DEPLOYMENT_EXISTS),
    (
        TENANT,
        lambda: replace(virtengine.example_deployment(TENANT, 2), deposit=few()),
        Code.DEPLOYMENT_DEPOSIT,
    ),
    (
        TENANT,
        lambda: replace(
            virtengine.example_deployment(TENANT, 2), deposit=Coin(CHAIN.fee_denom, BALANCE)
        ),
        Code.ESCROW_DEPOSIT,
    ),
    (TENANT, lambda: virtengine.end_of_deployment(TENANT, 2), Code.DEPLOYMENT_NOT_FOUND),
    (PROVIDER, lambda: bid_with(deposit=few()), Code.BID_DEPOSIT),
    (PROVIDER, lambda: bid_with(price=price(201)), Code.BID_OVER_ORDER),
    (PROVIDER, lambda: bid_with(offer=offer(4)), Code.CAPABILITIES_MISMATCH),
    (PROVIDER, lambda: virtengine.example_bid(TENANT, PROVIDER, 2), Code.ORDER_NOT_FOUND),
    (PROVIDER, lambda: virtengine.withdrawal(TENANT, PROVIDER), Code.UNKNOWN_BID),
    (TENANT, lambda: virtengine.acceptance(TENANT, PROVIDER), Code.BID_NOT_FOUND),
    (TENANT, lambda: virtengine.end_of_lease(TENANT, PROVIDER), Code.ORDER_CLOSED),
]


@pytest.mark.parametrize(
    ("signer", "make", "expected"), REFUSED, ids=[code.name for *_, code in REFUSED]
)
def test_the_rules_of_the_handlers(
    market: Market, signer: int, make: Callable[[], Message], expected: Code
) -> None:
    """What is refused costs its fee alone."""
    before = market.spent(signer)

    assert [expected] == market.block((signer, make()))
    assert before + FEE == market.spent(signer)


def test_bids_after_the_match_and_ends_after_the_end(market: Market) -> None:
    """Each state refuses what belongs to an earlier one."""
    bids(market)
    market.block((TENANT, virtengine.acceptance(TENANT, PROVIDER)))
    late = market.block(
        (3, virtengine.example_bid(TENANT, 3)),
        (TENANT, virtengine.acceptance(TENANT, OTHER)),
        (OTHER, virtengine.withdrawal(TENANT, OTHER)),
    )
    ended = market.block(
        (TENANT, virtengine.end_of_deployment(TENANT)),
        (TENANT, virtengine.end_of_deployment(TENANT)),
        (3, virtengine.example_bid(TENANT, 3)),
        (TENANT, virtengine.end_of_lease(TENANT, PROVIDER)),
    )

    assert [Code.ORDER_ACTIVE, Code.BID_NOT_OPEN, Code.LEASE_NOT_ACTIVE] == late
    assert [Code.OK, Code.DEPLOYMENT_CLOSED, Code.ORDER_CLOSED, Code.ORDER_CLOSED] == ended


def test_only_the_owner_and_the_provider_sign(market: Market) -> None:
    """Another signature than the message's signer's is none."""
    bid = virtengine.example_bid(TENANT, PROVIDER)
    lease = virtengine.acceptance(TENANT, PROVIDER)

    assert [Code.WRONG_SIGNER] * 2 == market.block((OTHER, bid), (PROVIDER, lease))


def changed(message: Message, change: Callable[[Any], None]) -> Code:
    """Return the code with which a changed protobuf message is refused."""
    packed = pack_message(message)
    kind, _, encoded, _ = unpack_message(packed, PREFIX)
    assert message == kind
    change(encoded)
    packed.value = encoded.SerializeToString()
    with pytest.raises(TransactionRefused) as caught:
        unpack_message(packed, PREFIX)
    return caught.value.code


def test_what_messages_say_is_checked_without_the_state() -> None:
    """ValidateBasic of each: ids, prices, deposits, quantities, reasons."""
    bid = virtengine.example_bid(TENANT, PROVIDER)
    deployment = virtengine.example_deployment(TENANT)
    owner = chain.example_address(TENANT).text

    assert Code.CONFLICT is changed(bid, lambda m: setattr(m.id, "provider", owner))
    assert Code.CONFLICT is changed(bid, lambda m: setattr(m.id, "bseq", 1))
    assert Code.INVALID_NUMBER is changed(bid, lambda m: setattr(m.id, "gseq", 0))
    assert Code.BID_ZERO_PRICE is changed(bid, lambda m: setattr(m.price, "amount", "0"))
    assert Code.BID_INVALID_PRICE is changed(bid, lambda m: setattr(m.price, "amount", "-5"))
    assert Code.UNSUPPORTED is changed(bid, lambda m: m.deposit.sources.append(2))
    assert Code.INVALID_COINS is changed(bid, lambda m: m.deposit.ClearField("amount"))
    assert Code.INVALID_CLOSE_REASON is changed(
        virtengine.withdrawal(TENANT, PROVIDER), lambda m: setattr(m, "reason", 1)
    )
    assert Code.INVALID_GROUPS is changed(deployment, lambda m: m.ClearField("groups"))
    assert Code.INVALID_GROUPS is changed(deployment, lambda m: m.groups.append(m.groups[0]))
    assert Code.INVALID_HASH is changed(deployment, lambda m: setattr(m, "hash", b"short"))
    for digits in (b"", b"07", b"1_0", b" 7", b"-7", b"9" * 21):
        assert Code.INVALID_GROUPS is changed(deployment, partial(set_cpu, digits))


def set_cpu(digits: bytes, message: Any) -> None:
    message.groups[0].resources[0].resource.cpu.units.val = digits


def deployment_of_the_largest(**change: Any) -> Message:
    """Return a deployment whose group asks for the most of everything, but for ``change``."""
    deployment = virtengine.example_deployment(TENANT)
    most = ReplicaResources(1, 384_000, 2 << 40, (("default", 32 << 40),), 24)
    unit = ResourceUnit(most, 50, Price(CHAIN.fee_denom, 10_000_000 * 10**18))
    resources = {name: value for name, value in change.items() if hasattr(most, name)}
    rest = {name: value for name, value in change.items() if name not in resources}
    unit = replace(unit, resources=replace(most, **resources), **rest)
    return replace(deployment, groups=(GroupSpec("group", (unit,)),))


@pytest.mark.parametrize(
    "change",
    [
        {"id": 0},
        {"cpu_millis": 9},
        {"cpu_millis": 384_001},
        {"gpus": 25},
        {"memory_bytes": (1 << 20) - 1},
        {"memory_bytes": (2 << 40) + 1},
        {"storage_bytes": (("default", (5 << 20) - 1),)},
        {"storage_bytes": (("default", 5 << 20), ("data", (32 << 40) + 1))},
        {"price": Price(CHAIN.fee_denom, 10_000_000 * 10**18 + 1)},
        {"count": 51},
    ],
    ids=str,
)
def test_groups_ask_for_no_more_than_virtengine_allows(change: dict[str, Any]) -> None:
    """The numbers of its validation_config.go: the last that are allowed, and the next."""
    whole = deployment_of_the_largest()
    assert whole == unpack_message(pack_message(whole), PREFIX)[0]
    with pytest.raises(TransactionRefused) as caught:
        unpack_message(pack_message(deployment_of_the_largest(**change)), PREFIX)
    assert Code.INVALID_GROUPS is caught.value.code


def test_two_services_of_a_group_have_two_ids() -> None:
    """As in its resourceunits.go, which calls the same number twice a duplicate."""
    deployment = virtengine.example_deployment(TENANT)
    twice = replace(deployment.groups[0], units=deployment.groups[0].units * 2)
    with pytest.raises(TransactionRefused, match="one id"):
        unpack_message(pack_message(replace(deployment, groups=(twice,))), PREFIX)


def test_an_order_has_21_bids_at_most() -> None:
    """As VirtEngine counts them: the 22nd is refused."""
    market = Market()
    market.stores = chain.genesis(30)
    market.block((TENANT, virtengine.example_deployment(TENANT)))
    entries = [(i, virtengine.example_bid(TENANT, i)) for i in range(1, 23)]

    assert [Code.OK] * 21 + [Code.INVALID_BID] == market.block(*entries)
