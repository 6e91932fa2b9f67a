"""The inputs of a score, their sanity checks, and the vector of 768 features made of them.

The inputs are those of VirtEngine's ``ScoreInputs``. The vector is the one that the model of
``verification`` was trained on, so that scores mean something: the embedding of the face, five
figures of the document, confidence and validity of five lines, 16 of all scopes together, zeros.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from veperf.workloads.inference.embedding import Embedding, normalise_embedding
from veperf.workloads.verification.features.document import LINE_TESTS
from veperf.workloads.verification.features.image import EMBEDDING_SIZE
from veperf.workloads.verification.features.vector import DOCUMENT, FACE, FEATURES, METADATA, OCR

DOCUMENT_FEATURES = ("sharpness", "brightness", "contrast", "glare", "completeness")
STATISTICS = METADATA.stop - METADATA.start
_LENGTH_TOLERANCE = 1e-5  # of float32 at length 1


class TextLine(Struct, frozen=True):
    """A line of the document, as it was read."""

    confidence: float
    is_valid: bool


class ScoreInputs(Struct, frozen=True, eq=False):
    """All that a score is computed from."""

    account: bytes
    """The address of the account that is verified."""
    height: int
    """Of the block that verifies it."""
    embedding: Embedding
    """[512]; all 0 without a picture of a face."""
    face_confidence: float
    """0 to 1."""
    document: tuple[float, ...]
    """One of each ``DOCUMENT_FEATURES``, 0 to 1."""
    lines: Mapping[str, TextLine]
    """By the names of ``LINE_TESTS``; lines that are missing are not in it."""
    statistics: tuple[float, ...]
    """16 figures of all scopes, 0 to 1."""
    scope_types: tuple[str, ...]
    """Of every scope, sorted."""


class IssueCode(StrEnum):
    """A kind of fault that a sanity check finds."""

    MISSING_FACE = "missing_face"
    WRONG_SIZE = "wrong_size"
    NOT_FINITE = "not_finite"
    OUT_OF_RANGE = "out_of_range"
    WRONG_LENGTH = "wrong_length"
    NOT_PADDING = "not_padding"


class Issue(Struct, frozen=True):
    """A fault in inputs or features."""

    code: IssueCode
    place: str
    """The input, or the range of features."""


def check_inputs(inputs: ScoreInputs) -> tuple[Issue, ...]:
    """Return what is wrong with ``inputs``; nothing with those that can be scored."""
    return tuple(_input_issues(inputs))


def _input_issues(inputs: ScoreInputs) -> Iterator[Issue]:
    embedding = inputs.embedding
    if embedding.shape != (EMBEDDING_SIZE,):
        yield Issue(IssueCode.WRONG_SIZE, "embedding")
    elif not np.isfinite(embedding).all():
        yield Issue(IssueCode.NOT_FINITE, "embedding")
    elif not embedding.any():
        yield Issue(IssueCode.MISSING_FACE, "embedding")
    elif np.abs(embedding).max() > 1:
        yield Issue(IssueCode.OUT_OF_RANGE, "embedding")
    if inputs.height < 0:
        yield Issue(IssueCode.OUT_OF_RANGE, "height")
    sizes = {"document": len(DOCUMENT_FEATURES), "statistics": STATISTICS}
    for name, size in sizes.items():
        if len(getattr(inputs, name)) != size:
            yield Issue(IssueCode.WRONG_SIZE, name)
    shares = {
        "face_confidence": inputs.face_confidence,
        **dict(zip(DOCUMENT_FEATURES, inputs.document, strict=False)),
        **{f"line {name}": line.confidence for name, line in inputs.lines.items()},
        **{f"statistics {i}": value for i, value in enumerate(inputs.statistics)},
    }
    for place, value in shares.items():
        if not np.isfinite(value):
            yield Issue(IssueCode.NOT_FINITE, place)
        elif not 0 <= value <= 1:
            yield Issue(IssueCode.OUT_OF_RANGE, place)


def feature_vector(inputs: ScoreInputs) -> NDArray[np.float32]:
    """Return the 768 features of ``inputs``, the embedding at length 1.

    Raises:
        FeatureError: the embedding is none.
        ValueError: there are more or fewer figures of the document or the scopes than belong there.
    """
    features = np.zeros(FEATURES, np.float32)
    features[FACE] = normalise_embedding(inputs.embedding)
    features[DOCUMENT] = inputs.document
    features[OCR] = [
        value
        for line in (inputs.lines.get(name, TextLine(0.0, is_valid=False)) for name in LINE_TESTS)
        for value in (line.confidence, float(line.is_valid))
    ]
    features[METADATA] = inputs.statistics
    return features


def check_features(features: NDArray[np.float32]) -> tuple[Issue, ...]:
    """Return what is wrong with a vector of features; nothing with those of sane inputs."""
    return tuple(_feature_issues(features))


def _feature_issues(features: NDArray[np.float32]) -> Iterator[Issue]:
    if features.shape != (FEATURES,):
        yield Issue(IssueCode.WRONG_SIZE, "features")
        return
    if not np.isfinite(features).all():
        yield Issue(IssueCode.NOT_FINITE, "features")
        return
    ranges = {"face": (FACE, -1), "document": (DOCUMENT, 0), "ocr": (OCR, 0)}
    for name, (place, lowest) in (ranges | {"metadata": (METADATA, 0)}).items():
        part = features[place]
        if part.min() < lowest or part.max() > 1:
            yield Issue(IssueCode.OUT_OF_RANGE, name)
    square = float(np.vdot(features[FACE], features[FACE]))
    if not square:
        yield Issue(IssueCode.MISSING_FACE, "face")
    elif abs(square - 1) > _LENGTH_TOLERANCE:
        yield Issue(IssueCode.WRONG_LENGTH, "face")
    if features[METADATA.stop :].any():
        yield Issue(IssueCode.NOT_PADDING, "padding")
