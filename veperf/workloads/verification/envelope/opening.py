"""Open an envelope: what each validator does."""

from hashlib import sha256
from hmac import compare_digest

from nacl.exceptions import CryptoError
from nacl.public import Box, PrivateKey, PublicKey

from veperf.workloads.verification.envelope.errors import (
    FutureCaptureError,
    TamperedError,
    WrongRecipientError,
)
from veperf.workloads.verification.envelope.form import Envelope, decode_envelope
from veperf.workloads.verification.envelope.seal import fingerprint, key_commitment
from veperf.workloads.verification.envelope.secretbox import open_payload
from veperf.workloads.verification.envelope.signing import Clients, verify_signatures
from veperf.workloads.verification.scope import Buffer

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
