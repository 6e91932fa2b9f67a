"""The token of a load: who has it may take part.

It is handed on by the environment, never on a command line, and never crosses the wire: each side
sends HMAC-SHA256 (RFC 2104) of the other's nonce, with the token as its key. That keeps strangers
out; it does not keep what is sent afterwards from being read or changed on the way.
"""

import hmac
import os
import secrets

from veperf.core.errors import UsageError

TOKEN_VARIABLE = "VEPERF_LOAD_TOKEN"
NONCE_BYTES = 16
TARGET, SHARD, VISITOR = b"target", b"shard", b"visitor"
"""Who proves it: what one sends proves nothing of another."""
_LEAST_LENGTH = 16


def draw_token() -> str:
    """A new one: 32 hexadecimal digits."""
    return secrets.token_hex(16)


def given_token() -> str:
    """The one in the environment, or an empty text.

    Raises:
        UsageError: it could be guessed.
    """
    token = os.environ.get(TOKEN_VARIABLE, "")
    if 0 < len(token) < _LEAST_LENGTH:
        raise UsageError(
            f"{TOKEN_VARIABLE} is too short: it must have {_LEAST_LENGTH} characters or more"
        )
    return token


def prove(token: str, role: bytes, nonce: bytes) -> bytes:
    """That ``role`` has the token, for the other side's ``nonce``; 32 bytes."""
    return hmac.digest(os.fsencode(token), role + nonce, "sha256")


def is_proved(token: str, role: bytes, nonce: bytes, proof: bytes) -> bool:
    """Whether ``proof`` is what ``prove`` gives."""
    return hmac.compare_digest(prove(token, role, nonce), proof)
