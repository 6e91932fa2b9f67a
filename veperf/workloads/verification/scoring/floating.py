"""Engines that compute in float32, and how they come to the same integer score as the exact one.

In float32 each library, and each version of it, has points of its own, up to 5e-5 apart. That does
no harm but next to the middle between two integers, where it can tip the rounding. There an engine
takes its points to decide nothing and asks the exact engine: for one vector in 500 or so. That is
how correctly rounded functions are computed, too (Ziv, ACM Trans. Math. Softw. 17, 1991).
"""

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.workloads.verification.features import FRACTION_BITS, fixed_point
from veperf.workloads.verification.scoring.engine import Score, many_rows, one_row
from veperf.workloads.verification.scoring.exact import ExactEngine
from veperf.workloads.verification.scoring.model import WEIGHT_BITS, Layer

UNDECIDED_POINTS = 1e-3
"""Nearer than this to the middle between two integers, points decide nothing."""

Floats = NDArray[np.float32]


class Inference(Protocol):
    """The network on some library, in float32."""

    def points(self, features: Floats) -> Floats:
        """Points [n], 0 to 100, of ``features`` [n, 768]."""

    def close(self) -> None:
        """Free what is held."""


class FloatEngine:
    """An engine of float32, whose integer scores are those of the exact one."""

    def __init__(self, name: str, inference: Inference, exact: ExactEngine) -> None:
        """An engine ``name`` that runs on ``inference``, which has the same model as ``exact``."""
        self.name = name
        self.model_hash = exact.model_hash
        self._inference = inference
        self._exact = exact

    def score(self, features: ArrayLike) -> Score:
        """As in ``Engine``."""
        return self.score_many(one_row(features))[0]

    def score_many(self, features: ArrayLike) -> list[Score]:
        """As in ``Engine``."""
        rows = many_rows(features)
        fixed = fixed_point(rows)
        if not len(rows):
            return []
        inputs = (fixed / (1 << FRACTION_BITS)).astype(np.float32)
        points = self._inference.points(inputs).astype(np.float64)
        values = np.floor(points + 0.5).astype(np.int64)
        undecided = np.abs(points % 1 - 0.5) < UNDECIDED_POINTS
        if undecided.any():
            values[undecided] = [s.value for s in self._exact.score_many(rows[undecided])]
        return list(map(Score, points.tolist(), values.tolist()))

    def close(self) -> None:
        """As in ``Engine``."""
        self._inference.close()


def float_weights(layer: Layer) -> tuple[Floats, Floats]:
    """Weights [inputs, outputs] and biases [outputs] of ``layer``; exact, for all have 24 bits."""
    unit = np.float32(1 << WEIGHT_BITS)
    return layer.weights.astype(np.float32) / unit, layer.biases.astype(np.float32) / unit
