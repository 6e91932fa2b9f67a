"""A score of inputs: checked, made a vector, scored by the model, explained, hashed.

Steps, reasons and the confidence of a score are those of VirtEngine's ``scorer.go``; the model is
that of ``verification``, in fixed point, whose score every machine agrees on.
"""

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from veperf.workloads.inference.hashes import hash_inputs, hash_output
from veperf.workloads.inference.inputs import (
    Issue,
    IssueCode,
    ScoreInputs,
    check_features,
    check_inputs,
    feature_vector,
)
from veperf.workloads.verification.features.vector import DOCUMENT, FACE, METADATA, OCR
from veperf.workloads.verification.scoring.engine import ScoringEngine

_PASSING = 50
_HIGH_CONFIDENCE = 0.8
_GOOD_DOCUMENT, _GOOD_LINES = 0.6, 0.5
_FEWEST_SCOPES = 2
_PARTS = {"face": FACE, "document": DOCUMENT, "ocr": OCR, "metadata": METADATA}
_HARMLESS = frozenset({IssueCode.MISSING_FACE})
"""Faults that a score is given in spite of, with a reason."""


class Reason(StrEnum):
    """A reason for a score."""

    SUCCESS = "SUCCESS"
    HIGH_CONFIDENCE = "HIGH_CONFIDENCE"
    LOW_DOC_QUALITY = "LOW_DOC_QUALITY"
    LOW_OCR_CONFIDENCE = "LOW_OCR_CONFIDENCE"
    INSUFFICIENT_SCOPES = "INSUFFICIENT_SCOPES"
    MISSING_FACE = "MISSING_FACE_EMBEDDING"


class InsaneInputsError(ValueError):
    """Inputs that can't be scored; ``issues`` says why."""

    def __init__(self, issues: tuple[Issue, ...]) -> None:
        """Name every one of ``issues``."""
        super().__init__(", ".join(f"{issue.place}: {issue.code}" for issue in issues))
        self.issues = issues


class ScoreResult(Struct, frozen=True):
    """A score and what validators compare."""

    score: int
    """0 to 100."""
    points: float
    """The score before it was rounded."""
    confidence: float
    """0.5 in the middle of the scale, 0.9 at its ends."""
    reasons: tuple[Reason, ...]
    contributions: Mapping[str, float]
    """Of each part of the vector: the mean of its features, of the embedding's absolute values."""
    model_hash: bytes
    input_hash: bytes
    output_hash: bytes


def score_inputs(inputs: ScoreInputs, engine: ScoringEngine) -> ScoreResult:
    """Return the score of ``inputs`` by ``engine``.

    Raises:
        InsaneInputsError: inputs or features are not what they must be; a missing face is no such.
    """
    _refuse(check_inputs(inputs))
    features = feature_vector(inputs)
    _refuse(check_features(features))
    score = engine.score(features)
    confidence = _confidence(score.points)
    return ScoreResult(
        score=score.value,
        points=score.points,
        confidence=confidence,
        reasons=tuple(_reasons(inputs, score.value, confidence)),
        contributions=feature_contributions(features),
        model_hash=engine.model_hash,
        input_hash=hash_inputs(inputs),
        output_hash=hash_output([score.points]),
    )


def _refuse(issues: tuple[Issue, ...]) -> None:
    if any(issue.code not in _HARMLESS for issue in issues):
        raise InsaneInputsError(issues)


def feature_contributions(features: NDArray[np.float32]) -> dict[str, float]:
    """Return the mean of each part of the vector, of the embedding's absolute values."""
    return {
        name: float((np.abs(features[place]) if place == FACE else features[place]).mean())
        for name, place in _PARTS.items()
    }


def _confidence(points: float) -> float:
    return 0.5 + 0.4 * abs(points - 50) / 50


def _document_score(inputs: ScoreInputs) -> float:
    """Return the mean of what is better the higher; brightness is best in between."""
    sharpness, _, contrast, glare, completeness = inputs.document
    return (sharpness + contrast + (1 - glare) + completeness) / 4


def _reasons(inputs: ScoreInputs, score: int, confidence: float) -> list[Reason]:
    confidences = [line.confidence for line in inputs.lines.values()]
    applies = {
        Reason.SUCCESS: score >= _PASSING,
        Reason.MISSING_FACE: not inputs.embedding.any(),
        Reason.HIGH_CONFIDENCE: confidence >= _HIGH_CONFIDENCE,
        Reason.LOW_DOC_QUALITY: _document_score(inputs) < _GOOD_DOCUMENT,
        Reason.LOW_OCR_CONFIDENCE: bool(confidences)
        and sum(confidences) / len(confidences) < _GOOD_LINES,
        Reason.INSUFFICIENT_SCOPES: len(inputs.scope_types) < _FEWEST_SCOPES,
    }
    return [reason for reason, is_so in applies.items() if is_so]
