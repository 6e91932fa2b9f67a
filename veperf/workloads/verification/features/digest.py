"""Hashes by which validators compare what they computed."""

from hashlib import sha256

import numpy as np
from numpy.typing import ArrayLike

from veperf.workloads.verification.features.fixed import FeatureError, checked, fixed_point

_INPUT = b"veid/input/1"
_FEATURES = b"veid/features/1"


def input_hash(features: ArrayLike) -> bytes:
    """SHA-256 of what is scored: the features in units of 2^-20, as 32-bit integers, big endian.

    Engines round to the same units, so that equal hashes mean equal scores. 0 and -0 are equal.

    Raises:
        FeatureError: not 768 finite numbers within ``MAX_MAGNITUDE``.
    """
    fixed = fixed_point(_vector(features))
    return sha256(_INPUT + fixed.astype(">i4").tobytes()).digest()


def feature_hash(features: ArrayLike) -> bytes:
    """SHA-256 of the features themselves, as IEEE 754 binary32, big endian.

    It differs if any bit does. -0 is refused, for it is another way to write 0.

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
    array = checked(features)
    if array.ndim != 1:
        raise FeatureError("one vector at a time is hashed")
    return array
