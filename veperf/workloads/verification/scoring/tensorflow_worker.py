"""The child process of ``TensorFlowProcess``: the model on TensorFlow, behind one pipe.

The model is made of traced functions, without Keras and its slow ``predict``. Importing this
imports TensorFlow, which takes seconds and half a gigabyte. The argument on the command line is
the file descriptor of the pipe.
"""

import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import tensorflow as tf  # type: ignore[import-untyped]  # an extra, and without types

from veperf.workloads.verification.features.vector import FEATURES
from veperf.workloads.verification.scoring.exact import Fixed, fixed_weights
from veperf.workloads.verification.scoring.floating import Floats, float_weights
from veperf.workloads.verification.scoring.model import WEIGHT_BITS, Model, read_model
from veperf.workloads.verification.scoring.tensorflow_process import serve_inference

_Step = Callable[[Any], Any]


class TensorFlowPoints:
    """Points in float32: the network in TensorFlow's own arithmetic."""

    def __init__(self, model: Model) -> None:
        """Trace the network, for any number of rows."""
        layers = [tuple(map(tf.constant, float_weights(layer))) for layer in model.layers]
        self._run = _trace(layers, tf.float32, lambda sums: sums)

    def points(self, features: Floats) -> Floats:
        """As in ``FloatNetwork``."""
        points: Floats = (100 * tf.sigmoid(self._run(tf.constant(features)))).numpy()
        return points


class TensorFlowLogits:
    """Logits in the arithmetic of the exact engine, in TensorFlow's float64."""

    def __init__(self, model: Model) -> None:
        """Trace the network, for any number of rows."""
        layers = [tuple(map(tf.constant, fixed_weights(layer))) for layer in model.layers]
        # tf.round rounds half to even, as numpy.rint does.
        self._run = _trace(layers, tf.float64, lambda sums: tf.round(sums / (1 << WEIGHT_BITS)))

    def logits(self, inputs: Fixed) -> Fixed:
        """As in ``FixedPointNetwork``."""
        logits: Fixed = self._run(tf.constant(inputs)).numpy()
        return logits


def _trace(layers: list[tuple[Any, ...]], dtype: Any, rescaled: _Step) -> _Step:
    """Return the network as one concrete function, [n, 768] to logits [n]."""

    def run(values: Any) -> Any:
        for weights, biases in layers[:-1]:
            values = tf.nn.relu(rescaled(tf.matmul(values, weights) + biases))
        weights, biases = layers[-1]
        return rescaled(tf.matmul(values, weights) + biases)[:, 0]

    concrete: _Step = tf.function(run).get_concrete_function(tf.TensorSpec([None, FEATURES], dtype))
    return concrete


if __name__ == "__main__":
    model = read_model()
    serve_inference(
        Connection(int(sys.argv[1])),
        {b"f": TensorFlowPoints(model).points, b"d": TensorFlowLogits(model).logits},
    )
