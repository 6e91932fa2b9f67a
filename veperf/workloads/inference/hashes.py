"""Hashes by which validators see that they scored the same inputs to the same output.

Floating-point values go into a hash as in VirtEngine's ``determinism.go``: rounded to 6 decimals,
half away from zero, as IEEE 754 binary32, big endian. Fields follow one another in its order.
"""

from hashlib import sha256

import numpy as np
from numpy.typing import ArrayLike

from veperf.workloads.inference.inputs import ScoreInputs

_MULTIPLIER = 1e6


def float_bytes(values: ArrayLike) -> bytes:
    """Return the bytes of ``values`` that are hashed, 4 each."""
    numbers = np.asarray(values, np.float32).astype(np.float64)
    # Not rint: Go's math.Round takes halves away from zero.
    scaled = np.abs(numbers) * _MULTIPLIER
    whole = np.floor(scaled)
    rounded = np.copysign(whole + (scaled - whole >= 0.5), numbers) / _MULTIPLIER
    raw: bytes = rounded.astype(">f4").tobytes()
    return raw


def hash_inputs(inputs: ScoreInputs) -> bytes:
    """Return SHA-256 of ``inputs``: account, height, face, document, lines by name, scopes."""
    names = sorted(inputs.lines)
    parts = [
        inputs.account,
        inputs.height.to_bytes(8, "big"),
        float_bytes(inputs.embedding),
        float_bytes([inputs.face_confidence, *inputs.document]),
        *(name.encode() + float_bytes([inputs.lines[name].confidence]) for name in names),
        *(name.encode() + bytes([inputs.lines[name].is_valid]) for name in names),
        float_bytes(inputs.statistics),
        *(kind.encode() for kind in sorted(inputs.scope_types)),
        len(inputs.scope_types).to_bytes(4, "big"),
    ]
    return sha256(b"".join(parts)).digest()


def hash_output(values: ArrayLike) -> bytes:
    """Return SHA-256 of the output of a model, or of features, of any shape."""
    return sha256(float_bytes(values)).digest()
