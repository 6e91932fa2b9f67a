"""Seal a scope: what a client does on a user's phone."""

from collections.abc import Callable, Sequence
from hashlib import sha256

from msgspec import Struct
from nacl.bindings import crypto_box_beforenm, crypto_secretbox_easy
from nacl.public import PrivateKey, PublicKey
from nacl.signing import SigningKey
from nacl.utils import random as system_random

from veperf.workloads.transaction.address import ed25519_address
from veperf.workloads.verification.envelope.errors import OversizeError
from veperf.workloads.verification.envelope.form import (
    MAX_RECIPIENTS,
    Envelope,
    Header,
    UploadMetadata,
    WrappedKey,
)
from veperf.workloads.verification.envelope.secretbox import (
    KEY_BYTES,
    NONCE_BYTES,
    seal_payload,
)
from veperf.workloads.verification.envelope.signing import sign_envelope
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
