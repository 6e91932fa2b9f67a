"""Execution of the messages of deployments and the market, on the stores of five modules.

What VirtEngine's handlers do (``x/deployment/handler``, ``x/market/handler``, ``x/market/hooks``),
with the records and rules of ``veperf.workloads.market``: an order is made for each group of a
deployment, a bid has a deposit, an accepted bid is a lease that is paid by block, and every end
gives back what is left. Three things differ: providers are known but neither audited nor asked for
capabilities of single resources, tenants need no verified identity to order, and all bids that lose
get their deposits back (where it stops after the first, whose escrow account is none of a
deployment).
"""

from collections.abc import Iterator
from contextlib import contextmanager

from veperf.workloads.market import keeper
from veperf.workloads.market.keeper import MarketRefusal, MarketRefused
from veperf.workloads.market.records import (
    BidId,
    BidState,
    GroupId,
    GroupSpec,
    LeaseState,
    OrderRecord,
    OrderState,
    ResourceOffer,
)
from veperf.workloads.transaction.address import Address, parse_account_address
from veperf.workloads.transaction.cache import KeyValueStore
from veperf.workloads.transaction.codec import Coin
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.modules import deployments, escrow
from veperf.workloads.transaction.modules import virtengine_wire as wire
from veperf.workloads.transaction.modules.context import BlockContext, Stores
from veperf.workloads.transaction.modules.market_messages import (
    CloseBid,
    CloseDeployment,
    CloseLease,
    CreateBid,
    CreateDeployment,
    CreateLease,
)

MINIMUM_DEPOSIT = 500_000
"""Of a deployment and of a bid, in the coin of the fees: the default of both modules."""

_PROVIDER = b"\x01"
_CODES = {
    MarketRefusal.ORDER_ACTIVE: Code.ORDER_ACTIVE,
    MarketRefusal.ORDER_MISSING: Code.ORDER_NOT_FOUND,
    MarketRefusal.ORDER_NOT_OPEN: Code.ORDER_NOT_OPEN,
    MarketRefusal.ORDER_NOT_ACTIVE: Code.ORDER_CLOSED,
    MarketRefusal.BID_EXISTS: Code.BID_EXISTS,
    MarketRefusal.BID_MISSING: Code.BID_NOT_FOUND,
    MarketRefusal.BID_NOT_OPEN: Code.BID_NOT_OPEN,
    MarketRefusal.TOO_MANY_BIDS: Code.INVALID_BID,
    MarketRefusal.PRICE_TOO_HIGH: Code.BID_OVER_ORDER,
    MarketRefusal.LEASE_MISSING: Code.LEASE_NOT_FOUND,
    MarketRefusal.LEASE_NOT_ACTIVE: Code.ORDER_CLOSED,
}


def add_provider(
    providers: KeyValueStore, address: Address, attributes: tuple[tuple[str, str], ...]
) -> None:
    """Write a provider with what it says of itself, as a genesis does."""
    record = wire.Provider(owner=address.text, host_uri="https://provider.example:8443")
    for key, value in attributes:
        record.attributes.add(key=key, value=value)
    providers.set(_provider_key(address), record.SerializeToString())


# ---------------------------------------------------------------- deployments


def run_create_deployment(stores: Stores, message: CreateDeployment, block: BlockContext) -> None:
    """Make a deployment, its escrow account, and an order for each group.

    Raises:
        TransactionRefused: ``DEPLOYMENT_EXISTS``, ``DEPLOYMENT_DEPOSIT``, ``ESCROW_DEPOSIT``.
    """
    owner = message.signer.text
    _check_deposit(message.deposit, block, Code.DEPLOYMENT_DEPOSIT)
    groups = deployments.add_deployment(
        stores["deployment"], owner, message.dseq, message.groups, message.hash, block.height
    )
    with _market_codes():
        for id, spec in zip(groups, message.groups, strict=True):
            keeper.create_order(stores["market"], id, spec, block.height)
    account = escrow.deployment_account(owner, message.dseq)
    escrow.open_account(stores, account, message.signer, message.deposit, block.height)


def run_close_deployment(stores: Stores, message: CloseDeployment, block: BlockContext) -> None:
    """Pay the leases, give back the deposit, and close all that belongs to the deployment.

    Raises:
        TransactionRefused: ``DEPLOYMENT_NOT_FOUND``, ``DEPLOYMENT_CLOSED``.
    """
    owner, dseq = message.signer.text, message.dseq
    state = deployments.deployment_state(stores["deployment"], owner, dseq)
    if state != deployments.ACTIVE:
        code = Code.DEPLOYMENT_CLOSED if state else Code.DEPLOYMENT_NOT_FOUND
        raise TransactionRefused(code, f"{owner}/{dseq}")
    account = escrow.deployment_account(owner, dseq)
    overdrawn = escrow.close_account(stores, account, block.height)
    _close_all(stores, owner, dseq, block, overdrawn=overdrawn)


def _close_all(
    stores: Stores, owner: str, dseq: int, block: BlockContext, *, overdrawn: bool
) -> None:
    """Close a deployment, its groups, and their active orders with bids and leases.

    As there, an order that is still open stays so; nobody can accept a bid on it, as its group is
    closed.
    """
    group_state = deployments.GROUP_INSUFFICIENT_FUNDS if overdrawn else deployments.GROUP_CLOSED
    market = stores["market"]
    for group in deployments.close_deployment(stores["deployment"], owner, dseq, group_state):
        for order in list(keeper.group_orders(market, OrderState.ACTIVE, group)):
            for bid in list(keeper.order_bids(market, order.id, BidState.ACTIVE)):
                keeper.close_lease(market, bid.id, block.height)
                escrow.close_account(stores, escrow.bid_account(bid.id), block.height)


# ---------------------------------------------------------------- bids


def run_create_bid(stores: Stores, message: CreateBid, block: BlockContext) -> None:
    """Make a bid and its escrow account.

    Raises:
        TransactionRefused: ``BID_DEPOSIT``, ``INVALID_BID``, ``ORDER_NOT_FOUND``,
            ``ORDER_ACTIVE``, ``ORDER_CLOSED``, ``BID_OVER_ORDER``, ``CAPABILITIES_MISMATCH``,
            ``UNKNOWN_PROVIDER``, ``ATTRIBUTE_MISMATCH``, ``BID_EXISTS``, ``ESCROW_DEPOSIT``.
    """
    _check_deposit(message.deposit, block, Code.BID_DEPOSIT)
    id = message.id
    order = keeper.get_order(stores["market"], id.order)
    if order is not None:
        _check_offer(stores["provider"], message, order)
    with _market_codes():
        keeper.create_bid(stores["market"], id, message.price, message.offer, block.height)
    escrow.open_account(
        stores, escrow.bid_account(id), message.signer, message.deposit, block.height
    )


def run_close_bid(stores: Stores, message: CloseBid, block: BlockContext) -> None:
    """Close a bid; if it is a lease, that too, and its group is paused.

    Raises:
        TransactionRefused: ``UNKNOWN_BID``, ``UNKNOWN_ORDER_FOR_BID``, ``LEASE_NOT_ACTIVE``,
            ``BID_NOT_ACTIVE``.
    """
    market, id = stores["market"], message.id
    bid = keeper.get_bid(market, id)
    if bid is None:
        raise TransactionRefused(Code.UNKNOWN_BID, str(id))
    if bid.state is BidState.OPEN:
        keeper.close_bid(market, id)
        escrow.close_account(stores, escrow.bid_account(id), block.height)
        return
    lease = keeper.get_lease(market, id)
    if lease is None or lease.state is not LeaseState.ACTIVE:
        raise TransactionRefused(Code.LEASE_NOT_ACTIVE, str(id))
    deployments.pause_group(stores["deployment"], id.order.group)
    _end_lease(stores, id, block)


def _check_offer(providers: KeyValueStore, message: CreateBid, order: OrderRecord) -> None:
    """Check the order's state, and that the provider offers what it asks for."""
    if order.state is not OrderState.OPEN:
        code = Code.ORDER_ACTIVE if order.state is OrderState.ACTIVE else Code.ORDER_CLOSED
        raise TransactionRefused(code, str(order.id))
    if order.spec.price.denom != message.price.denom:
        raise TransactionRefused(Code.BID_INVALID_PRICE, f"in {message.price.denom}")
    if not _matches(message.offer, order.spec):
        raise TransactionRefused(Code.CAPABILITIES_MISMATCH, "it is not what the order asks for")
    data = providers.get(_provider_key(message.signer))
    if data is None:
        raise TransactionRefused(Code.UNKNOWN_PROVIDER, message.signer.text)
    provider = wire.Provider.FromString(data)
    attributes = {(attribute.key, attribute.value) for attribute in provider.attributes}
    # Nobody is audited on this chain, so that an order that asks for auditors gets no bid.
    spec = order.spec
    if spec.signed_by_all or spec.signed_by_any or not attributes.issuperset(spec.attributes):
        raise TransactionRefused(Code.ATTRIBUTE_MISMATCH, message.signer.text)


def _matches(offer: tuple[ResourceOffer, ...], spec: GroupSpec) -> bool:
    """Return if ``offer`` has units of the order, each once and as often: ``MatchGSpec``."""
    counts = {unit.resources.id: unit.count for unit in spec.units}
    return all(counts.pop(entry.resources.id, None) == entry.count for entry in offer)


# ---------------------------------------------------------------- leases


def run_create_lease(stores: Stores, message: CreateLease, block: BlockContext) -> None:
    """Accept a bid: its payment begins, and the other open bids are lost.

    Raises:
        TransactionRefused: ``BID_NOT_FOUND``, ``BID_NOT_OPEN``, ``ORDER_NOT_OPEN``,
            ``GROUP_NOT_OPEN``, and the codes of ``escrow.open_payment``.
    """
    market, id = stores["market"], message.id
    bid = keeper.get_bid(market, id)
    if bid is None:
        raise TransactionRefused(Code.BID_NOT_FOUND, str(id))
    state = deployments.group_state(stores["deployment"], id.order.group)
    if bid.state is BidState.OPEN and state != deployments.GROUP_OPEN:
        raise TransactionRefused(Code.GROUP_NOT_OPEN, str(id.order.group))
    losers = [other.id for other in keeper.order_bids(market, id.order) if other.id != id]
    with _market_codes():
        keeper.create_lease(market, id, block.height)
    escrow.open_payment(
        stores,
        escrow.deployment_account(id.owner, id.dseq),
        escrow.lease_payment(id),
        parse_account_address(id.provider),
        bid.price,
        block.height,
    )
    for loser in losers:
        escrow.close_account(stores, escrow.bid_account(loser), block.height)


def run_close_lease(stores: Stores, message: CloseLease, block: BlockContext) -> None:
    """End a lease and pay it; its group gets a new order.

    Raises:
        TransactionRefused: ``ORDER_NOT_FOUND``, ``ORDER_CLOSED``, ``BID_NOT_FOUND``,
            ``LEASE_NOT_FOUND``.
    """
    group = message.id.order.group
    _end_lease(stores, message.id, block)
    if deployments.group_state(stores["deployment"], group) == deployments.GROUP_OPEN:
        spec = deployments.group_spec(stores["deployment"], group)
        _reopen(stores, group, spec, block)


def _end_lease(stores: Stores, id: BidId, block: BlockContext) -> None:
    """Close lease, bid and order, pay the provider, and give back the bid's deposit."""
    with _market_codes():
        keeper.close_lease(stores["market"], id, block.height)
    escrow.close_account(stores, escrow.bid_account(id), block.height)
    account = escrow.deployment_account(id.owner, id.dseq)
    if escrow.close_payment(stores, account, escrow.lease_payment(id), block.height):
        _close_all(stores, id.owner, id.dseq, block, overdrawn=True)


def _reopen(stores: Stores, group: GroupId, spec: GroupSpec, block: BlockContext) -> None:
    with _market_codes():
        keeper.create_order(stores["market"], group, spec, block.height)


# ---------------------------------------------------------------- shared


def _provider_key(address: Address) -> bytes:
    return _PROVIDER + bytes([len(address.data)]) + address.data


def _check_deposit(deposit: Coin, block: BlockContext, otherwise: Code) -> None:
    denom = block.chain.fee_denom
    if deposit.denom != denom or deposit.amount < MINIMUM_DEPOSIT:
        raise TransactionRefused(
            otherwise, f"{deposit.amount}{deposit.denom}, at least {MINIMUM_DEPOSIT}{denom}"
        )


@contextmanager
def _market_codes() -> Iterator[None]:
    """Refuse with the transaction's code what the market's keeper refuses."""
    try:
        yield
    except MarketRefused as refused:
        raise TransactionRefused(_CODES[refused.reason], str(refused)) from refused
