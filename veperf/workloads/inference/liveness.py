"""Liveness of a face video: is it a person before the camera, or a picture of one?

Three figures from 0 to 1 of the frames' grey pixels, each a ratio of whole numbers, so that every
machine agrees to the last bit:

- motion: m / (m + 1) with m the mean |difference| of a pixel from one frame to the next. The sensor
  and the person never stand still; a frozen picture does.
- texture: 1 - sum p_i^2 over the shares p_i of the 256 local binary patterns (Ojala, Pietikäinen,
  Harwood, Pattern Recognition 29, 1996; the diversity index is Simpson's, Nature 163, 1949). Flat
  prints have few patterns.
- aperiodicity: 1 - r with r the highest autocorrelation of the differences along a row, at lags of
  2 to 16 pixels. The grid of a screen repeats.

The score weights them by 0.4, 0.35 and 0.25 and is live from 0.75 on, a spoof below 0.5, as
VirtEngine's ``liveness_scorer.go`` does with the figures of its models. It is a passive check
of real pixels; what a trained detector would find, it does not.
"""

from enum import StrEnum
from itertools import pairwise

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from veperf.workloads.verification.scope import Buffer, PayloadError, decode_payload

FRAMES = 4
"""Frames of a video, below one another in its payload."""
LIVE_FROM = 0.75
SPOOF_BELOW = 0.5
_WEIGHTS = (0.4, 0.35, 0.25)
_LAGS = range(2, 17)
_SMALLEST_SIDE = 2 * _LAGS[-1]
# The eight neighbours in a circle, each by its row and column from the pixel.
_NEIGHBOURS = ((0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0))

Frames = NDArray[np.uint8]


class LivenessDecision(StrEnum):
    """The meaning of a score."""

    LIVE = "live"
    UNCERTAIN = "uncertain"
    SPOOF = "spoof"


class Liveness(Struct, frozen=True):
    """The figures of a video, each from 0 to 1, and what they mean."""

    motion: float
    texture: float
    aperiodicity: float
    score: float
    decision: LivenessDecision


def check_liveness(payload: Buffer, frames: int = FRAMES) -> Liveness:
    """Return the liveness of the video in a scope's ``payload``.

    Raises:
        PayloadError: it is malformed, or its frames are smaller than 32 pixels.
    """
    return measure_liveness(split_frames(payload, frames))


def split_frames(payload: Buffer, count: int) -> Frames:
    """Return the ``count`` frames of a video as [count, height, width], without a copy.

    Raises:
        PayloadError: the payload is malformed, or frames are smaller than 32 pixels.
    """
    video = decode_payload(payload)
    height = video.height // count if count > 0 else 0
    if min(height, video.width) < _SMALLEST_SIDE:
        raise PayloadError(
            f"{count} frames in {video.width} x {video.height} pixels are too small: a side has "
            f"{_SMALLEST_SIDE} at least"
        )
    used = np.frombuffer(video.pixels, np.uint8, count * height * video.width)
    return used.reshape(count, height, video.width)


def measure_liveness(frames: Frames) -> Liveness:
    """Return the liveness of ``frames`` [n, height, width], each side 32 at least."""
    differences = sum(_difference(a, b) for a, b in pairwise(frames))
    compared = frames[1:].size
    motion = differences / (differences + compared) if compared else 0.0
    texture = _diversity(sum(map(_pattern_counts, frames), np.zeros(256, np.int64)))
    aperiodicity = 1.0 - max(map(_periodicity, frames))
    score = sum(
        weight * figure
        for weight, figure in zip(_WEIGHTS, (motion, texture, aperiodicity), strict=True)
    )
    return Liveness(motion, texture, aperiodicity, score, _decide(score))


def _decide(score: float) -> LivenessDecision:
    if score >= LIVE_FROM:
        return LivenessDecision.LIVE
    return LivenessDecision.SPOOF if score < SPOOF_BELOW else LivenessDecision.UNCERTAIN


def _difference(a: Frames, b: Frames) -> int:
    """Return the sum of |a - b|."""
    return int((np.maximum(a, b) - np.minimum(a, b)).sum(dtype=np.int64))


def _pattern_counts(frame: Frames) -> NDArray[np.int64]:
    """Return how many inner pixels have each pattern: bit k: neighbour k is at least as bright."""
    height, width = frame.shape
    inner = frame[1:-1, 1:-1]
    patterns = np.zeros(inner.shape, np.uint8)
    for bit, (row, column) in enumerate(_NEIGHBOURS):
        neighbour = frame[row : row + height - 2, column : column + width - 2]
        patterns |= (neighbour >= inner).astype(np.uint8) << np.uint8(bit)
    return np.bincount(patterns.reshape(-1), minlength=256)


def _diversity(counts: NDArray[np.int64]) -> float:
    total = int(counts.sum())
    return 1.0 - int(counts @ counts) / total**2


def _periodicity(frame: Frames) -> float:
    """Return the highest autocorrelation at ``_LAGS``, 0 at least; 1 of a frame without edges."""
    steps = np.diff(frame.astype(np.int16), axis=1).astype(np.float64)
    energy = _product_sum(steps, steps)
    if not energy:
        return 1.0
    return max(0.0, *(_product_sum(steps[:, :-lag], steps[:, lag:]) / energy for lag in _LAGS))


def _product_sum(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Return the sum of products, on one thread.

    They are whole numbers below 2^16, fewer than 2^22: sums below 2^38, exact in any order.
    """
    return float(np.einsum("ij,ij->", a, b))
