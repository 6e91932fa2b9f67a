"""Bids, and the bytes of one that are signed."""

from struct import pack

import msgspec
from msgspec import Struct
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from veperf.workloads.bidding.decimals import format_decimal, parse_decimal
from veperf.workloads.bidding.errors import FieldError, MalformedError, SignatureError
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


_KEY_LENGTH = 32
_SIGNATURE_LENGTH = 64


class BidSigner:
    """A provider daemon's private key."""

    def __init__(self, seed: bytes) -> None:
        """The key of this 32-byte seed.

        Raises:
            ValueError: the seed has another length.
        """
        self._key = SigningKey(seed)
        self.public_key = bytes(self._key.verify_key)
        """32 bytes."""

    def sign(self, bid: Bid) -> SignedBid:
        """``bid`` with its signature, always the same for the same bid."""
        return SignedBid(bid, self.public_key, self._key.sign(canonical_bytes(bid)).signature)


def verify_bid(signed: SignedBid, public_key: bytes, chain_id: str) -> None:
    """Return if the owner of ``public_key`` made this bid for the chain ``chain_id``.

    Both are what the caller expects, not what the bid says of itself.

    Raises:
        SignatureError: the bid is of another key or for another chain, or the signature is not
            one of these bytes, or is one that anybody could have made of another (libsodium
            refuses an S beyond the group's order, and keys of small order).
    """
    if signed.public_key != public_key:
        raise SignatureError("the bid is of another key")
    if signed.bid.chain_id != chain_id:
        raise SignatureError(f"the bid is for chain {signed.bid.chain_id!r}")
    if len(public_key) != _KEY_LENGTH or len(signed.signature) != _SIGNATURE_LENGTH:
        raise SignatureError("a key has 32 bytes and a signature 64")
    try:
        VerifyKey(public_key).verify(canonical_bytes(signed.bid), signed.signature)
    except CryptoError as error:
        raise SignatureError("the signature does not verify") from error
