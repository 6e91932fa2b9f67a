"""The model, dense layers whose weights are whole multiples of 2^-12, and its file.

The network is 768 inputs, dense layers of 512, 256, 128 and 64 units with batch normalisation and
ReLU, and one unit with a sigmoid: 570,113 parameters. Batch normalisation is an affine map after
training, so it is folded into the layer before it, and then the weights are rounded. The rounded
weights are the model for every engine.

The file is a NumPy archive of ``w0`` ... ``w4`` (int16, [inputs, outputs]) and ``b0`` ... ``b4``
(int32), and is accepted only with the expected SHA-256.
"""

import zipfile
from collections.abc import Iterable
from hashlib import sha256
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from veperf.core.errors import CorruptFileError
from veperf.workloads.verification.features.vector import FEATURES, FRACTION_BITS, MAX_MAGNITUDE

SIZES = (FEATURES, 512, 256, 128, 64, 1)
"""Width of the input and of the output of each layer."""
PARAMETERS = sum(a * b + b for a, b in pairwise(SIZES)) + 4 * sum(SIZES[1:-1])
"""Parameters of the trained network; batch normalisation has four a unit."""
WEIGHT_BITS = 12
MODEL_FILE = Path(__file__).with_name("model.npz")
MODEL_SHA256 = "cb443882c9dfd2f7a59a5f7cca8f5c30747e438d4705ea8f6f9369ecc0c13315"
_MAX_FILE_BYTES = 4 << 20
_MAX_SUM = 2.0**52  # half of float64's exact range; the other half covers this check's rounding
_MAX_BIAS = 1 << 24  # exact in float32, so that float engines have the same model


class Layer(NamedTuple):
    """A dense layer in units of 2^-12."""

    weights: NDArray[np.int16]
    """[inputs, outputs]"""
    biases: NDArray[np.int32]
    """[outputs]"""


class Model(NamedTuple):
    """The layers, and the SHA-256 of their file."""

    layers: tuple[Layer, ...]
    sha256: bytes


def encode_model(layers: Iterable[Layer]) -> bytes:
    """Return the bytes of a model file."""
    arrays: dict[str, NDArray[np.int16] | NDArray[np.int32]] = {}
    for index, layer in enumerate(layers):
        arrays |= {f"w{index}": layer.weights, f"b{index}": layer.biases}
    file = BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # the stub has a flag among them
    return file.getvalue()


def read_model(path: Path = MODEL_FILE, expected_sha256: str = MODEL_SHA256) -> Model:
    """Read the model in the file ``path``, whose SHA-256 in hex must be ``expected_sha256``.

    Raises:
        CorruptFileError: the file can't be read, has another hash, or holds no such model.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CorruptFileError(f"the model {path.name} can't be read: {error.strerror}") from error
    digest = sha256(raw).digest()
    if digest.hex() != expected_sha256:
        raise CorruptFileError(
            f"the model {path.name} has SHA-256 {digest.hex()}, not {expected_sha256}: "
            "it is refused, since validators must have the same; restore the file"
        )
    return Model(_decode_layers(raw), digest)


def _decode_layers(raw: bytes) -> tuple[Layer, ...]:
    try:
        with np.load(BytesIO(raw), allow_pickle=False) as arrays:
            layers = tuple(
                Layer(arrays[f"w{index}"], arrays[f"b{index}"]) for index in range(len(SIZES) - 1)
            )
    except (ValueError, KeyError, OSError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise CorruptFileError(f"the model is not an archive of layers: {error}") from error
    for layer, (inputs, outputs) in zip(layers, pairwise(SIZES), strict=True):
        _check_array(layer.weights, "int16", (inputs, outputs))
        _check_array(layer.biases, "int32", (outputs,))
    check_bounds(layers)
    return layers


def _check_array(array: NDArray[Any], dtype: str, shape: tuple[int, ...]) -> None:
    if array.dtype != dtype or array.shape != shape:
        raise CorruptFileError(
            f"the model has {array.dtype} {array.shape} where {dtype} {shape} belongs"
        )


def check_bounds(layers: Iterable[Layer]) -> float:
    """Return the largest possible sum, partial sums included, in units of 2^-32.

    With inputs up to U_j, the terms of unit i add up to S_i = sum_j |w_ji| U_j + |b_i| at most, in
    any order; after ReLU it is at most sum_j max(w_ji, 0) U_j + max(b_i, 0). While S < 2^53
    all sums are exact in float64, and no order of summation can make a difference.

    Raises:
        CorruptFileError: a sum could leave that range.
    """
    upper = np.full(FEATURES, float(MAX_MAGNITUDE << FRACTION_BITS))
    lower = -upper
    largest = 0.0
    for layer in layers:
        weights = layer.weights.astype(np.float64)
        biases = layer.biases * float(1 << FRACTION_BITS)
        farthest = np.maximum(upper, -lower)
        largest = max(largest, float((np.abs(weights).T @ farthest + np.abs(biases)).max()))
        if largest > _MAX_SUM or np.abs(layer.biases.astype(np.int64)).max() > _MAX_BIAS:
            raise CorruptFileError("the weights of the model are too large to be summed exactly")
        sums = np.maximum(weights, 0).T @ upper + np.minimum(weights, 0).T @ lower + biases
        upper = np.maximum(sums, 0) / (1 << WEIGHT_BITS) + 1  # 1 for rounding
        lower = np.zeros_like(upper)
    return largest
