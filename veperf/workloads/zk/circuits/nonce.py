"""Nonces against replay: a proof is good for the one challenge that it was made for."""

import secrets
from hashlib import sha256

from veperf.workloads.zk.r1cs import Builder, Linear

NONCE_BYTES = 32


def new_nonce() -> bytes:
    """32 bytes that nobody can guess, from the operating system."""
    return secrets.token_bytes(NONCE_BYTES)


def nonce_element(nonce: bytes) -> int:
    """The field element of a nonce.

    Raises:
        ValueError: it has not 32 bytes.
    """
    if len(nonce) != NONCE_BYTES:
        raise ValueError(f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}")
    return to_element(b"nonce", nonce)


def to_element(purpose: bytes, data: bytes) -> int:
    """253 bits of SHA-256("veperf " || purpose || 0 || data): bytes of any length, as an element.

    ``purpose`` keeps the same bytes from meaning the same in two places; it holds no zero byte.
    """
    return int.from_bytes(sha256(b"veperf %b\0%b" % (purpose, data)).digest(), "big") >> 3


def bind_nonce(builder: Builder, nonce: Linear) -> None:
    """Put the nonce into a constraint, so that the proof depends on it.

    A public input that no constraint uses may be exchanged in some set-ups of Groth16: its square
    ties it down.
    """
    builder.product("nonce^2", nonce, nonce)
