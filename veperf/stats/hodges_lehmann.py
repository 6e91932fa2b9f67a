"""Estimates with intervals that need no assumption about the distribution.

The Hodges-Lehmann shift is the median of all differences y_j - x_i. Its interval is the set of
shifts d that the two-sided Mann-Whitney test of x + d against y does not reject: with the M = n_x
n_y differences in order D(1) ... D(M),

    [D(k), D(M + 1 - k)],    coverage 1 - 2 P(U <= k - 1)

The median's interval is the sign test's: with the n values in order,

    [x(k), x(n + 1 - k)],    coverage 1 - 2 P(B <= k - 1),    B binomial (n, 1/2)

(Hollander, Wolfe, Chicken, Nonparametric Statistical Methods, 3rd ed., sections 4.2, 4.3, 3.6.)
Both take the largest k whose coverage reaches what was asked for. Where none does, the interval is
the widest there is, k = 1, and says its true coverage. With ties the coverage is at least that.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.core.errors import UsageError
from veperf.stats.mann_whitney import has_exact_u, u_distribution, u_standard_deviation
from veperf.stats.wilcoxon import has_exact_t, t_distribution, t_standard_deviation

_MOST_DIFFERENCES = 1 << 22
_BISECTIONS = 100
_MOST_EXACT_TERMS = 1000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its interval, in the unit of what it was made from."""

    value: float
    low: float
    high: float
    confidence: float
    """The coverage that the interval really has: not what was asked for."""


def shift(x: ArrayLike, y: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Hodges-Lehmann shift from ``x`` to ``y``, both of shape (n,), finite and not empty.

    Memory is bounded: where all n_x * n_y differences are too many, those that count are found by
    bisection, to the last bit or two.

    Raises:
        UsageError: a sample is empty or holds something that is not finite, or ``confidence``
            is not between 0 and 1.
    """
    a, b = _checked(x), _checked(y)
    k, attained = _shift_rank(a.size, b.size, _miss(confidence))
    size = a.size * b.size
    if size > _MOST_DIFFERENCES:
        a, b = np.sort(a), np.sort(b)
        middle = (_difference(a, b, (size + 1) // 2) + _difference(a, b, size // 2 + 1)) / 2
        return Estimate(middle, _difference(a, b, k), _difference(a, b, size + 1 - k), attained)
    differences = np.sort((b[:, None] - a[None, :]).ravel())
    return Estimate(
        float(np.median(differences)), float(differences[k - 1]), float(differences[-k]), attained
    )


def ratio(x: ArrayLike, y: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """How many times ``x`` is ``y``: the shift of the logarithms, taken back.

    Raises:
        UsageError: as for ``shift``, or a value is not positive: zero has no logarithm.
    """
    a, b = _checked(x), _checked(y)
    if min(a.min(), b.min()) <= 0:
        raise UsageError("a ratio needs values above zero on both sides")
    logs = shift(np.log(a), np.log(b), confidence=confidence)
    return Estimate(math.exp(logs.value), math.exp(logs.low), math.exp(logs.high), logs.confidence)


def median(x: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Median of ``x``, of shape (n,), finite and not empty.

    Raises:
        UsageError: as for ``shift``.
    """
    ordered = np.sort(_checked(x))
    chances = _binomial(ordered.size)
    k, attained = _rank(chances, _miss(confidence))
    return Estimate(float(np.median(ordered)), float(ordered[k - 1]), float(ordered[-k]), attained)


def _difference(a: NDArray[np.float64], b: NDArray[np.float64], k: int) -> float:
    """The ``k``-th smallest of all b_j - a_i, from 1, of sorted samples."""
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


def _checked(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64).ravel()
    if array.size == 0 or not np.all(np.isfinite(array)):
        raise UsageError("an estimate needs finite values on every side")
    return array


def _miss(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise UsageError(f"a confidence lies between 0 and 1, not {confidence}")
    return 1 - confidence


def _rank(chances: NDArray[np.float64], miss: float) -> tuple[int, float]:
    """The largest k with 2 P(S <= k - 1) <= miss, at least 1; and its coverage."""
    missed = 2 * np.cumsum(chances)
    k = max(1, int(np.searchsorted(missed, miss * (1 + 1e-12), side="right")))
    return k, max(0.0, 1 - float(missed[k - 1]))


def _shift_rank(n_x: int, n_y: int, miss: float) -> tuple[int, float]:
    if has_exact_u(n_x, n_y):
        return _rank(u_distribution(n_x, n_y), miss)
    middle, sigma = n_x * n_y / 2, u_standard_deviation(n_x, n_y)
    k = max(1, math.floor(middle + 0.5 + NormalDist().inv_cdf(miss / 2) * sigma))
    return k, 1 - 2 * NormalDist(middle, sigma).cdf(k - 0.5)


def _binomial(n: int) -> NDArray[np.float64]:
    """P(B = b) for b = 0 ... n; by logarithms where the coefficients are beyond all bounds."""
    if n > _MOST_EXACT_TERMS:
        factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
        logs = factorials[n] - factorials - factorials[::-1] - n * math.log(2)
        chances: NDArray[np.float64] = np.exp(logs)
        return chances
    return np.array([math.comb(n, b) / 2**n for b in range(n + 1)])


def pseudomedian(differences: ArrayLike, *, confidence: float = 0.95) -> Estimate:
    """Hodges-Lehmann estimate of ``differences``, of shape (n,), finite and not empty.

    Takes memory for n² / 2 averages.

    Raises:
        UsageError: there is no difference, one is not finite, or ``confidence`` is not between
            0 and 1.
    """
    d = np.asarray(differences, dtype=np.float64).ravel()
    if d.size == 0 or not np.isfinite(d).all():
        raise UsageError("an estimate needs finite differences")
    if not 0 < confidence < 1:
        raise UsageError(f"a confidence lies between 0 and 1, not {confidence}")
    first, second = np.triu_indices(d.size)
    averages = np.sort(d[first] / 2 + d[second] / 2)
    k, attained = _signed_rank(d.size, 1 - confidence)
    return Estimate(
        float(np.median(averages)), float(averages[k - 1]), float(averages[-k]), attained
    )


def _signed_rank(n: int, miss: float) -> tuple[int, float]:
    """The largest k with 2 P(T+ <= k - 1) <= miss, at least 1; and its coverage."""
    if has_exact_t(n):
        missed = 2 * np.cumsum(t_distribution(n))
        k = max(1, int(np.searchsorted(missed, miss * (1 + 1e-12), side="right")))
        return k, max(0.0, 1 - float(missed[k - 1]))
    middle, sigma = n * (n + 1) / 4, t_standard_deviation(n)
    k = math.floor(middle + 0.5 + NormalDist().inv_cdf(miss / 2) * sigma)
    return max(1, k), 1 - 2 * NormalDist(middle, sigma).cdf(max(1, k) - 0.5)
