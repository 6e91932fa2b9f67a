"""Synthetic verifications for training: features, and the score that an examiner would give.

They are not of real people. Each row is drawn from the factors of a score: quality of the
document's picture, legibility of its lines, likeness of the face, and amount of other evidence. The
features are those that extraction would give, on the same scales (see
``veperf.workloads.verification.features``).
"""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from veperf.workloads.verification.features.vector import DOCUMENT, FACE, FEATURES, METADATA, OCR
from veperf.workloads.verification.scoring.engine import ScoringEngine

_NOISE_POINTS = 4.0  # two examiners differ by about that much
_ANCHOR_SEED = 768

Floats = NDArray[np.float64]


class Examples(NamedTuple):
    """Examples with their scores."""

    features: NDArray[np.float32]
    """[n, 768]"""
    scores: Floats
    """[n], 0 to 100"""


def draw_examples(count: int, seed: int) -> Examples:
    """Draw ``count`` examples, the same for the same seed."""
    rng = np.random.default_rng(seed)
    features = np.zeros((count, FEATURES))
    document = _document(features, rng)
    lines = _lines(features, rng)
    face = _face(features, rng)
    evidence = _evidence(features, rng)
    # Other evidence can't compensate for a weak document: the parts multiply as well as add.
    merit = 0.25 * document + 0.3 * lines + 0.2 * face + 0.1 * evidence + 0.15 * document * lines
    scores = 100 / (1 + np.exp(-10 * (merit - 0.52)))
    noisy = np.clip(scores + rng.normal(0, _NOISE_POINTS, count), 0, 100)
    return Examples(features.astype(np.float32), noisy)


def _document(features: Floats, rng: Generator) -> Floats:
    """Fill in the document's features; return their quality, 0 to 1."""
    count = len(features)
    care = rng.beta(2, 1.4, count)
    sharpness = np.clip(0.2 + 0.7 * care + rng.normal(0, 0.06, count), 0, 1)
    brightness = np.clip(rng.normal(0.52, 0.14, count), 0, 1)
    contrast = np.clip(0.15 + 0.5 * care + rng.normal(0, 0.08, count), 0, 1)
    glare = np.clip(rng.exponential(0.06, count), 0, 1)
    complete = rng.binomial(5, 0.35 + 0.6 * care) / 5
    present = rng.random(count) < 0.92
    columns = np.stack([sharpness, brightness, contrast, glare, complete], axis=1)
    features[:, DOCUMENT] = columns * present[:, None]
    exposure = 1 - np.abs(brightness - 0.52) / 0.52
    quality = 0.35 * sharpness + 0.15 * exposure + 0.2 * contrast + 0.3 * complete
    merit: Floats = np.clip(quality * (1 - 1.5 * glare), 0, 1) * present
    return merit


def _lines(features: Floats, rng: Generator) -> Floats:
    """Fill in the lines' features; return their mean confidence, less if invalid, 0 to 1."""
    count = len(features)
    legible = rng.beta(2.5, 1.2, count)[:, None]
    confidence = np.clip(legible + rng.normal(0, 0.08, (count, 5)), 0, 1)
    valid = rng.random((count, 5)) < 0.3 + 0.7 * legible
    features[:, OCR] = np.stack([confidence, valid], axis=2).reshape(count, 10)
    merit: Floats = (confidence * (0.3 + 0.7 * valid)).mean(axis=1)
    return merit


def _face(features: Floats, rng: Generator) -> Floats:
    """Fill in the embedding; return its likeness to the anchor of a live face, 0 to 1."""
    count, size = len(features), FACE.stop - FACE.start
    anchor = np.random.default_rng(_ANCHOR_SEED).normal(size=size)
    anchor /= np.linalg.norm(anchor)
    likeness = rng.beta(2, 1.6, count)
    present = rng.random(count) < 0.94
    scatter = rng.normal(size=(count, size)) / np.sqrt(size)
    embedding = scatter + 1.5 * likeness[:, None] * anchor
    embedding *= present[:, None] / np.linalg.norm(embedding, axis=1, keepdims=True)
    features[:, FACE] = embedding
    merit: Floats = np.clip(embedding @ anchor, 0, 1)
    return merit


def _evidence(features: Floats, rng: Generator) -> Floats:
    """Fill in the metadata; return amount and freshness of the evidence, 0 to 1."""
    count = len(features)
    scopes = rng.binomial(2, rng.uniform(0.05, 0.6, (count, 1)), (count, 9))
    payload = rng.beta(1.2, 5, count)
    newest = rng.beta(6, 1.2, count)
    features[:, METADATA] = np.column_stack(
        [
            scopes / 5,
            scopes.sum(axis=1) / 50,
            payload,
            payload * rng.uniform(0.9, 1, count),
            rng.beta(2, 8, count),
            rng.beta(5, 1.5, count),
            newest,
            newest * rng.beta(5, 1.5, count),
        ]
    )
    breadth = np.minimum((scopes > 0).sum(axis=1) / 6, 1)
    merit: Floats = breadth * (0.5 + 0.5 * newest)
    return merit


class ScoreAccuracy(NamedTuple):
    """Accuracy of an engine's scores."""

    r_squared: float
    """1 - sum (y - f)^2 / sum (y - mean y)^2"""
    mean_error_points: float
    """The mean of |y - f|."""


def evaluate_engine(engine: ScoringEngine, rows: Examples) -> ScoreAccuracy:
    """Score ``rows`` and compare the points with their scores."""
    points = np.array([score.points for score in engine.score_many(rows.features)])
    errors = rows.scores - points
    spread = rows.scores - rows.scores.mean()
    return ScoreAccuracy(
        1 - float(errors @ errors) / float(spread @ spread), float(np.abs(errors).mean())
    )
