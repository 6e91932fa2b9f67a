"""A scope: one piece of evidence of somebody's identity, and its bytes once decrypted.

The kinds are those of VirtEngine's ``x/veid`` module. The bytes of a scope have a form of our
own, since the original leaves it to the client::

    "VES1" | length of head, 4 bytes, big endian | head | pixels

The head is MessagePack: ``[width, height, [[name, text, confidence], ...]]``. The pixels are
``width * height`` bytes of grey, row by row from the top; there are none where nothing was
photographed.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

MAX_PAYLOAD_BYTES = 2 * 1024 * 1024
"""The longest payload of one scope."""
MAX_HEAD_BYTES = 65_536
MAX_SIDE_PIXELS = 16_384
FULL_CONFIDENCE = 10_000
_MAGIC = b"VES1"
_START = len(_MAGIC) + 4


Buffer = bytes | bytearray | memoryview
"""Bytes, wherever they lie."""


class ScopeType(StrEnum):
    """What a scope proves, or with what."""

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
    """What is known of a scope beside its payload."""

    age_s: Annotated[int, Meta(ge=0)]
    """Seconds from its capture to the time of the block that verifies it."""


class DecryptedScope(Struct, frozen=True):
    """One scope in the clear. Hold one at a time: payloads are what memory goes to."""

    scope_type: ScopeType
    payload: Buffer
    metadata: ScopeMetadata


class Field(Struct, frozen=True, array_like=True, gc=False):
    """A line of text that a scope holds: read by OCR, or a claim of an identity provider."""

    name: Annotated[str, Meta(min_length=1, max_length=64)]
    text: Annotated[str, Meta(max_length=4_096)]
    confidence: Annotated[int, Meta(ge=0, le=FULL_CONFIDENCE)]
    """How sure the reader was, in 1/10,000."""


_Side = Annotated[int, Meta(ge=0, le=MAX_SIDE_PIXELS)]


class _Head(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    width: _Side
    height: _Side
    fields: Annotated[tuple[Field, ...], Meta(max_length=256)]


class Payload(Struct, frozen=True):
    """A payload taken apart."""

    width: int
    height: int
    fields: tuple[Field, ...]
    pixels: memoryview
    """``width * height`` bytes of grey, a view into the payload: nothing is copied."""


class PayloadError(ValueError):
    """Bytes that are not a scope's payload."""


_HEAD_DECODER = msgspec.msgpack.Decoder(_Head)


def encode_payload(width: int, height: int, fields: tuple[Field, ...], pixels: bytes) -> bytes:
    """The bytes of a scope; ``decode_payload`` takes them apart.

    Raises:
        ValueError: there are not ``width * height`` pixels.
    """
    if len(pixels) != width * height:
        raise ValueError(f"{width} x {height} pixels are not {len(pixels)} bytes")
    head = msgspec.msgpack.encode(_Head(width, height, fields))
    return b"".join((_MAGIC, len(head).to_bytes(4, "big"), head, pixels))


def decode_payload(raw: Buffer) -> Payload:
    """Take the bytes of a scope apart, whatever they are.

    Raises:
        PayloadError: they have not the form of a payload, to the last byte.
    """
    if raw[: len(_MAGIC)] != _MAGIC or len(raw) < _START:
        raise PayloadError("not a scope payload: it does not begin with VES1 and a length")
    end = _START + int.from_bytes(raw[len(_MAGIC) : _START], "big")
    if end > min(len(raw), _START + MAX_HEAD_BYTES):
        raise PayloadError("the head is longer than the payload, or than allowed")
    view = memoryview(raw)
    try:
        head = _HEAD_DECODER.decode(view[_START:end])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise PayloadError(f"the head is not one: {error}") from error
    pixels = view[end:]
    if len(pixels) != head.width * head.height:
        raise PayloadError(f"{head.width} x {head.height} pixels are not {len(pixels)} bytes")
    return Payload(head.width, head.height, head.fields, pixels)
