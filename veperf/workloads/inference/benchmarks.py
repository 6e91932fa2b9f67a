"""The inference suite: from a person's scopes to a score, step by step.

They answer the benchmarks of VirtEngine's ``pkg/inference``, whose extractors make numbers of a
hash where no service of models runs; these compute them from pixels and lines. Sizes are
VirtEngine's: a megabyte a picture, 100 KiB a scope in the pipeline.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from veperf.core.case import Level
from veperf.core.registry import Task, benchmark
from veperf.workloads.inference import example_data
from veperf.workloads.inference.embedding import (
    embedding_agreement,
    mean_embedding,
    normalise_embedding,
)
from veperf.workloads.inference.hashes import hash_inputs, hash_output
from veperf.workloads.inference.inputs import (
    ScoreInputs,
    check_features,
    check_inputs,
    feature_vector,
)
from veperf.workloads.inference.liveness import check_liveness
from veperf.workloads.inference.pipeline import (
    PipelineResult,
    extract_document,
    extract_face,
    run_pipeline,
)
from veperf.workloads.inference.scorer import score_inputs
from veperf.workloads.verification.scope import ScopeType
from veperf.workloads.verification.scoring.registry import load_engine

_SIZES_KIB = (1_024, 16, 128)
_ACCOUNT = bytes(20)


# ---------------------------------------------------------------- pictures


@benchmark("inference/face_embedding", level=Level.COMPONENT, params={"size_kib": _SIZES_KIB})
def face_embedding(size_kib: int) -> Task:
    """Embed the face of a selfie: 512 numbers of length 1, and a confidence."""
    payload = example_data.picture(ScopeType.SELFIE, size_kib)
    return Task(lambda: extract_face(payload).embedding.tobytes())


@benchmark("inference/document", level=Level.COMPONENT, params={"size_kib": _SIZES_KIB})
def document(size_kib: int) -> Task:
    """Measure the picture of a document and validate its five lines of text."""
    return Task(partial(extract_document, example_data.picture(ScopeType.ID_DOCUMENT, size_kib)))


@benchmark("inference/liveness", level=Level.COMPONENT, params={"size_kib": _SIZES_KIB})
def liveness(size_kib: int) -> Task:
    """Check a video of four frames for motion, texture and the grid of a screen."""
    return Task(partial(check_liveness, example_data.picture(ScopeType.FACE_VIDEO, size_kib)))


@benchmark(
    "inference/pipeline",
    level=Level.INTEGRATION,
    params={"size_kib": (100, 10, 1_000), "scopes": (3, 1, 12)},
)
def pipeline(size_kib: int, scopes: int) -> Task:
    """Make the 768 features of a document, a selfie and a video: faces, lines, liveness."""
    pieces = example_data.scopes(size_kib, scopes)
    return Task(lambda: run_pipeline(pieces, _ACCOUNT, example_data.HEIGHT).features.tobytes())


# ---------------------------------------------------------------- vectors


@benchmark("inference/embedding_normalise", level=Level.MICRO)
def embedding_normalise() -> Task:
    """Bring one embedding of 512 numbers to length 1."""
    (embedding,) = example_data.embeddings(1)
    return Task(lambda: normalise_embedding(embedding).tobytes())


@benchmark("inference/embedding_mean", level=Level.MICRO, params={"frames": (10, 2, 64)})
def embedding_mean(frames: int) -> Task:
    """Average the embeddings of a video's frames, and see how much they agree."""
    rows = example_data.embeddings(frames)
    return Task(lambda: (mean_embedding(rows).tobytes(), embedding_agreement(rows)))


@benchmark("inference/feature_vector", level=Level.MICRO)
def make_feature_vector() -> Task:
    """Make the vector of 768 features of a score's inputs."""
    inputs = example_data.example_inputs()
    return Task(lambda: feature_vector(inputs).tobytes())


@benchmark("inference/sanity", level=Level.MICRO)
def sanity() -> Task:
    """Check a score's inputs and its 768 features: sizes, ranges, finite, length, padding."""
    inputs = example_data.example_inputs()
    features = feature_vector(inputs)
    return Task(lambda: check_inputs(inputs) + check_features(features))


@benchmark("inference/input_hash", level=Level.MICRO)
def hash_score_inputs() -> Task:
    """Compute SHA-256 of a score's inputs, rounded to 6 decimals, which validators compare."""
    return Task(partial(hash_inputs, example_data.example_inputs()))


@benchmark("inference/output_hash", level=Level.MICRO)
def hash_model_output() -> Task:
    """Compute SHA-256 of 768 numbers of output, rounded to 6 decimals."""
    return Task(partial(hash_output, feature_vector(example_data.example_inputs())))


# ---------------------------------------------------------------- scores


@benchmark("inference/latency", level=Level.INTEGRATION, params={"size_kib": (100, 10, 1_000)})
def latency(size_kib: int) -> Task:
    """Score a document, a selfie and a video: faces, lines, liveness, checks, model, hashes."""
    engine = load_engine()
    pieces = example_data.scopes(size_kib)

    def check(result: PipelineResult) -> PipelineResult:
        assert not check_inputs(result.inputs) + check_features(result.features)
        return result

    def hashes(scored: tuple[ScoreInputs, float]) -> tuple[bytes, bytes]:
        inputs, points = scored
        return hash_inputs(inputs), hash_output([points])

    stages: Mapping[str, Callable[[Any], Any]] = {
        "pipeline": lambda _: run_pipeline(pieces, _ACCOUNT, example_data.HEIGHT),
        "check": check,
        "model": lambda result: (result.inputs, engine.score(result.features).points),
        "hash": hashes,
    }
    return Task(
        lambda: score_inputs(run_pipeline(pieces, _ACCOUNT, example_data.HEIGHT).inputs, engine),
        close=engine.close,
        stages=stages,
    )


@benchmark("inference/score", level=Level.COMPONENT)
def score() -> Task:
    """Score one person's inputs: check, make the vector, run the model, explain, hash."""
    engine = load_engine()
    return Task(partial(score_inputs, example_data.example_inputs(), engine), close=engine.close)


@benchmark("inference/predict", level=Level.INTEGRATION, multithreaded=True)
def predict() -> Task:
    """Score one vector by HTTP, as TensorFlow Serving offers it, on a connection that is kept."""
    from veperf.workloads.inference.serving import ModelClient, ModelServer

    engine = load_engine()
    server = ModelServer(engine)
    client = ModelClient(server.port)
    features = [feature_vector(example_data.example_inputs()).tolist()]

    def close() -> None:
        client.close()
        server.close()
        engine.close()

    return Task(partial(client.predict, features), close=close)
