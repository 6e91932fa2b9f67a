"""The exact engine: whole-number arithmetic, the same bits whatever does the sums."""

import os
import subprocess
import sys
from decimal import Decimal, localcontext
from hashlib import sha256, shake_256
from itertools import starmap
from operator import mul
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veperf.workloads.verification.features.vector import FEATURES, FeatureError, fixed_point
from veperf.workloads.verification.scoring.engine import Score
from veperf.workloads.verification.scoring.exact import (
    FULL_SCORE,
    NumpyFixedPointNetwork,
    sigmoid_points,
)
from veperf.workloads.verification.scoring.model import read_model
from veperf.workloads.verification.scoring.registry import load_engine

GOLDEN = "b9de75c7d2bfb0e806fd9289ee82f92e315fd66d5f5b0be2e9832b07e29d069c"
ENGINE = load_engine()


def golden_rows() -> np.ndarray:
    """200 vectors that depend on no generator of random numbers but SHAKE-256."""
    raw = shake_256(b"golden").digest(200 * FEATURES * 2)
    return (np.frombuffer(raw, ">i2").reshape(200, FEATURES) / 2.0**15).astype(np.float32)


def digest(scores: list[Score]) -> str:
    return sha256(repr([(s.points.hex(), s.value) for s in scores]).encode()).hexdigest()


def whole_number_logit(inputs: list[int]) -> int:
    """The network in Python's integers, which have no limit."""
    values = inputs
    layers = read_model().layers
    for place, layer in enumerate(layers):
        sums = [
            sum(map(mul, column, values)) + (bias << 20)
            for column, bias in zip(layer.weights.T.tolist(), layer.biases.tolist(), strict=True)
        ]
        values = list(starmap(half_even, ((value, 1 << 12) for value in sums)))
        if place < len(layers) - 1:
            values = [max(value, 0) for value in values]
    return values[0]


def half_even(number: int, unit: int) -> int:
    whole, rest = divmod(number, unit)
    return whole + (2 * rest > unit or (2 * rest == unit and whole % 2 == 1))


def test_logits_as_with_unlimited_integers() -> None:
    """Golden rows, the largest inputs there may be, and zeros."""
    extremes = [np.full(FEATURES, number) for number in (8.0, -8.0, 0.0)]
    fixed = fixed_point([*golden_rows()[:4], *extremes])

    expected = [whole_number_logit([int(x) for x in row]) for row in fixed]
    assert expected == NumpyFixedPointNetwork(read_model()).logits(fixed).tolist()


def test_golden_scores() -> None:
    """The scores of 200 vectors have been the same on every machine so far."""
    assert GOLDEN == digest(ENGINE.score_many(golden_rows()))


@pytest.mark.parametrize(
    ("core", "threads"), [("Prescott", "1"), ("Haswell", "2"), ("SkylakeX", "2")]
)
def test_other_kernels_of_blas_agree(core: str, threads: str) -> None:
    """OpenBLAS with the kernels of other processors, which add in other orders, and threads."""
    if core == "SkylakeX" and "avx512f" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this processor has no AVX-512")
    script = "import test_scoring_exact as t; print(t.digest(t.ENGINE.score_many(t.golden_rows())))"
    env = os.environ | {
        "OPENBLAS_CORETYPE": core,
        "OPENBLAS_NUM_THREADS": threads,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
    }
    run = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
    )

    assert GOLDEN == run.stdout.strip()


@settings(max_examples=20)
@given(st.permutations(range(40)), st.integers(1, 40))
def test_batches_and_orders_agree(order: list[int], size: int) -> None:
    """Each vector scores as it does alone, wherever in a batch of whatever size it stands."""
    rows = golden_rows()[:40]
    batches = [rows[order[i : i + size]] for i in range(0, 40, size)]

    scores = [score for batch in batches for score in ENGINE.score_many(batch)]
    assert scores == [ENGINE.score(rows[place]) for place in order]


def test_more_rows_than_go_at_once() -> None:
    """2,500 vectors, scored in several parts, come back in order; none is fine, too."""
    rows = np.tile(golden_rows(), (13, 1))[:2_500]

    assert (ENGINE.score_many(golden_rows()) * 13)[:2_500] == ENGINE.score_many(rows)
    assert [] == ENGINE.score_many(rows[:0])


def exact_points(logit: int) -> Decimal:
    with localcontext(prec=60):
        return 100 / (1 + (-Decimal(logit) / 2**20).exp())


@given(st.integers(-(2**26), 2**26))
def test_the_sigmoid_is_close_to_the_true_one(logit: int) -> None:
    """Within 1.2e-5 points of 60 digits of it, symmetric, and between 0 and 100."""
    up, down = sigmoid_points(np.array([logit, -logit], float)).tolist()

    assert abs(Decimal(up) / 2**20 - exact_points(logit)) < Decimal("1.2e-5")
    assert FULL_SCORE == up + down
    assert 0 <= up <= FULL_SCORE


@given(st.integers(-(2**25), 2**25), st.integers(0, 2**14))
def test_the_sigmoid_never_falls(logit: int, step: int) -> None:
    """A larger logit has no smaller score."""
    low, high = sigmoid_points(np.array([logit, logit + step], float)).tolist()

    assert low <= high


def test_scores_follow_the_network_in_floating_point() -> None:
    """Within 1e-4 points of plain float64; the integer is the points rounded."""
    values = golden_rows().astype(float)
    for place, layer in enumerate(layers := read_model().layers):
        values = values @ (layer.weights / 2.0**12) + layer.biases / 2.0**12
        values = np.maximum(values, 0) if place < len(layers) - 1 else values
    points = 100 / (1 + np.exp(-values[:, 0]))
    scores = ENGINE.score_many(golden_rows())

    np.testing.assert_allclose([score.points for score in scores], points, atol=1e-4)
    assert [int(score.points + 0.5) for score in scores] == [score.value for score in scores]
    assert len({score.value for score in scores}) > 5


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 8.001, -9.0, 3e38])
def test_numbers_out_of_range_are_refused(number: float) -> None:
    """For them no bound on the sums would hold."""
    rows = golden_rows()[:3].copy()
    rows[1, 5] = number

    with pytest.raises(FeatureError):
        ENGINE.score(rows[1])
    with pytest.raises(FeatureError):
        ENGINE.score_many(rows)


def test_one_and_many_are_told_apart() -> None:
    """A batch is no vector and a vector no batch."""
    with pytest.raises(FeatureError, match="score_many"):
        ENGINE.score(golden_rows())
    with pytest.raises(FeatureError, match="one vector"):
        ENGINE.score_many(golden_rows()[0])
