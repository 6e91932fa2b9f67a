"""Exact engines: fixed point, the same to the last bit on every machine. The default is NumPy's.

Values are whole numbers in float64: activations in units of 2^-20, weights of 2^-12, sums of
2^-32. As no sum can leave the range that float64 represents exactly (``model.check_bounds``), the
order of additions, the number of threads and fused multiply-add don't matter. After each layer
sums are scaled back to units of 2^-20, rounded half to even.
"""

from decimal import Context, Decimal
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.workloads.verification.features.vector import FRACTION_BITS, fixed_point
from veperf.workloads.verification.scoring.engine import Score, many_rows, single_row
from veperf.workloads.verification.scoring.model import WEIGHT_BITS, Layer, Model, check_bounds

POINT_BITS = 20
FULL_SCORE = 100 << POINT_BITS
_STEP_BITS = 9
_REST_BITS = FRACTION_BITS - _STEP_BITS
_LAST = 16 << _STEP_BITS

Integers = NDArray[np.int64]


def sigmoid_points(logits: NDArray[np.float64]) -> Integers:
    """Return the points of ``logits``, both whole numbers in units of 2^-20; any shape.

    Points are 100 / (1 + exp(-logit)), interpolated in a table.
    """
    nearest = np.minimum(np.abs(logits), _LAST << _REST_BITS).astype(np.int64)
    entries, remainders = nearest >> _REST_BITS, nearest & ((1 << _REST_BITS) - 1)
    table = _sigmoid_table()
    low = table[entries]
    high = table[np.minimum(entries + 1, _LAST)]
    points = low + ((high - low) * remainders >> _REST_BITS)
    mirrored: Integers = np.where(logits < 0, FULL_SCORE - points, points)
    return mirrored


@cache
def _sigmoid_table() -> Integers:
    """Return the points at 0, 2^-9, 2 * 2^-9 ... 16, rounded half to even."""
    context = Context(prec=40)
    ratio = context.exp(Decimal(-1) / (1 << _STEP_BITS))
    power = Decimal(1)
    points = []
    for _ in range(_LAST + 1):
        points.append(round(context.divide(Decimal(FULL_SCORE), 1 + power)))
        power = context.multiply(power, ratio)
    table = np.array(points, np.int64)
    table.flags.writeable = False
    return table


_ROWS = 1_024  # scored at once: some 10 MB of activations
_HALF = 1 << (POINT_BITS - 1)

Fixed = NDArray[np.float64]
"""Whole numbers."""


class FixedPointNetwork(Protocol):
    """The network in fixed point on one library."""

    def logits(self, inputs: Fixed) -> Fixed:
        """Return the logits [n] of ``inputs`` [n, 768], both in units of 2^-20."""

    def close(self) -> None:
        """Release all resources."""


class NumpyFixedPointNetwork:
    """The network in fixed point on NumPy."""

    def __init__(self, model: Model) -> None:
        """Create the network of ``model``.

        Raises:
            CorruptFileError: its weights are too large to be summed exactly.
        """
        check_bounds(model.layers)
        self._layers = [fixed_weights(layer) for layer in model.layers]

    def logits(self, inputs: Fixed) -> Fixed:
        """As in ``FixedPointNetwork``."""
        values = inputs
        for weights, biases in self._layers[:-1]:
            values = np.maximum(_rescaled(values @ weights + biases), 0)
        weights, biases = self._layers[-1]
        return _rescaled(values @ weights + biases)[:, 0]

    def close(self) -> None:
        """Nothing to free."""


class ExactEngine:
    """An engine in fixed point; its scores have the same bits on every library."""

    def __init__(self, name: str, model_hash: bytes, network: FixedPointNetwork) -> None:
        """Create an engine on ``network``, which has the model with ``model_hash``."""
        self.name = name
        self.model_hash = model_hash
        self._network = network

    def score(self, features: ArrayLike) -> Score:
        """As in ``ScoringEngine``."""
        return self.score_many(single_row(features))[0]

    def score_many(self, features: ArrayLike) -> list[Score]:
        """As in ``ScoringEngine``."""
        rows = many_rows(features)
        scores: list[Score] = []
        for start in range(0, len(rows), _ROWS):
            scores += _scores(self._network.logits(fixed_point(rows[start : start + _ROWS])))
        return scores

    def close(self) -> None:
        """As in ``ScoringEngine``."""
        self._network.close()


def numpy_engine(model: Model) -> ExactEngine:
    """Return the default engine, for ``model``.

    Raises:
        CorruptFileError: its weights are too large to be summed exactly.
    """
    return ExactEngine("exact", model.sha256, NumpyFixedPointNetwork(model))


def fixed_weights(layer: Layer) -> tuple[Fixed, Fixed]:
    """Return weights [inputs, outputs] in units of 2^-12, biases [outputs] in units of 2^-32."""
    return layer.weights.astype(np.float64), layer.biases.astype(np.float64) * (1 << FRACTION_BITS)


def _rescaled(sums: Fixed) -> Fixed:
    """Scale ``sums`` from units of 2^-32 to 2^-20; dividing by a power of two is exact."""
    return np.rint(sums / (1 << WEIGHT_BITS))


def _scores(logits: Fixed) -> list[Score]:
    scaled = sigmoid_points(logits)
    points = (scaled / (1 << POINT_BITS)).tolist()
    values = (scaled + _HALF >> POINT_BITS).tolist()
    return list(map(Score, points, values))
