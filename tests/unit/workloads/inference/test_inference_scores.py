"""Scores, against a forward pass of one's own; and the model behind HTTP."""

from http.client import HTTPConnection

import numpy as np
import pytest
from msgspec.structs import replace
from scipy.special import expit

from veperf.core.case import Case
from veperf.core.registry import SUITES, Task, load_registry, matching_cases
from veperf.workloads.inference import example_data
from veperf.workloads.inference.inputs import IssueCode, TextLine, feature_vector
from veperf.workloads.inference.pipeline import run_pipeline
from veperf.workloads.inference.scorer import InsaneInputsError, Reason, score_inputs
from veperf.workloads.inference.serving import MODEL_NAME, ModelClient, ModelServer, PredictionError
from veperf.workloads.verification.scoring.model import read_model
from veperf.workloads.verification.scoring.registry import load_engine

ENGINE = load_engine()
INPUTS = example_data.example_inputs()
REGISTRY = load_registry([SUITES["inference"]])
CASES = [
    case
    for case in matching_cases(REGISTRY, ["inference"])
    if case.params.get("size_kib") not in (1_000, 1_024)
]


def _points(features):
    """Return the points of one vector, by a plain pass in float64 through the model's layers."""
    values = features.astype(np.float64)
    layers = read_model().layers
    for index, (weights, biases) in enumerate(layers):
        values = values @ (weights / 4_096) + biases / 4_096
        if index < len(layers) - 1:
            values = np.maximum(values, 0)
    return float(100 * expit(values[0]))


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_the_score_is_that_of_a_plain_forward_pass(count):
    """Points within a thousandth, the integer that they round to, and its confidence."""
    inputs = run_pipeline(example_data.scopes(32, count), bytes(20), 5).inputs
    result = score_inputs(inputs, ENGINE)

    points = _points(feature_vector(inputs))
    assert points == pytest.approx(result.points, abs=1e-3)
    assert int(points + 0.5) == result.score
    assert 0.5 + 0.4 * abs(points - 50) / 50 == pytest.approx(result.confidence, abs=1e-4)
    assert read_model().sha256 == result.model_hash


def test_contributions_are_the_means_of_the_parts():
    """Of the embedding the mean absolute value."""
    features = feature_vector(INPUTS)
    result = score_inputs(INPUTS, ENGINE)

    assert {
        "face": np.abs(features[:512]).mean(),
        "document": features[512:517].mean(),
        "ocr": features[517:527].mean(),
        "metadata": features[527:543].mean(),
    } == pytest.approx(result.contributions)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"embedding": np.zeros(512, np.float32)}, Reason.MISSING_FACE),
        ({"document": (0.1, 0.5, 0.1, 0.9, 0.2)}, Reason.LOW_DOC_QUALITY),
        ({"lines": {"name": TextLine(0.2, is_valid=True)}}, Reason.LOW_OCR_CONFIDENCE),
        ({"scope_types": ("selfie",)}, Reason.INSUFFICIENT_SCOPES),
    ],
)
def test_reasons_say_what_is_missing(change, reason):
    """Each where it applies, and only there."""
    assert reason in score_inputs(replace(INPUTS, **change), ENGINE).reasons
    assert (Reason.SUCCESS,) == score_inputs(INPUTS, ENGINE).reasons


def test_equal_inputs_have_equal_hashes():
    """To the last bit, however often; another block is another input with the same output."""
    first, again = score_inputs(INPUTS, ENGINE), score_inputs(INPUTS, load_engine())
    later = score_inputs(replace(INPUTS, height=INPUTS.height + 1), ENGINE)

    assert first == again
    assert first.output_hash == later.output_hash
    assert first.input_hash != later.input_hash


def test_insane_inputs_have_no_score():
    """The error has every issue; a face that is missing alone is no reason to refuse."""
    with pytest.raises(InsaneInputsError, match="face_confidence: not_finite, line name") as error:
        score_inputs(
            replace(
                INPUTS,
                face_confidence=float("nan"),
                lines={"name": TextLine(7.0, is_valid=True)},
            ),
            ENGINE,
        )
    codes = [issue.code for issue in error.value.issues]
    assert [IssueCode.NOT_FINITE, IssueCode.OUT_OF_RANGE] == codes


def test_the_model_answers_by_http():
    """The same points as without; what can't be scored is refused, and the next one is answered."""
    features = feature_vector(INPUTS)
    with ModelServer(ENGINE) as server:
        client = ModelClient(server.port)
        try:
            assert [ENGINE.score(features).points] * 2 == client.predict([features, features])
            for bad in (features[:5], np.full(768, 100.0)):
                with pytest.raises(PredictionError, match="400"):
                    client.predict([bad])
            assert [ENGINE.score(features).points] == client.predict([features])
        finally:
            client.close()
    with pytest.raises(PredictionError, match="can't be reached"):
        client.predict([features])


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"/v1/models/{MODEL_NAME}:predict", b"{", 400),
        (f"/v1/models/{MODEL_NAME}:predict", b'{"instances": [["a"]]}', 400),
        (f"/v1/models/{MODEL_NAME}:predict", b'{"instances": []}', 400),
        ("/v1/models/other:predict", b'{"instances": []}', 404),
        (f"/v1/models/{MODEL_NAME}:predict", bytes(2_000_000), 413),
    ],
)
def test_other_requests_are_refused(path, body, status):
    """By the status that HTTP has for it, with an error in JSON."""
    with ModelServer(ENGINE) as server:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
        try:
            connection.request("POST", path, body if status != 413 else None, _length(body))
            response = connection.getresponse()
            assert status == response.status
            assert b'{"error":"' == response.read()[:10]
        finally:
            connection.close()


def _length(body):
    return {"Content-Length": str(len(body)), "Connection": "close"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_call_can_be_repeated(case: Case) -> None:
    """Each call gives the result of the first."""
    task = REGISTRY.benchmarks[case.benchmark].setup(**case.params)
    assert isinstance(task, Task)
    try:
        results = [task.call() for _ in range(3)]
    finally:
        if task.close:
            task.close()

    assert [results[0]] * 3 == results
