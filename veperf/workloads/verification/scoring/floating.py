"""Engines that compute in float32, with the same integer scores as the exact engine.

In float32 each library, and each version of it, gives slightly different points, up to 5e-5 apart.
That matters only near the middle between two integers, where it can change the rounding. There an
engine uses the exact engine's score, for one vector in 500 or so. Correctly rounded functions are
computed in the same way (Ziv, ACM Trans. Math. Softw. 17, 1991).
"""

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.workloads.verification.features.vector import FRACTION_BITS, fixed_point
from veperf.workloads.verification.scoring.engine import Score, many_rows, single_row
from veperf.workloads.verification.scoring.exact import ExactEngine
from veperf.workloads.verification.scoring.model import WEIGHT_BITS, Layer

UNDECIDED_POINTS = 1e-3
"""Points nearer than this to the middle between two integers are left to the exact engine."""

Floats = NDArray[np.float32]


class FloatNetwork(Protocol):
    """The network on one library, in float32."""

    def points(self, features: Floats) -> Floats:
        """Return points [n], 0 to 100, of ``features`` [n, 768]."""

    def close(self) -> None:
        """Release all resources."""


class FloatEngine:
    """A float32 engine with the integer scores of the exact engine."""

    def __init__(self, name: str, network: FloatNetwork, exact: ExactEngine) -> None:
        """Create an engine on ``network``, which has the same model as ``exact``."""
        self.name = name
        self.model_hash = exact.model_hash
        self._network = network
        self._exact = exact

    def score(self, features: ArrayLike) -> Score:
        """As in ``ScoringEngine``."""
        return self.score_many(single_row(features))[0]

    def score_many(self, features: ArrayLike) -> list[Score]:
        """As in ``ScoringEngine``."""
        rows = many_rows(features)
        fixed = fixed_point(rows)
        if not len(rows):
            return []
        inputs = (fixed / (1 << FRACTION_BITS)).astype(np.float32)
        points = self._network.points(inputs).astype(np.float64)
        values = np.floor(points + 0.5).astype(np.int64)
        undecided = np.abs(points % 1 - 0.5) < UNDECIDED_POINTS
        if undecided.any():
            values[undecided] = [s.value for s in self._exact.score_many(rows[undecided])]
        return list(map(Score, points.tolist(), values.tolist()))

    def close(self) -> None:
        """As in ``ScoringEngine``."""
        self._network.close()


def float_weights(layer: Layer) -> tuple[Floats, Floats]:
    """Return weights [inputs, outputs] and biases [outputs]; exact, since all have 24 bits."""
    unit = np.float32(1 << WEIGHT_BITS)
    return layer.weights.astype(np.float32) / unit, layer.biases.astype(np.float32) / unit
