"""Keys of the market's records in the chain's state, as ``x/market/keeper/keys`` lays them out.

With the address of a tenant or provider as one byte of length and its bytes, sequence numbers
big-endian (dseq in 8 bytes, the others in 4), and the record's state as one byte::

    order     11 00 state owner dseq gseq oseq
    bid       12 00 state owner dseq gseq oseq provider bseq
    by provider, open and active bids alone
              12 01 state provider bseq dseq gseq oseq owner
    lease     13 00 state owner dseq gseq oseq provider bseq
    by provider, active leases alone
              13 01 state provider bseq dseq gseq oseq owner

A change of state moves the record to another key. The values under both keys are the same.
"""

from collections.abc import Iterable
from enum import IntEnum
from struct import Struct

from veperf.workloads.market.records import (
    BidId,
    BidState,
    GroupId,
    LeaseState,
    OrderId,
    OrderState,
)
from veperf.workloads.transaction.address import parse_account_address

ORDERS = b"\x11\x00"
BIDS, BIDS_BY_PROVIDER = b"\x12\x00", b"\x12\x01"
LEASES, LEASES_BY_PROVIDER = b"\x13\x00", b"\x13\x01"

BIDS_WITH_PROVIDER_KEY = (BidState.OPEN, BidState.ACTIVE)
LEASES_WITH_PROVIDER_KEY = (LeaseState.ACTIVE,)

_GROUP = Struct(">QI")
_ORDER = Struct(">QII")
_SEQUENCE = Struct(">I")
_BID_THEN_ORDER = Struct(">IQII")


def state_prefix(table: bytes, state: IntEnum) -> bytes:
    """Return the prefix of all records of ``table`` that are in ``state``."""
    return table + bytes((state,))


def address_part(address: str) -> bytes:
    """Return an address as a part of a key: its length and its bytes.

    Raises:
        TransactionRefused: it is no address of the chain.
    """
    data = parse_account_address(address).data
    return bytes((len(data),)) + data


def order_key(state: OrderState, id: OrderId) -> bytes:
    """Return the key of the order ``id`` while it is in ``state``."""
    return state_prefix(ORDERS, state) + _order_part(id)


def group_prefix(state: OrderState, id: GroupId) -> bytes:
    """Return the prefix of the orders of a group that are in ``state``."""
    numbers = _GROUP.pack(id.dseq, id.gseq)
    return state_prefix(ORDERS, state) + address_part(id.owner) + numbers


def bid_key(state: BidState, id: BidId) -> bytes:
    """Return the key of the bid ``id`` while it is in ``state``."""
    return state_prefix(BIDS, state) + _bid_part(id)


def bid_provider_key(state: BidState, id: BidId) -> bytes:
    """Return the bid's key by provider; empty where it has none in ``state``."""
    if state not in BIDS_WITH_PROVIDER_KEY:
        return b""
    return state_prefix(BIDS_BY_PROVIDER, state) + _provider_part(id)


def order_bids_prefix(state: BidState, id: OrderId) -> bytes:
    """Return the prefix of the bids on an order that are in ``state``."""
    return state_prefix(BIDS, state) + _order_part(id)


def lease_key(state: LeaseState, id: BidId) -> bytes:
    """Return the key of the lease ``id`` while it is in ``state``."""
    return state_prefix(LEASES, state) + _bid_part(id)


def lease_provider_key(state: LeaseState, id: BidId) -> bytes:
    """Return the lease's key by provider; empty where it has none in ``state``."""
    if state not in LEASES_WITH_PROVIDER_KEY:
        return b""
    return state_prefix(LEASES_BY_PROVIDER, state) + _provider_part(id)


def provider_leases_prefix(state: LeaseState, provider: str) -> bytes:
    """Return the prefix of a provider's leases that are in ``state``."""
    return state_prefix(LEASES_BY_PROVIDER, state) + address_part(provider)


def filter_prefix(table: bytes, state: IntEnum, parts: Iterable[tuple[str | int, int]]) -> bytes:
    """Return the longest prefix of the records in ``state`` that ``parts`` decide.

    These are the key's parts in their order, addresses or numbers, each with its bytes. The prefix
    ends before the first that is empty or 0, which stands for any.

    Raises:
        ValueError: a number doesn't fit into its bytes.
        TransactionRefused: an address is none of the chain.
    """
    prefix = state_prefix(table, state)
    for value, width in parts:
        if not value:
            break
        if isinstance(value, str):
            prefix += address_part(value)
        elif 0 < value < 1 << 8 * width:
            prefix += value.to_bytes(width, "big")
        else:
            raise ValueError(f"{value} is no number of {width} bytes")
    return prefix


def prefix_end(prefix: bytes) -> bytes:
    """Return the first key after all that begin with ``prefix``."""
    return (int.from_bytes(prefix, "big") + 1).to_bytes(len(prefix), "big")


def _order_part(id: OrderId) -> bytes:
    return address_part(id.owner) + _ORDER.pack(id.dseq, id.gseq, id.oseq)


def _bid_part(id: BidId) -> bytes:
    numbers = _ORDER.pack(id.dseq, id.gseq, id.oseq)
    provider = address_part(id.provider)
    return address_part(id.owner) + numbers + provider + _SEQUENCE.pack(id.bseq)


def _provider_part(id: BidId) -> bytes:
    numbers = _BID_THEN_ORDER.pack(id.bseq, id.dseq, id.gseq, id.oseq)
    return address_part(id.provider) + numbers + address_part(id.owner)
