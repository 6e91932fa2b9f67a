"""The form of an envelope, and its one encoding.

::

    "VEID" | version, 1 byte | algorithm, 1 byte | MessagePack of ``Envelope``, structs as arrays

What ``x/veid`` keeps of an upload is ``UploadMetadata``; the envelope around it is ours. There is
one encoding of an envelope: a longer form of the same values is refused, so that nobody can change
the bytes of somebody else's envelope without breaking it.
"""

from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta, Struct
from msgspec.msgpack import Decoder, Encoder

from veperf.workloads.verification.envelope.errors import (
    MalformedError,
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
"""The longest encoded envelope."""

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
    """How and through whom a scope was uploaded."""

    salt: Annotated[bytes, Meta(min_length=16, max_length=64)]
    """Never used twice by one account."""
    client_id: ClientId
    device_fingerprint: Annotated[str, Meta(min_length=1, max_length=256)]
    captured_at_s: UnixTime
    payload_hash: _Hash
    """SHA-256 of the ciphertext."""

    @property
    def salt_hash(self) -> bytes:
        """SHA-256 of the salt, 32 bytes: what is remembered of it."""
        return sha256(self.salt).digest()


class Header(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """All of an envelope that is signed."""

    account: Account
    user_key: _Key
    """The account's Ed25519 public key, of which ``account`` is the hash."""
    scope_id: ScopeId
    scope_type: ScopeType
    upload: UploadMetadata
    ephemeral_key: _Key
    """X25519 public key of which the private half is forgotten."""
    nonce: _Nonce
    """Of the payload."""
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
    """The bytes of ``header`` that signatures are over: always the same for the same values."""
    return _encode(header)


def encode_envelope(envelope: Envelope) -> bytes:
    """The bytes of ``envelope``."""
    return encode_start(envelope) + envelope.ciphertext


def encode_start(envelope: Envelope) -> bytes:
    """The bytes of ``envelope`` up to its ciphertext, which comes last."""
    parts = (
        PREAMBLE,
        b"\x94",  # an array of four
        _encode(envelope.header),
        _encode(envelope.client_signature),
        _encode(envelope.user_signature),
        _bin_head(len(envelope.ciphertext)),
    )
    return b"".join(parts)


def decode_envelope(raw: Buffer) -> Envelope:
    """The envelope that ``raw`` encodes; nothing of it is verified yet.

    Raises:
        UnsupportedError: another version or algorithm.
        OversizeError: over the limits of the whole or of the payload.
        TruncatedError: it was cut off.
        MalformedError: it is no envelope, or not in its one encoding.
    """
    _check_start(raw)
    try:
        envelope = _decoder.decode(memoryview(raw)[len(PREAMBLE) :])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        # No prefix of a MessagePack array is whole: being cut off is told apart by the message.
        kind = TruncatedError if "truncated" in str(error) else MalformedError
        raise kind(f"no envelope: {error}") from error
    if len(envelope.ciphertext) < MAC_BYTES:
        raise TruncatedError("the ciphertext is shorter than its MAC")
    if len(envelope.ciphertext) > MAX_PAYLOAD_BYTES + MAC_BYTES:
        raise OversizeError(f"a payload has at most {MAX_PAYLOAD_BYTES} bytes")
    start = encode_start(envelope)
    if start != raw[: len(start)] or len(start) + len(envelope.ciphertext) != len(raw):
        raise MalformedError("not the shortest encoding of its values")
    fingerprints = {key.fingerprint for key in envelope.header.recipients}
    if len(fingerprints) != len(envelope.header.recipients):
        raise MalformedError("a recipient is named twice")
    return envelope


def _check_start(raw: Buffer) -> None:
    if len(raw) > MAX_ENVELOPE_BYTES:
        raise OversizeError(f"{len(raw)} bytes; an envelope has at most {MAX_ENVELOPE_BYTES}")
    found = bytes(raw[: len(PREAMBLE)])
    if len(found) < len(PREAMBLE) and PREAMBLE.startswith(found):
        raise TruncatedError(f"only {len(found)} bytes")
    if not found.startswith(_MAGIC) or len(found) < len(PREAMBLE):
        raise MalformedError("no envelope: it does not begin with VEID")
    if found != PREAMBLE:
        raise UnsupportedError(
            f"version {found[4]}, algorithm {found[5]}; known are "
            f"version {VERSION}, algorithm {_ALGORITHM_NUMBER} ({ALGORITHM})"
        )


def _bin_head(length: int) -> bytes:
    """Type and length of a byte string in MessagePack, in their shortest form."""
    if length < 1 << 8:
        return b"\xc4" + length.to_bytes(1, "big")
    if length < 1 << 16:
        return b"\xc5" + length.to_bytes(2, "big")
    return b"\xc6" + length.to_bytes(4, "big")
