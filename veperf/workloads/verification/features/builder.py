"""Features from scopes, one scope at a time, so that only one plaintext need be held."""

from collections import Counter
from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from veperf.workloads.verification.features import document
from veperf.workloads.verification.features import document as text
from veperf.workloads.verification.features import image as face
from veperf.workloads.verification.features.image import measure
from veperf.workloads.verification.features.layout import DOCUMENT, FACE, FEATURES, METADATA, OCR
from veperf.workloads.verification.scope import (
    FULL_CONFIDENCE,
    MAX_PAYLOAD_BYTES,
    DecryptedScope,
    Payload,
    PayloadError,
    ScopeType,
    decode_payload,
)

_MANY_OF_A_TYPE = 5
_MANY_SCOPES = 50
_MANY_LINES = 64
_MUCH = 1 << 20  # bytes, or pixels
_LONG_S = 30 * 24 * 3_600


class Summary:
    """Counts and sums over scopes, so that their order doesn't matter."""

    def __init__(self) -> None:
        self._scopes: Counter[ScopeType] = Counter()
        self._bytes = 0
        self._pixels = 0
        self._lines = 0
        self._confidence = 0
        self._ages_s: tuple[int, int] | None = None

    def add(self, scope: DecryptedScope, payload: Payload) -> None:
        """Count ``scope`` and what its ``payload`` was taken apart into."""
        age_s = scope.metadata.age_s
        newest, oldest = self._ages_s or (age_s, age_s)
        self._ages_s = (min(newest, age_s), max(oldest, age_s))
        self._scopes[scope.scope_type] += 1
        self._bytes += len(scope.payload)
        self._pixels += len(payload.pixels)
        self._lines += len(payload.fields)
        self._confidence += sum(field.confidence for field in payload.fields)

    def values(self) -> list[float]:
        """The 16 features, each from 0 to 1.

        The share of the most that is usual for each type of scope and for all of them; bytes,
        pixels and lines as x / (x + much); the mean confidence of the lines; how fresh the newest
        and the oldest scope are, 1 at the time of verification and 1/2 after 30 days.
        """
        freshness = [_LONG_S / (_LONG_S + age_s) for age_s in self._ages_s or ()] or [0.0, 0.0]
        return [
            *(min(self._scopes[kind] / _MANY_OF_A_TYPE, 1.0) for kind in ScopeType),
            min(self._scopes.total() / _MANY_SCOPES, 1.0),
            self._bytes / (self._bytes + _MUCH),
            self._pixels / (self._pixels + _MUCH),
            self._lines / (self._lines + _MANY_LINES),
            self._confidence / (max(self._lines, 1) * FULL_CONFIDENCE),
            *freshness,
        ]


_FACES = frozenset({ScopeType.SELFIE, ScopeType.FACE_VIDEO, ScopeType.BIOMETRIC})


class FeatureBuilder:
    """Collects what the features need of each scope. The order of the scopes doesn't matter.

    Only integers are collected, and each feature is rounded once, by operations that IEEE 754
    wants correctly rounded: the result is the same, to the bit, on every machine.
    """

    def __init__(self) -> None:
        self._descriptors = np.zeros(face.SIZE, np.int64)
        self._faces = 0
        self._quality = np.zeros(4, np.int64)
        self._pictures = 0
        self._lines = [(0, 0)] * len(text.LINES)
        self._summary = Summary()

    def add(self, scope: DecryptedScope) -> Self:
        """Take in one scope; its payload is not kept.

        Raises:
            PayloadError: the payload has not the form of one, or is too long. Nothing was taken in.
        """
        if len(scope.payload) > MAX_PAYLOAD_BYTES:
            raise PayloadError(f"a payload of {len(scope.payload)} bytes is too long")
        payload = decode_payload(scope.payload)
        if scope.scope_type in _FACES:
            self._add_face(payload)
        elif scope.scope_type is ScopeType.ID_DOCUMENT:
            self._add_document(payload)
        self._summary.add(scope, payload)
        return self

    def vector(self) -> NDArray[np.float32]:
        """The 768 features of all scopes so far."""
        quality = [int(sum_) / (max(self._pictures, 1) * document.ONE) for sum_ in self._quality]
        found = sum(confidence > 0 for confidence, _ in self._lines)
        features = np.zeros(FEATURES, np.float32)
        features[FACE] = face.embedding(self._descriptors, self._faces)
        features[DOCUMENT] = [*quality, found / len(self._lines)]
        features[OCR] = [
            value
            for confidence, valid in self._lines
            for value in (confidence / FULL_CONFIDENCE, valid)
        ]
        features[METADATA] = self._summary.values()
        return features

    def _add_face(self, payload: Payload) -> None:
        image = measure(payload.pixels, payload.width, payload.height)
        if image is not None:
            self._descriptors += face.descriptor(image)
            self._faces += 1

    def _add_document(self, payload: Payload) -> None:
        image = measure(payload.pixels, payload.width, payload.height)
        if image is not None:
            self._quality += document.quality(image)
            self._pictures += 1
        self._lines = [
            (max(old[0], new[0]), max(old[1], new[1]))
            for old, new in zip(self._lines, text.read(payload.fields), strict=True)
        ]


def extract(scopes: Iterable[DecryptedScope]) -> NDArray[np.float32]:
    """The 768 features of ``scopes``, taken one after the other.

    Raises:
        PayloadError: the payload of one has not the form of a payload.
    """
    builder = FeatureBuilder()
    for scope in scopes:
        builder.add(scope)
    return builder.vector()
