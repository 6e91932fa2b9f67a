"""Seal a scope: what a client does on a user's phone."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from hmac import compare_digest

from msgspec import Struct
from nacl.bindings import crypto_box_beforenm, crypto_secretbox_easy
from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey
from nacl.signing import SigningKey
from nacl.utils import random as system_random

from veperf.workloads.transaction.address import ed25519_address
from veperf.workloads.verification.envelope.crypto import (
    KEY_BYTES,
    NONCE_BYTES,
    open_payload,
    seal_payload,
)
from veperf.workloads.verification.envelope.errors import (
    FutureCaptureError,
    OversizeError,
    TamperedError,
    WrongRecipientError,
)
from veperf.workloads.verification.envelope.signing import Clients, sign_envelope, verify_signatures
from veperf.workloads.verification.envelope.wire_format import (
    MAX_RECIPIENTS,
    Envelope,
    Header,
    UploadMetadata,
    WrappedKey,
    decode_envelope,
)
from veperf.workloads.verification.scope import MAX_PAYLOAD_BYTES, Buffer, ScopeType

_SALT_BYTES = 32
_COMMITMENT_DOMAIN = b"virtengine/veid/data-key\0"

RandomBytes = Callable[[int], bytes]
"""Gives that many random bytes."""


class Client(Struct, frozen=True):
    """An app that may upload scopes."""

    id: str
    key: SigningKey
    device_fingerprint: str
    """Of the device that it runs on."""


class Scope(Struct, frozen=True):
    """What is to be sealed."""

    id: str
    type: ScopeType
    payload: Buffer
    captured_at_s: int
    """When, in seconds since 1970."""


def seal(
    scope: Scope,
    user: SigningKey,
    client: Client,
    recipients: Sequence[PublicKey],
    random: RandomBytes = system_random,
) -> Envelope:
    """``scope`` sealed to ``recipients``, signed by ``client`` and ``user``.

    ``random`` other than the system's is for examples that must always be the same.

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
    ciphertext = seal_payload(scope.payload, nonce, data_key)
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


def fingerprint(key: PublicKey) -> bytes:
    """How envelopes name a recipient: the first 20 bytes of SHA-256(public key)."""
    return sha256(bytes(key)).digest()[:20]


def key_commitment(data_key: bytes) -> bytes:
    """SHA-256 of the data key, with a domain of its own; 32 bytes.

    Poly1305 commits to no key: one ciphertext can be made to open to two payloads under two keys.
    Wrapped for different validators, these would split them. The signed commitment rules it out.
    """
    return sha256(_COMMITMENT_DOMAIN + data_key).digest()


def _wrap(data_key: bytes, ephemeral: PrivateKey, recipient: PublicKey, nonce: bytes) -> WrappedKey:
    # These two are what crypto_box is made of.
    shared = crypto_box_beforenm(bytes(recipient), bytes(ephemeral))
    return WrappedKey(fingerprint(recipient), nonce, crypto_secretbox_easy(data_key, nonce, shared))


MAX_CLOCK_SKEW_S = 300
"""How far a client's clock may be ahead of the chain's."""


def open_envelope(
    raw: Buffer, recipient: PrivateKey, account: bytes, clients: Clients, now_s: int
) -> bytearray:
    """The payload of the encoded envelope ``raw`` of ``account``, all that can be checked checked.

    Whether it is new is a matter of the chain's state: ``identity.check_upload`` tells. ``now_s``
    is the time of the block in seconds since 1970.

    Raises:
        EnvelopeError: one of the tree's leaves says why it is refused.
    """
    envelope = decode_envelope(raw)
    check_envelope(envelope, account, clients, now_s)
    return decrypt(envelope, recipient)


def check_envelope(envelope: Envelope, account: bytes, clients: Clients, now_s: int) -> None:
    """Return if ``envelope`` is what ``account`` and an approved client have signed.

    Raises:
        EnvelopeError: it was signed by somebody else, altered, or captured in the future.
    """
    verify_signatures(envelope, account, clients)
    upload = envelope.header.upload
    if upload.captured_at_s > now_s + MAX_CLOCK_SKEW_S:
        raise FutureCaptureError(f"captured {upload.captured_at_s - now_s} s from now")
    if not compare_digest(sha256(envelope.ciphertext).digest(), upload.payload_hash):
        raise TamperedError("the ciphertext is not the one that was signed")


def decrypt(envelope: Envelope, recipient: PrivateKey) -> bytearray:
    """The payload of a checked envelope.

    Raises:
        WrongRecipientError: it is not addressed to ``recipient``.
        TamperedError: it does not open, or not with the key that was committed to.
    """
    data_key = _unwrap(envelope, recipient)
    if not compare_digest(key_commitment(data_key), envelope.header.key_commitment):
        raise TamperedError("the data key is not the one that was committed to")
    payload = open_payload(envelope.ciphertext, envelope.header.nonce, data_key)
    if payload is None:
        raise TamperedError("the ciphertext does not open")
    return payload


def _unwrap(envelope: Envelope, recipient: PrivateKey) -> bytes:
    ours = fingerprint(recipient.public_key)
    for wrapped in envelope.header.recipients:
        if wrapped.fingerprint == ours:
            break
    else:
        raise WrongRecipientError("it is not addressed to this key")
    try:
        box = Box(recipient, PublicKey(envelope.header.ephemeral_key))
        return box.decrypt(wrapped.sealed, wrapped.nonce)
    except CryptoError as error:
        # The library's own errors, too: a point of low order as ephemeral key.
        raise TamperedError("the wrapped key does not open") from error
