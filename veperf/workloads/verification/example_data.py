"""Example people, validators and evidence, always the same: real keys, seals and signatures.

The evidence is made up, but has structure: documents with a portrait and lines of text, faces,
videos of several frames, statements of identity providers. Its noise comes from SHAKE-256, so that
it is the same with every version of numpy.
"""

from collections.abc import Sequence
from hashlib import sha256, shake_256
from math import isqrt

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from nacl.public import PrivateKey
from nacl.signing import SigningKey
from numpy.typing import NDArray

from veperf.workloads.transaction.address import ed25519_address
from veperf.workloads.transaction.iavl import Tree
from veperf.workloads.verification.envelope import Client, Scope, encode_envelope, seal
from veperf.workloads.verification.identity import (
    begin,
    complete,
    encode_record,
    identity_key,
    new_record,
)
from veperf.workloads.verification.scope import (
    FULL_CONFIDENCE,
    MAX_PAYLOAD_BYTES,
    Field,
    ScopeType,
    encode_payload,
)

KIB = 1_024
PAYLOAD_BYTES = 32 * KIB
SCOPES = 3
VALIDATORS = 4
NOW_S = 1_767_225_600
"""The time of the example block: 2026 began."""
_DAY_S = 86_400

DEFAULT_TYPES = (ScopeType.ID_DOCUMENT, ScopeType.SELFIE, ScopeType.FACE_VIDEO)
_FURTHER_TYPES = (ScopeType.BIOMETRIC, ScopeType.EMAIL_PROOF, ScopeType.SSO_METADATA)
_PICTURES = frozenset({*DEFAULT_TYPES, ScopeType.BIOMETRIC})
_FRAMES = 4
_TEXT_CHARACTERS = 4_000
"""Of one line of a statement; 15 of them are the longest head."""
_MAX_LINES = 15

_FAMILIES = ("Okafor", "Lindqvist", "Tanaka", "Moreau", "Silva", "Haddad", "Novak", "Iyer")
_COUNTRIES = ("NGA", "SWE", "JPN", "FRA", "BRA", "LBN", "CZE", "IND")
_CLAIMS = ("issuer", "subject", "issued_at", "assertion")


class Evidence(Struct, frozen=True):
    """A piece of evidence that is to be made."""

    type: ScopeType
    size_bytes: int


REALISTIC = (
    Evidence(ScopeType.ID_DOCUMENT, 512 * KIB),
    Evidence(ScopeType.SELFIE, 256 * KIB),
    Evidence(ScopeType.FACE_VIDEO, MAX_PAYLOAD_BYTES),
    Evidence(ScopeType.EMAIL_PROOF, KIB),
    Evidence(ScopeType.SSO_METADATA, 4 * KIB),
)
"""What a person would upload: from a kilobyte to the limit."""


class SeededBytes:
    """Bytes that look random and are the same for the same seed."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._calls = 0

    def __call__(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        self._calls += 1
        return shake_256(b"%d/%b" % (self._calls, self._seed)).digest(count)


def user(index: int) -> SigningKey:
    """The key of the example account with this number."""
    return SigningKey(sha256(b"veperf identity %d" % index).digest())


def account(index: int) -> bytes:
    """The 20 bytes of the example account's address."""
    return ed25519_address(bytes(user(index).verify_key))


def validator(index: int) -> PrivateKey:
    """The key of the example validator with this number, to which scopes are sealed."""
    return PrivateKey(sha256(b"veperf validator %d" % index).digest())


CLIENT = Client("veperf-app", SigningKey(sha256(b"veperf client").digest()), "device-1")
CLIENTS = {CLIENT.id: bytes(CLIENT.key.verify_key)}


def keyless_account(index: int) -> bytes:
    """20 bytes that are nobody's address, for states with more accounts than ever sign."""
    return sha256(b"veperf nobody %d" % index).digest()[:20]


def identities(count: int) -> Tree:
    """An unsaved tree with the records of so many keyless accounts, all verified."""
    unscored = begin(new_record(keyless_account(0), 0), 0)
    verified = [complete(unscored, score, bytes(32), 0) for score in range(50, 101)]
    accounts = [keyless_account(i) for i in range(count)]
    return Tree.from_sorted(
        sorted(
            (identity_key(account), encode_record(replace(verified[i % 51], account=account)))
            for i, account in enumerate(accounts)
        )
    )


def evidence(scopes: int = SCOPES, size_bytes: int = PAYLOAD_BYTES) -> tuple[Evidence, ...]:
    """So many pieces of one size: pictures first, then statements, then more of each."""
    types = (*DEFAULT_TYPES, *_FURTHER_TYPES)
    return tuple(Evidence(types[i % len(types)], size_bytes) for i in range(scopes))


def payload(piece: Evidence, seed: int = 0) -> bytes:
    """The bytes of ``piece``: at most its size, and less by no more than a row of pixels.

    Statements are text, of which a payload holds 60,000 bytes at most.
    """
    noise = SeededBytes(b"%s %d %d" % (piece.type.encode(), piece.size_bytes, seed))
    if piece.type in _PICTURES:
        return _picture(piece, noise)
    return _statement(piece, noise)


def scopes(
    pieces: Sequence[Evidence], index: int = 0, captured_at_s: int = NOW_S - _DAY_S
) -> list[Scope]:
    """The evidence of the example account with this number, in the clear."""
    return [
        Scope(f"scope-{place}", piece.type, payload(piece, index), captured_at_s)
        for place, piece in enumerate(pieces)
    ]


def envelopes(
    pieces: Sequence[Evidence], index: int = 0, validators: int = VALIDATORS
) -> tuple[bytes, ...]:
    """The evidence of the example account with this number, sealed to the first validators."""
    recipients = [validator(i).public_key for i in range(validators)]
    random = SeededBytes(b"envelopes %d" % index)
    return tuple(
        encode_envelope(seal(scope, user(index), CLIENT, recipients, random))
        for scope in scopes(pieces, index)
    )


def _picture(piece: Evidence, noise: SeededBytes) -> bytes:
    is_document = piece.type is ScopeType.ID_DOCUMENT
    fields = _lines(noise) if is_document else (Field("camera", "front", FULL_CONFIDENCE),)
    head_bytes = len(encode_payload(0, 0, fields, b"")) + 4  # sides of up to three bytes each
    area = max(0, piece.size_bytes - head_bytes)
    width = isqrt(area * 5 // 8)
    height = area // width if width else 0
    if not height:
        return encode_payload(0, 0, fields, b"")
    if is_document:
        pixels = _document(width, height, noise)
    else:
        frames = _FRAMES if piece.type is ScopeType.FACE_VIDEO else 1
        pixels = _faces(width, height, frames, noise)
    return encode_payload(width, height, fields, pixels.tobytes())


def _lines(noise: SeededBytes) -> tuple[Field, ...]:
    """What a reader found on a document, more or less sure of it."""
    who, where, year, month, day, *quality = noise(10)
    texts = {
        "name": f"Alex {_FAMILIES[who % len(_FAMILIES)]}",
        "date_of_birth": f"{1950 + year % 50}-{1 + month % 12:02}-{1 + day % 28:02}",
        "document_number": noise(5).hex().upper(),
        "expiry_date": f"{2027 + year % 9}-{1 + month % 12:02}-{1 + day % 28:02}",
        "nationality": _COUNTRIES[where % len(_COUNTRIES)],
    }
    return tuple(
        Field(name, text, FULL_CONFIDENCE - 16 * unsure)
        for (name, text), unsure in zip(texts.items(), quality, strict=True)
    )


def _document(width: int, height: int, noise: SeededBytes) -> NDArray[np.uint8]:
    """A light card with dark lines of text to the right of a portrait."""
    page = np.full((height, width), 200, np.int32)
    left, top = width * 2 // 5, height // 8
    lines = page[top : height - top, left:]
    lines[(np.arange(len(lines)) * 16 // max(1, len(lines))) % 2 == 1] = 60
    portrait = page[height // 4 : height * 3 // 4, width // 16 : left]
    portrait[:] = _face(portrait.shape[0], portrait.shape[1], noise)
    return _grain(page, noise)


def _faces(width: int, height: int, frames: int, noise: SeededBytes) -> NDArray[np.uint8]:
    """Frames of a face below one another, each a little darker."""
    picture = np.zeros((height, width), np.int32)
    face = _face(height // frames, width, noise)
    for frame in range(frames):
        start = frame * len(face)
        picture[start : start + len(face)] = face - 4 * frame
    return _grain(picture, noise)


def _face(height: int, width: int, noise: SeededBytes) -> NDArray[np.int32]:
    """A bright ellipse with two eyes and a mouth before a gradient."""
    shade, tilt = noise(2)
    y = np.arange(height, dtype=np.int32)[:, None] * 256 // max(1, height) - 128
    x = np.arange(width, dtype=np.int32)[None, :] * 256 // max(1, width) - 128
    face = 70 + (y + x * (tilt - 128) // 128) // 4
    face[x * x * 3 // 2 + y * y < 10_000] = 150 + shade // 4
    face[(abs(x) - 36) ** 2 + (y + 28) ** 2 < 150] = 40
    face[(abs(x) < 34) & (abs(y - 50) < 7)] = 80
    return face.astype(np.int32)


def _grain(picture: NDArray[np.int32], noise: SeededBytes) -> NDArray[np.uint8]:
    """``picture`` in some light, with the grain of a sensor."""
    strength, light = noise(2)
    grain = np.frombuffer(noise(picture.size), np.uint8).reshape(picture.shape).astype(np.int32)
    picture = picture * (208 + light // 4) // 256 + (grain - 128) * (4 + strength // 16) // 128
    return np.clip(picture, 0, 255).astype(np.uint8)


def _statement(piece: Evidence, noise: SeededBytes) -> bytes:
    claims = tuple(Field(name, noise(12).hex(), FULL_CONFIDENCE) for name in _CLAIMS)
    left = piece.size_bytes - len(encode_payload(0, 0, claims, b"")) - 8
    token: list[Field] = []
    while left > 32 and len(token) < _MAX_LINES:
        text = noise(min(left - 32, _TEXT_CHARACTERS) // 2 + 1).hex()
        token.append(Field(f"token_{len(token):02}", text, FULL_CONFIDENCE))
        left -= len(text) + 16
    return encode_payload(0, 0, claims + tuple(token), b"")
