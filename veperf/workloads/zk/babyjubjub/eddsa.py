"""EdDSA on BabyJubjub with Poseidon, as circomlib's ``EdDSAPoseidon`` has it.

A private key is 32 bytes. With s the pruned first half of its BLAKE-512 (as in RFC 8032) and B8 the
base point, the public key is A = (s / 8) B8. A signature of the field element M is R8 = r B8 and

    S = r + h s mod L,    h = Poseidon(R8x, R8y, Ax, Ay, M),

with r derived from the second half and M. It is valid where S B8 = R8 + 8 h A. Source: circomlibjs,
``eddsa.js``, ``signPoseidon`` and ``verifyPoseidon``; the formulas are Bernstein, Duif, Lange,
Schwabe, Yang: High-speed high-security signatures, 2011.

Stricter than circomlib: S is below L, so that a signature can't be turned into another one; the
public key is on the curve and not one of the 8 points of low order, under which anybody signs.
"""

import secrets
from operator import index

from msgspec import Struct

from veperf.core.errors import CorruptFileError
from veperf.workloads.zk.babyjubjub.blake512 import blake512
from veperf.workloads.zk.babyjubjub.curve import (
    BASE8,
    COFACTOR,
    POINT_BYTES,
    BabyPoint,
    L,
    baby_add,
    baby_multiply,
    baby_point,
    is_low_order,
    pack_baby_point,
    unpack_baby_point,
)
from veperf.workloads.zk.field import PointError, R
from veperf.workloads.zk.poseidon import poseidon

KEY_BYTES = 32
_SCALAR_BYTES = 32


class EddsaSignature(Struct, frozen=True):
    """A signature."""

    r8: BabyPoint
    s: int

    def to_bytes(self) -> bytes:
        """Return R8 packed, then S, little-endian: circomlib's ``packSignature``."""
        return pack_baby_point(self.r8) + int(self.s).to_bytes(_SCALAR_BYTES, "little")

    @classmethod
    def from_bytes(cls, data: bytes) -> "EddsaSignature":
        """Read a signature.

        Raises:
            CorruptFileError: it has another length, no point, or S is not below the order.
        """
        if len(data) != POINT_BYTES + _SCALAR_BYTES:
            raise CorruptFileError(f"a signature has 64 bytes, not {len(data)}")
        s = int.from_bytes(data[POINT_BYTES:], "little")
        if s >= L:
            raise CorruptFileError("S of a signature is not below the order of the subgroup")
        try:
            return cls(unpack_baby_point(data[:POINT_BYTES]), s)
        except PointError as error:
            raise CorruptFileError(f"R8 of a signature: {error}") from error


class SigningKey:
    """A private key; its ``repr`` does not show it."""

    def __init__(self, private_key: bytes) -> None:
        """Derive the public key.

        Raises:
            ValueError: the private key has not 32 bytes.
        """
        if len(private_key) != KEY_BYTES:
            raise ValueError(f"a private key has {KEY_BYTES} bytes, not {len(private_key)}")
        derived = blake512(private_key)
        self._prefix = derived[32:]
        pruned = int.from_bytes(derived[:32], "little")
        self._scalar = pruned & ~7 & ((1 << 254) - 1) | 1 << 254
        self.public_key = baby_multiply(BASE8, self._scalar // COFACTOR)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(<private>)"

    def sign(self, message: int) -> EddsaSignature:
        """Return the signature of ``message``, the same each time.

        Raises:
            ValueError: it is not a field element.
        """
        if not 0 <= message < R:
            raise ValueError("the message is not a field element")
        seed = blake512(self._prefix + int(message).to_bytes(_SCALAR_BYTES, "little"))
        r = int.from_bytes(seed, "little") % L
        r8 = baby_multiply(BASE8, r)
        h = _challenge(r8, self.public_key, message)
        return EddsaSignature(r8, (r + h * self._scalar) % L)


def new_signing_key() -> SigningKey:
    """Return a random key."""
    return SigningKey(secrets.token_bytes(KEY_BYTES))


def verify_eddsa(public_key: BabyPoint, message: int, signature: EddsaSignature) -> bool:
    """Return whether ``signature`` is one of ``message`` by the owner of ``public_key``."""
    try:
        key, r8 = baby_point(*public_key), baby_point(*signature.r8)
        s, m = index(signature.s), index(message)
    except (PointError, TypeError):
        return False
    if not (0 <= s < L and 0 <= m < R) or is_low_order(key):
        return False
    h = _challenge(r8, key, m)
    return baby_multiply(BASE8, s) == baby_add(r8, baby_multiply(key, COFACTOR * h))


def _challenge(r8: BabyPoint, key: BabyPoint, message: int) -> int:
    return poseidon([*r8, *key, message])
