"""The model on LiteRT, the light runtime of TensorFlow Lite models, in float32.

Its model, a FlatBuffer by the schema that comes with the package, is built from the weights in
memory, so that there is only one file to pin, and TensorFlow is not needed to convert it.
"""

from typing import Any

import flatbuffers  # type: ignore[import-not-found]  # comes with ai-edge-litert, an extra
import numpy as np
from ai_edge_litert import schema_py_generated as tfl  # type: ignore[import-not-found]  # an extra
from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-not-found]  # an extra

from veperf.workloads.verification.features.vector import FEATURES
from veperf.workloads.verification.scoring.floating import Floats, float_weights
from veperf.workloads.verification.scoring.model import Model

_ROWS = 1_024
_SCHEMA_VERSION = 3
_IDENTIFIER = b"TFL3"


class LiteRTNetwork:
    """The network on LiteRT's interpreter, one thread."""

    def __init__(self, model: Model) -> None:
        """Create an interpreter of ``model``."""
        self._interpreter = Interpreter(model_content=flatbuffer(model), num_threads=1)
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]
        self._rows = 0

    def points(self, features: Floats) -> Floats:
        """As in ``FloatNetwork``."""
        chunks = [features[i : i + _ROWS] for i in range(0, len(features), _ROWS)]
        return np.concatenate([self._chunk(chunk) for chunk in chunks])

    def close(self) -> None:
        """Nothing to free."""

    def _chunk(self, features: Floats) -> Floats:
        if len(features) != self._rows:
            self._rows = len(features)
            self._interpreter.resize_tensor_input(self._input, features.shape)
            self._interpreter.allocate_tensors()
        self._interpreter.set_tensor(self._input, features)
        self._interpreter.invoke()
        shares: Floats = self._interpreter.get_tensor(self._output)
        return np.float32(100) * shares[:, 0]


def flatbuffer(model: Model) -> bytes:
    """Return ``model`` as a TensorFlow Lite model: dense layers with ReLU, then a sigmoid."""
    graph = _Graph()
    values = features = graph.tensor("features", (1, FEATURES))
    for index, layer in enumerate(model.layers):
        weights, biases = float_weights(layer)
        is_last = index == len(model.layers) - 1
        values = graph.dense(f"layer{index}", values, weights, biases, relu=not is_last)
    share = graph.sigmoid("share", values)
    return graph.encode(features, share)


class _Graph:
    """A TensorFlow Lite model under construction."""

    def __init__(self) -> None:
        self._codes = [tfl.BuiltinOperator.FULLY_CONNECTED, tfl.BuiltinOperator.LOGISTIC]
        self._buffers = [tfl.BufferT()]  # the first is empty: that of tensors without data
        self._tensors: list[Any] = []
        self._operators: list[Any] = []

    def tensor(self, name: str, shape: tuple[int, ...], data: Floats | None = None) -> int:
        """Add a float32 tensor, constant if it has ``data``; return its number."""
        tensor = tfl.TensorT()
        tensor.name, tensor.shape, tensor.type = name, list(shape), tfl.TensorType.FLOAT32
        tensor.buffer = 0
        if data is not None:
            buffer = tfl.BufferT()
            buffer.data = np.frombuffer(data.astype("<f4").tobytes(), np.uint8)
            tensor.buffer = len(self._buffers)
            self._buffers.append(buffer)
        else:
            tensor.shapeSignature = [-1, *shape[1:]]
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def dense(self, name: str, values: int, weights: Floats, biases: Floats, *, relu: bool) -> int:
        """Add a dense layer on tensor ``values``; return the number of its output tensor."""
        options = tfl.FullyConnectedOptionsT()
        function = tfl.ActivationFunctionType
        options.fusedActivationFunction = function.RELU if relu else function.NONE
        operator = self._operator(
            0,
            [
                values,
                self.tensor(f"{name}/weights", weights.T.shape, np.ascontiguousarray(weights.T)),
                self.tensor(f"{name}/biases", biases.shape, biases),
            ],
            self.tensor(name, (1, biases.size)),
        )
        operator.builtinOptionsType = tfl.BuiltinOptions.FullyConnectedOptions
        operator.builtinOptions = options
        return int(operator.outputs[0])

    def sigmoid(self, name: str, values: int) -> int:
        """Add 1 / (1 + e^-x) of tensor ``values``, one column; return its output's number."""
        return int(self._operator(1, [values], self.tensor(name, (1, 1))).outputs[0])

    def encode(self, inputs: int, outputs: int) -> bytes:
        """Return the model from tensor ``inputs`` to tensor ``outputs``."""
        graph = tfl.SubGraphT()
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs = [inputs], [outputs]
        model = tfl.ModelT()
        model.version = _SCHEMA_VERSION
        model.operatorCodes = [_operator_code(code) for code in self._codes]
        model.subgraphs, model.buffers = [graph], self._buffers
        builder = flatbuffers.Builder(1 << 22)
        builder.Finish(model.Pack(builder), _IDENTIFIER)
        return bytes(builder.Output())

    def _operator(self, code: int, inputs: list[int], output: int) -> Any:
        operator = tfl.OperatorT()
        operator.opcodeIndex, operator.inputs, operator.outputs = code, inputs, [output]
        self._operators.append(operator)
        return operator


def _operator_code(builtin: int) -> Any:
    code = tfl.OperatorCodeT()
    # Old readers look at the first field, new ones at the second.
    code.deprecatedBuiltinCode = code.builtinCode = builtin
    code.version = 1
    return code
