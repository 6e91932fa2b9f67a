"""The size of a shift that paired differences show, with an exact interval.

The Hodges-Lehmann estimate (pseudomedian) is the median of the M = n (n + 1) / 2 Walsh averages
(d_i + d_j) / 2, i <= j. Its interval is the set of shifts that the two-sided signed-rank test of
d - shift does not reject: with the averages in order W(1) ... W(M),

    [W(k), W(M + 1 - k)],    coverage 1 - 2 P(T+ <= k - 1)

(Hollander, Wolfe, Chicken, Nonparametric Statistical Methods, 3rd ed., sections 3.2 and 3.3), with
the largest k whose coverage reaches what was asked for. Where none does, the interval is the
widest there is, k = 1, and says its true coverage. With ties the coverage is at least that.
"""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from veperf.errors import UsageError
from veperf.judge.shift import Estimate
from veperf.judge.wilcoxon import is_exact, standard_deviation, t_distribution


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
    k, attained = _rank(d.size, 1 - confidence)
    return Estimate(
        float(np.median(averages)), float(averages[k - 1]), float(averages[-k]), attained
    )


def _rank(n: int, miss: float) -> tuple[int, float]:
    """The largest k with 2 P(T+ <= k - 1) <= miss, at least 1; and its coverage."""
    if is_exact(n):
        missed = 2 * np.cumsum(t_distribution(n))
        k = max(1, int(np.searchsorted(missed, miss * (1 + 1e-12), side="right")))
        return k, max(0.0, 1 - float(missed[k - 1]))
    middle, sigma = n * (n + 1) / 4, standard_deviation(n)
    k = math.floor(middle + 0.5 + NormalDist().inv_cdf(miss / 2) * sigma)
    return max(1, k), 1 - 2 * NormalDist(middle, sigma).cdf(max(1, k) - 0.5)
