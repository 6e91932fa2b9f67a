"""The Wilcoxon signed-rank test, exact with and without ties and zeros.

    T+ = sum of R_i over d_i > 0,    R_i the midrank of |d_i| among all |d|

Under the hypothesis that the differences are symmetric about zero, and given their sizes, every
choice of signs is equally likely: T+ is a sum of independent terms, each R_i or 0 with probability
1/2, and its exact distribution is built up term by term (Hollander, Wolfe, Chicken,
Nonparametric Statistical Methods, 3rd ed., section 3.1). Ranks are doubled first, which makes
midranks whole.

Zeros take part in the ranking and then drop out (Pratt, JASA 54, 1959): unlike dropping them
first, this can't make a significant difference insignificant by adding to every value.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.stats.ranks import doubled_midranks, finite_sample, normal_cdf

# So many differences take some 10 ms; beyond them the normal approximation is as good.
_EXACT_LIMIT = 200


@dataclass(frozen=True, slots=True)
class WilcoxonResult:
    """Result of the test; the p-values include the observed arrangement."""

    t_plus: float
    """Sum of the midranks of the positive differences."""
    p_less: float
    """p of "no less than zero", against "the differences tend to be negative"."""
    p_greater: float
    """p of "no greater than zero", against "the differences tend to be positive"."""
    exact: bool

    @property
    def p_two_sided(self) -> float:
        """Twice the smaller one-sided p, at most 1."""
        return min(1.0, 2 * min(self.p_less, self.p_greater))


def wilcoxon(differences: ArrayLike) -> WilcoxonResult:
    """Test ``differences``, of shape (n,), finite and not empty.

    Exact up to 200 differences, beyond that by the normal approximation with corrections for
    ties and continuity.

    Raises:
        UsageError: there is no difference, or one is not finite.
    """
    d = finite_sample(differences, "the Wilcoxon test needs finite differences")
    doubled, _ = doubled_midranks(np.abs(d))
    weights, observed = doubled[d != 0], int(doubled[d > 0].sum())
    exact = has_exact_signed_rank(d.size)
    less, greater = (_exact_tails if exact else _normal_tails)(weights, observed)
    return WilcoxonResult(observed / 2, less, greater, exact)


def has_exact_signed_rank(n: int) -> bool:
    """Return True where ``n`` differences get the exact distribution."""
    return n <= _EXACT_LIMIT


def smallest_signed_rank_p(n: int) -> float:
    """Return the smallest one-sided p of ``n`` differences, that of equal signs throughout."""
    return 0.5**n


def signed_rank_distribution(n: int) -> NDArray[np.float64]:
    """Return P(T+ = t) for t = 0 ... n (n + 1) / 2, without ties, where that is exact."""
    return _sums(tuple(range(1, n + 1)))


def signed_rank_deviation(n: int) -> float:
    """Return the standard deviation of T+ without ties, sqrt(n (n + 1) (2 n + 1) / 24)."""
    return math.sqrt(n * (n + 1) * (2 * n + 1) / 24)


def _exact_tails(weights: NDArray[np.int64], observed: int) -> tuple[float, float]:
    """Return P(sum <= observed) and P(sum >= observed) over all choices of signs."""
    common = max(1, int(np.gcd.reduce(weights)))
    chances = _sums(tuple(np.sort(weights // common).tolist()))
    at = observed // common
    return min(1.0, float(chances[: at + 1].sum())), min(1.0, float(chances[at:].sum()))


@lru_cache(maxsize=256)  # without ties the ranks are always the same
def _sums(weights: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the probability of each sum of a random subset of ``weights``, from 0 on."""
    chances = np.zeros(sum(weights) + 1)
    chances[0] = 1
    for weight in weights:
        chances[weight:] += chances[: chances.size - weight].copy()
        chances /= 2
    chances.setflags(write=False)
    return chances


def _normal_tails(weights: NDArray[np.int64], observed: int) -> tuple[float, float]:
    """Return the same tails from the mean, sum / 2, and the variance, sum of squares / 4."""
    sigma = math.sqrt(float(np.sum(weights.astype(np.float64) ** 2))) / 2
    if sigma == 0:
        return 1.0, 1.0
    above = observed - float(weights.sum()) / 2
    # The continuity correction of half a rank is 1 in doubled ranks.
    return normal_cdf((above + 1) / sigma), normal_cdf((1 - above) / sigma)
