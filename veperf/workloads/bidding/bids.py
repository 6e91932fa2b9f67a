"""Bids, and the bytes of one that are signed."""

from struct import pack

import msgspec
from msgspec import Struct

from veperf.workloads.bidding.decimals import format_decimal, parse_decimal
from veperf.workloads.bidding.errors import FieldError, MalformedError
from veperf.workloads.bidding.fields import check_decimal, check_kind, check_moment, check_name

DOMAIN = b"virtengine/bid/v1"
"""Keeps a bid's signature from ever being one of something else."""
MAX_BID_BYTES = 8 << 10


class Bid(Struct, frozen=True, forbid_unknown_fields=True):
    """An offer to serve one order."""

    chain_id: str
    order_id: str
    provider: str
    price: str
    """An hour, with all 18 places: one price has one text."""
    currency: str
    expires_ns: int
    """Not binding from this moment on; nanoseconds since 1970, UTC."""
    nonce: int
    """The number of the event that announced the order: from 0 to 2^63 - 1."""

    def __post_init__(self) -> None:
        """Raises FieldError."""
        check_name("chain_id", self.chain_id)
        check_name("order_id", self.order_id)
        check_name("provider", self.provider)
        check_decimal("price", self.price)
        if self.price != format_decimal(parse_decimal(self.price)):
            raise FieldError("price must be written with all 18 places")
        check_name("currency", self.currency)
        check_moment("expires_ns", self.expires_ns)
        check_moment("nonce", self.nonce)


class SignedBid(Struct, frozen=True, forbid_unknown_fields=True):
    """A bid with the key of who made it (32 bytes) and the signature (64 bytes)."""

    bid: Bid
    public_key: bytes
    signature: bytes

    def __post_init__(self) -> None:
        """Raises FieldError."""
        check_kind("bid", self.bid, Bid)
        check_kind("public_key", self.public_key, bytes)
        check_kind("signature", self.signature, bytes)


def canonical_bytes(bid: Bid) -> bytes:
    """What is signed: no two bids have the same.

    ::

        text(DOMAIN) text(chain id) text(order id) text(provider) text(price) text(currency)
        expires_ns (8 bytes) nonce (8 bytes)

    where text is the length of the UTF-8 bytes (4 bytes) and they themselves; all numbers are
    big-endian.
    """
    fields = (bid.chain_id, bid.order_id, bid.provider, bid.price, bid.currency)
    texts = [DOMAIN, *[field.encode() for field in fields]]
    return b"".join([pack(">I", len(text)) + text for text in texts]) + pack(
        ">QQ", bid.expires_ns, bid.nonce
    )


_DECODER = msgspec.json.Decoder(SignedBid)
_ENCODER = msgspec.json.Encoder()


def encode_bid(signed: SignedBid) -> bytes:
    """``signed`` as JSON, bytes in base64."""
    return _ENCODER.encode(signed)


def decode_bid(raw: bytes) -> SignedBid:
    """The bid that ``raw``, JSON, is. Its signature is not verified.

    Raises:
        MalformedError: it is no bid, or longer than 8 KiB.
    """
    if len(raw) > MAX_BID_BYTES:
        raise MalformedError(f"a bid of {len(raw)} bytes; at most {MAX_BID_BYTES} are read")
    try:
        return _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedError(f"{len(raw)} bytes are no bid: {error}") from error
