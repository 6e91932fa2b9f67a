"""The Mann-Whitney U test, exact with and without ties.

    U = R_x - n_x (n_x + 1) / 2,    R_x the sum of x's midranks among all N = n_x + n_y values

Under the hypothesis that both samples come from one distribution, and given which values tie,
every choice of n_x among the N midranks is equally likely. The exact distribution of R_x counts
those choices by their sum (Klotz, "The Wilcoxon, ties, and the computer", JASA 61, 1966), by the
dynamic programme for subset sums: value after value, it counts the subsets of each size with each
sum. Ranks are doubled first, which makes midranks whole.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.stats.ranks import doubled_midranks, finite_sample, normal_cdf

# The programme's cost in additions, n_x * n_y * min(n_x, n_y) * N, up to which it is exact: 50
# values a side (some 20 ms), or more on one side where the other is small.
_EXACT_LIMIT = 50 * 50 * 50 * 100


@dataclass(frozen=True, slots=True)
class MannWhitneyResult:
    """Result of the test; the p-values include the observed arrangement."""

    u: float
    """U of the first sample: pairs in which it is the greater, ties counting half."""
    p_less: float
    """p of "the first sample is no less", against "its values tend to be less"."""
    p_greater: float
    """p of "the first sample is no greater", against "its values tend to be greater"."""
    exact: bool

    @property
    def p_two_sided(self) -> float:
        """Twice the smaller one-sided p, at most 1."""
        return min(1.0, 2 * min(self.p_less, self.p_greater))


def mann_whitney(x: ArrayLike, y: ArrayLike) -> MannWhitneyResult:
    """Test ``x`` against ``y``, both of shape (n,), finite and not empty.

    Exact up to 50 values a side (further where one side is small), beyond that by the normal
    approximation with corrections for ties and continuity.

    Raises:
        UsageError: a sample is empty or holds something that is not finite.
    """
    requirement = "the Mann-Whitney test needs finite values on both sides"
    a, b = finite_sample(x, requirement), finite_sample(y, requirement)
    doubled, ties = doubled_midranks(np.concatenate([a, b]))
    n_x, n_y = a.size, b.size
    u = float(doubled[:n_x].sum()) / 2 - n_x * (n_x + 1) / 2
    exact = has_exact_u(n_x, n_y)
    if not exact:
        less, greater = _normal_tails(u, n_x, n_y, ties)
    elif n_x <= n_y:
        less, greater = _exact_tails(doubled, n_x)
    else:
        greater, less = _exact_tails(np.roll(doubled, n_y), n_y)
    return MannWhitneyResult(u, less, greater, exact)


def has_exact_u(n_x: int, n_y: int) -> bool:
    """Return True where samples of these sizes get the exact distribution."""
    return n_x * n_y * min(n_x, n_y) * (n_x + n_y) <= _EXACT_LIMIT


def smallest_u_p(n_x: int, n_y: int) -> float:
    """Return the smallest one-sided p of samples of these sizes, that of complete separation."""
    return 1 / math.comb(n_x + n_y, n_x)


def u_distribution(n_x: int, n_y: int) -> NDArray[np.float64]:
    """Return P(U = u) for u = 0 ... n_x n_y, without ties, where that is exact."""
    return _subset_sums(tuple(range(n_x + n_y)), min(n_x, n_y))


def u_standard_deviation(n_x: int, n_y: int, ties: float = 0.0) -> float:
    """Return the standard deviation of U under the hypothesis.

    With ``ties`` the sum of t^3 - t over groups of t tied values, its square is::

        sigma_U^2 = n_x n_y / 12 (N + 1 - ties / (N (N - 1)))
    """
    total = n_x + n_y
    return math.sqrt(n_x * n_y / 12 * (total + 1 - ties / (total * (total - 1))))


def _exact_tails(doubled: NDArray[np.int64], k: int) -> tuple[float, float]:
    """P(sum <= observed) and P(sum >= observed) for the first ``k`` of all doubled ranks."""
    shifted = doubled - doubled.min()
    weights = shifted // max(1, int(np.gcd.reduce(shifted)))
    ordered = np.sort(weights)
    chances = _subset_sums(tuple(ordered.tolist()), k)
    observed = int(weights[:k].sum() - ordered[:k].sum())
    below, above = chances[: observed + 1].sum(), chances[observed:].sum()
    return min(1.0, float(below)), min(1.0, float(above))


@lru_cache(maxsize=64)  # without ties the ranks are always the same
def _subset_sums(weights: tuple[int, ...], k: int) -> NDArray[np.float64]:
    """Return the probability of each sum of ``k`` of the ascending ``weights``, smallest first.

    Counts pass 2**53, but they are sums of positive terms: relative errors stay near 1e-14.
    """
    width = sum(weights[-k:]) + 1
    counts = np.zeros((k + 1, width))
    counts[0, 0] = 1
    for weight in weights:
        counts[1:, weight:] += counts[:-1, : width - weight]
    chances: NDArray[np.float64] = counts[k, sum(weights[:k]) :] / math.comb(len(weights), k)
    chances.setflags(write=False)
    return chances


def _normal_tails(u: float, n_x: int, n_y: int, ties: float) -> tuple[float, float]:
    sigma = u_standard_deviation(n_x, n_y, ties)
    if sigma == 0:
        return 1.0, 1.0
    above = u - n_x * n_y / 2
    return normal_cdf((above + 0.5) / sigma), normal_cdf((0.5 - above) / sigma)
