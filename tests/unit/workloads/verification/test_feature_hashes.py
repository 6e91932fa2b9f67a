"""Hashes over features: at fixed precision, over the very bits, and typed refusals."""

import struct
from fractions import Fraction
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from veperf.workloads.verification.features.vector import (
    FEATURES,
    MAX_MAGNITUDE,
    FeatureError,
    feature_hash,
    fixed_point,
    input_hash,
)

vectors = arrays(np.float32, FEATURES, elements=st.floats(-MAX_MAGNITUDE, MAX_MAGNITUDE, width=32))


@given(vectors)
def test_fixed_point_rounds_half_to_even(features: np.ndarray) -> None:
    """As Python rounds exact fractions; and there is no second zero."""
    actual = fixed_point(features)

    assert [round(Fraction(float(x)) * 2**20) for x in features] == actual.tolist()
    assert not np.signbit(actual[actual == 0]).any()


@given(vectors)
def test_the_input_hash_is_of_32_bit_integers(features: np.ndarray) -> None:
    """SHA-256 of a prefix and 768 big-endian integers, packed by another library."""
    integers = [round(Fraction(float(x)) * 2**20) for x in features]

    assert sha256(b"veid/input/1" + struct.pack(">768i", *integers)).digest() == input_hash(
        features
    )


@given(vectors)
def test_the_feature_hash_is_of_the_bits(features: np.ndarray) -> None:
    """SHA-256 of a prefix and 768 big-endian floats, packed by another library."""
    features = features + np.float32(0)

    packed = struct.pack(">768f", *features.tolist())
    assert sha256(b"veid/features/1" + packed).digest() == feature_hash(features)


def test_what_differs_below_the_precision_has_one_input_hash() -> None:
    """A quarter of 2^-20 doesn't count for the one hash and does for the other; nor does -0."""
    zeros, little = np.zeros(FEATURES, np.float32), np.full(FEATURES, 2.0**-22, np.float32)

    assert input_hash(zeros) == input_hash(little) == input_hash(-zeros)
    assert feature_hash(zeros) != feature_hash(little)
    assert input_hash(zeros) != input_hash(little * 4)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("digest", [input_hash, feature_hash])
def test_what_is_not_finite_is_refused(digest, number: float) -> None:
    """Anywhere among the features."""
    features = np.zeros(FEATURES, np.float32)
    features[-1] = number

    with pytest.raises(FeatureError):
        digest(features)


@pytest.mark.parametrize(
    "features",
    [
        np.zeros(767, np.float32),
        np.zeros((2, FEATURES), np.float32),
        np.zeros((FEATURES, 1), np.float32),
        np.float32(0),
        np.zeros(FEATURES, np.complex64),
        np.zeros(FEATURES, bool),
        np.array(["1"] * FEATURES),
        [10**400] * FEATURES,
        [[1], [1, 2]],
        None,
        "features",
        b"\0" * FEATURES,
    ],
)
@pytest.mark.parametrize("digest", [input_hash, feature_hash])
def test_what_is_no_vector_is_refused(digest, features: object) -> None:
    """Another length, shape or type."""
    with pytest.raises(FeatureError):
        digest(features)


def test_refusals_of_one_hash_alone() -> None:
    """-0 and other floats have other bits; what is out of range can't be scored."""
    zeros = np.zeros(FEATURES, np.float32)

    with pytest.raises(FeatureError, match="-0"):
        feature_hash(-zeros)
    with pytest.raises(FeatureError, match="float32"):
        feature_hash(zeros.astype(np.float64))
    with pytest.raises(FeatureError, match="within 8"):
        input_hash(zeros + np.float32(8.1))
