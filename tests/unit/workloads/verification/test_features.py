"""Features: the same whatever the order, within their range, and as plain scans find them."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import hadamard

from veperf.workloads.verification.features.builder import FeatureBuilder, extract_features
from veperf.workloads.verification.features.document import (
    UNIT,
    document_quality,
    read_document_lines,
)
from veperf.workloads.verification.features.image import (
    GRID,
    face_descriptor,
    face_embedding,
    image_statistics,
)
from veperf.workloads.verification.features.vector import DOCUMENT, FACE, FEATURES, METADATA, OCR
from veperf.workloads.verification.scope import (
    MAX_PAYLOAD_BYTES,
    DecryptedScope,
    PayloadError,
    ScopeMetadata,
    ScopeType,
    TextField,
    encode_payload,
)

LINES = {
    "name": "Ada Lovelace",
    "date_of_birth": "1815-12-10",
    "document_number": "X1234567",
    "expiry_date": "2031-02-28",
    "nationality": "GBR",
}

fields = st.builds(
    TextField,
    name=st.sampled_from([*LINES, "other"]),
    text=st.sampled_from([*LINES.values(), "", "2023-02-30", "?"]),
    confidence=st.integers(0, 10_000),
)


@st.composite
def scopes(draw: st.DrawFn) -> DecryptedScope:
    width, height = draw(st.integers(0, 60)), draw(st.integers(0, 60))
    seed = draw(st.integers(0, 2**32 - 1))
    step = draw(st.sampled_from([1, 8, 255]))
    lines = tuple(draw(st.lists(fields, max_size=6)))
    return DecryptedScope(
        draw(st.sampled_from(ScopeType)),
        encode_payload(width, height, lines, noise(width, height, seed, step)),
        ScopeMetadata(draw(st.integers(0, 2**63))),
    )


def noise(width: int, height: int, seed: int = 1, step: int = 1) -> bytes:
    levels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    return (levels // step * step).tobytes()


def scope(kind: ScopeType, width: int, height: int, pixels: bytes) -> DecryptedScope:
    lines = tuple(TextField(name, text, 9_000) for name, text in LINES.items())
    return DecryptedScope(kind, encode_payload(width, height, lines, pixels), ScopeMetadata(0))


@settings(max_examples=60)
@given(st.lists(scopes(), max_size=5), st.randoms(use_true_random=False))
def test_features_of_whatever_scopes(some: list[DecryptedScope], random) -> None:
    """768 float32 within 1 of 0, zeros at the end, a face of length 1 or 0; in any order."""
    features = extract_features(some)

    assert (FEATURES,) == features.shape
    assert np.float32 == features.dtype
    assert (np.abs(features) <= 1).all()
    assert (features[FACE.stop :] >= 0).all()
    assert not features[METADATA.stop :].any()
    assert not (np.signbit(features) & (features == 0)).any()
    length = math.sqrt(sum(float(x) ** 2 for x in features[FACE]))
    assert length == 0 or length == pytest.approx(1, abs=1e-6)
    shuffled = list(some)
    random.shuffle(shuffled)
    assert features.tobytes() == extract_features(shuffled).tobytes()


def scan(width: int, height: int, pixels: bytes):
    """The statistics of a picture, one pixel after the other."""
    histogram = [0] * 256
    brightness = [[0] * GRID for _ in range(GRID)]
    gradient = [[0] * GRID for _ in range(GRID)]
    areas = [[0] * GRID for _ in range(GRID)]

    def cell(place: int, side: int) -> int:
        return max(i for i in range(GRID) if i * side // GRID <= place)

    for y in range(height):
        for x in range(width):
            level = pixels[y * width + x]
            right = pixels[y * width + x + 1] if x + 1 < width else level
            above = pixels[(y - 1) * width + x] if y else level
            row, column = cell(y, height), cell(x, width)
            histogram[level] += 1
            brightness[row][column] += level
            gradient[row][column] += abs(level - right) + abs(level - above)
            areas[row][column] += 1
    return histogram, brightness, gradient, areas


@pytest.mark.parametrize(
    ("width", "height"), [(16, 16), (17, 31), (40, 23), (16, 700), (900, 16), (8_200, 16)]
)
def test_statistics_as_a_plain_scan(width: int, height: int) -> None:
    """In chunks and whole columns at once, as pixel by pixel; also where a row is a chunk."""
    pixels = noise(width, height)
    statistics = image_statistics(memoryview(pixels), width, height)

    assert statistics is not None
    histogram, brightness, gradient, areas = scan(width, height, pixels)
    assert histogram == statistics.histogram.tolist()
    assert brightness == statistics.brightness.tolist()
    assert gradient == statistics.gradient.tolist()
    assert areas == statistics.areas.tolist()
    assert width * height == statistics.pixels


@pytest.mark.parametrize(("width", "height"), [(0, 0), (15, 200), (200, 15)])
def test_a_picture_too_small_for_the_grid_is_none(width: int, height: int) -> None:
    """It has no statistics, and a face on it no embedding."""
    pixels = noise(width, height)

    assert image_statistics(memoryview(pixels), width, height) is None
    assert not extract_features([scope(ScopeType.SELFIE, width, height, pixels)])[FACE].any()


def test_the_embedding_is_a_signed_hadamard_transform() -> None:
    """|H D x| / |H D x| with H of scipy; one D for all, so that products keep their signs."""
    size = 2 * GRID * GRID
    units = np.eye(size, dtype=np.int64)
    signs = [round(float(face_embedding(unit, 1)[0]) * math.sqrt(size)) for unit in units]
    image = image_statistics(memoryview(noise(64, 64)), 64, 64)
    assert image is not None
    values = face_descriptor(image)
    mixed = hadamard(size) @ (np.array(signs) * values)

    assert {-1, 1} == set(signs)
    assert 200 < signs.count(1) < 312
    np.testing.assert_allclose(face_embedding(values, 1), mixed / np.linalg.norm(mixed), atol=1e-7)


def test_the_embedding_keeps_what_pictures_have_in_common() -> None:
    """A picture made lighter as a whole has nearly the same; another picture has not."""
    pixels = np.frombuffer(noise(64, 64, step=2), np.uint8) // 2
    lighter = (pixels + 60).astype(np.uint8).tobytes()
    here, light, other = (
        extract_features([scope(ScopeType.SELFIE, 64, 64, raw)])[FACE]
        for raw in (pixels.tobytes(), lighter, noise(64, 64, seed=2))
    )

    assert here @ light > 0.999
    assert abs(here @ other) < 0.5


def test_document_quality_of_known_pictures() -> None:
    """A grey area, a chessboard of black and white, and an area half of which is white."""

    def of(rows: np.ndarray) -> list[float]:
        image = image_statistics(memoryview(rows.astype(np.uint8).tobytes()), 32, 32)
        assert image is not None
        return [part / UNIT for part in document_quality(image)]

    grey = of(np.full((32, 32), 102))
    board = of(np.indices((32, 32)).sum(axis=0) % 2 * 255)
    half = of(np.repeat([[0], [255]], 16, axis=0) * np.ones(32))

    assert [0, 0.4, 0, 0] == pytest.approx(grey, abs=2e-6)
    edges = 255 * 2 * 31 / 32
    assert [edges / (edges + 16), 0.5, 1, 0.5] == pytest.approx(board, abs=2e-6)
    assert [255 / 32 / (255 / 32 + 16), 0.5, 1, 0.5] == pytest.approx(half, abs=2e-6)


def test_lines_are_read_by_name_and_checked() -> None:
    """The best of each line counts; what can't be right is read but not valid."""
    good = [TextField(name, text, 9_000) for name, text in LINES.items()]
    bad = [
        TextField("name", "12", 1),
        TextField("date_of_birth", "2023-02-29", 2),
        TextField("document_number", "x 1", 3),
        TextField("expiry_date", "20310228", 4),
        TextField("nationality", "gbr", 5),
    ]

    assert [(9_000, 1)] * 5 == read_document_lines([*good, *bad])
    assert [(n, 0) for n in range(1, 6)] == read_document_lines(bad)
    assert [(0, 0)] * 5 == read_document_lines(
        [TextField("other", "x", 9), TextField("name", "", 9)]
    )


def test_features_of_a_document() -> None:
    """Completeness and lines stand where the layout says; other scopes don't change them."""
    document = scope(ScopeType.ID_DOCUMENT, 64, 64, noise(64, 64))
    email = scope(ScopeType.EMAIL_PROOF, 0, 0, b"")
    alone, both = extract_features([document]), extract_features([email, document])

    assert 1 == alone[DOCUMENT][-1]
    assert [0.9, 1.0] * 5 == pytest.approx(alone[OCR].tolist())
    assert not alone[FACE].any()
    assert alone[DOCUMENT].tobytes() == both[DOCUMENT].tobytes()
    assert alone[OCR].tobytes() == both[OCR].tobytes()
    assert alone[METADATA].tobytes() != both[METADATA].tobytes()
    assert METADATA.stop - METADATA.start == len(ScopeType) + 7


WHOLE = scope(ScopeType.SELFIE, 20, 20, noise(20, 20))


@given(
    st.integers(0, len(WHOLE.payload) - 1).map(lambda end: WHOLE.payload[:end])
    | st.binary(max_size=64).filter(lambda raw: raw[:4] != b"VES1")
)
def test_what_is_no_payload_is_refused_and_not_counted(raw: bytes) -> None:
    """Cut off anywhere, or anything else: a typed error, and the builder is as it was before."""
    builder = FeatureBuilder().add(WHOLE)
    before = builder.vector()
    with pytest.raises(PayloadError):
        builder.add(DecryptedScope(ScopeType.SELFIE, raw, ScopeMetadata(0)))

    assert before.tobytes() == builder.vector().tobytes()


def test_a_payload_over_the_limit_is_refused() -> None:
    """Well formed, but longer than any scope may be."""
    huge = scope(ScopeType.SELFIE, 2_048, 1_024, bytes(MAX_PAYLOAD_BYTES))

    with pytest.raises(PayloadError, match="too long"):
        FeatureBuilder().add(huge)


def test_memory_beside_the_payload() -> None:
    """32 KiB need less than 64 KiB more, and 2 MiB less than 256 KiB: pictures are not copied."""
    for side, limit in ((180, 64), (1_440, 256)):
        some = [scope(kind, side, side, noise(side, side)) for kind in ScopeType][:3]
        extract_features(some)
        tracemalloc.start()
        extract_features(some)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < limit * 1_024
