"""Bids: data, signatures, and the chain's store of them."""

from collections import OrderedDict
from struct import pack

import msgspec
from msgspec import Struct
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from veperf.workloads.bidding.decimals import format_decimal, parse_decimal
from veperf.workloads.bidding.errors import (
    FieldError,
    MalformedMessageError,
    SignatureError,
    SubmitError,
)
from veperf.workloads.bidding.field_checks import (
    check_decimal,
    check_kind,
    check_moment,
    check_name,
)

DOMAIN = b"virtengine/bid/v1"
"""Domain separation: a bid's signature is never valid for anything else."""
MAX_BID_BYTES = 8 << 10


class Bid(Struct, frozen=True, forbid_unknown_fields=True):
    """An offer to serve one order."""

    chain_id: str
    order_id: str
    provider: str
    price: str
    """Price an hour with all 18 places: one price has one text."""
    currency: str
    expires_ns: int
    """Time from which it is not binding; nanoseconds since 1970, UTC."""
    nonce: int
    """Number of the event that announced the order: from 0 to 2^63 - 1."""

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
    """A bid with the signer's public key (32 bytes) and the signature (64 bytes)."""

    bid: Bid
    public_key: bytes
    signature: bytes

    def __post_init__(self) -> None:
        """Raises FieldError."""
        check_kind("bid", self.bid, Bid)
        check_kind("public_key", self.public_key, bytes)
        check_kind("signature", self.signature, bytes)


def canonical_bytes(bid: Bid) -> bytes:
    """Return the bytes of ``bid`` that are signed; different bids have different bytes.

    ::

        text(DOMAIN) text(chain id) text(order id) text(provider) text(price) text(currency)
        expires_ns (8 bytes) nonce (8 bytes)

    where text is the length of the UTF-8 bytes (4 bytes) and the bytes themselves; all numbers are
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
    """Encode ``signed`` as JSON, bytes in base64."""
    return _ENCODER.encode(signed)


def decode_bid(raw: bytes) -> SignedBid:
    """Decode a signed bid from JSON, without verifying its signature.

    Raises:
        MalformedMessageError: ``raw`` is not a bid, or longer than 8 KiB.
    """
    if len(raw) > MAX_BID_BYTES:
        raise MalformedMessageError(f"a bid of {len(raw)} bytes; at most {MAX_BID_BYTES} are read")
    try:
        return _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedMessageError(f"{len(raw)} bytes are not a bid: {error}") from error


_KEY_LENGTH = 32
_SIGNATURE_LENGTH = 64


class BidSigner:
    """A provider daemon's private key."""

    def __init__(self, seed: bytes) -> None:
        """Make the key of a 32-byte seed.

        Raises:
            ValueError: the seed has another length.
        """
        self._key = SigningKey(seed)
        self.public_key = bytes(self._key.verify_key)
        """32 bytes."""

    def sign(self, bid: Bid) -> SignedBid:
        """Return ``bid`` with its signature, always the same for the same bid."""
        return SignedBid(bid, self.public_key, self._key.sign(canonical_bytes(bid)).signature)


def verify_bid(signed: SignedBid, public_key: bytes, chain_id: str) -> None:
    """Check that the owner of ``public_key`` made this bid for the chain ``chain_id``.

    Both are the caller's expectation, not the bid's own statement.

    Raises:
        SignatureError: the bid is of another key or for another chain, or the signature is not
            valid, or could have been derived from another one by anybody (libsodium refuses an S
            beyond the group's order, and keys of small order).
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


class BidStore:
    """The chain's bids in memory: the first verified bid of each key for an order stands."""

    def __init__(self, chain_id: str, remembered: int | None = None) -> None:
        """Make a store without bids that drops the oldest over ``remembered``; None keeps all.

        It accepts a dropped bid again, so it must remember at least as many as its bidders do.
        """
        self._chain_id = chain_id
        self._remembered = remembered
        self._bids: OrderedDict[tuple[str, bytes], SignedBid] = OrderedDict()

    def __len__(self) -> int:
        return len(self._bids)

    def bids(self) -> tuple[SignedBid, ...]:
        """Return all standing bids, in the order of their arrival."""
        return tuple(self._bids.values())

    def submit(self, signed: SignedBid) -> SignedBid:
        """Accept ``signed`` unless its key has a bid for its order; return the standing bid.

        Raises:
            SubmitError: its signature is not its key's, or it is for another chain.
        """
        try:
            verify_bid(signed, signed.public_key, self._chain_id)
        except SignatureError as error:
            raise SubmitError(str(error)) from error
        standing = self._bids.setdefault((signed.bid.order_id, signed.public_key), signed)
        if self._remembered is not None and len(self._bids) > self._remembered:
            self._bids.popitem(last=False)
        return standing

    def standing_bid(self, order_id: str, public_key: bytes) -> SignedBid | None:
        """Return the key's bid for an order; None if there is none."""
        return self._bids.get((order_id, public_key))
