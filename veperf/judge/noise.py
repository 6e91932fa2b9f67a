"""How noisy a series is, steps and outliers left out of account.

Level shifts hardly show in the differences of neighbours, so that these tell the noise from the
steps: with v_k the mean square of y(t + k) - y(t), a first-order autoregression of variance s² and
autocorrelation r has

    v_1 = 2 s² (1 - r),    v_2 = 2 s² (1 - r²),    so  r = v_2 / v_1 - 1

and the mean of many values then varies (1 + r) / (1 - r) times as much as that of independent
ones (Shumway, Stoffer, Time Series Analysis and Its Applications, 4th ed., section 1.6).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# From median absolute deviation to standard deviation, of normal noise.
_MAD = 1.4826
_WIDTH = 11
_CLIP = 2.5
# Differences count as no more than so many of their standard deviations: beyond are steps.
_STEP = 3.0
# No series of times is more exact than this.
_LEAST = 0.001
_MOST_CORRELATED = 0.99
_STANDARD_ERRORS = 1.25


@dataclass(frozen=True, slots=True)
class Noise:
    """Of logarithms of times."""

    variance: float
    inflation: float
    """How many times more the mean of many values varies than if they were independent."""


def clipped(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """``y``, of shape (n,), with outliers pulled in: 2.5 robust deviations from a running median.

    The median is of 11 neighbours, fewer at the ends.
    """
    middle = _running_median(y)
    reach = _CLIP * max(_LEAST, _MAD * float(np.median(np.abs(y - middle))))
    return np.clip(y, middle - reach, middle + reach)


def noise_of(y: NDArray[np.float64], steps: Sequence[int] = ()) -> Noise:
    """Noise of the clipped series ``y``, of shape (n,), n at least 3.

    Differences across ``steps``, the first places of known new levels, are left out.
    """
    level = np.zeros(y.size, dtype=np.int64)
    level[list(steps)] = 1
    level = np.cumsum(level)
    first, second = _mean_square(y, level, 1), _mean_square(y, level, 2)
    if first <= 2 * _LEAST**2:
        return Noise(_LEAST**2, 1.0)
    # Somewhat less: a short series of independent values must not seem correlated by chance.
    r = min(_MOST_CORRELATED, max(0.0, second / first - 1 - _STANDARD_ERRORS / math.sqrt(y.size)))
    return Noise(first / (2 * (1 - r)), (1 + r) / (1 - r))


def _running_median(y: NDArray[np.float64]) -> NDArray[np.float64]:
    half = _WIDTH // 2
    padded = np.concatenate([np.full(half, np.nan), y, np.full(half, np.nan)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, _WIDTH)
    found: NDArray[np.float64] = np.median(windows, axis=1)
    for i in {*range(min(half, y.size)), *range(max(0, y.size - half), y.size)}:
        found[i] = np.median(y[max(0, i - half) : i + half + 1])
    return found


def _mean_square(y: NDArray[np.float64], level: NDArray[np.int64], lag: int) -> float:
    differences = (y[lag:] - y[:-lag])[level[lag:] == level[:-lag]]
    reach = _STEP * _MAD * float(np.median(np.abs(differences)))
    return float(np.mean(np.clip(differences, -reach, reach) ** 2))
