"""Embeddings, liveness, features and hashes: against plain numpy, scipy and struct."""

import itertools
import math
import struct
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from msgspec.structs import replace
from scipy.spatial.distance import pdist

from veperf.workloads.inference import example_data
from veperf.workloads.inference.embedding import (
    embedding_agreement,
    mean_embedding,
    normalise_embedding,
)
from veperf.workloads.inference.hashes import float_bytes, hash_inputs, hash_output
from veperf.workloads.inference.inputs import (
    Issue,
    IssueCode,
    TextLine,
    check_features,
    check_inputs,
    feature_vector,
)
from veperf.workloads.inference.liveness import (
    LivenessDecision,
    check_liveness,
    measure_liveness,
    split_frames,
)
from veperf.workloads.inference.pipeline import extract_document, extract_face, run_pipeline
from veperf.workloads.verification.features.builder import extract_features
from veperf.workloads.verification.features.vector import FACE, FeatureError
from veperf.workloads.verification.scope import PayloadError, ScopeType, encode_payload

INPUTS = example_data.example_inputs()
vectors = arrays(np.float32, 512, elements=st.floats(-1, 1, width=32))


@given(vectors)
def test_an_embedding_is_brought_to_length_one(vector):
    """As numpy divides by the norm; zeros stay zeros."""
    unit = normalise_embedding(vector)
    norm = float(np.linalg.norm(np.rint(vector.astype(np.float64) * 2**20)))

    if norm < 2**12:  # some thousand units: what is lost to rounding shows
        assert np.isfinite(unit).all()
    else:
        expected = vector.astype(np.float64) / np.linalg.norm(vector.astype(np.float64))
        assert np.allclose(expected, unit, atol=2e-4)
    assert math.isclose(1.0, np.linalg.norm(unit.astype(np.float64)), abs_tol=1e-6) or not norm


@settings(max_examples=25)
@given(st.lists(vectors.filter(lambda v: np.linalg.norm(v) > 0.1), min_size=2, max_size=8))
def test_agreement_and_mean_are_those_of_scipy(rows):
    """The mean cosine of all pairs, and the mean of unit vectors at length 1 again."""
    units = np.stack([normalise_embedding(row) for row in rows]).astype(np.float64)
    mean = units.mean(axis=0)

    assert 1 - pdist(units, "cosine").mean() == pytest.approx(embedding_agreement(rows), abs=1e-4)
    if np.linalg.norm(mean) > 0.05:
        assert np.allclose(mean / np.linalg.norm(mean), mean_embedding(rows), atol=1e-3)


def test_order_makes_no_difference_to_the_last_bit():
    """Frames in any order give the same mean and agreement."""
    rows = example_data.embeddings(16)
    shuffled = np.random.default_rng(1).permutation(rows)

    assert mean_embedding(rows).tobytes() == mean_embedding(shuffled).tobytes()
    assert embedding_agreement(rows) == embedding_agreement(shuffled)
    assert 1.0 == embedding_agreement(rows[:1])


@pytest.mark.parametrize(
    "rows",
    [np.zeros((1, 511)), np.zeros((0, 512)), np.zeros((65, 512)), [["a"] * 512]]
    + [np.full((1, 512), bad) for bad in (np.nan, np.inf, 9.0)],
)
def test_what_is_no_embedding_is_refused(rows):
    """Another size, none, too many, not numbers, not finite, far beyond length 1."""
    with pytest.raises(FeatureError):
        mean_embedding(rows)


def _patterns_by_hand(frame):
    """Return the shares of local binary patterns, pixel by pixel."""
    height, width = frame.shape
    around = [(-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1)]
    counts = dict.fromkeys(range(256), 0)
    for y, x in itertools.product(range(1, height - 1), range(1, width - 1)):
        bits = [frame[y + dy, x + dx] >= frame[y, x] for dy, dx in around]
        counts[sum(1 << i for i, bit in enumerate(bits) if bit)] += 1
    return counts


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1), st.sampled_from([4, 64, 256]))
def test_liveness_is_what_plain_loops_find(seed, levels):
    """Motion, texture and aperiodicity of small random videos, by loops and numpy in float64."""
    frames = np.random.default_rng(seed).integers(0, levels, (3, 32, 36)).astype(np.uint8)
    wide = frames.astype(np.float64)
    motion = np.abs(np.diff(wide, axis=0)).mean()
    counts = [_patterns_by_hand(frame) for frame in wide]
    shares = np.array([sum(c[p] for c in counts) for p in range(256)]) / (3 * 30 * 34)
    steps = np.diff(wide, axis=2)
    highest = max(
        sum(np.dot(row[:-lag], row[lag:]) for row in frame) / (frame**2).sum()
        for frame in steps
        for lag in range(2, 17)
    )

    result = measure_liveness(frames)

    assert motion / (motion + 1) == pytest.approx(result.motion)
    assert 1 - (shares**2).sum() == pytest.approx(result.texture)
    assert 1 - max(0, highest) == pytest.approx(result.aperiodicity)
    weighted = 0.4 * result.motion + 0.35 * result.texture + 0.25 * result.aperiodicity
    assert weighted == pytest.approx(result.score)


def test_a_video_is_live_and_pictures_of_one_are_not():
    """The example video is; a frozen flat print is a spoof, a screen's grid is seen."""
    payload = example_data.picture(ScopeType.FACE_VIDEO, 128)
    frames = split_frames(payload, 4)
    live = check_liveness(payload)
    flat = np.full_like(frames, 90)
    grid = (frames // 4 + 160 * (np.arange(frames.shape[2]) % 5 < 2)).astype(np.uint8)

    assert LivenessDecision.LIVE is live.decision
    assert LivenessDecision.SPOOF is measure_liveness(flat).decision
    assert 0 == measure_liveness(np.repeat(frames[:1], 4, axis=0)).motion
    assert measure_liveness(grid).aperiodicity < 0.1 < live.aperiodicity


@pytest.mark.parametrize("count", [-1, 0, 4])
def test_a_video_too_small_is_refused(count):
    """Frames need a side of 32 pixels."""
    with pytest.raises(PayloadError):
        split_frames(encode_payload(40, 100, (), bytes(4_000)), count)


@pytest.mark.parametrize("size_kib", [10, 32, 100])
def test_the_pipeline_makes_the_features_of_verification(size_kib):
    """The same vector as the verification suite's extraction, the embedding at length 1."""
    scopes = example_data.scopes(size_kib, 4)
    result = run_pipeline(scopes, bytes(20), 1)

    expected = extract_features(scopes)
    assert np.allclose(expected[FACE], result.features[FACE], atol=2e-6)
    assert expected[FACE.stop :].tolist() == result.features[FACE.stop :].tolist()
    assert () == check_inputs(result.inputs) + check_features(result.features)


def test_extraction_of_one_picture():
    """A face is nearly symmetric, a document has all its lines; without pixels there is neither."""
    face = extract_face(example_data.picture(ScopeType.SELFIE, 128))
    document = extract_document(example_data.picture(ScopeType.ID_DOCUMENT, 128))
    empty = encode_payload(0, 0, (), b"")

    assert 0.8 < face.confidence <= 1
    assert 1 == pytest.approx(np.linalg.norm(face.embedding))
    assert 5 == len(document.lines)
    assert all(line.is_valid for line in document.lines.values())
    assert 1.0 == document.quality[-1]
    assert 0.0 == extract_face(empty).confidence
    assert (0.0,) * 5 == extract_document(empty).quality


@pytest.mark.parametrize(
    ("change", "issue"),
    [
        ({"embedding": np.zeros(512, np.float32)}, Issue(IssueCode.MISSING_FACE, "embedding")),
        ({"embedding": np.zeros(5, np.float32)}, Issue(IssueCode.WRONG_SIZE, "embedding")),
        (
            {"embedding": np.full(512, np.nan, np.float32)},
            Issue(IssueCode.NOT_FINITE, "embedding"),
        ),
        (
            {"embedding": np.full(512, 2, np.float32)},
            Issue(IssueCode.OUT_OF_RANGE, "embedding"),
        ),
        ({"height": -1}, Issue(IssueCode.OUT_OF_RANGE, "height")),
        ({"face_confidence": 1.5}, Issue(IssueCode.OUT_OF_RANGE, "face_confidence")),
        ({"face_confidence": math.nan}, Issue(IssueCode.NOT_FINITE, "face_confidence")),
        ({"document": (0.5,) * 4}, Issue(IssueCode.WRONG_SIZE, "document")),
        ({"document": (0.5,) * 4 + (-0.1,)}, Issue(IssueCode.OUT_OF_RANGE, "completeness")),
        ({"statistics": ()}, Issue(IssueCode.WRONG_SIZE, "statistics")),
        (
            {"lines": {"name": TextLine(math.inf, is_valid=True)}},
            Issue(IssueCode.NOT_FINITE, "line name"),
        ),
    ],
)
def test_each_fault_of_inputs_is_named(change, issue):
    """Alone, by its code and place."""
    assert (issue,) == check_inputs(replace(INPUTS, **change))


@pytest.mark.parametrize(
    ("place", "value", "issue"),
    [
        (0, np.nan, Issue(IssueCode.NOT_FINITE, "features")),
        (0, 0.9, Issue(IssueCode.WRONG_LENGTH, "face")),
        (513, 1.1, Issue(IssueCode.OUT_OF_RANGE, "document")),
        (520, -0.1, Issue(IssueCode.OUT_OF_RANGE, "ocr")),
        (540, 2, Issue(IssueCode.OUT_OF_RANGE, "metadata")),
        (767, 0.1, Issue(IssueCode.NOT_PADDING, "padding")),
    ],
)
def test_each_fault_of_features_is_named(place, value, issue):
    """By the part of the vector."""
    features = feature_vector(INPUTS)
    features[place] = value

    assert (issue,) == check_features(features)
    assert IssueCode.WRONG_SIZE is check_features(features[:700])[0].code


@given(st.lists(st.floats(-1_000, 1_000, width=32), max_size=20))
def test_floats_are_hashed_as_go_rounds_them(values):
    """Half away from zero at 6 decimals, as binary32, big endian; one by one, by struct."""
    expected = b""
    for value in values:
        scaled = abs(value) * 1e6
        whole = math.floor(scaled)
        rounded = math.copysign(whole + (scaled - whole >= 0.5), value) / 1e6
        expected += struct.pack(">f", rounded)

    assert expected == float_bytes(values)
    assert sha256(expected).digest() == hash_output(values)


@pytest.mark.parametrize(
    "change",
    [
        {"account": bytes(19) + b"1"},
        {"height": 7},
        {"face_confidence": 0.25},
        {"document": (0.5,) * 5},
        {"lines": {}},
        {"statistics": (0.5,) * 16},
        {"scope_types": ("selfie",)},
    ],
)
def test_every_input_is_in_the_hash(change):
    """Another one gives another hash; another order of the scopes does not."""
    reordered = replace(INPUTS, scope_types=INPUTS.scope_types[::-1])

    assert hash_inputs(INPUTS) != hash_inputs(replace(INPUTS, **change))
    assert hash_inputs(INPUTS) == hash_inputs(reordered)
