"""Training: gradients as finite differences, folding that changes nothing, data from a seed."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from veperf.workloads.verification.features.vector import DOCUMENT, FACE, METADATA, OCR
from veperf.workloads.verification.scoring.model import WEIGHT_BITS, read_model
from veperf.workloads.verification.scoring.train import __main__ as script
from veperf.workloads.verification.scoring.train.data import Examples, draw_examples
from veperf.workloads.verification.scoring.train.network import (
    Adam,
    NormalisedLayer,
    OutputLayer,
    TrainingNetwork,
    quantise,
)


def loss(network: TrainingNetwork, rows: Examples) -> float:
    """Mean cross-entropy, in float64 once the logits are there."""
    values = rows.features
    for layer in network.layers:
        values = layer.forward(values)
    logits, shares = values[:, 0].astype(float), rows.scores / 100
    return float(np.mean(np.logaddexp(0, logits) - shares * logits))


def test_gradients_as_finite_differences() -> None:
    """The slope of the loss along each parameter's gradient is the gradient's squared length."""
    rows = draw_examples(64, 5)
    network = TrainingNetwork.random(np.random.default_rng(5))
    gradients = network.gradients(rows.features, rows.scores.astype(np.float32))

    assert 18 == len(gradients) == len(network.parameters)
    for parameter, gradient in zip(network.parameters, gradients, strict=True):
        squared = float((gradient.astype(float) ** 2).sum())
        if squared < 1e-12:  # a bias before normalisation, which takes it away again
            continue
        step = 2e-3 / np.sqrt(squared)
        here = parameter.copy()
        parameter[...] = here + step * gradient
        above = loss(network, rows)
        parameter[...] = here - step * gradient
        below = loss(network, rows)
        parameter[...] = here
        assert squared == pytest.approx((above - below) / (2 * step), rel=0.05)


def test_a_folded_layer_is_the_layer() -> None:
    """With running averages in the place of the batch's, and up to the rounding of weights."""
    rng = np.random.default_rng(6)
    layer = NormalisedLayer(20, 10, rng)
    inputs = rng.normal(1, 2, (400, 20)).astype(np.float32)
    for _ in range(600):
        outputs = layer.forward(inputs)
    weights, biases = layer.folded()
    folded = np.maximum(inputs @ (weights / 2.0**WEIGHT_BITS) + biases / 2.0**WEIGHT_BITS, 0)

    np.testing.assert_allclose(outputs, folded, atol=0.01)


def test_training_learns() -> None:
    """A few steps of Adam take the loss on the same rows down."""
    rows = draw_examples(256, 7)
    network = TrainingNetwork.random(np.random.default_rng(7))
    adam = Adam(network.parameters, decay=0)
    before = loss(network, rows)
    for _ in range(5):
        adam.step(network.gradients(rows.features, rows.scores.astype(np.float32)), 1e-3)

    assert loss(network, rows) < before - 0.03


def test_adam_begins_with_steps_of_the_rate() -> None:
    """The first step is the rate times the gradient's sign, after decay; vectors don't decay."""
    matrix, vector = np.ones((2, 1), np.float32), np.ones(2, np.float32)
    adam = Adam([matrix, vector], decay=0.5)
    adam.step([np.array([[3], [-2]], np.float32), np.array([1, -7], np.float32)], 0.1)

    np.testing.assert_allclose([[0.85], [1.05]], matrix, rtol=1e-5)
    np.testing.assert_allclose([0.9, 1.1], vector, rtol=1e-5)


def test_weights_too_large_to_round_are_refused() -> None:
    """16 bits hold what is below 8."""
    layer = OutputLayer(3, np.random.default_rng(8))
    layer.weights[1] = 8

    with pytest.raises(ValueError, match="too large"):
        layer.folded()
    assert 32_767 == quantise(np.array([[7.9998]]), np.zeros(1)).weights[0, 0]


def test_data_are_features() -> None:
    """The same for a seed, others for another, on the scales that extraction has."""
    rows, again, other = draw_examples(500, 9), draw_examples(500, 9), draw_examples(500, 10)
    lengths = np.linalg.norm(rows.features[:, FACE], axis=1)

    assert rows.features.tobytes() == again.features.tobytes()
    assert rows.scores.tobytes() == again.scores.tobytes()
    assert rows.features.tobytes() != other.features.tobytes()
    assert (np.isclose(lengths, 1) | (lengths == 0)).all()
    for part in (DOCUMENT, OCR, METADATA):
        assert ((rows.features[:, part] >= 0) & (rows.features[:, part] <= 1)).all()
    assert not rows.features[:, METADATA.stop :].any()
    assert 0 <= rows.scores.min() < 10
    assert 90 < rows.scores.max() <= 100


def test_the_script_writes_a_model_that_can_be_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On few rows: it prints how good the model is and the hash under which the file loads."""
    # Two steps: with a decay that makes the first weights small enough for exact sums.
    few = {"_ROWS": 512, "_HELD_OUT_ROWS": 64, "_EPOCHS": 1, "_DECAY": 200.0}
    for name, value in few.items():
        monkeypatch.setattr(script, name, value)
    path = tmp_path / "model.npz"
    run = CliRunner().invoke(script.main, ["--output", str(path)])

    assert 0 == run.exit_code
    assert "R2 " in run.output
    assert "MAE " in run.output
    assert 5 == len(read_model(path, run.output.split()[-1]).layers)
