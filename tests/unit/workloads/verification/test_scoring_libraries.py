"""Engines on TensorFlow and LiteRT against the exact one; `make test-tensorflow` installs both."""

import os
import signal
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from veperf.workloads.verification.features.vector import FEATURES, FeatureError
from veperf.workloads.verification.scoring.engine import ScoringEngine
from veperf.workloads.verification.scoring.registry import load_engine
from veperf.workloads.verification.scoring.tensorflow_process import (
    EngineCrashedError,
    TensorFlowProcess,
)
from veperf.workloads.verification.scoring.train.data import draw_examples

needs_tensorflow = pytest.mark.skipif(
    find_spec("tensorflow") is None, reason="needs veperf[tensorflow]"
)
needs_litert = pytest.mark.skipif(
    find_spec("ai_edge_litert") is None, reason="needs veperf[litert]"
)

_RNG = np.random.default_rng(4)
INPUTS = {
    "like those trained on": draw_examples(1_000, 4).features,
    "between -1 and 1": _RNG.uniform(-1, 1, (1_000, FEATURES)).astype(np.float32),
    "normal": _RNG.normal(size=(1_000, FEATURES)).astype(np.float32),
}
EXACT = load_engine()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("tensorflow", marks=needs_tensorflow),
        pytest.param("litert", marks=needs_litert),
    ],
)
def float_engine(request: pytest.FixtureRequest) -> Iterator[ScoringEngine]:
    engine = load_engine(request.param)
    yield engine
    engine.close()


@pytest.mark.parametrize("rows", INPUTS.values(), ids=INPUTS.keys())
def test_float_engines_agree(float_engine: ScoringEngine, rows: np.ndarray) -> None:
    """Within 0.001 points and with the same integer, 1,000 vectors of each kind."""
    ours, theirs = EXACT.score_many(rows), float_engine.score_many(rows)
    points = np.array([(a.points, b.points) for a, b in zip(ours, theirs, strict=True)])

    assert [score.value for score in ours] == [score.value for score in theirs]
    assert np.abs(points[:, 0] - points[:, 1]).max() < 1e-3
    assert len(set(points[:, 1])) > 500
    assert EXACT.model_hash == float_engine.model_hash


def test_float_engines_take_any_number_of_rows(float_engine: ScoringEngine) -> None:
    """Scores singly, many at once and few again: near the same points, and typed refusals."""
    rows = INPUTS["between -1 and 1"]
    alone = [float_engine.score(row).points for row in rows[:5]]

    assert 2_500 == len(float_engine.score_many(np.tile(rows, (3, 1))[:2_500]))
    few = [score.points for score in float_engine.score_many(rows[:5])]
    np.testing.assert_allclose(alone, few, atol=1e-3)
    assert [] == float_engine.score_many(rows[:0])
    with pytest.raises(FeatureError):
        float_engine.score(rows[0] * np.float32("nan"))


@needs_tensorflow
def test_tensorflow_in_fixed_point_agrees_to_the_bit() -> None:
    """The same points, not just near, for 3,000 vectors, one at a time and together."""
    engine = load_engine("tensorflow-exact")
    try:
        for rows in INPUTS.values():
            assert EXACT.score_many(rows) == engine.score_many(rows)
            assert EXACT.score(rows[7]) == engine.score(rows[7])
    finally:
        engine.close()


@needs_tensorflow
def test_tensorflow_has_a_process_of_its_own() -> None:
    """It is not imported here; when its process is gone, that is said and not waited for."""
    host = TensorFlowProcess()
    status = Path(f"/proc/{host.process_id}/status").read_text()
    try:
        assert "tensorflow" not in sys.modules
        assert os.getpid() != host.process_id
        assert int(status.partition("VmRSS:")[2].split()[0]) > 100_000
        os.kill(host.process_id, signal.SIGKILL)
        with pytest.raises(EngineCrashedError, match="ended"):
            host.points(INPUTS["normal"])
        with pytest.raises(EngineCrashedError, match="ended"):
            host.points(INPUTS["normal"])
    finally:
        host.close()
