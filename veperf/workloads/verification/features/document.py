"""Quality of the picture of an identity document, and of its lines of text.

Quality is in integer units of 2^-20, so that the mean over several documents doesn't depend on
their order.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from math import isqrt

import numpy as np

from veperf.workloads.verification.features.image import ImageStatistics
from veperf.workloads.verification.scope import TextField

UNIT = 1 << 20
_GLARE_LEVEL = 250
_HALF_SHARP = 16  # mean gradient, in levels of grey, of sharpness 1/2


def document_quality(image: ImageStatistics) -> tuple[int, int, int, int]:
    """Return sharpness, brightness, contrast and glare, each from 0 to ``ONE``.

    Sharpness is s / (s + 16) with s the sum-modulus-difference a pixel (Jarvis, 1976): the mean of
    |horizontal| + |vertical difference|. Contrast is the standard deviation over its maximum,
    255/2. Glare is the share of pixels that are (nearly) white.
    """
    count = image.pixels
    edges = int(image.gradient.sum())
    levels = np.arange(256)
    total = int(image.histogram @ levels)
    squares = int(image.histogram @ levels**2)
    deviation = isqrt(4 * UNIT**2 * (count * squares - total**2))  # 2 n sigma
    return (
        UNIT * edges // (edges + _HALF_SHARP * count),
        UNIT * total // (255 * count),
        deviation // (255 * count),
        UNIT * int(image.histogram[_GLARE_LEVEL:].sum()) // count,
    )


# Letters are ASCII only: Unicode's classes differ between Python versions, and the features must
# not.
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NAME = re.compile(r"[^0-9\x00-\x1f]{2,}")
_NUMBER = re.compile(r"[A-Z0-9]{5,20}")
_COUNTRY = re.compile(r"[A-Z]{3}")


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


LINE_TESTS: Mapping[str, Callable[[str], object]] = {
    "name": _NAME.fullmatch,
    "date_of_birth": _is_date,
    "document_number": _NUMBER.fullmatch,
    "expiry_date": _is_date,
    "nationality": _COUNTRY.fullmatch,
}
"""The lines that a document should have, each with the test of its text: ISO 8601 dates, ISO 3166
alpha-3 for the country as in ICAO 9303."""


def read_document_lines(fields: Iterable[TextField]) -> list[tuple[int, int]]:
    """Return confidence in 1/10,000 and validity (0 or 1) of each line; 0, 0 if it is missing.

    The order is that of ``LINE_TESTS``. Of a line that was read more than once, the best confidence
    and the best validity count.
    """
    lines = dict.fromkeys(LINE_TESTS, (0, 0))
    for field in fields:
        if field.text and field.name in lines:
            confidence, valid = lines[field.name]
            is_valid = bool(LINE_TESTS[field.name](field.text))
            lines[field.name] = (max(confidence, field.confidence), max(valid, is_valid))
    return list(lines.values())
