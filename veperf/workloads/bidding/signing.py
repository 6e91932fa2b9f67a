"""Ed25519 (RFC 8032) over the canonical bytes of a bid."""

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from veperf.workloads.bidding.bids import Bid, SignedBid, canonical_bytes
from veperf.workloads.bidding.errors import SignatureError

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
