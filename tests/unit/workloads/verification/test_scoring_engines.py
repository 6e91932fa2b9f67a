"""Engines by name, and float engines that never round to another integer than the exact one."""

import subprocess
import sys

import numpy as np
import pytest

from veperf.workloads.verification.features.vector import FEATURES, FeatureError
from veperf.workloads.verification.scoring import registry
from veperf.workloads.verification.scoring.engine import EngineUnavailableError
from veperf.workloads.verification.scoring.exact import numpy_engine
from veperf.workloads.verification.scoring.floating import FloatEngine, Floats, float_weights
from veperf.workloads.verification.scoring.model import read_model
from veperf.workloads.verification.scoring.registry import (
    ENGINES,
    UnknownEngineError,
    available_engines,
    load_engine,
)

EXACT = load_engine()
ROWS = np.random.default_rng(3).uniform(-0.3, 0.3, (3_000, FEATURES)).astype(np.float32)


class Displaced:
    """The exact engine's points, moved by as much as a float engine may be off."""

    def __init__(self, by: float) -> None:
        self.by = by
        self.closed = False

    def points(self, features: Floats) -> Floats:
        exact = [score.points for score in EXACT.score_many(features)]
        return (np.array(exact) + self.by).astype(np.float32)

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("by", [-9e-4, 0.0, 9e-4])
def test_float_engines_round_as_the_exact_one(by: float) -> None:
    """Although rounding their own points would give some vectors another integer."""
    engine = FloatEngine("displaced", Displaced(by), numpy_engine(read_model()))
    expected = [score.value for score in EXACT.score_many(ROWS)]
    scores = engine.score_many(ROWS)

    assert expected == [score.value for score in scores]
    assert scores[0] == engine.score(ROWS[0])
    naive = [int(score.points + 0.5) for score in scores]
    assert (by == 0) == (expected == naive)


def test_float_engines_refuse_what_the_exact_one_refuses() -> None:
    """The same checks come first; and closing reaches the library."""
    inference = Displaced(0)
    engine = FloatEngine("displaced", inference, numpy_engine(read_model()))
    bad = ROWS[0].copy()
    bad[0] = np.nan

    with pytest.raises(FeatureError):
        engine.score(bad)
    assert [] == engine.score_many(ROWS[:0])
    engine.close()
    assert inference.closed


def test_weights_in_float32_are_the_same_numbers() -> None:
    """Nothing is rounded: float engines have the very model of the exact one."""
    for layer in read_model().layers:
        weights, biases = float_weights(layer)
        np.testing.assert_array_equal(layer.weights, weights.astype(float) * 4_096)
        np.testing.assert_array_equal(layer.biases, biases.astype(float) * 4_096)


@pytest.mark.parametrize("name", ["", "Exact", "onnx"])
def test_an_unknown_engine_is_refused_by_name(name: str) -> None:
    """The message says which there are."""
    with pytest.raises(UnknownEngineError, match="exact, tensorflow, tensorflow-exact, litert"):
        load_engine(name)


@pytest.mark.parametrize(
    ("name", "extra"),
    [("tensorflow", "tensorflow"), ("tensorflow-exact", "tensorflow"), ("litert", "litert")],
)
def test_a_missing_package_is_named_with_its_extra(
    name: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a command to type."""
    monkeypatch.setattr(registry, "find_spec", lambda _: None)

    with pytest.raises(EngineUnavailableError, match=rf"pip install veperf\[{extra}\]"):
        load_engine(name)
    assert ("exact",) == available_engines()
    assert {*available_engines()} <= {*ENGINES}


def test_importing_the_package_imports_no_library() -> None:
    """Neither TensorFlow nor LiteRT is loaded before an engine asks for it."""
    script = (
        "import sys, veperf.workloads.verification.scoring; "
        "print(any(name in sys.modules for name in ('tensorflow', 'ai_edge_litert')))"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert "False" == run.stdout.strip()
