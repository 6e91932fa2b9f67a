"""Orders, bids and leases, with their ids and states.

Fields are those of ``virtengine.market.v1`` and ``v1beta5``, ``virtengine.deployment.v1beta4`` and
``virtengine.base.resources.v1beta4``, without the attributes of single resources.
"""

from enum import IntEnum
from typing import Self

from msgspec import Struct


class OrderState(IntEnum):
    """States of an order; the number is a byte of its key."""

    OPEN = 1
    ACTIVE = 2
    CLOSED = 3


class BidState(IntEnum):
    """States of a bid; the number is a byte of its key."""

    OPEN = 1
    ACTIVE = 2
    LOST = 3
    CLOSED = 4


class LeaseState(IntEnum):
    """States of a lease; the number is a byte of its key."""

    ACTIVE = 1
    INSUFFICIENT_FUNDS = 2
    CLOSED = 3


class GroupId(Struct, frozen=True):
    """A group of a deployment: what an order is made for."""

    owner: str
    """The tenant's address, in bech32."""
    dseq: int
    """Number of the deployment."""
    gseq: int
    """Number of the group in it."""


class OrderId(Struct, frozen=True):
    """An order: the ``oseq``-th of its group."""

    owner: str
    dseq: int
    gseq: int
    oseq: int

    @property
    def group(self) -> GroupId:
        """The group that it is for."""
        return GroupId(self.owner, self.dseq, self.gseq)


class BidId(Struct, frozen=True):
    """A provider's bid on an order, and the lease that it may become."""

    owner: str
    dseq: int
    gseq: int
    oseq: int
    provider: str
    """The provider's address, in bech32."""
    bseq: int = 0

    @classmethod
    def for_order(cls, order: OrderId, provider: str) -> Self:
        """Return the id of a bid on ``order``."""
        return cls(order.owner, order.dseq, order.gseq, order.oseq, provider)

    @property
    def order(self) -> OrderId:
        """The order that it is for."""
        return OrderId(self.owner, self.dseq, self.gseq, self.oseq)


class Price(Struct, frozen=True):
    """An amount of a coin for each block."""

    denom: str
    atto: int
    """In 1e-18 of the coin."""


class ReplicaResources(Struct, frozen=True):
    """The resources that one replica of a service needs."""

    id: int
    cpu_millis: int
    memory_bytes: int
    storage_bytes: tuple[tuple[str, int], ...]
    """Size of each volume, by its name."""
    gpus: int = 0
    endpoints: tuple[tuple[int, int], ...] = ()
    """Kind and sequence number of each."""


class ResourceUnit(Struct, frozen=True):
    """Replicas of a service, and the most that each may cost."""

    resources: ReplicaResources
    count: int
    price: Price


class GroupSpec(Struct, frozen=True):
    """The services that an order asks for."""

    name: str
    units: tuple[ResourceUnit, ...]
    attributes: tuple[tuple[str, str], ...] = ()
    """What a provider must say of itself."""
    signed_by_all: tuple[str, ...] = ()
    signed_by_any: tuple[str, ...] = ()

    @property
    def price(self) -> Price:
        """The most that all of it may cost."""
        atto = sum(unit.count * unit.price.atto for unit in self.units)
        return Price(self.units[0].price.denom, atto)


class OrderRecord(Struct, frozen=True):
    """A tenant's order."""

    id: OrderId
    state: OrderState
    spec: GroupSpec
    created_at: int
    """Height of the block."""


class ResourceOffer(Struct, frozen=True):
    """An offer of resources for one unit of an order."""

    resources: ReplicaResources
    count: int


class BidRecord(Struct, frozen=True):
    """A provider's bid."""

    id: BidId
    state: BidState
    price: Price
    created_at: int
    offer: tuple[ResourceOffer, ...] = ()


class LeaseRecord(Struct, frozen=True):
    """An accepted bid."""

    id: BidId
    state: LeaseState
    price: Price
    created_at: int
    closed_on: int = 0
    """Height of the block that closed it; 0 while it is active."""
