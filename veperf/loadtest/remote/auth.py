"""The token of a load: whoever has it may take part.

It is passed in the environment, never on a command line, and never crosses the wire: each side
sends HMAC-SHA256 (RFC 2104) of the other's nonce, with the token as its key. That keeps others
out; it does not keep later messages from being read or changed on the way.
"""

import hmac
import os
import secrets

from veperf.core.errors import UsageError

TOKEN_VARIABLE = "VEPERF_LOAD_TOKEN"
NONCE_BYTES = 16
TARGET, SHARD, PROBE = b"target", b"shard", b"probe"
"""Roles, part of each proof: the proof of one role is not valid for another."""
_MIN_LENGTH = 16


def generate_token() -> str:
    """Return a new token: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def token_from_environment() -> str:
    """Return the token in the environment, or an empty text.

    Raises:
        UsageError: it is so short that it could be guessed.
    """
    token = os.environ.get(TOKEN_VARIABLE, "")
    if 0 < len(token) < _MIN_LENGTH:
        raise UsageError(
            f"{TOKEN_VARIABLE} is too short: it must have {_MIN_LENGTH} characters or more"
        )
    return token


def make_proof(token: str, role: bytes, nonce: bytes) -> bytes:
    """Return the proof that ``role`` has the token, for the other side's ``nonce``; 32 bytes."""
    return hmac.digest(os.fsencode(token), role + nonce, "sha256")


def is_valid_proof(token: str, role: bytes, nonce: bytes, proof: bytes) -> bool:
    """Return True if ``proof`` is that of ``role`` for ``nonce``."""
    return hmac.compare_digest(make_proof(token, role, nonce), proof)
