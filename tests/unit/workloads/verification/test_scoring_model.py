"""The model's file is the one that was shipped, or it is refused."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from veperf.core.errors import CorruptFileError
from veperf.workloads.verification.scoring.exact import NumpyFixedPointNetwork
from veperf.workloads.verification.scoring.model import (
    MODEL_FILE,
    MODEL_SHA256,
    PARAMETERS,
    SIZES,
    Layer,
    Model,
    check_bounds,
    encode_model,
    read_model,
)
from veperf.workloads.verification.scoring.registry import load_engine
from veperf.workloads.verification.scoring.train.data import draw_examples, evaluate_engine

RAW = MODEL_FILE.read_bytes()
LAYERS = read_model().layers


def read(path: Path, raw: bytes) -> Model:
    """Read the model from a file of these bytes, with their own hash expected."""
    path.write_bytes(raw)
    return read_model(path, sha256(raw).hexdigest())


def test_the_shipped_model() -> None:
    """Its hash is pinned, its shape is the design's, and it is small."""
    assert MODEL_SHA256 == sha256(RAW).hexdigest()
    assert bytes.fromhex(MODEL_SHA256) == load_engine().model_hash == read_model().sha256
    assert 570_113 == PARAMETERS
    assert 566_273 == sum(layer.weights.size + layer.biases.size for layer in LAYERS)
    assert len(RAW) < 1_200_000


@pytest.mark.parametrize("seed", [2, 11])
def test_how_good_it_is_on_rows_it_was_not_trained_on(seed: int) -> None:
    """R2 of at least 0.85 and a mean error of at most 8 points, as is asked for."""
    accuracy = evaluate_engine(load_engine(), draw_examples(2_000, seed))

    assert accuracy.r_squared >= 0.85
    assert accuracy.mean_error_points <= 8


@pytest.mark.parametrize("place", [0, 30, len(RAW) // 2, len(RAW) - 1])
def test_a_flipped_bit_is_refused(place: int, tmp_path: Path) -> None:
    """Anywhere in the file."""
    changed = bytearray(RAW)
    changed[place] ^= 1
    path = tmp_path / "model.npz"
    path.write_bytes(changed)

    with pytest.raises(CorruptFileError, match="SHA-256"):
        read_model(path)


@pytest.mark.parametrize("raw", [RAW[:-1], RAW[: len(RAW) // 2], b"", RAW + b"\0"])
def test_another_length_is_refused(raw: bytes, tmp_path: Path) -> None:
    """Cut off, empty or longer."""
    path = tmp_path / "model.npz"
    path.write_bytes(raw)

    with pytest.raises(CorruptFileError, match="SHA-256"):
        read_model(path)


@pytest.mark.parametrize("name", ["missing.npz", "."])
def test_a_file_that_cannot_be_read_is_refused(name: str, tmp_path: Path) -> None:
    """There is none, or it is a folder."""
    with pytest.raises(CorruptFileError, match="can't be read"):
        read_model(tmp_path / name)


@pytest.mark.parametrize("raw", [b"", b"PK\3\4", RAW[:1_000], RAW[: len(RAW) // 2], b"\x80\4N."])
def test_bytes_that_are_no_model_are_refused(raw: bytes, tmp_path: Path) -> None:
    """Even where the expected hash is theirs; nothing is unpickled."""
    with pytest.raises(CorruptFileError, match="not an archive"):
        read(tmp_path / "model.npz", raw)


def changed(place: int, layer: Layer) -> tuple[Layer, ...]:
    return (*LAYERS[:place], layer, *LAYERS[place + 1 :])


@pytest.mark.parametrize(
    "layers",
    [
        changed(0, Layer(LAYERS[0].weights.T, LAYERS[0].biases)),
        changed(1, Layer(LAYERS[1].weights.astype(np.int32), LAYERS[1].biases)),
        changed(2, Layer(LAYERS[2].weights, LAYERS[2].biases[:-1])),
        changed(4, Layer(np.array([[object()]]), LAYERS[4].biases)),
        LAYERS[:-1],
    ],
)
def test_layers_of_another_shape_or_type_are_refused(
    layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    """Even where the expected hash is theirs."""
    with pytest.raises(CorruptFileError):
        read(tmp_path / "model.npz", encode_model(layers))


def test_a_model_reads_as_it_was_written(tmp_path: Path) -> None:
    """Each weight and bias, and the hash of the file."""
    raw = encode_model(LAYERS)
    model = read(tmp_path / "model.npz", raw)

    assert sha256(raw).digest() == model.sha256
    for ours, read_ in zip(LAYERS, model.layers, strict=True):
        np.testing.assert_array_equal(ours.weights, read_.weights)
        np.testing.assert_array_equal(ours.biases, read_.biases)


def test_weights_too_large_for_exact_sums_are_refused() -> None:
    """The largest that 16 bits hold, everywhere; and a bias that float32 would round."""
    largest = tuple(Layer(np.full_like(layer.weights, 32_767), layer.biases) for layer in LAYERS)
    with pytest.raises(CorruptFileError, match="too large"):
        NumpyFixedPointNetwork(Model(largest, b""))
    biased = changed(3, Layer(LAYERS[3].weights, np.full_like(LAYERS[3].biases, (1 << 24) + 1)))
    with pytest.raises(CorruptFileError, match="too large"):
        check_bounds(biased)


def test_the_bound_on_sums_is_one() -> None:
    """The worst inputs of a random layer reach its bound, in units of 2^-32."""
    rng = np.random.default_rng(1)
    weights = rng.integers(-100, 100, (SIZES[0], 5)).astype(np.int16)
    biases = rng.integers(-100, 100, 5).astype(np.int32)
    worst = np.abs(weights.astype(int)).sum(axis=0) * (8 << 20) + np.abs(biases.astype(int)) * 2**20

    assert worst.max() == check_bounds([Layer(weights, biases)])
