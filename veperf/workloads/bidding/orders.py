"""Orders, as they are announced: data, and JSON on the wire."""

import msgspec
from msgspec import Struct

from veperf.workloads.bidding.decimals import parse_decimal
from veperf.workloads.bidding.errors import MalformedError
from veperf.workloads.bidding.fields import (
    check_attributes,
    check_decimal,
    check_kind,
    check_moment,
    check_name,
)
from veperf.workloads.bidding.providers import Resources

MAX_ORDER_BYTES = 64 << 10


class Order(Struct, frozen=True, forbid_unknown_fields=True):
    """What a customer wants. Moments are nanoseconds since 1970, UTC."""

    id: str
    customer: str
    offering: str
    """The type of offering: ``compute``, ``gpu`` ..."""
    resources: Resources
    currency: str
    created_ns: int
    gpu_type: str = ""
    """Empty for any; without meaning where no GPUs are wanted."""
    region: str = ""
    """Empty for any."""
    attributes: dict[str, str] = {}
    """What the provider's attributes must say, too."""
    max_price: str | None = None
    """An hour, as a decimal; None for any price."""
    expires_ns: int | None = None
    """From this moment on it takes no bids; None for never."""

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
        """The highest price in units of 1e-18."""
        return None if self.max_price is None else parse_decimal(self.max_price)

    def has_expired(self, now_ns: int) -> bool:
        """Whether it takes no more bids."""
        return self.expires_ns is not None and self.expires_ns <= now_ns


_DECODER = msgspec.json.Decoder(Order)
_ENCODER = msgspec.json.Encoder()


def encode_order(order: Order) -> bytes:
    """``order`` as JSON."""
    return _ENCODER.encode(order)


def decode_order(raw: bytes) -> Order:
    """The order that ``raw``, JSON, is.

    Raises:
        MalformedError: it is no JSON, no order, has a field that can't be or is not known, or is
            longer than 64 KiB.
    """
    if len(raw) > MAX_ORDER_BYTES:
        raise MalformedError(f"an order of {len(raw)} bytes; at most {MAX_ORDER_BYTES} are read")
    try:
        return _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(f"{len(raw)} bytes are no order: {error}") from error
