"""Example people, validators and evidence, the same every time, with real keys and signatures.

The evidence is synthetic, but has structure: documents with a portrait and lines of text, faces,
videos of several frames, statements of identity providers. Its noise comes from SHAKE-256, so that
it is the same with every version of NumPy.
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
from veperf.workloads.verification.envelope.sealing import Client, Scope, seal_envelope
from veperf.workloads.verification.envelope.wire_format import encode_envelope
from veperf.workloads.verification.identity.keeper import identity_key
from veperf.workloads.verification.identity.lifecycle import (
    begin_verification,
    complete_verification,
    new_record,
)
from veperf.workloads.verification.identity.record import encode_record
from veperf.workloads.verification.scope import (
    FULL_CONFIDENCE,
    MAX_PAYLOAD_BYTES,
    ScopeType,
    TextField,
    encode_payload,
)

KIB = 1_024
PAYLOAD_BYTES = 32 * KIB
SCOPES = 3
VALIDATORS = 4
NOW_S = 1_767_225_600
"""The time of the example block: the start of 2026."""
_DAY_S = 86_400

DEFAULT_TYPES = (ScopeType.ID_DOCUMENT, ScopeType.SELFIE, ScopeType.FACE_VIDEO)
_FURTHER_TYPES = (ScopeType.BIOMETRIC, ScopeType.EMAIL_PROOF, ScopeType.SSO_METADATA)
_PICTURES = frozenset({*DEFAULT_TYPES, ScopeType.BIOMETRIC})
_FRAMES = 4
_TEXT_CHARACTERS = 4_000
"""Characters of one line of a statement; 15 lines are the longest header."""
_MAX_LINES = 15

_FAMILIES = ("Okafor", "Lindqvist", "Tanaka", "Moreau", "Silva", "Haddad", "Novak", "Iyer")
_COUNTRIES = ("NGA", "SWE", "JPN", "FRA", "BRA", "LBN", "CZE", "IND")
_CLAIMS = ("issuer", "subject", "issued_at", "assertion")


class EvidenceSpec(Struct, frozen=True):
    """Type and size of a piece of evidence to generate."""

    type: ScopeType
    size_bytes: int


REALISTIC = (
    EvidenceSpec(ScopeType.ID_DOCUMENT, 512 * KIB),
    EvidenceSpec(ScopeType.SELFIE, 256 * KIB),
    EvidenceSpec(ScopeType.FACE_VIDEO, MAX_PAYLOAD_BYTES),
    EvidenceSpec(ScopeType.EMAIL_PROOF, KIB),
    EvidenceSpec(ScopeType.SSO_METADATA, 4 * KIB),
)
"""A realistic upload: from a kilobyte to the limit."""


class SeededBytes:
    """Pseudo-random bytes, the same for the same seed."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._calls = 0

    def __call__(self, count: int) -> bytes:
        """Return the next ``count`` bytes."""
        self._calls += 1
        return shake_256(b"%d/%b" % (self._calls, self._seed)).digest(count)


def user_key(index: int) -> SigningKey:
    """Return the key of the example account with this number."""
    return SigningKey(sha256(b"veperf identity %d" % index).digest())


def account_address(index: int) -> bytes:
    """Return the 20 bytes of the example account's address."""
    return ed25519_address(bytes(user_key(index).verify_key))


def validator_key(index: int) -> PrivateKey:
    """Return the key of the example validator with this number, to which scopes are sealed."""
    return PrivateKey(sha256(b"veperf validator %d" % index).digest())


CLIENT = Client("veperf-app", SigningKey(sha256(b"veperf client").digest()), "device-1")
CLIENTS = {CLIENT.id: bytes(CLIENT.key.verify_key)}


def keyless_account(index: int) -> bytes:
    """Return an address without a key, for states with more accounts than ever sign."""
    return sha256(b"veperf nobody %d" % index).digest()[:20]


def identity_tree(count: int) -> Tree:
    """Return an unsaved tree with the records of ``count`` keyless accounts, all verified."""
    unscored = begin_verification(new_record(keyless_account(0), 0), 0)
    verified = [complete_verification(unscored, score, bytes(32), 0) for score in range(50, 101)]
    accounts = [keyless_account(i) for i in range(count)]
    return Tree.from_sorted(
        sorted(
            (identity_key(account), encode_record(replace(verified[i % 51], account=account)))
            for i, account in enumerate(accounts)
        )
    )


def evidence_specs(
    scopes: int = SCOPES, size_bytes: int = PAYLOAD_BYTES
) -> tuple[EvidenceSpec, ...]:
    """Return specifications of one size: pictures first, then statements, then more of each."""
    types = (*DEFAULT_TYPES, *_FURTHER_TYPES)
    return tuple(EvidenceSpec(types[i % len(types)], size_bytes) for i in range(scopes))


def evidence_payload(piece: EvidenceSpec, seed: int = 0) -> bytes:
    """Return the bytes of ``piece``: at most its size, and at most a row of pixels less.

    Statements are text, of which a payload holds 60,000 bytes at most.
    """
    noise = SeededBytes(b"%s %d %d" % (piece.type.encode(), piece.size_bytes, seed))
    if piece.type in _PICTURES:
        return _picture(piece, noise)
    return _statement(piece, noise)


def example_scopes(
    pieces: Sequence[EvidenceSpec], index: int = 0, captured_at_s: int = NOW_S - _DAY_S
) -> list[Scope]:
    """Return the evidence of the example account with this number, in the clear."""
    return [
        Scope(f"scope-{place}", piece.type, evidence_payload(piece, index), captured_at_s)
        for place, piece in enumerate(pieces)
    ]


def example_envelopes(
    pieces: Sequence[EvidenceSpec], index: int = 0, validators: int = VALIDATORS
) -> tuple[bytes, ...]:
    """Return the evidence of the example account ``index``, sealed to the first validators."""
    recipients = [validator_key(i).public_key for i in range(validators)]
    random = SeededBytes(b"envelopes %d" % index)
    return tuple(
        encode_envelope(seal_envelope(scope, user_key(index), CLIENT, recipients, random))
        for scope in example_scopes(pieces, index)
    )


def _picture(piece: EvidenceSpec, noise: SeededBytes) -> bytes:
    is_document = piece.type is ScopeType.ID_DOCUMENT
    fields = _lines(noise) if is_document else (TextField("camera", "front", FULL_CONFIDENCE),)
    header_bytes = len(encode_payload(0, 0, fields, b"")) + 4  # sides of up to three bytes each
    area = max(0, piece.size_bytes - header_bytes)
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


def _lines(noise: SeededBytes) -> tuple[TextField, ...]:
    """Return the lines of a document as OCR would read them, with their confidence."""
    family, country, year, month, day, *uncertainties = noise(10)
    texts = {
        "name": f"Alex {_FAMILIES[family % len(_FAMILIES)]}",
        "date_of_birth": f"{1950 + year % 50}-{1 + month % 12:02}-{1 + day % 28:02}",
        "document_number": noise(5).hex().upper(),
        "expiry_date": f"{2027 + year % 9}-{1 + month % 12:02}-{1 + day % 28:02}",
        "nationality": _COUNTRIES[country % len(_COUNTRIES)],
    }
    return tuple(
        TextField(name, text, FULL_CONFIDENCE - 16 * uncertainty)
        for (name, text), uncertainty in zip(texts.items(), uncertainties, strict=True)
    )


def _document(width: int, height: int, noise: SeededBytes) -> NDArray[np.uint8]:
    """Draw a light card with dark lines of text to the right of a portrait."""
    page = np.full((height, width), 200, np.int32)
    left, top = width * 2 // 5, height // 8
    lines = page[top : height - top, left:]
    lines[(np.arange(len(lines)) * 16 // max(1, len(lines))) % 2 == 1] = 60
    portrait = page[height // 4 : height * 3 // 4, width // 16 : left]
    portrait[:] = _face(portrait.shape[0], portrait.shape[1], noise)
    return _grain(page, noise)


def _faces(width: int, height: int, frames: int, noise: SeededBytes) -> NDArray[np.uint8]:
    """Draw frames of a face below one another, each a little darker."""
    picture = np.zeros((height, width), np.int32)
    face = _face(height // frames, width, noise)
    for frame in range(frames):
        start = frame * len(face)
        picture[start : start + len(face)] = face - 4 * frame
    return _grain(picture, noise)


def _face(height: int, width: int, noise: SeededBytes) -> NDArray[np.int32]:
    """Draw a bright ellipse with two eyes and a mouth before a gradient."""
    shade, tilt = noise(2)
    y = np.arange(height, dtype=np.int32)[:, None] * 256 // max(1, height) - 128
    x = np.arange(width, dtype=np.int32)[None, :] * 256 // max(1, width) - 128
    face = 70 + (y + x * (tilt - 128) // 128) // 4
    face[x * x * 3 // 2 + y * y < 10_000] = 150 + shade // 4
    face[(abs(x) - 36) ** 2 + (y + 28) ** 2 < 150] = 40
    face[(abs(x) < 34) & (abs(y - 50) < 7)] = 80
    return face.astype(np.int32)


def _grain(picture: NDArray[np.int32], noise: SeededBytes) -> NDArray[np.uint8]:
    """Return ``picture`` with a brightness and the grain of a sensor."""
    strength, light = noise(2)
    grain = np.frombuffer(noise(picture.size), np.uint8).reshape(picture.shape).astype(np.int32)
    picture = picture * (208 + light // 4) // 256 + (grain - 128) * (4 + strength // 16) // 128
    return np.clip(picture, 0, 255).astype(np.uint8)


def _statement(piece: EvidenceSpec, noise: SeededBytes) -> bytes:
    claims = tuple(TextField(name, noise(12).hex(), FULL_CONFIDENCE) for name in _CLAIMS)
    remaining = piece.size_bytes - len(encode_payload(0, 0, claims, b"")) - 8
    token: list[TextField] = []
    while remaining > 32 and len(token) < _MAX_LINES:
        text = noise(min(remaining - 32, _TEXT_CHARACTERS) // 2 + 1).hex()
        token.append(TextField(f"token_{len(token):02}", text, FULL_CONFIDENCE))
        remaining -= len(text) + 16
    return encode_payload(0, 0, claims + tuple(token), b"")
