"""Feature extraction, one scope at a time, so that only one plaintext is in memory."""

from collections import Counter
from collections.abc import Iterable
from typing import Self

import numpy as np
from numpy.typing import NDArray

from veperf.workloads.verification.features.document import (
    LINE_TESTS,
    UNIT,
    document_quality,
    read_document_lines,
)
from veperf.workloads.verification.features.image import (
    EMBEDDING_SIZE,
    face_descriptor,
    face_embedding,
    image_statistics,
)
from veperf.workloads.verification.features.vector import DOCUMENT, FACE, FEATURES, METADATA, OCR
from veperf.workloads.verification.scope import (
    FULL_CONFIDENCE,
    MAX_PAYLOAD_BYTES,
    DecodedPayload,
    DecryptedScope,
    PayloadError,
    ScopeType,
    decode_payload,
)

_MANY_OF_A_TYPE = 5
_MANY_SCOPES = 50
_MANY_LINES = 64
_MUCH = 1 << 20  # bytes, or pixels
_LONG_S = 30 * 24 * 3_600


class ScopeStatistics:
    """Counts and sums over scopes, which don't depend on their order."""

    def __init__(self) -> None:
        self._scopes: Counter[ScopeType] = Counter()
        self._bytes = 0
        self._pixels = 0
        self._lines = 0
        self._confidence = 0
        self._ages_s: tuple[int, int] | None = None

    def add(self, scope: DecryptedScope, payload: DecodedPayload) -> None:
        """Count ``scope`` and its decoded ``payload``."""
        age_s = scope.metadata.age_s
        newest, oldest = self._ages_s or (age_s, age_s)
        self._ages_s = (min(newest, age_s), max(oldest, age_s))
        self._scopes[scope.scope_type] += 1
        self._bytes += len(scope.payload)
        self._pixels += len(payload.pixels)
        self._lines += len(payload.fields)
        self._confidence += sum(field.confidence for field in payload.fields)

    def values(self) -> list[float]:
        """Return the 16 metadata features, each from 0 to 1.

        The numbers of scopes, by type and in all, as shares of their usual maximum; bytes, pixels
        and lines as x / (x + much); the mean confidence of the lines; the freshness of the newest
        and the oldest scope, 1 at the time of verification and 1/2 after 30 days.
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
    """Accumulates the features of scopes, in any order.

    Only integers are accumulated, and each feature is rounded once, by operations for which IEEE
    754 requires correct rounding: the result is the same, to the bit, on every machine.
    """

    def __init__(self) -> None:
        self._descriptors = np.zeros(EMBEDDING_SIZE, np.int64)
        self._faces = 0
        self._quality = np.zeros(4, np.int64)
        self._pictures = 0
        self._lines = [(0, 0)] * len(LINE_TESTS)
        self._summary = ScopeStatistics()

    def add(self, scope: DecryptedScope) -> Self:
        """Add one scope, without keeping its payload.

        Raises:
            PayloadError: the payload is malformed or too long; nothing was added.
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
        """Return the 768 features of all scopes so far."""
        quality = [int(sum_) / (max(self._pictures, 1) * UNIT) for sum_ in self._quality]
        lines_present = sum(confidence > 0 for confidence, _ in self._lines)
        features = np.zeros(FEATURES, np.float32)
        features[FACE] = face_embedding(self._descriptors, self._faces)
        features[DOCUMENT] = [*quality, lines_present / len(self._lines)]
        features[OCR] = [
            value
            for confidence, valid in self._lines
            for value in (confidence / FULL_CONFIDENCE, valid)
        ]
        features[METADATA] = self._summary.values()
        return features

    def _add_face(self, payload: DecodedPayload) -> None:
        image = image_statistics(payload.pixels, payload.width, payload.height)
        if image is not None:
            self._descriptors += face_descriptor(image)
            self._faces += 1

    def _add_document(self, payload: DecodedPayload) -> None:
        image = image_statistics(payload.pixels, payload.width, payload.height)
        if image is not None:
            self._quality += document_quality(image)
            self._pictures += 1
        self._lines = [
            (max(old[0], new[0]), max(old[1], new[1]))
            for old, new in zip(self._lines, read_document_lines(payload.fields), strict=True)
        ]


def extract_features(scopes: Iterable[DecryptedScope]) -> NDArray[np.float32]:
    """Return the 768 features of ``scopes``, which are read one after the other.

    Raises:
        PayloadError: a payload is malformed or too long.
    """
    builder = FeatureBuilder()
    for scope in scopes:
        builder.add(scope)
    return builder.vector()
