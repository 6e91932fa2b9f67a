"""Face embeddings: length, mean and agreement, the same to the last bit on every machine.

Sums of floating-point products depend on their order, and libraries choose it by the processor. In
units of 2^-20 they are whole numbers, exact in 64 bits for up to ``MAX_FRAMES`` embeddings of
length 1, so that no order makes a difference; each result is rounded once.
"""

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.workloads.verification.features.image import EMBEDDING_SIZE
from veperf.workloads.verification.features.vector import FRACTION_BITS, MAX_MAGNITUDE, FeatureError

MAX_FRAMES = 64
_UNIT = 1 << FRACTION_BITS

Embedding = NDArray[np.float32]


def normalise_embedding(embedding: ArrayLike) -> Embedding:
    """Return ``embedding`` [512] at length 1; all 0 stays all 0.

    Raises:
        FeatureError: another shape, not finite, or beyond 8.
    """
    fixed = _fixed(np.asarray(embedding)[np.newaxis])[0]
    return _at_length_one(fixed)


def mean_embedding(embeddings: ArrayLike) -> Embedding:
    """Return the mean of ``embeddings`` [n, 512], each at length 1, at length 1 again.

    Raises:
        FeatureError: another shape, not finite, or more than 64.
    """
    return _at_length_one(_unit_rows(embeddings).sum(axis=0))


def embedding_agreement(embeddings: ArrayLike) -> float:
    """Return the mean cosine of all pairs of ``embeddings`` [n, 512]; 1 of a single one.

    With unit rows e_i and s their sum, the pairs' cosines add up to (s . s - sum e_i . e_i) / 2.

    Raises:
        FeatureError: as ``mean_embedding``.
    """
    rows = _unit_rows(embeddings)
    count = len(rows)
    if count < 2:
        return 1.0
    total = rows.sum(axis=0)
    pairs = int(total @ total) - int((rows * rows).sum())
    return pairs / (count * (count - 1) * _UNIT**2)


def _unit_rows(embeddings: ArrayLike) -> NDArray[np.int64]:
    """Return the embeddings at length 1, in units of 2^-20."""
    rows = _fixed(np.asarray(embeddings))
    if len(rows) > MAX_FRAMES:
        raise FeatureError(f"{len(rows)} embeddings are more than the {MAX_FRAMES} of a video")
    return np.stack([_fixed(_at_length_one(row)[np.newaxis])[0] for row in rows])


def _at_length_one(fixed: NDArray[np.int64]) -> Embedding:
    # Values are 2^23 at most, or a sum of 64 rows of length 2^20: the squares' sum is below 2^56.
    length = sqrt(int(fixed @ fixed))
    return (fixed / (length or 1.0)).astype(np.float32)


def _fixed(embeddings: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> NDArray[np.int64]:
    if embeddings.ndim != 2 or embeddings.shape[1] != EMBEDDING_SIZE or not len(embeddings):
        raise FeatureError(f"embeddings are [n, {EMBEDDING_SIZE}], not {embeddings.shape}")
    if embeddings.dtype.kind not in "fiu":
        raise FeatureError(f"embeddings are real numbers, not {embeddings.dtype}")
    numbers = embeddings.astype(np.float64)
    if not (np.abs(numbers) <= MAX_MAGNITUDE).all():  # false for NaN, too
        raise FeatureError(f"embeddings must be finite and within {MAX_MAGNITUDE} of 0")
    return np.rint(numbers * _UNIT).astype(np.int64)
