"""From a person's scopes to the inputs of a score: faces, document, liveness, figures of them all.

The steps are those of VirtEngine's ``feature_pipeline.go``; its extractors ask a service of models,
or make numbers of a hash where there is none. Here all are computed from the pixels and lines.
"""

from collections.abc import Iterable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from veperf.workloads.inference.embedding import Embedding
from veperf.workloads.inference.inputs import ScoreInputs, TextLine, feature_vector
from veperf.workloads.inference.liveness import Liveness, check_liveness
from veperf.workloads.verification.features.builder import ScopeStatistics
from veperf.workloads.verification.features.document import (
    LINE_TESTS,
    UNIT,
    document_quality,
    read_document_lines,
)
from veperf.workloads.verification.features.image import (
    EMBEDDING_SIZE,
    GRID,
    ImageStatistics,
    face_descriptor,
    face_embedding,
    image_statistics,
)
from veperf.workloads.verification.scope import (
    FULL_CONFIDENCE,
    Buffer,
    DecryptedScope,
    ScopeType,
    decode_payload,
)

_FACES = frozenset({ScopeType.SELFIE, ScopeType.FACE_VIDEO, ScopeType.BIOMETRIC})


class Face(Struct, frozen=True, eq=False):
    """The face in a picture."""

    embedding: Embedding
    """[512]; all 0 of a picture that is too small."""
    confidence: float
    """How alike the halves to the left and right are, 0 to 1: faces are nearly symmetric."""


class Document(Struct, frozen=True):
    """Quality and lines of an identity document."""

    quality: tuple[float, ...]
    """Sharpness, brightness, contrast, glare and completeness, 0 to 1."""
    lines: dict[str, TextLine]


class PipelineResult(Struct, frozen=True, eq=False):
    """The inputs of a score, the features made of them, and the liveness of the first video."""

    inputs: ScoreInputs
    features: NDArray[np.float32]
    liveness: Liveness | None
    """None without a video."""


def extract_face(payload: Buffer) -> Face:
    """Return the face in the picture of a scope's ``payload``.

    Raises:
        PayloadError: the payload is malformed.
    """
    picture = decode_payload(payload)
    image = image_statistics(picture.pixels, picture.width, picture.height)
    if image is None:
        return Face(np.zeros(EMBEDDING_SIZE, np.float32), 0.0)
    descriptor = face_descriptor(image)
    return Face(face_embedding(descriptor, 1), symmetry(descriptor))


def symmetry(descriptor: NDArray[np.int64]) -> float:
    """Return (1 + r) / 2, with r the correlation of a face's brightness with its mirror image."""
    cells = descriptor[: GRID * GRID].reshape(GRID, GRID)
    energy = int((cells * cells).sum())
    return (energy + int((cells * cells[:, ::-1]).sum())) / (2 * energy) if energy else 0.0


def extract_document(payload: Buffer) -> Document:
    """Return quality and lines of the document in a scope's ``payload``.

    Raises:
        PayloadError: the payload is malformed.
    """
    scan = decode_payload(payload)
    lines = {
        name: TextLine(confidence / FULL_CONFIDENCE, bool(is_valid))
        for name, (confidence, is_valid) in zip(
            LINE_TESTS, read_document_lines(scan.fields), strict=True
        )
        if confidence
    }
    image = image_statistics(scan.pixels, scan.width, scan.height)
    return Document((*_quality(image), len(lines) / len(LINE_TESTS)), lines)


def _quality(image: ImageStatistics | None) -> tuple[float, ...]:
    if image is None:
        return (0.0,) * 4
    return tuple(figure / UNIT for figure in document_quality(image))


def run_pipeline(scopes: Iterable[DecryptedScope], account: bytes, height: int) -> PipelineResult:
    """Return the inputs and features of ``scopes``, which are read one after the other.

    Of several faces the mean counts, of several documents and videos the first.

    Raises:
        PayloadError: a payload is malformed, or a video too small.
    """
    statistics = ScopeStatistics()
    descriptors, faces = np.zeros(EMBEDDING_SIZE, np.int64), 0
    confidences: list[float] = []
    document: Document | None = None
    liveness: Liveness | None = None
    types: list[str] = []
    for scope in scopes:
        payload = decode_payload(scope.payload)
        statistics.add(scope, payload)
        types.append(scope.scope_type)
        if scope.scope_type is ScopeType.ID_DOCUMENT and document is None:
            document = extract_document(scope.payload)
        elif scope.scope_type in _FACES:
            image = image_statistics(payload.pixels, payload.width, payload.height)
            if image is not None:
                descriptor = face_descriptor(image)
                descriptors += descriptor
                faces += 1
                confidences.append(symmetry(descriptor))
        if scope.scope_type is ScopeType.FACE_VIDEO and liveness is None:
            liveness = check_liveness(scope.payload)
    document = document or Document((0.0,) * 5, {})
    inputs = ScoreInputs(
        account=account,
        height=height,
        embedding=face_embedding(descriptors, faces),
        face_confidence=max(confidences, default=0.0),
        document=document.quality,
        lines=document.lines,
        statistics=tuple(statistics.values()),
        scope_types=tuple(sorted(types)),
    )
    return PipelineResult(inputs, feature_vector(inputs), liveness)
