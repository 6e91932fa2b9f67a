"""A scope: one piece of evidence of a person's identity, and the encoding of its payload.

The types are those of VirtEngine's ``x/veid`` module. The encoding of the bytes is defined here,
since the original leaves it to the client::

    "VES1" | length of header, 4 bytes, big endian | header | pixels

The header is MessagePack: ``[width, height, [[name, text, confidence], ...]]``. The pixels are
``width * height`` bytes of grey, row by row from the top; there are none where nothing was
photographed.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

MAX_PAYLOAD_BYTES = 2 * 1024 * 1024
"""The longest payload of one scope."""
MAX_HEADER_BYTES = 65_536
MAX_SIDE_PIXELS = 16_384
FULL_CONFIDENCE = 10_000
_MAGIC = b"VES1"
_START = len(_MAGIC) + 4


Buffer = bytes | bytearray | memoryview
"""Bytes in any kind of buffer."""


class ScopeType(StrEnum):
    """The kind of evidence in a scope."""

    ID_DOCUMENT = "id_document"
    SELFIE = "selfie"
    FACE_VIDEO = "face_video"
    BIOMETRIC = "biometric"
    SSO_METADATA = "sso_metadata"
    EMAIL_PROOF = "email_proof"
    SMS_PROOF = "sms_proof"
    DOMAIN_VERIFY = "domain_verify"
    AD_SSO = "ad_sso"


class ScopeMetadata(Struct, frozen=True, array_like=True, gc=False):
    """Information about a scope beside its payload."""

    age_s: Annotated[int, Meta(ge=0)]
    """Age in seconds, from capture to the time of the block that verifies the scope."""


class DecryptedScope(Struct, frozen=True):
    """A scope in the clear. Hold one at a time: payloads take most of the memory."""

    scope_type: ScopeType
    payload: Buffer
    metadata: ScopeMetadata


class TextField(Struct, frozen=True, array_like=True, gc=False):
    """A line of text in a scope: read by OCR, or claimed by an identity provider."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    text: Annotated[str, Meta(max_length=4_096)]
    confidence: Annotated[int, Meta(ge=0, le=FULL_CONFIDENCE)]
    """Confidence of the reader, in 1/10,000."""


_Side = Annotated[int, Meta(ge=0, le=MAX_SIDE_PIXELS)]


class _Header(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    width: _Side
    height: _Side
    fields: Annotated[tuple[TextField, ...], Meta(max_length=256)]


class DecodedPayload(Struct, frozen=True):
    """The parts of a payload."""

    width: int
    height: int
    fields: tuple[TextField, ...]
    pixels: memoryview
    """``width * height`` bytes of grey, a view into the payload: nothing is copied."""


class PayloadError(ValueError):
    """Bytes that are not a scope's payload."""


_HEADER_DECODER = msgspec.msgpack.Decoder(_Header)


def encode_payload(width: int, height: int, fields: tuple[TextField, ...], pixels: bytes) -> bytes:
    """Return the bytes of a scope; ``decode_payload`` is the inverse.

    Raises:
        ValueError: there are not ``width * height`` pixels.
    """
    if len(pixels) != width * height:
        raise ValueError(f"{width} x {height} pixels are not {len(pixels)} bytes")
    header = msgspec.msgpack.encode(_Header(width, height, fields))
    return b"".join((_MAGIC, len(header).to_bytes(4, "big"), header, pixels))


def decode_payload(raw: Buffer) -> DecodedPayload:
    """Decode the bytes of a scope.

    Raises:
        PayloadError: they are not the encoding of a payload, to the last byte.
    """
    if raw[: len(_MAGIC)] != _MAGIC or len(raw) < _START:
        raise PayloadError("not a scope payload: it does not begin with VES1 and a length")
    end = _START + int.from_bytes(raw[len(_MAGIC) : _START], "big")
    if end > min(len(raw), _START + MAX_HEADER_BYTES):
        raise PayloadError("the header is longer than the payload, or than allowed")
    view = memoryview(raw)
    try:
        header = _HEADER_DECODER.decode(view[_START:end])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise PayloadError(f"the header can't be decoded: {error}") from error
    pixels = view[end:]
    if len(pixels) != header.width * header.height:
        raise PayloadError(f"{header.width} x {header.height} pixels are not {len(pixels)} bytes")
    return DecodedPayload(header.width, header.height, header.fields, pixels)
