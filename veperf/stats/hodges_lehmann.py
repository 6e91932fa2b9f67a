"""Hodges-Lehmann estimates and medians, with distribution-free intervals.

The Hodges-Lehmann shift is the median of all differences y_j - x_i. Its interval is the set of
shifts d that the two-sided Mann-Whitney test of x + d against y does not reject: with the M = n_x
n_y differences in order D(1) ... D(M),

    [D(k), D(M + 1 - k)],    coverage 1 - 2 P(U <= k - 1)

The median's interval is the sign test's: with the n values in order,

    [x(k), x(n + 1 - k)],    coverage 1 - 2 P(B <= k - 1),    B binomial (n, 1/2)

The pseudomedian of differences d is the median of the Walsh averages (d_i + d_j) / 2, i <= j. With
the M = n (n + 1) / 2 averages in order W(1) ... W(M), its interval is that of the signed-rank test:

    [W(k), W(M + 1 - k)],    coverage 1 - 2 P(T+ <= k - 1)

(Hollander, Wolfe, Chicken, Nonparametric Statistical Methods, 3rd ed., sections 4.2, 4.3, 3.6, 3.2,
3.3.) Each takes the largest k whose coverage reaches the confidence asked for. Where none does, the
interval is the widest there is, k = 1, and states its true coverage. With ties the coverage is at
least that.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.core.errors import UsageError
from veperf.stats.mann_whitney import has_exact_u, u_distribution, u_standard_deviation
from veperf.stats.ranks import finite_sample
from veperf.stats.wilcoxon import (
    has_exact_signed_rank,
    signed_rank_deviation,
    signed_rank_distribution,
)

_MOST_DIFFERENCES = 1 << 22
_MOST_AT_ONCE = 1 << 17
_BISECTIONS = 100
_MOST_EXACT_TERMS = 1000
_REQUIREMENT = "an estimate needs finite values on every side"


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate and its interval, in the unit of the data."""

    value: float
    low: float
    high: float
    confidence: float
    """Coverage that the interval really has, as opposed to the one asked for."""


def hodges_lehmann_shift(x: ArrayLike, y: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Return the Hodges-Lehmann shift from ``x`` to ``y``, each of shape (n,), with its interval.

    Memory is bounded: where all n_x n_y differences are too many, the order statistics are found
    by bisection, to the last bit or two.

    Raises:
        UsageError: a sample is empty or has a value that is not finite, or ``confidence`` is not
            between 0 and 1.
    """
    a, b = finite_sample(x, _REQUIREMENT), finite_sample(y, _REQUIREMENT)
    return _shifts(a[None, :], b[None, :], confidence)[0]


def _shifts(x: NDArray[np.float64], y: NDArray[np.float64], confidence: float) -> list[Estimate]:
    """Return the shift from each row of ``x`` to that of ``y``."""
    rows, size = x.shape[0], x.shape[1] * y.shape[1]
    k, attained = _shift_rank(x.shape[1], y.shape[1], _error_rate(confidence))
    ranks = ((size - 1) // 2, size // 2, k - 1, size - k)
    estimates = []
    step = max(1, _MOST_AT_ONCE // size)
    for start in range(0, rows, step):
        a, b = x[start : start + step], y[start : start + step]
        if size > _MOST_DIFFERENCES:
            a, b = np.sort(a[0]), np.sort(b[0])
            ends = np.array([[_difference(a, b, rank + 1) for rank in ranks]])
        else:
            differences = (b[:, :, None] - a[:, None, :]).reshape(-1, size)
            ends = np.sort(differences, axis=1)[:, ranks]
        for lower, upper, low, high in ends.tolist():
            estimates.append(Estimate((lower + upper) / 2, low, high, attained))
    return estimates


def hodges_lehmann_ratio(x: ArrayLike, y: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Return the ratio of ``y`` to ``x``, exp of the Hodges-Lehmann shift of their logarithms.

    Raises:
        UsageError: as ``hodges_lehmann_shift``, or a value is not positive.
    """
    a, b = finite_sample(x, _REQUIREMENT), finite_sample(y, _REQUIREMENT)
    if min(a.min(), b.min()) <= 0:
        raise UsageError("a ratio needs values above zero on both sides")
    return hodges_lehmann_ratios(a[None, :], b[None, :], confidence=confidence)[0]


def hodges_lehmann_ratios(
    x: NDArray[np.float64], y: NDArray[np.float64], *, confidence: float
) -> list[Estimate]:
    """Return the ratio of each row of ``y``, of shape (m, n_y), to that of ``x``, (m, n_x).

    As ``hodges_lehmann_ratio``, of values that are finite, positive, and there on both sides.
    """
    shifts = _shifts(np.log(x), np.log(y), confidence)
    return [
        Estimate(from_log(e.value), from_log(e.low), from_log(e.high), e.confidence) for e in shifts
    ]


def from_log(x: float) -> float:
    """Return exp(``x``), infinite where that overflows."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def estimate_median(x: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Return the median of ``x``, of shape (n,), with the sign test's interval.

    Raises:
        UsageError: as ``hodges_lehmann_shift``.
    """
    ordered = np.sort(finite_sample(x, _REQUIREMENT))
    k, attained = _rank(_binomial(ordered.size), _error_rate(confidence))
    return Estimate(float(np.median(ordered)), float(ordered[k - 1]), float(ordered[-k]), attained)


def _difference(a: NDArray[np.float64], b: NDArray[np.float64], k: int) -> float:
    """Return D(k), the ``k``-th smallest of all b_j - a_i, of sorted samples."""
    low, high = float(b[0] - a[-1]), float(b[-1] - a[0])
    for _ in range(_BISECTIONS):
        middle = low + (high - low) / 2
        if not low < middle < high:
            break
        if int(np.searchsorted(b, a + middle, side="right").sum()) >= k:
            high = middle
        else:
            low = middle
    return high


def _error_rate(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise UsageError(f"a confidence lies between 0 and 1, not {confidence}")
    return 1 - confidence


def _rank(probabilities: NDArray[np.float64], error_rate: float) -> tuple[int, float]:
    """Return the largest k with 2 P(S <= k - 1) <= error_rate, at least 1, and its coverage."""
    errors = 2 * np.cumsum(probabilities)
    k = max(1, int(np.searchsorted(errors, error_rate * (1 + 1e-12), side="right")))
    return k, max(0.0, 1 - float(errors[k - 1]))


def _normal_rank(mean: float, sigma: float, error_rate: float) -> tuple[int, float]:
    """Return the same by the normal approximation of S."""
    k = max(1, math.floor(mean + 0.5 + NormalDist().inv_cdf(error_rate / 2) * sigma))
    return k, 1 - 2 * NormalDist(mean, sigma).cdf(k - 0.5)


@lru_cache(maxsize=64)
def _shift_rank(n_x: int, n_y: int, error_rate: float) -> tuple[int, float]:
    if has_exact_u(n_x, n_y):
        return _rank(u_distribution(n_x, n_y), error_rate)
    return _normal_rank(n_x * n_y / 2, u_standard_deviation(n_x, n_y), error_rate)


def _binomial(n: int) -> NDArray[np.float64]:
    """Return P(B = b) for b = 0 ... n, by logarithms where the coefficients would overflow."""
    if n > _MOST_EXACT_TERMS:
        factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
        logs = factorials[n] - factorials - factorials[::-1] - n * math.log(2)
        probabilities: NDArray[np.float64] = np.exp(logs)
        return probabilities
    return np.array([math.comb(n, b) / 2**n for b in range(n + 1)])


def pseudomedian(differences: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Return the Hodges-Lehmann estimate of ``differences``, of shape (n,), with its interval.

    Takes memory for n^2 / 2 averages.

    Raises:
        UsageError: there is no difference, one is not finite, or ``confidence`` is not between
            0 and 1.
    """
    d = finite_sample(differences, "an estimate needs finite differences")
    k, attained = _signed_rank(d.size, _error_rate(confidence))
    first, second = np.triu_indices(d.size)
    averages = np.sort(d[first] / 2 + d[second] / 2)
    return Estimate(
        float(np.median(averages)), float(averages[k - 1]), float(averages[-k]), attained
    )


def _signed_rank(n: int, error_rate: float) -> tuple[int, float]:
    if has_exact_signed_rank(n):
        return _rank(signed_rank_distribution(n), error_rate)
    return _normal_rank(n * (n + 1) / 4, signed_rank_deviation(n), error_rate)
