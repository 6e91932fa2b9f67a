"""The symmetric half of a NaCl box (XSalsa20-Poly1305), without PyNaCl's copies.

PyNaCl's own functions hold the message two or three times over, which is what memory for one
verification would mostly be. These call the same library beneath; it gives up the interpreter lock
meanwhile.
"""

from nacl._sodium import ffi, lib  # type: ignore[import-not-found]  # compiled, without stubs

from veperf.workloads.verification.envelope.wire_format import MAC_BYTES
from veperf.workloads.verification.scope import Buffer

KEY_BYTES = 32
NONCE_BYTES = 24


def seal_payload(message: Buffer, nonce: bytes, key: bytes) -> bytearray:
    """MAC and encrypted ``message``."""
    _check(nonce, key)
    sealed = bytearray(len(message) + MAC_BYTES)
    lib.crypto_secretbox_easy(
        ffi.from_buffer("unsigned char[]", sealed, require_writable=True),
        ffi.from_buffer(message),
        len(message),
        nonce,
        key,
    )
    return sealed


def open_payload(sealed: Buffer, nonce: bytes, key: bytes) -> bytearray | None:
    """The message in ``sealed``; None where it was not sealed like this with ``key``."""
    _check(nonce, key)
    if len(sealed) < MAC_BYTES:
        return None
    message = bytearray(len(sealed) - MAC_BYTES)
    failed = lib.crypto_secretbox_open_easy(
        ffi.from_buffer("unsigned char[]", message, require_writable=True),
        ffi.from_buffer(sealed),
        len(sealed),
        nonce,
        key,
    )
    return None if failed else message


def _check(nonce: bytes, key: bytes) -> None:
    # The library reads as many bytes as it needs, whatever it is given.
    if len(nonce) != NONCE_BYTES or len(key) != KEY_BYTES:
        raise ValueError(f"{len(nonce)} bytes of nonce, {len(key)} of key; 24 and 32 are needed")
