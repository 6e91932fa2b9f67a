"""Statistics of a grey picture, in one pass in integers, and an embedding of faces from them."""

from dataclasses import dataclass
from hashlib import shake_256
from math import sqrt

import numpy as np
from numpy.typing import NDArray

GRID = 16
"""The number of cells along either side of a picture."""
_CHUNK_PIXELS = 8_192  # bounds the memory beside the picture, however big it is
_COUNT_PIXELS = 1_024  # counted at a time
_CHUNK_ROWS = 256  # the sum of 256 bytes fits in 16 bits

Integers = NDArray[np.int64]
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ImageStatistics:
    """Statistics of a picture; the arrays of cells are [GRID, GRID], rows from the top."""

    histogram: Integers
    """The number of pixels of each of the 256 levels of grey."""
    brightness: Integers
    """The sum of the pixels of each cell."""
    gradient: Integers
    """The sum of |difference to the right| + |difference to above| over each cell."""
    areas: Integers
    """The number of pixels of each cell."""

    @property
    def pixels(self) -> int:
        """The number of pixels of the picture."""
        return int(self.histogram.sum())


def image_statistics(pixels: memoryview, width: int, height: int) -> ImageStatistics | None:
    """Return statistics of ``width * height`` bytes of grey; None if a side is below GRID."""
    if min(width, height) < GRID:
        return None
    image = np.frombuffer(pixels, np.uint8).reshape(height, width)
    rows = np.arange(GRID + 1) * height // GRID
    columns = np.arange(GRID + 1) * width // GRID
    histogram = np.zeros(256, np.int64)
    brightness = np.zeros((GRID, GRID), np.int64)
    gradient = np.zeros((GRID, GRID), np.int64)
    step = min(max(_CHUNK_PIXELS // width, 1), _CHUNK_ROWS)
    for band in range(GRID):
        for start in range(rows[band], rows[band + 1], step):
            stop = min(start + step, int(rows[band + 1]))
            chunk = image[start:stop]
            _count(chunk.reshape(-1), histogram)
            brightness[band] += _by_cell(_by_column(chunk), columns)
            gradient[band] += _by_cell(_gradient(image, start, stop), columns)
    return ImageStatistics(
        histogram, brightness, gradient, np.outer(np.diff(rows), np.diff(columns))
    )


def _count(values: Picture, histogram: Integers) -> None:
    """Add the count of each value, in chunks: NumPy widens the values to eight bytes each."""
    for start in range(0, values.size, _COUNT_PIXELS):
        histogram += np.bincount(values[start : start + _COUNT_PIXELS], minlength=256)


def _by_cell(sums: NDArray[np.integer], columns: Integers) -> Integers:
    """Add up ``sums`` [width] between the bounds ``columns``."""
    return np.add.reduceat(sums, columns[:-1], dtype=np.int64)


def _gradient(image: Picture, start: int, stop: int) -> Integers:
    """Return |difference to the right| + |difference to above|, 0 beyond the edges, by column."""
    rows = image[start:stop]
    above = image[max(start - 1, 0) : stop - 1]
    sums = np.zeros(image.shape[1], np.int64)
    sums[:-1] += _by_column(_absolute_difference(rows[:, :-1], rows[:, 1:]))
    sums += _by_column(_absolute_difference(rows[-len(above) :], above))
    return sums


def _by_column(values: Picture) -> NDArray[np.uint16]:
    """Return the sums of up to 257 rows.

    They are widened beforehand: to widen while adding, NumPy would buffer 16 KB.
    """
    sums: NDArray[np.uint16] = np.add.reduce(values.astype(np.uint16), axis=0, dtype=np.uint16)
    return sums


def _absolute_difference(a: Picture, b: Picture) -> Picture:
    """Return |a - b| without a wider intermediate type."""
    distance = np.maximum(a, b)
    distance -= np.minimum(a, b)
    return distance


EMBEDDING_SIZE = 2 * GRID * GRID
_SCALE_BITS = 8
_SIGNS = 1 - 2 * np.unpackbits(
    np.frombuffer(shake_256(b"veperf/veid/face embedding/1").digest(EMBEDDING_SIZE // 8), np.uint8)
).astype(np.int64)


def face_descriptor(image: ImageStatistics) -> Integers:
    """Return mean brightness and gradient of the cells, in 1/256, less the picture's: [512].

    Subtracting the picture's mean makes the descriptor independent of its overall brightness.
    """
    means = np.empty((2, GRID, GRID), np.int64)
    for half, sums in zip(means, (image.brightness, image.gradient), strict=True):
        np.floor_divide(sums << _SCALE_BITS, image.areas, out=half)
        half -= half.sum() // half.size
    return means.reshape(-1)


def face_embedding(descriptors: Integers, images: int) -> NDArray[np.float32]:
    """Return the embedding [512] of the mean of ``images`` pictures from their descriptors' sum.

    It has length 1, or is all 0 without a picture or with empty ones.
    """
    mixed = _walsh_hadamard(_SIGNS * (descriptors // max(images, 1)))
    # Each descriptor is below 2^17, so a mixed one is below 2^26 and their squares' sum below 2^61.
    length = sqrt(int(mixed @ mixed))
    return (mixed / (length or 1.0)).astype(np.float32)


def _walsh_hadamard(values: Integers) -> Integers:
    """Return H times ``values``, H_2 = [[1, 1], [1, -1]]; the length is a power of two."""
    half = 1
    while half < values.size:
        pairs = values.reshape(-1, 2, half)
        values = np.stack((pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]), axis=1)
        half *= 2
    return values.reshape(-1)
