"""Messages of deployments and the market: their form, who signs them, and their checks.

Those of VirtEngine's ``virtengine.deployment.v1beta4`` and ``virtengine.market.v1beta5`` (sources
in ``virtengine_wire``), with the checks of their ``ValidateBasic``. An order is made for each group
of a deployment, and closed with it; an accepted bid is a lease. Deposits come from the signer's
balance alone, not from grants, and single resources have no attributes.
"""

from typing import Any

from msgspec import Struct

from veperf.workloads.market.codec import (
    fill_bid_id,
    fill_price,
    fill_resources,
    fill_spec,
    read_price,
    read_resources,
    read_spec,
)
from veperf.workloads.market.records import BidId, GroupSpec, Price, ResourceOffer
from veperf.workloads.transaction.address import Address, parse_account_address
from veperf.workloads.transaction.codec import Coin, parse_coins
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.modules import virtengine_wire as wire

HASH_BYTES = 32
FROM_BALANCE = 1
"""Source of a deposit: the signer's balance."""
UNSTABLE = 10_000
"""A provider's reason to close a bid: ``lease_closed_reason_unstable``."""
_PROVIDER_REASONS = range(10_000, 20_000)
_MAX_DIGITS = 20

# The limits of VirtEngine's validation_config.go, for a replica and for all of a group.
_MIB, _TIB = 1 << 20, 1 << 40
_CPU_MILLIS, _GPUS = range(10, 384_001), range(25)
_MEMORY_BYTES, _VOLUME_BYTES = range(_MIB, 2 * _TIB + 1), range(5 * _MIB, 32 * _TIB + 1)
_MAX_PRICE_ATTO = 10_000_000 * 10**18
_LARGEST_REPLICAS = 50
"""A group may ask for as much as this many of the largest replicas."""


class CreateDeployment(Struct, frozen=True):
    """A deployment with an order for each of its groups: MsgCreateDeployment."""

    signer: Address
    """The tenant."""
    dseq: int
    groups: tuple[GroupSpec, ...]
    hash: bytes
    """SHA-256 of the deployment's manifest."""
    deposit: Coin


class CloseDeployment(Struct, frozen=True):
    """The end of a deployment, its orders and leases: MsgCloseDeployment."""

    signer: Address
    dseq: int


class CreateBid(Struct, frozen=True):
    """A provider's bid on an order: MsgCreateBid."""

    signer: Address
    """The provider."""
    id: BidId
    price: Price
    deposit: Coin
    offer: tuple[ResourceOffer, ...]


class CloseBid(Struct, frozen=True):
    """The end of a bid, and of the lease that it became, by its provider: MsgCloseBid."""

    signer: Address
    id: BidId
    reason: int


class CreateLease(Struct, frozen=True):
    """The acceptance of a bid by the order's tenant: MsgCreateLease."""

    signer: Address
    id: BidId


class CloseLease(Struct, frozen=True):
    """The end of a lease by its tenant: MsgCloseLease."""

    signer: Address
    id: BidId


# ---------------------------------------------------------------- encoding


def encode_create_deployment(message: CreateDeployment) -> Any:
    """Return ``message`` as a protobuf message, as the others do theirs."""
    encoded = wire.MsgCreateDeployment(hash=message.hash)
    encoded.id.owner, encoded.id.dseq = message.signer.text, message.dseq
    for spec in message.groups:
        fill_spec(encoded.groups.add(), spec)
    _fill_deposit(encoded.deposit, message.deposit)
    return encoded


def encode_close_deployment(message: CloseDeployment) -> Any:
    """Return ``message`` as a protobuf message."""
    return wire.MsgCloseDeployment(
        id=wire.DeploymentID(owner=message.signer.text, dseq=message.dseq)
    )


def encode_create_bid(message: CreateBid) -> Any:
    """Return ``message`` as a protobuf message."""
    encoded = wire.MsgCreateBid()
    fill_bid_id(encoded.id, message.id)
    fill_price(encoded.price, message.price)
    _fill_deposit(encoded.deposit, message.deposit)
    for offer in message.offer:
        entry = encoded.resources_offer.add(count=offer.count)
        fill_resources(entry.resources, offer.resources)
    return encoded


def encode_close_bid(message: CloseBid) -> Any:
    """Return ``message`` as a protobuf message."""
    encoded = wire.MsgCloseBid(reason=message.reason)
    fill_bid_id(encoded.id, message.id)
    return encoded


def encode_create_lease(message: CreateLease) -> Any:
    """Return ``message`` as a protobuf message."""
    encoded = wire.MsgCreateLease()
    fill_bid_id(encoded.bid_id, message.id)
    return encoded


def encode_close_lease(message: CloseLease) -> Any:
    """Return ``message`` as a protobuf message."""
    encoded = wire.MsgCloseLease()
    fill_bid_id(encoded.id, message.id)
    return encoded


def _fill_deposit(encoded: Any, deposit: Coin) -> None:
    encoded.amount.denom, encoded.amount.amount = deposit.denom, str(deposit.amount)
    encoded.sources.append(FROM_BALANCE)


# ---------------------------------------------------------------- decoding


def read_create_deployment(message: Any, prefix: str) -> CreateDeployment:
    """Check a MsgCreateDeployment.

    Raises:
        TransactionRefused: ``INVALID_ADDRESS``, ``INVALID_NUMBER``, ``INVALID_GROUPS``,
            ``INVALID_HASH``, ``INVALID_COINS``, ``DEPLOYMENT_DEPOSIT`` for a deposit in another
            coin than the prices, ``UNSUPPORTED``.
    """
    signer, dseq = _read_deployment_id(message.id, prefix)
    deposit = _read_deposit(message.deposit)
    groups = tuple([_read_group(spec, prefix) for spec in message.groups])
    if not groups or len({spec.name for spec in groups}) < len(groups):
        raise TransactionRefused(Code.INVALID_GROUPS, "there is none, or two have one name")
    if len(message.hash) != HASH_BYTES:
        raise TransactionRefused(Code.INVALID_HASH, f"{len(message.hash)} bytes, not {HASH_BYTES}")
    if any(spec.price.denom != deposit.denom for spec in groups):
        raise TransactionRefused(Code.DEPLOYMENT_DEPOSIT, f"prices are not in {deposit.denom}")
    return CreateDeployment(signer, dseq, groups, bytes(message.hash), deposit)


def read_close_deployment(message: Any, prefix: str) -> CloseDeployment:
    """Check a MsgCloseDeployment.

    Raises:
        TransactionRefused: ``INVALID_ADDRESS``, ``INVALID_NUMBER``.
    """
    return CloseDeployment(*_read_deployment_id(message.id, prefix))


def read_create_bid(message: Any, prefix: str) -> CreateBid:
    """Check a MsgCreateBid.

    Raises:
        TransactionRefused: ``INVALID_ADDRESS``, ``INVALID_NUMBER``, ``CONFLICT``,
            ``INVALID_COINS``, ``BID_ZERO_PRICE``, ``BID_INVALID_PRICE``, ``UNSUPPORTED``.
    """
    _, provider, id = _read_bid_id(message.id, prefix)
    deposit = _read_deposit(message.deposit)
    if message.price.amount in ("", "0"):
        raise TransactionRefused(Code.BID_ZERO_PRICE, f"in {message.price.denom}")
    price = _read_price(message.price, Code.BID_INVALID_PRICE)
    offer = []
    for entry in message.resources_offer:
        _check_resources(entry.resources, Code.INVALID_BID)
        offer.append(ResourceOffer(read_resources(entry.resources), entry.count))
    return CreateBid(provider, id, price, deposit, tuple(offer))


def read_close_bid(message: Any, prefix: str) -> CloseBid:
    """Check a MsgCloseBid.

    Raises:
        TransactionRefused: ``INVALID_ADDRESS``, ``INVALID_NUMBER``, ``CONFLICT``,
            ``INVALID_CLOSE_REASON``: it is none of a provider's.
    """
    _, provider, id = _read_bid_id(message.id, prefix)
    if message.reason not in _PROVIDER_REASONS:
        raise TransactionRefused(Code.INVALID_CLOSE_REASON, f"{message.reason} is no provider's")
    return CloseBid(provider, id, message.reason)


def read_create_lease(message: Any, prefix: str) -> CreateLease:
    """Check a MsgCreateLease.

    Raises:
        TransactionRefused: ``INVALID_ADDRESS``, ``INVALID_NUMBER``, ``CONFLICT``.
    """
    owner, _, id = _read_bid_id(message.bid_id, prefix)
    return CreateLease(owner, id)


def read_close_lease(message: Any, prefix: str) -> CloseLease:
    """Check a MsgCloseLease; its reason is the tenant's, whatever it says.

    Raises:
        TransactionRefused: ``INVALID_ADDRESS``, ``INVALID_NUMBER``, ``CONFLICT``.
    """
    owner, _, id = _read_bid_id(message.id, prefix)
    return CloseLease(owner, id)


def _read_deployment_id(id: Any, prefix: str) -> tuple[Address, int]:
    owner = parse_account_address(id.owner, prefix)
    if not id.dseq:
        raise TransactionRefused(Code.INVALID_NUMBER, "that of a deployment is 0")
    return owner, id.dseq


def _read_bid_id(id: Any, prefix: str) -> tuple[Address, Address, BidId]:
    """Check the id of a bid; return its tenant, its provider, and the id with plain addresses."""
    owner = parse_account_address(id.owner, prefix)
    provider = parse_account_address(id.provider, prefix)
    if not (id.dseq and id.gseq and id.oseq):
        raise TransactionRefused(Code.INVALID_NUMBER, "one of an order is 0")
    if owner.data == provider.data:
        raise TransactionRefused(Code.CONFLICT, f"{owner.text} is owner and provider")
    if id.bseq:
        raise TransactionRefused(Code.CONFLICT, f"the bid's number is {id.bseq}, not 0")
    return (
        owner,
        provider,
        BidId(owner.text, id.dseq, id.gseq, id.oseq, provider.text),
    )


def _read_deposit(deposit: Any) -> Coin:
    if list(deposit.sources) != [FROM_BALANCE]:
        raise TransactionRefused(
            Code.UNSUPPORTED, f"a deposit from {list(deposit.sources)}; balances (1) are supported"
        )
    return parse_coins([(deposit.amount.denom, deposit.amount.amount)])[0]


def _read_price(price: Any, otherwise: Code) -> Price:
    try:
        parse_coins([(price.denom, price.amount)])
    except TransactionRefused as refused:
        raise TransactionRefused(otherwise, str(refused)) from refused
    return read_price(price)


def _read_group(spec: Any, prefix: str) -> GroupSpec:
    if not spec.name or not spec.resources:
        raise TransactionRefused(Code.INVALID_GROUPS, "one has no name, or asks for nothing")
    for unit in spec.resources:
        _check_resources(unit.resource, Code.INVALID_GROUPS)
        _read_price(unit.price, Code.INVALID_GROUPS)
        if not unit.count or unit.price.denom != spec.resources[0].price.denom:
            raise TransactionRefused(
                Code.INVALID_GROUPS, f"{spec.name!r} asks for nothing, or in several coins"
            )
    signed_by = spec.requirements.signed_by
    for auditor in (*signed_by.all_of, *signed_by.any_of):
        parse_account_address(auditor, prefix)
    group = read_spec(spec)
    _check_limits(group)
    return group


def _check_limits(group: GroupSpec) -> None:
    """Check that services have different ids, and ask for neither too little nor too much."""
    units = group.units
    if len({unit.resources.id for unit in units}) < len(units):
        raise _over_limits(group, "two services have one id")
    for unit in units:
        resources = unit.resources
        if not (
            resources.id
            and resources.cpu_millis in _CPU_MILLIS
            and resources.gpus in _GPUS
            and resources.memory_bytes in _MEMORY_BYTES
            and all(size in _VOLUME_BYTES for _, size in resources.storage_bytes)
            and unit.price.atto <= _MAX_PRICE_ATTO
        ):
            raise _over_limits(group, f"service {resources.id} is outside of the limits")
    totals = (
        (_CPU_MILLIS, sum(unit.count * unit.resources.cpu_millis for unit in units)),
        (_GPUS, sum(unit.count * unit.resources.gpus for unit in units)),
        (_MEMORY_BYTES, sum(unit.count * unit.resources.memory_bytes for unit in units)),
    )
    if any(total > _LARGEST_REPLICAS * allowed[-1] for allowed, total in totals):
        raise _over_limits(group, "all replicas together are over the limits")


def _over_limits(group: GroupSpec, reason: str) -> TransactionRefused:
    return TransactionRefused(Code.INVALID_GROUPS, f"{group.name!r}: {reason}")


def _check_resources(resources: Any, otherwise: Code) -> None:
    """Check that quantities are plain decimals, so that a record has one encoding."""
    amounts = [resources.cpu.units.val, resources.memory.quantity.val, resources.gpu.units.val]
    amounts += [volume.quantity.val for volume in resources.storage]
    for digits in amounts:
        if not digits.isdigit() or len(digits) > _MAX_DIGITS or digits != b"%d" % int(digits):
            raise TransactionRefused(otherwise, f"{bytes(digits[:40])!r} is no quantity")
    with_attributes = (resources.cpu, resources.memory, resources.gpu, *resources.storage)
    if any(part.attributes for part in with_attributes):
        raise TransactionRefused(Code.UNSUPPORTED, "attributes of single resources")
