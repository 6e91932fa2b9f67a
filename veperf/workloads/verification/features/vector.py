"""The vector of 768 features: its layout, its values in fixed point, and its hashes.

All features lie between -1 and 1; those after ``METADATA`` are 0. In fixed point, whole multiples
of 2^-20, they are hashed and scored.
"""

from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEATURES = 768
"""The number of features, zeros at the end included."""
FACE = slice(0, 512)
"""The embedding of the face: of length 1, or 0 without a picture of one."""
DOCUMENT = slice(512, 517)
"""Sharpness, brightness, contrast, glare and completeness of the identity document."""
OCR = slice(517, 527)
"""Confidence and validity of each of five lines of the document, in turn."""
METADATA = slice(527, 543)
"""Scopes of each of nine types, then seven figures of all scopes together."""

FRACTION_BITS = 20
MAX_MAGNITUDE = 8
"""Larger features are refused: extraction gives none over 1, and sums must have a bound."""


class FeatureError(ValueError):
    """The numbers are not feature vectors."""


def fixed_point(features: ArrayLike) -> NDArray[np.float64]:
    """Return features [768] or [n, 768] times 2^20, rounded half to even, as float64.

    Scaling by a power of two is exact and rint rounds as IEEE 754 says, so every machine agrees.

    Raises:
        FeatureError: another shape, not numbers, not finite, or beyond ``MAX_MAGNITUDE``.
    """
    numbers = feature_array(features).astype(np.float64)
    if not (np.abs(numbers) <= MAX_MAGNITUDE).all():  # false for NaN, too
        raise FeatureError(f"features must be finite and within {MAX_MAGNITUDE} of 0")
    # Adding 0 turns -0 into 0, so that there is only one zero.
    return np.rint(numbers * (1 << FRACTION_BITS)) + 0.0


def feature_array(features: ArrayLike) -> NDArray[Any]:
    """Return ``features`` as an array of real numbers [768] or [n, 768].

    Raises:
        FeatureError: they have another shape or are not real numbers.
    """
    try:
        array = np.asarray(features)
    except (TypeError, ValueError, OverflowError) as error:
        raise FeatureError(f"features must be numbers: {error}") from error
    if array.dtype.kind not in "fiu":
        raise FeatureError(f"features must be real numbers, not {array.dtype}")
    if array.ndim not in (1, 2) or array.shape[-1] != FEATURES:
        raise FeatureError(f"features must be [{FEATURES}] or [n, {FEATURES}], not {array.shape}")
    return array


_INPUT = b"veid/input/1"
_FEATURES = b"veid/features/1"


def input_hash(features: ArrayLike) -> bytes:
    """Return SHA-256 of the features in units of 2^-20, as 32-bit integers, big endian.

    Engines round to the same units, so that equal hashes mean equal scores. 0 and -0 are equal.

    Raises:
        FeatureError: not 768 finite numbers within ``MAX_MAGNITUDE``.
    """
    fixed = fixed_point(_vector(features))
    return sha256(_INPUT + fixed.astype(">i4").tobytes()).digest()


def feature_hash(features: ArrayLike) -> bytes:
    """Return SHA-256 of the features themselves, as IEEE 754 binary32, big endian.

    It differs if any bit does. -0 is refused, since it is a second encoding of 0.

    Raises:
        FeatureError: not 768 finite float32, or -0 among them.
    """
    array = _vector(features)
    if array.dtype != np.float32:
        raise FeatureError(f"features are float32, not {array.dtype}")
    if not np.isfinite(array).all() or (np.signbit(array) & (array == 0)).any():
        raise FeatureError("features must be finite and without -0")
    return sha256(_FEATURES + array.astype(">f4").tobytes()).digest()


def _vector(features: ArrayLike) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    array = feature_array(features)
    if array.ndim != 1:
        raise FeatureError("a hash takes one vector of features, not several")
    return array
