"""Features in fixed point: whole multiples of 2^-20, at which they are hashed and scored."""

from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.workloads.verification.features.layout import FEATURES

FRACTION_BITS = 20
MAX_MAGNITUDE = 8
"""Features beyond this are refused: extraction gives none over 1, and sums must have a bound."""


class FeatureError(ValueError):
    """Numbers that are no feature vectors."""


def fixed_point(features: ArrayLike) -> NDArray[np.float64]:
    """``features`` [768] or [n, 768] times 2^20, rounded half to even: whole numbers, as float64.

    Scaling by a power of two is exact and rint rounds as IEEE 754 says, so every machine agrees.

    Raises:
        FeatureError: another shape, not numbers, not finite, or beyond ``MAX_MAGNITUDE``.
    """
    numbers = checked(features).astype(np.float64)
    if not (np.abs(numbers) <= MAX_MAGNITUDE).all():  # false for NaN, too
        raise FeatureError(f"features must be finite and within {MAX_MAGNITUDE} of 0")
    # Adding 0 makes 0 of -0, which would else live on as a second zero.
    return np.rint(numbers * (1 << FRACTION_BITS)) + 0.0


def checked(features: ArrayLike) -> NDArray[Any]:
    """``features`` as an array of real numbers [768] or [n, 768].

    Raises:
        FeatureError: they are not that.
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
