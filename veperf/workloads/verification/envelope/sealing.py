"""Sealing of scopes into envelopes, as a client does on a user's phone, and opening them."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from hmac import compare_digest

from msgspec import Struct
from nacl._sodium import ffi, lib  # type: ignore[import-not-found]  # compiled, without stubs
from nacl.bindings import crypto_box_beforenm, crypto_secretbox_easy
from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey
from nacl.signing import SigningKey
from nacl.utils import random as system_random

from veperf.workloads.transaction.address import ed25519_address
from veperf.workloads.verification.envelope.errors import (
    FutureCaptureError,
    OversizeError,
    TamperedError,
    WrongRecipientError,
)
from veperf.workloads.verification.envelope.signing import Clients, sign_envelope, verify_signatures
from veperf.workloads.verification.envelope.wire_format import (
    MAC_BYTES,
    MAX_RECIPIENTS,
    Envelope,
    Header,
    UploadMetadata,
    WrappedKey,
    decode_envelope,
)
from veperf.workloads.verification.scope import MAX_PAYLOAD_BYTES, Buffer, ScopeType

# ---------------------------------------------------------------- payloads
#
# The symmetric half of a NaCl box (XSalsa20-Poly1305), without PyNaCl's copies. PyNaCl's own
# functions hold the message two or three times over, which would be most of the memory for one
# verification. These call the same library beneath; it releases the interpreter lock meanwhile.

KEY_BYTES = 32
NONCE_BYTES = 24


def encrypt_payload(message: Buffer, nonce: bytes, key: bytes) -> bytearray:
    """Return MAC and encrypted ``message``."""
    _check_lengths(nonce, key)
    sealed = bytearray(len(message) + MAC_BYTES)
    lib.crypto_secretbox_easy(
        ffi.from_buffer("unsigned char[]", sealed, require_writable=True),
        ffi.from_buffer(message),
        len(message),
        nonce,
        key,
    )
    return sealed


def decrypt_payload(sealed: Buffer, nonce: bytes, key: bytes) -> bytearray | None:
    """Return the message in ``sealed``; None if it was not sealed with this key and nonce."""
    _check_lengths(nonce, key)
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


def _check_lengths(nonce: bytes, key: bytes) -> None:
    # The library reads the number of bytes that it needs, whatever the length of the argument.
    if len(nonce) != NONCE_BYTES or len(key) != KEY_BYTES:
        raise ValueError(f"{len(nonce)} bytes of nonce, {len(key)} of key; 24 and 32 are needed")


# ---------------------------------------------------------------- envelopes

_SALT_BYTES = 32
_COMMITMENT_DOMAIN = b"virtengine/veid/data-key\0"

RandomBytes = Callable[[int], bytes]
"""A function that returns the given number of random bytes."""


class Client(Struct, frozen=True):
    """An app that may upload scopes."""

    id: str
    key: SigningKey
    device_fingerprint: str
    """Fingerprint of the device that the app runs on."""


class Scope(Struct, frozen=True):
    """A piece of evidence before it is sealed."""

    id: str
    type: ScopeType
    payload: Buffer
    captured_at_s: int
    """Capture time in seconds since 1970."""


def seal_envelope(
    scope: Scope,
    user: SigningKey,
    client: Client,
    recipients: Sequence[PublicKey],
    random: RandomBytes = system_random,
) -> Envelope:
    """Seal ``scope`` to ``recipients``, signed by ``client`` and ``user``.

    Another ``random`` than the system's is for reproducible examples only.

    Raises:
        OversizeError: the payload is over 2 MiB.
        ValueError: no recipients, or too many.
    """
    if len(scope.payload) > MAX_PAYLOAD_BYTES:
        raise OversizeError(f"a payload has at most {MAX_PAYLOAD_BYTES} bytes")
    if not 0 < len(recipients) <= MAX_RECIPIENTS:
        raise ValueError(f"1 to {MAX_RECIPIENTS} recipients are possible, not {len(recipients)}")
    data_key = random(KEY_BYTES)
    nonce = random(NONCE_BYTES)
    ephemeral = PrivateKey(random(KEY_BYTES))
    ciphertext = encrypt_payload(scope.payload, nonce, data_key)
    upload = UploadMetadata(
        salt=random(_SALT_BYTES),
        client_id=client.id,
        device_fingerprint=client.device_fingerprint,
        captured_at_s=scope.captured_at_s,
        payload_hash=sha256(ciphertext).digest(),
    )
    user_key = bytes(user.verify_key)
    header = Header(
        account=ed25519_address(user_key),
        user_key=user_key,
        scope_id=scope.id,
        scope_type=scope.type,
        upload=upload,
        ephemeral_key=bytes(ephemeral.public_key),
        nonce=nonce,
        key_commitment=key_commitment(data_key),
        recipients=tuple(
            _wrap(data_key, ephemeral, recipient, random(NONCE_BYTES)) for recipient in recipients
        ),
    )
    return sign_envelope(header, memoryview(ciphertext), client.key, user)


def key_fingerprint(key: PublicKey) -> bytes:
    """Return the identifier of a recipient: the first 20 bytes of SHA-256(public key)."""
    return sha256(bytes(key)).digest()[:20]


def key_commitment(data_key: bytes) -> bytes:
    """Return SHA-256 of the data key, with its own domain; 32 bytes.

    Poly1305 commits to no key: one ciphertext can be made to open to two payloads under two keys.
    Wrapped for different validators, these would make them disagree. The signed commitment prevents
    it.
    """
    return sha256(_COMMITMENT_DOMAIN + data_key).digest()


def _wrap(data_key: bytes, ephemeral: PrivateKey, recipient: PublicKey, nonce: bytes) -> WrappedKey:
    # crypto_box consists of these two.
    shared = crypto_box_beforenm(bytes(recipient), bytes(ephemeral))
    return WrappedKey(
        key_fingerprint(recipient), nonce, crypto_secretbox_easy(data_key, nonce, shared)
    )


MAX_CLOCK_SKEW_S = 300
"""Seconds by which a client's clock may be ahead of the chain's."""


def open_envelope(
    raw: Buffer, recipient: PrivateKey, account: bytes, clients: Clients, now_s: int
) -> bytearray:
    """Check and decrypt the encoded envelope ``raw`` of ``account``; return its payload.

    Replays are not detected here, but by ``identity.check_upload`` from the chain's state.
    ``now_s`` is the time of the block in seconds since 1970.

    Raises:
        EnvelopeError: the envelope is refused; the class gives the reason.
    """
    envelope = decode_envelope(raw)
    check_envelope(envelope, account, clients, now_s)
    return decrypt_envelope(envelope, recipient)


def check_envelope(envelope: Envelope, account: bytes, clients: Clients, now_s: int) -> None:
    """Check that ``envelope`` is signed by ``account`` and an approved client, and unaltered.

    Raises:
        EnvelopeError: it was signed by others, altered, or captured in the future.
    """
    verify_signatures(envelope, account, clients)
    upload = envelope.header.upload
    if upload.captured_at_s > now_s + MAX_CLOCK_SKEW_S:
        raise FutureCaptureError(f"captured {upload.captured_at_s - now_s} s from now")
    if not compare_digest(sha256(envelope.ciphertext).digest(), upload.payload_hash):
        raise TamperedError("the ciphertext is not the one that was signed")


def decrypt_envelope(envelope: Envelope, recipient: PrivateKey) -> bytearray:
    """Return the payload of a checked envelope.

    Raises:
        WrongRecipientError: it is not addressed to ``recipient``.
        TamperedError: it can't be decrypted, or not with the key that was committed to.
    """
    data_key = _unwrap(envelope, recipient)
    if not compare_digest(key_commitment(data_key), envelope.header.key_commitment):
        raise TamperedError("the data key is not the one that was committed to")
    payload = decrypt_payload(envelope.ciphertext, envelope.header.nonce, data_key)
    if payload is None:
        raise TamperedError("the ciphertext can't be decrypted")
    return payload


def _unwrap(envelope: Envelope, recipient: PrivateKey) -> bytes:
    fingerprint = key_fingerprint(recipient.public_key)
    for wrapped in envelope.header.recipients:
        if wrapped.fingerprint == fingerprint:
            break
    else:
        raise WrongRecipientError("the envelope is not addressed to this key")
    try:
        box = Box(recipient, PublicKey(envelope.header.ephemeral_key))
        return box.decrypt(wrapped.sealed, wrapped.nonce)
    except CryptoError as error:
        # Also raised by the library for a point of low order as ephemeral key.
        raise TamperedError("the wrapped key can't be decrypted") from error
