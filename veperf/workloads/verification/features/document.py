"""How good the picture of an identity document is, in units of 2^-20.

Integers, so that the mean over several documents doesn't depend on their order.
"""

from math import isqrt

import numpy as np

from veperf.workloads.verification.features.image import ImageStatistics

ONE = 1 << 20
_GLARE_LEVEL = 250
_HALF_SHARP = 16  # mean gradient, in levels of grey, that counts as one half


def quality(image: ImageStatistics) -> tuple[int, int, int, int]:
    """Sharpness, brightness, contrast and glare, each from 0 to ``ONE``.

    Sharpness is s / (s + 16) with s the sum-modulus-difference a pixel (Jarvis, 1976): the mean of
    |horizontal| + |vertical difference|. Contrast is the standard deviation over its maximum,
    255/2. Glare is the share of pixels that are (nearly) white.
    """
    count = image.pixels
    edges = int(image.gradient.sum())
    levels = np.arange(256)
    total = int(image.histogram @ levels)
    squares = int(image.histogram @ levels**2)
    deviation = isqrt(4 * ONE**2 * (count * squares - total**2))  # 2 n sigma
    return (
        ONE * edges // (edges + _HALF_SHARP * count),
        ONE * total // (255 * count),
        deviation // (255 * count),
        ONE * int(image.histogram[_GLARE_LEVEL:].sum()) // count,
    )
