"""The Mann-Whitney U test, exact with and without ties.

    U = R_x - n_x (n_x + 1) / 2,    R_x the sum of x's midranks among all N = n_x + n_y values

Under the hypothesis that both samples come from one distribution, and given which values tie,
every choice of n_x among the N midranks is equally likely. The exact distribution of R_x counts
those choices by their sum (Klotz, "The Wilcoxon, ties, and the computer", JASA 61, 1966), here by
the same dynamic programme as for subset sums: take in one value after the other, and keep how
many subsets of each size have each sum. Ranks are doubled first, which makes midranks whole.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.core.errors import UsageError

# The programme's cost in additions, n_x * n_y * min(n_x, n_y) * N, up to which it is exact: 50
# values a side (some 20 ms), or more on one side where the other is small.
_EXACT_LIMIT = 50 * 50 * 50 * 100


@dataclass(frozen=True, slots=True)
class MannWhitney:
    """What the test found. The p-values include the observed arrangement."""

    u: float
    """U of the first sample: pairs in which it is the greater, ties counting half."""
    p_less: float
    """Of "no less", against: values of the first sample tend to be less."""
    p_greater: float
    """Of "no greater", against: values of the first sample tend to be greater."""
    exact: bool

    @property
    def p_two_sided(self) -> float:
        """Twice the smaller of the two, at most 1."""
        return min(1.0, 2 * min(self.p_less, self.p_greater))


def mann_whitney(x: ArrayLike, y: ArrayLike) -> MannWhitney:
    """Test ``x`` against ``y``, both of shape (n,), finite and not empty.

    Exact up to 50 values a side (further where one side is small), beyond that by the normal
    approximation with corrections for ties and continuity.

    Raises:
        UsageError: a sample is empty or holds something that is not finite.
    """
    a, b = _checked(x), _checked(y)
    doubled, ties = _doubled_midranks(np.concatenate([a, b]))
    n_x, n_y = a.size, b.size
    u = float(doubled[:n_x].sum()) / 2 - n_x * (n_x + 1) / 2
    exact = has_exact_u(n_x, n_y)
    if not exact:
        less, greater = _normal_tails(u, n_x, n_y, ties)
    elif n_x <= n_y:
        less, greater = _exact_tails(doubled, n_x)
    else:
        greater, less = _exact_tails(np.roll(doubled, n_y), n_y)
    return MannWhitney(u, less, greater, exact)


def has_exact_u(n_x: int, n_y: int) -> bool:
    """Whether samples of these sizes get the exact distribution."""
    return n_x * n_y * min(n_x, n_y) * (n_x + n_y) <= _EXACT_LIMIT


def smallest_u_p_value(n_x: int, n_y: int) -> float:
    """The smallest one-sided p that samples of these sizes can reach: complete separation."""
    return 1 / math.comb(n_x + n_y, n_x)


def u_distribution(n_x: int, n_y: int) -> NDArray[np.float64]:
    """P(U = u) without ties for u = 0 ... n_x * n_y, where ``is_exact``."""
    return _subset_sums(tuple(range(n_x + n_y)), min(n_x, n_y))


def u_standard_deviation(n_x: int, n_y: int, ties: float = 0.0) -> float:
    """Of U under the hypothesis; ``ties`` is the sum of t³ - t over groups of t tied values."""
    total = n_x + n_y
    return math.sqrt(n_x * n_y / 12 * (total + 1 - ties / (total * (total - 1))))


def _checked(values: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(values, dtype=np.float64).ravel()
    if array.size == 0 or not np.all(np.isfinite(array)):
        raise UsageError("the Mann-Whitney test needs finite values on both sides")
    return array


def _doubled_midranks(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], float]:
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(sizes)
    doubled = (2 * last - sizes + 1)[group].astype(np.int64)
    return doubled, float(np.sum(sizes.astype(np.float64) ** 3 - sizes))


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
    """Chance of each sum of ``k`` of the ascending ``weights``, from the smallest sum on.

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
    return _normal_cdf((above + 0.5) / sigma), _normal_cdf((0.5 - above) / sigma)


def _normal_cdf(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2
