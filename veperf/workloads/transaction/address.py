"""Account addresses: 20 bytes of a public key's hash, written in bech32."""

import hashlib
from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from veperf.workloads.transaction import bech32
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.ripemd160 import ripemd160

PREFIX = "virtengine"
"""The human-readable prefix of the chain's addresses."""

# Accounts recur: parsed and hashed addresses are cached, at most some 40 MB in all.
_CACHED = 1 << 16
_LENGTHS = (20, 32)  # accounts; modules and contracts (ADR-028)


class Address(Struct, frozen=True, array_like=True, gc=False):
    """An address as bytes and as text in lower case."""

    data: bytes
    text: str


def address_from_bytes(data: bytes, prefix: str = PREFIX) -> Address:
    """Return the address with these bytes."""
    return Address(data, bech32.bech32_encode(prefix, data))


@lru_cache(maxsize=_CACHED)
def parse_account_address(text: str, prefix: str = PREFIX) -> Address:
    """Parse the bech32 address ``text``.

    Raises:
        TransactionRefused: ``INVALID_ADDRESS``: not bech32, another chain's prefix, wrong length.
    """
    try:
        actual_prefix, data = bech32.bech32_decode(text)
    except bech32.Bech32Error as error:
        raise TransactionRefused(Code.INVALID_ADDRESS, str(error)) from error
    if actual_prefix != prefix:
        raise TransactionRefused(Code.INVALID_ADDRESS, f"{text} should start with {prefix}")
    if len(data) not in _LENGTHS:
        raise TransactionRefused(Code.INVALID_ADDRESS, f"{text} has {len(data)} bytes, not 20")
    return Address(data, text.lower())


def choose_ripemd160() -> Callable[[bytes], bytes]:
    """Return OpenSSL's RIPEMD-160 where it has one, else the one written in Python."""
    try:
        hashlib.new("ripemd160")
    except ValueError:  # OpenSSL 3 without its legacy provider
        return ripemd160
    return lambda data: hashlib.new("ripemd160", data).digest()


_ripemd160 = choose_ripemd160()


@lru_cache(maxsize=_CACHED)
def secp256k1_address(public_key: bytes) -> bytes:
    """Return RIPEMD160(SHA256(compressed public key)), 20 bytes, as in Bitcoin and the SDK."""
    return _ripemd160(hashlib.sha256(public_key).digest())


def ed25519_address(public_key: bytes) -> bytes:
    """Return the first 20 bytes of SHA256(public key), as CometBFT does for consensus keys."""
    return hashlib.sha256(public_key).digest()[:20]
