"""Student's t distribution and its quantiles, of arrays.

    P(T <= t) = I_x(f / 2, 1 / 2) / 2,    x = f / (f + t^2),    t <= 0

with the regularised incomplete beta function by its continued fraction (DLMF 8.17.22), evaluated
as Thompson and Barnett do (J. Comp. Phys. 64, 1986), where I_x(a, b) = 1 - I_{1-x}(b, a) where that
converges faster. From 10^5 degrees of freedom on, infinity included, the normal distribution stands
in at

    z = t (1 - 1 / 4f) / sqrt(1 + t^2 / 2f)

whose error is of the order of 1 / f^2 (Abramowitz and Stegun 26.7.8). scipy has the same, and takes
longer to be imported, and more memory, than the tests of ten thousand benchmarks.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from veperf.stats.ranks import normal_cdf

_MOST_FREEDOM = 1e5
_ASYMPTOTIC = 200.0
_MOST_TERMS = 2_000
_TINY = 1e-300
_FARTHEST = 1e150
_MOST_STEPS = 200
_PRECISION = 4e-16
_SQUARED_AWAY = 1e-8
"""Last step of Newton's method, of which only the square is left as an error."""

Floats = NDArray[np.float64]


def t_cdf(t: Floats, freedom: Floats) -> Floats:
    """Return P(T <= ``t``) with ``freedom`` degrees of freedom, both of shape (m,)."""
    probabilities = np.empty_like(t)
    is_normal = freedom > _MOST_FREEDOM
    if is_normal.any():
        f, tn = freedom[is_normal], t[is_normal]
        z = tn * (1 - 1 / (4 * f)) / np.sqrt(1 + tn * tn / (2 * f))
        probabilities[is_normal] = [normal_cdf(value) for value in z.tolist()]
    if not is_normal.all():
        tails = _lower_tails(np.minimum(np.abs(t[~is_normal]), _FARTHEST), freedom[~is_normal])
        probabilities[~is_normal] = np.where(t[~is_normal] > 0, 1 - tails, tails)
    return probabilities


def t_quantile(p: float, freedom: Floats) -> Floats:
    """Return t with P(T <= t) = ``p``, from 1/2 to 1, for each of ``freedom``, of shape (m,).

    By Newton's method from the expansion of Cornish and Fisher (Abramowitz and Stegun 26.7.5),
    between bounds that close in on the quantile.
    """
    z, f = NormalDist().inv_cdf(p), freedom
    t = z + (z**3 + z) / (4 * f) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * f * f)
    low, high = np.zeros_like(f), np.full_like(f, np.inf)
    for _ in range(_MOST_STEPS):
        excess = t_cdf(t, f) - p
        low, high = np.where(excess < 0, t, low), np.where(excess < 0, high, t)
        step = t - excess / _density(t, f)
        middle = np.where(np.isinf(high), 2 * t, (low + high) / 2)
        following = np.where((step >= low) & (step <= high), step, middle)
        moved = np.abs(following - t)
        t = following
        if (moved <= _SQUARED_AWAY * t).all():
            break
    return t


def _lower_tails(t: Floats, f: Floats) -> Floats:
    """Return P(T <= -t) of positive ``t``."""
    squares = t * t
    x, y = f / (f + squares), squares / (f + squares)
    a, b = f / 2, np.full_like(f, 0.5)
    is_swapped = x > (a + 1) / (a + b + 2)
    with np.errstate(divide="ignore", under="ignore"):
        product = np.exp(np.log(y) / 2 - a * np.log1p(squares / f) - _log_beta(a))
    first, second = np.where(is_swapped, b, a), np.where(is_swapped, a, b)
    fraction = _continued_fraction(first, second, np.where(is_swapped, y, x))
    beta = product / first * fraction
    return np.where(is_swapped, 1 - beta, beta) / 2


def _continued_fraction(a: Floats, b: Floats, x: Floats) -> Floats:
    c = np.ones_like(x)
    d = 1 / _not_zero(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, _MOST_TERMS):
        term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        c, d = _not_zero(1 + term / c), 1 / _not_zero(1 + term * d)
        fraction = fraction * (c * d)
        term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        c, d = _not_zero(1 + term / c), 1 / _not_zero(1 + term * d)
        change = c * d
        fraction = fraction * change
        if (np.abs(change - 1) < _PRECISION).all():
            break
    return fraction


def _not_zero(values: Floats) -> Floats:
    return np.where(np.abs(values) < _TINY, _TINY, values)


def _density(t: Floats, f: Floats) -> Floats:
    finite = np.minimum(f, _MOST_FREEDOM)
    log_density = -(finite + 1) / 2 * np.log1p(t * t / finite) - np.log(finite) / 2
    return np.exp(log_density - _log_beta(finite / 2))


def _log_beta(a: Floats) -> Floats:
    """Return ln B(a, 1/2), by Stirling's series where a is large."""
    ratio = np.log(a) / 2 - 1 / (8 * a) + 1 / (192 * a**3)
    is_small = a < _ASYMPTOTIC
    ratio[is_small] = [math.lgamma(v + 0.5) - math.lgamma(v) for v in a[is_small].tolist()]
    return math.log(math.pi) / 2 - ratio
