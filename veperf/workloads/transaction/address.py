"""Addresses of accounts: 20 bytes of a public key's hash, written in bech32."""

import hashlib
from collections.abc import Callable
from functools import lru_cache

from msgspec import Struct

from veperf.workloads.transaction import bech32
from veperf.workloads.transaction.errors import Code, TransactionRefused
from veperf.workloads.transaction.ripemd160 import ripemd160

PREFIX = "virtengine"
"""What every address of the chain starts with."""

# Accounts come back: what was parsed or hashed is kept of so many, at most some 40 MB in all.
_REMEMBERED = 1 << 16
_LENGTHS = (20, 32)  # accounts; modules and contracts (ADR-028)


class Address(Struct, frozen=True, array_like=True, gc=False):
    """An address in both forms, the text in lower case."""

    data: bytes
    text: str


def address(data: bytes, prefix: str = PREFIX) -> Address:
    """The address with these bytes."""
    return Address(data, bech32.encode(prefix, data))


@lru_cache(maxsize=_REMEMBERED)
def parse_address(text: str, prefix: str = PREFIX) -> Address:
    """The address that ``text`` stands for.

    Raises:
        TransactionRefused: ``INVALID_ADDRESS``: no bech32, another chain's prefix, wrong length.
    """
    try:
        found, data = bech32.decode(text)
    except bech32.Bech32Error as error:
        raise TransactionRefused(Code.INVALID_ADDRESS, str(error)) from error
    if found != prefix:
        raise TransactionRefused(Code.INVALID_ADDRESS, f"{text} should start with {prefix}")
    if len(data) not in _LENGTHS:
        raise TransactionRefused(Code.INVALID_ADDRESS, f"{text} has {len(data)} bytes, not 20")
    return Address(data, text.lower())


def choose_ripemd160() -> Callable[[bytes], bytes]:
    """OpenSSL's RIPEMD-160 where it has one, ours where not."""
    try:
        hashlib.new("ripemd160")
    except ValueError:  # OpenSSL 3 without its legacy provider
        return ripemd160
    return lambda data: hashlib.new("ripemd160", data).digest()


_ripemd160 = choose_ripemd160()


@lru_cache(maxsize=_REMEMBERED)
def secp256k1_address(public_key: bytes) -> bytes:
    """RIPEMD160(SHA256(compressed public key)), 20 bytes, as in Bitcoin and the Cosmos SDK."""
    return _ripemd160(hashlib.sha256(public_key).digest())


def ed25519_address(public_key: bytes) -> bytes:
    """The first 20 bytes of SHA256(public key), as CometBFT does for consensus keys."""
    return hashlib.sha256(public_key).digest()[:20]
