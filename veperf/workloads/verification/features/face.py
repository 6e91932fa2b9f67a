"""The embedding of a face: 512 numbers that stand for a picture, alike for like pictures.

It takes the place of a neural recogniser, whose weights can't be shipped and whose floating point
differs between machines. It can't tell two people apart; what it shares with one is what matters
here: it looks at every pixel, keeps the distance between pictures, and is of length 1.

It is a randomised Hadamard transform, the heart of the fast Johnson-Lindenstrauss transform
(Ailon and Chazelle, SIAM J. Comput. 39, 2009): y = H D x, with x the mean and the gradient of each
of 256 cells, D a fixed diagonal of random signs and H the Walsh-Hadamard matrix of order 512. All
of it in integers, up to the last division.
"""

from hashlib import shake_256
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from veperf.workloads.verification.features.image import GRID, ImageStatistics, Integers

SIZE = 2 * GRID * GRID
_SCALE_BITS = 8
_SIGNS = 1 - 2 * np.unpackbits(
    np.frombuffer(shake_256(b"veperf/veid/face embedding/1").digest(SIZE // 8), np.uint8)
).astype(np.int64)


def descriptor(image: ImageStatistics) -> Integers:
    """Mean brightness and mean gradient of each cell, in 1/256, less those of the picture: [512].

    Taking the picture's own mean away leaves no trace of how light it is as a whole.
    """
    found = np.empty((2, GRID, GRID), np.int64)
    for half, sums in zip(found, (image.brightness, image.gradient), strict=True):
        np.floor_divide(sums << _SCALE_BITS, image.areas, out=half)
        half -= half.sum() // half.size
    return found.reshape(-1)


def embedding(descriptors: Integers, images: int) -> NDArray[np.float32]:
    """The embedding [512] of the mean of ``images`` pictures, given the sum of their descriptors.

    Of length 1; all 0 where there is no picture, or nothing on it.
    """
    mixed = _walsh_hadamard(_SIGNS * (descriptors // max(images, 1)))
    # Each descriptor is below 2^17, so a mixed one is below 2^26 and their squares' sum below 2^61.
    length = sqrt(int(mixed @ mixed))
    return (mixed / (length or 1.0)).astype(np.float32)


def _walsh_hadamard(values: Integers) -> Integers:
    """H times ``values`` by butterflies, H_2 = [[1, 1], [1, -1]]; the length is a power of two."""
    half = 1
    while half < values.size:
        pairs = values.reshape(-1, 2, half)
        values = np.stack((pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]), axis=1)
        half *= 2
    return values.reshape(-1)
