"""Orders and their announcements; JSON on the wire."""

import msgspec
from msgspec import Struct

from veperf.workloads.bidding.decimals import parse_decimal
from veperf.workloads.bidding.errors import MalformedMessageError
from veperf.workloads.bidding.field_checks import (
    check_attributes,
    check_decimal,
    check_kind,
    check_moment,
    check_name,
)
from veperf.workloads.bidding.providers import Resources

MAX_ORDER_BYTES = 64 << 10


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """A customer's order. Times are nanoseconds since 1970, UTC."""

    id: str
    customer: str
    offering: str
    """Type of offering: ``compute``, ``gpu`` ..."""
    resources: Resources
    currency: str
    created_ns: int
    gpu_type: str = ""
    """GPU type; empty for any, ignored without GPUs."""
    region: str = ""
    """Region; empty for any."""
    attributes: dict[str, str] = {}
    """Attributes that the provider must have."""
    max_price: str | None = None
    """Highest price an hour, as a decimal; None for any price."""
    expires_ns: int | None = None
    """Time from which it takes no bids; None for never."""

    def __post_init__(self) -> None:
        """Raises FieldError."""
        check_name("id", self.id)
        check_name("customer", self.customer)
        check_name("offering", self.offering)
        check_kind("resources", self.resources, Resources)
        check_name("currency", self.currency)
        check_moment("created_ns", self.created_ns)
        if self.gpu_type != "":
            check_name("gpu_type", self.gpu_type)
        if self.region != "":
            check_name("region", self.region)
        check_attributes(self.attributes)
        if self.max_price is not None:
            check_decimal("max_price", self.max_price)
        if self.expires_ns is not None:
            check_moment("expires_ns", self.expires_ns)

    @property
    def max_price_atto(self) -> int | None:
        """The highest price in units of 1e-18; None for any."""
        return None if self.max_price is None else parse_decimal(self.max_price)

    def has_expired(self, now_ns: int) -> bool:
        """Return if the order takes no more bids."""
        return self.expires_ns is not None and self.expires_ns <= now_ns


_DECODER = msgspec.json.Decoder(Order)
_ENCODER = msgspec.json.Encoder()


def encode_order(order: Order) -> bytes:
    """Encode ``order`` as JSON."""
    return _ENCODER.encode(order)


def decode_order(raw: bytes) -> Order:
    """Decode an order from JSON.

    Raises:
        MalformedMessageError: ``raw`` is not JSON, not an order, has an invalid or unknown field,
            or is longer than 64 KiB.
    """
    if len(raw) > MAX_ORDER_BYTES:
        raise MalformedMessageError(
            f"an order of {len(raw)} bytes; at most {MAX_ORDER_BYTES} are read"
        )
    try:
        return _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessageError(f"{len(raw)} bytes are not an order: {error}") from error


class OrderEvent(Struct, frozen=True, gc=False):
    """An announced order as it was received."""

    sequence: int
    """Number in the chain's stream of events, increasing from 1."""
    payload: bytes
    """The order as JSON, not validated yet."""

    def __post_init__(self) -> None:
        """Raises FieldError."""
        check_moment("sequence", self.sequence)
        check_kind("payload", self.payload, bytes)
