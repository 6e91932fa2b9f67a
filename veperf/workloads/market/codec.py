"""Records as protobuf messages, byte for byte as VirtEngine's store holds them.

Field numbers are those of the ``.proto`` files that ``records`` names; a uint32 or a positive int64
is written as a uint64 is. Go's generated code writes embedded messages that can't be nil even where
they are empty, and so does this.
"""

from typing import Any

from google.protobuf.message import DecodeError

from veperf.workloads.market.records import (
    BidId,
    BidRecord,
    BidState,
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
from veperf.workloads.transaction.protobuf import message_classes

_ID = "owner string 1, dseq uint64 2, gseq uint64 3, oseq uint64 4"
_AGREED = "id BidId 1, state int32 2, price DecCoin 3, created_at uint64 4"

_CLASSES = message_classes(
    "veperf.market",
    {
        "Attribute": "key string 1, value string 2",
        "SignedBy": "all_of *string 1, any_of *string 2",
        "Requirements": "signed_by SignedBy 1, attributes *Attribute 2",
        "Value": "val bytes 1",
        "Units": "units Value 1",
        "Memory": "quantity Value 1",
        "Storage": "name string 1, quantity Value 2",
        "Endpoint": "kind int32 1, sequence_number uint64 2",
        "Resources": "id uint64 1, cpu Units 2, memory Memory 3, storage *Storage 4, "
        "gpu Units 5, endpoints *Endpoint 6",
        "DecCoin": "denom string 1, amount string 2",
        "ResourceUnit": "resource Resources 1, count uint64 2, price DecCoin 3",
        "GroupSpec": "name string 1, requirements Requirements 2, resources *ResourceUnit 3",
        "OrderId": _ID,
        "BidId": f"{_ID}, provider string 5, bseq uint64 6",
        "Order": "id OrderId 1, state int32 2, spec GroupSpec 3, created_at uint64 4",
        "Offer": "resources Resources 1, count uint64 2",
        "Bid": f"{_AGREED}, resources_offer *Offer 5",
        "Lease": f"{_AGREED}, closed_on uint64 5, reason int32 6",
    },
)
# Any, here and below: the fields of a class made at run time are unknown to a type checker.
_Order: Any = _CLASSES["Order"]
_Bid: Any = _CLASSES["Bid"]
_Lease: Any = _CLASSES["Lease"]


class CorruptMarketRecordError(ValueError):
    """Stored bytes are not the record that they should be."""


# ---------------------------------------------------------------- encoding


def encode_order_record(order: OrderRecord) -> bytes:
    """Return an order's bytes."""
    message = _Order(state=order.state, created_at=order.created_at)
    id = message.id
    id.owner, id.dseq, id.gseq, id.oseq = (
        order.id.owner, order.id.dseq, order.id.gseq, order.id.oseq
    )  # fmt: skip
    fill_spec(message.spec, order.spec)
    return _serialize(message)


def encode_bid_record(bid: BidRecord) -> bytes:
    """Return a bid's bytes."""
    message = _Bid(state=bid.state, created_at=bid.created_at)
    fill_bid_id(message.id, bid.id)
    fill_price(message.price, bid.price)
    for offer in bid.offer:
        entry = message.resources_offer.add(count=offer.count)
        fill_resources(entry.resources, offer.resources)
    return _serialize(message)


def encode_lease_record(lease: LeaseRecord) -> bytes:
    """Return a lease's bytes."""
    message = _Lease(state=lease.state, created_at=lease.created_at, closed_on=lease.closed_on)
    fill_bid_id(message.id, lease.id)
    fill_price(message.price, lease.price)
    return _serialize(message)


def _serialize(message: Any) -> bytes:
    encoded: bytes = message.SerializeToString()
    return encoded


def fill_spec(message: Any, spec: GroupSpec) -> None:
    """Fill in what an order asks for."""
    message.name = spec.name
    requirements = message.requirements
    requirements.signed_by.SetInParent()
    requirements.signed_by.all_of.extend(spec.signed_by_all)
    requirements.signed_by.any_of.extend(spec.signed_by_any)
    for key, value in spec.attributes:
        requirements.attributes.add(key=key, value=value)
    for unit in spec.units:
        entry = message.resources.add(count=unit.count)
        fill_resources(entry.resource, unit.resources)
        fill_price(entry.price, unit.price)


def fill_bid_id(message: Any, id: BidId) -> None:
    """Fill in the id of a bid or lease."""
    message.owner, message.dseq, message.gseq, message.oseq = id.owner, id.dseq, id.gseq, id.oseq
    message.provider, message.bseq = id.provider, id.bseq


def fill_resources(message: Any, resources: ReplicaResources) -> None:
    """Fill in quantities as ``math.Int``: their decimal digits."""
    message.id = resources.id
    message.cpu.units.val = b"%d" % resources.cpu_millis
    message.memory.quantity.val = b"%d" % resources.memory_bytes
    for name, size in resources.storage_bytes:
        message.storage.add(name=name).quantity.val = b"%d" % size
    message.gpu.units.val = b"%d" % resources.gpus
    for kind, number in resources.endpoints:
        message.endpoints.add(kind=kind, sequence_number=number)


def fill_price(message: Any, price: Price) -> None:
    """Fill in a ``DecCoin``: its amount is a whole number of 1e-18."""
    message.denom, message.amount = price.denom, str(price.atto)


# ---------------------------------------------------------------- decoding


def decode_order_record(data: bytes) -> OrderRecord:
    """Return the order in ``data``.

    Raises:
        CorruptMarketRecordError: there is none.
    """
    try:
        message = _Order.FromString(data)
        id = message.id
        return OrderRecord(
            OrderId(id.owner, id.dseq, id.gseq, id.oseq),
            OrderState(message.state),
            read_spec(message.spec),
            message.created_at,
        )
    except (DecodeError, ValueError) as error:
        raise CorruptMarketRecordError(f"no order: {error}") from error


def decode_bid_record(data: bytes) -> BidRecord:
    """Return the bid in ``data``.

    Raises:
        CorruptMarketRecordError: there is none.
    """
    try:
        message = _Bid.FromString(data)
        return BidRecord(
            read_bid_id(message.id),
            BidState(message.state),
            read_price(message.price),
            message.created_at,
            tuple(
                ResourceOffer(read_resources(offer.resources), offer.count)
                for offer in message.resources_offer
            ),
        )
    except (DecodeError, ValueError) as error:
        raise CorruptMarketRecordError(f"no bid: {error}") from error


def decode_lease_record(data: bytes) -> LeaseRecord:
    """Return the lease in ``data``.

    Raises:
        CorruptMarketRecordError: there is none.
    """
    try:
        message = _Lease.FromString(data)
        return LeaseRecord(
            read_bid_id(message.id),
            LeaseState(message.state),
            read_price(message.price),
            message.created_at,
            message.closed_on,
        )
    except (DecodeError, ValueError) as error:
        raise CorruptMarketRecordError(f"no lease: {error}") from error


def read_bid_id(id: Any) -> BidId:
    """Return the id of a bid or lease."""
    return BidId(id.owner, id.dseq, id.gseq, id.oseq, id.provider, id.bseq)


def read_spec(spec: Any) -> GroupSpec:
    """Return what an order asks for.

    Raises:
        ValueError: a quantity or price is no whole number.
    """
    signed_by = spec.requirements.signed_by
    return GroupSpec(
        spec.name,
        tuple(
            ResourceUnit(read_resources(unit.resource), unit.count, read_price(unit.price))
            for unit in spec.resources
        ),
        tuple((entry.key, entry.value) for entry in spec.requirements.attributes),
        tuple(signed_by.all_of),
        tuple(signed_by.any_of),
    )


def read_resources(resources: Any) -> ReplicaResources:
    """Return the resources of a replica.

    Raises:
        ValueError: a quantity is no whole number.
    """
    return ReplicaResources(
        resources.id,
        int(resources.cpu.units.val),
        int(resources.memory.quantity.val),
        tuple((volume.name, int(volume.quantity.val)) for volume in resources.storage),
        int(resources.gpu.units.val),
        tuple((endpoint.kind, endpoint.sequence_number) for endpoint in resources.endpoints),
    )


def read_price(price: Any) -> Price:
    """Return a ``DecCoin`` as a price.

    Raises:
        ValueError: its amount is no whole number.
    """
    return Price(price.denom, int(price.amount))
