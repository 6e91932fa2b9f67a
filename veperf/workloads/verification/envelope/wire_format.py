"""The fields of an envelope and their canonical encoding.

::

    "VEID" | version, 1 byte | algorithm, 1 byte | MessagePack of ``Envelope``, structs as arrays

``UploadMetadata`` is the part that ``x/veid`` stores of an upload; the envelope around it is
defined here. An envelope has one encoding: a longer form of the same values is refused, so that
nobody can change the bytes of another's envelope without breaking it.
"""

from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.msgpack import Decoder, Encoder

from veperf.workloads.verification.envelope.errors import (
    MalformedEnvelopeError,
    OversizeError,
    TruncatedError,
    UnsupportedError,
)
from veperf.workloads.verification.scope import MAX_PAYLOAD_BYTES, Buffer, ScopeType

VERSION = 1
ALGORITHM = "X25519-XSALSA20-POLY1305"
_ALGORITHM_NUMBER = 1
_MAGIC = b"VEID"
PREAMBLE = _MAGIC + bytes([VERSION, _ALGORITHM_NUMBER])

MAC_BYTES = 16
MAX_RECIPIENTS = 128
_MAX_HEADER_BYTES = 16_384
MAX_ENVELOPE_BYTES = MAX_PAYLOAD_BYTES + MAC_BYTES + _MAX_HEADER_BYTES
"""The longest encoded envelope, in bytes."""

_Key = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Hash = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Nonce = Annotated[bytes, Meta(min_length=24, max_length=24)]
_Signature = Annotated[bytes, Meta(min_length=64, max_length=64)]
_Fingerprint = Annotated[bytes, Meta(min_length=20, max_length=20)]
Account = Annotated[bytes, Meta(min_length=20, max_length=20)]
"""The 20 bytes of an account's address."""
ScopeId = Annotated[str, Meta(min_length=1, max_length=64)]
ClientId = Annotated[str, Meta(min_length=1, max_length=128)]
UnixTime = Annotated[int, Meta(ge=0, lt=1 << 40)]
"""Seconds since 1970."""


class WrappedKey(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """The data key, sealed to one recipient by a NaCl box with the ephemeral key."""

    fingerprint: _Fingerprint
    nonce: _Nonce
    sealed: Annotated[bytes, Meta(min_length=48, max_length=48)]
    """MAC and data key, 16 and 32 bytes."""


class UploadMetadata(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """Client, device and capture time of an uploaded scope."""

    salt: Annotated[bytes, Meta(min_length=16, max_length=64)]
    """A salt that the account has not used before."""
    client_id: ClientId
    device_fingerprint: Annotated[str, Meta(min_length=1, max_length=256)]
    captured_at_s: UnixTime
    payload_hash: _Hash
    """SHA-256 of the ciphertext."""

    @property
    def salt_hash(self) -> bytes:
        """SHA-256 of the salt, 32 bytes, which the chain stores against replay."""
        return sha256(self.salt).digest()


class Header(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The signed part of an envelope."""

    account: Account
    user_key: _Key
    """The account's Ed25519 public key, whose hash is ``account``."""
    scope_id: ScopeId
    scope_type: ScopeType
    upload: UploadMetadata
    ephemeral_key: _Key
    """X25519 public key whose private half was discarded."""
    nonce: _Nonce
    """Nonce of the payload."""
    key_commitment: _Hash
    recipients: Annotated[tuple[WrappedKey, ...], Meta(min_length=1, max_length=MAX_RECIPIENTS)]


class Envelope(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A sealed scope."""

    header: Header
    client_signature: _Signature
    user_signature: _Signature
    ciphertext: memoryview
    """MAC (16 bytes) and encrypted payload; a view into the encoding where it was decoded."""


_decoder = Decoder(Envelope)
_encode = Encoder().encode


def encode_header(header: Header) -> bytes:
    """Return the signed bytes of ``header``, which are the same for the same values."""
    return _encode(header)


def encode_envelope(envelope: Envelope) -> bytes:
    """Return the bytes of ``envelope``."""
    return encode_without_ciphertext(envelope) + envelope.ciphertext


def encode_without_ciphertext(envelope: Envelope) -> bytes:
    """Return the bytes of ``envelope`` up to its ciphertext, which comes last."""
    parts = (
        PREAMBLE,
        b"\x94",  # an array of four
        _encode(envelope.header),
        _encode(envelope.client_signature),
        _encode(envelope.user_signature),
        _byte_string_header(len(envelope.ciphertext)),
    )
    return b"".join(parts)


def decode_envelope(raw: Buffer) -> Envelope:
    """Decode an envelope without verifying it.

    Raises:
        UnsupportedError: another version or algorithm.
        OversizeError: over the limits of the whole or of the payload.
        TruncatedError: it was cut off.
        MalformedEnvelopeError: it is not the canonical encoding of an envelope.
    """
    _check_preamble(raw)
    try:
        envelope = _decoder.decode(memoryview(raw)[len(PREAMBLE) :])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        # No prefix of a MessagePack array is complete; the message tells if it was cut off.
        kind = TruncatedError if "truncated" in str(error) else MalformedEnvelopeError
        raise kind(f"not an envelope: {error}") from error
    if len(envelope.ciphertext) < MAC_BYTES:
        raise TruncatedError("the ciphertext is shorter than its MAC")
    if len(envelope.ciphertext) > MAX_PAYLOAD_BYTES + MAC_BYTES:
        raise OversizeError(f"a payload has at most {MAX_PAYLOAD_BYTES} bytes")
    start = encode_without_ciphertext(envelope)
    if start != raw[: len(start)] or len(start) + len(envelope.ciphertext) != len(raw):
        raise MalformedEnvelopeError("not the shortest encoding of its values")
    fingerprints = {key.fingerprint for key in envelope.header.recipients}
    if len(fingerprints) != len(envelope.header.recipients):
        raise MalformedEnvelopeError("a recipient is named twice")
    return envelope


def _check_preamble(raw: Buffer) -> None:
    if len(raw) > MAX_ENVELOPE_BYTES:
        raise OversizeError(f"{len(raw)} bytes; an envelope has at most {MAX_ENVELOPE_BYTES}")
    preamble = bytes(raw[: len(PREAMBLE)])
    if len(preamble) < len(PREAMBLE) and PREAMBLE.startswith(preamble):
        raise TruncatedError(f"only {len(preamble)} bytes")
    if not preamble.startswith(_MAGIC) or len(preamble) < len(PREAMBLE):
        raise MalformedEnvelopeError("not an envelope: it does not begin with VEID")
    if preamble != PREAMBLE:
        raise UnsupportedError(
            f"version {preamble[4]}, algorithm {preamble[5]}; supported are "
            f"version {VERSION}, algorithm {_ALGORITHM_NUMBER} ({ALGORITHM})"
        )


def _byte_string_header(length: int) -> bytes:
    """Return type and length of a byte string in MessagePack, in their shortest form."""
    if length < 1 << 8:
        return b"\xc4" + length.to_bytes(1, "big")
    if length < 1 << 16:
        return b"\xc5" + length.to_bytes(2, "big")
    return b"\xc6" + length.to_bytes(4, "big")
