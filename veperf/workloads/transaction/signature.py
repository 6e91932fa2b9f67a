"""Keys and signatures: secp256k1 for accounts, Ed25519 for consensus keys and bids."""

import struct
from enum import Enum
from functools import lru_cache
from hashlib import sha256
from typing import Any, Protocol

import coincurve
from coincurve._libsecp256k1 import ffi, lib
from msgspec import Struct
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.signing import SigningKey, VerifyKey

from veperf.workloads.transaction.address import ed25519_address, secp256k1_address
from veperf.workloads.transaction.errors import Code, TransactionRefused

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HALF_ORDER = (SECP256K1_ORDER // 2).to_bytes(32, "big")
_ORDER_BYTES = SECP256K1_ORDER.to_bytes(32, "big")
SIGNATURE_LENGTH = 64
_CACHED = 1 << 16  # public keys, at most some 15 MB
# coincurve's own classes need DER and take 4 us more a signature; this is the underlying library.
_CONTEXT = coincurve.GLOBAL_CONTEXT.ctx
SIGNATURE_LIBRARY = struct.pack(
    "3P",
    *(
        int(ffi.cast("uintptr_t", pointer))
        for pointer in (
            _CONTEXT,
            ffi.addressof(lib, "secp256k1_ecdsa_signature_parse_compact"),
            ffi.addressof(lib, "secp256k1_ecdsa_verify"),
        )
    ),
)
"""Addresses of libsecp256k1 in this process, for the compiled kernels: a context, two functions."""


class Scheme(Enum):
    """A signature scheme, by the type URL of its public keys."""

    SECP256K1 = "/cosmos.crypto.secp256k1.PubKey"
    ED25519 = "/cosmos.crypto.ed25519.PubKey"


class PublicKey(Struct, frozen=True, array_like=True, gc=False):
    """A public key: 33 bytes (compressed) for secp256k1, 32 for Ed25519."""

    scheme: Scheme
    data: bytes

    def address(self) -> bytes:
        """Return the 20 bytes of the key's address."""
        if self.scheme is Scheme.SECP256K1:
            return secp256k1_address(self.data)
        return ed25519_address(self.data)


KEY_LENGTHS = {Scheme.SECP256K1: 33, Scheme.ED25519: 32}


class Signer(Protocol):
    """A private key."""

    @property
    def public_key(self) -> PublicKey:
        """The public half, which verifies."""

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature of ``message``."""


class Secp256k1Signer:
    """ECDSA over SHA-256 with deterministic nonces (RFC 6979), low S."""

    def __init__(self, secret: bytes) -> None:
        """Make a key from its 32-byte secret scalar.

        Raises:
            ValueError: the scalar is not between 1 and the order of the curve.
        """
        self._key = coincurve.PrivateKey(secret)
        self.public_key = PublicKey(Scheme.SECP256K1, self._key.public_key.format())

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes r || s over SHA-256(message)."""
        # The recoverable form is the compact one plus a byte; the plain form would be DER.
        return self._key.sign_recoverable(message)[:SIGNATURE_LENGTH]


class Ed25519Signer:
    """Ed25519 (RFC 8032)."""

    def __init__(self, seed: bytes) -> None:
        """Make a key from its 32-byte seed.

        Raises:
            ValueError: the seed has another length.
        """
        self._key = SigningKey(seed)
        self.public_key = PublicKey(Scheme.ED25519, bytes(self._key.verify_key))

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes R || S."""
        return self._key.sign(message).signature


def verify_signature(key: PublicKey, message: bytes, signature: bytes) -> None:
    """Check that ``signature`` over ``message`` was made with the private half of ``key``.

    Raises:
        TransactionRefused: ``WRONG_SIGNATURE``; ``HIGH_S`` for an ECDSA signature whose s is over
            half the order: mathematically valid, but anybody can derive it from the low one,
            which would give the same transaction a second hash; ``INVALID_PUBLIC_KEY``.
    """
    if len(signature) != SIGNATURE_LENGTH:
        raise TransactionRefused(
            Code.WRONG_SIGNATURE, f"a signature has 64 bytes, not {len(signature)}"
        )
    if key.scheme is Scheme.SECP256K1:
        _verify_secp256k1(key.data, message, signature)
    else:
        _verify_ed25519(key.data, message, signature)


def der_signature(signature: bytes) -> bytes:
    """Convert ``signature``, r || s, to DER, which coincurve needs: a SEQUENCE of two INTEGERs."""
    r = _der_integer(signature[:32])
    s = _der_integer(signature[32:])
    return b"\x30%c\x02%c%b\x02%c%b" % (len(r) + len(s) + 4, len(r), r, len(s), s)


def _der_integer(number: bytes) -> bytes:
    number = number.lstrip(b"\0")
    return b"\0" + number if not number or number[0] & 0x80 else number


def _verify_secp256k1(key: bytes, message: bytes, signature: bytes) -> None:
    s = signature[32:]
    if _HALF_ORDER < s < _ORDER_BYTES:
        raise high_s()
    point, _ = _parse_key(key)
    parsed = ffi.new("secp256k1_ecdsa_signature *")
    digest = sha256(message).digest()
    if not (
        lib.secp256k1_ecdsa_signature_parse_compact(_CONTEXT, parsed, signature)
        and lib.secp256k1_ecdsa_verify(_CONTEXT, parsed, digest, point)
    ):
        raise wrong_signature()


def wrong_signature() -> TransactionRefused:
    """Return the refusal of a signature that does not verify."""
    return TransactionRefused(Code.WRONG_SIGNATURE, "the signature does not verify")


def high_s() -> TransactionRefused:
    """Return the refusal of an ECDSA signature with the higher of its two values of s."""
    return TransactionRefused(Code.HIGH_S, "s is over half the order of the curve")


def parsed_key(key: bytes) -> bytes:
    """Return the point of a compressed secp256k1 key in the library's own form, 64 bytes.

    Raises:
        TransactionRefused: ``INVALID_PUBLIC_KEY``.
    """
    return _parse_key(key)[1]


@lru_cache(maxsize=_CACHED)
def _parse_key(key: bytes) -> tuple[Any, bytes]:
    """Return the point of a compressed key, and its bytes; finding it takes a square root."""
    point = ffi.new("secp256k1_pubkey *")
    # The library accepts other encodings, too, which would give a key several addresses.
    compressed = len(key) == KEY_LENGTHS[Scheme.SECP256K1]
    if not (compressed and lib.secp256k1_ec_pubkey_parse(_CONTEXT, point, key, len(key))):
        raise TransactionRefused(Code.INVALID_PUBLIC_KEY, "not a compressed secp256k1 key")
    return point, bytes(ffi.buffer(point))


def _verify_ed25519(key: bytes, message: bytes, signature: bytes) -> None:
    try:
        VerifyKey(key).verify(message, signature)
    except BadSignatureError as error:
        raise wrong_signature() from error
    except (CryptoError, ValueError) as error:
        raise TransactionRefused(Code.INVALID_PUBLIC_KEY, "not an Ed25519 key") from error
