"""What pairs of measurements look like on a busy machine."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Noise = Callable[[np.random.Generator, int], Floats]


def normal(chance: np.random.Generator, n: int) -> Floats:
    """Log ratios of n pairs with a spread of 3 %."""
    return chance.normal(0, 0.03, n)


def with_outliers(chance: np.random.Generator, n: int) -> Floats:
    """2 %, and one pair in ten disturbed by some 20 % on either side."""
    disturbed = (chance.random(n) < 0.1) * chance.exponential(0.2, n)
    actual: Floats = chance.normal(0, 0.02, n) + disturbed * chance.choice([-1, 1], n)
    return actual


def two_modes(chance: np.random.Generator, n: int) -> Floats:
    """Each side is 4 % slower in three processes of ten."""
    slow = chance.random((2, n)) < 0.3
    actual: Floats = chance.normal(0, 0.01, n) + 0.04 * (slow[1].astype(float) - slow[0])
    return actual


def in_bursts(chance: np.random.Generator, n: int) -> Floats:
    """2 %, more or less of it as the machine gets busier and calms down."""
    busy = np.exp(np.cumsum(chance.normal(0, 0.25, n)))
    actual: Floats = chance.normal(0, 0.02, n) * np.minimum(busy / np.median(busy), 6)
    return actual


KINDS: tuple[Noise, ...] = (normal, with_outliers, two_modes, in_bursts)


def sides(log_ratios: Floats, chance: np.random.Generator) -> tuple[Floats, Floats]:
    """Values of both sides with these log ratios, on a level that drifts for both alike."""
    level = 5 + np.cumsum(chance.normal(0, 0.1, log_ratios.size))
    return np.exp(level - log_ratios / 2), np.exp(level + log_ratios / 2)
