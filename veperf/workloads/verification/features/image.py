"""Statistics of a grey picture, in one pass, in integers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GRID = 16
"""Cells along either side into which a picture is divided."""
_CHUNK_PIXELS = 8_192  # bounds the memory beside the picture to some 100 KB, however big it is

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ImageStatistics:
    """What is known of a picture; the arrays of cells are [GRID, GRID], rows from the top."""

    histogram: Integers
    """How many pixels have each of the 256 levels of grey."""
    brightness: Integers
    """The sum of the pixels of each cell."""
    gradient: Integers
    """The sum of |difference to the right| + |difference to above| over each cell."""
    areas: Integers
    """How many pixels each cell has."""

    @property
    def pixels(self) -> int:
        """How many pixels there are in all."""
        return int(self.histogram.sum())


def measure(pixels: memoryview, width: int, height: int) -> ImageStatistics | None:
    """The statistics of ``width * height`` bytes of grey; None if a side is shorter than GRID."""
    if min(width, height) < GRID:
        return None
    image = np.frombuffer(pixels, np.uint8).reshape(height, width)
    rows = np.arange(GRID + 1) * height // GRID
    columns = np.arange(GRID + 1) * width // GRID
    histogram = np.zeros(256, np.int64)
    brightness = np.zeros((GRID, GRID), np.int64)
    gradient = np.zeros((GRID, GRID), np.int64)
    step = max(_CHUNK_PIXELS // width, 1)
    for band in range(GRID):
        for start in range(rows[band], rows[band + 1], step):
            stop = min(start + step, int(rows[band + 1]))
            chunk = image[start:stop]
            histogram += np.bincount(chunk.reshape(-1), minlength=256)
            brightness[band] += _by_cell(chunk, columns)
            gradient[band] += _by_cell(_gradient(image, start, stop), columns)
    return ImageStatistics(
        histogram, brightness, gradient, np.outer(np.diff(rows), np.diff(columns))
    )


def _by_cell(values: NDArray[np.uint8] | NDArray[np.int16], columns: Integers) -> Integers:
    """Sum ``values`` [rows, width] over the rows and between the bounds ``columns``."""
    sums = np.add.reduce(values, axis=0, dtype=np.int64)
    return np.add.reduceat(sums, columns[:-1])


def _gradient(image: NDArray[np.uint8], start: int, stop: int) -> NDArray[np.int16]:
    """|difference to the right| + |difference to above| of some rows; 0 beyond the edges."""
    rows = image[max(start - 1, 0) : stop].astype(np.int16)
    if start == 0:
        rows = np.concatenate((rows[:1], rows))
    gradient = np.abs(np.diff(rows, axis=0))
    gradient[:, :-1] += np.abs(np.diff(rows[1:], axis=1))
    return gradient
