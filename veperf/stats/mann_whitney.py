"""The Mann-Whitney U test, exact with and without ties, of one or many pairs of samples.

    U = R_x - n_x (n_x + 1) / 2,    R_x the sum of x's midranks among all N = n_x + n_y values

Under the hypothesis that both samples come from one distribution, and given which values tie,
every choice of n_x among the N midranks is equally likely. The exact distribution of R_x counts
those choices by their sum (Klotz, "The Wilcoxon, ties, and the computer", JASA 61, 1966), by the
dynamic programme for subset sums: value after value, it counts the subsets of each size with each
sum. Ranks are doubled first, which makes midranks whole.
"""

import math
from functools import lru_cache

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from veperf.stats.ranks import doubled_midranks, finite_sample, normal_cdf

# The programme's cost in additions, n_x * n_y * min(n_x, n_y) * N, up to which it is exact: 50
# values a side (some 20 ms), or more on one side where the other is small.
_EXACT_LIMIT = 50 * 50 * 50 * 100


class MannWhitneyResult(Struct, frozen=True):
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
    return mann_whitney_rows(a[None, :], b[None, :])[0]


def mann_whitney_rows(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[MannWhitneyResult]:
    """Test each row of ``x``, of shape (m, n_x), against that of ``y``, of shape (m, n_y).

    As ``mann_whitney``, of values that are known to be finite, and there.
    """
    n_x, n_y = x.shape[1], y.shape[1]
    doubled, ordered = doubled_midranks(np.concatenate([x, y], axis=1))
    u = (doubled[:, :n_x].sum(axis=1) / 2 - n_x * (n_x + 1) / 2).tolist()
    exact = has_exact_u(n_x, n_y)
    if not exact:
        tails = [_normal_tails(*row, n_x, n_y) for row in zip(u, ordered, strict=True)]
    elif n_x <= n_y:
        tails = _exact_tails(doubled[:, :n_x], ordered)
    else:
        tails = [(less, greater) for greater, less in _exact_tails(doubled[:, n_x:], ordered)]
    return [
        MannWhitneyResult(u_row, less, greater, exact)
        for u_row, (less, greater) in zip(u, tails, strict=True)
    ]


def has_exact_u(n_x: int, n_y: int) -> bool:
    """Return True where samples of these sizes get the exact distribution."""
    return n_x * n_y * min(n_x, n_y) * (n_x + n_y) <= _EXACT_LIMIT


def smallest_u_p(n_x: int, n_y: int) -> float:
    """Return the smallest one-sided p of samples of these sizes, that of complete separation."""
    return 1 / math.comb(n_x + n_y, n_x)


def u_distribution(n_x: int, n_y: int) -> NDArray[np.float64]:
    """Return P(U = u) for u = 0 ... n_x n_y, without ties, where that is exact."""
    k = min(n_x, n_y)
    counts, bits = _subset_sums(tuple(range(n_x + n_y)), k)
    digit, least = bits // 8, k * (k - 1) // 2
    data = counts.to_bytes(digit * (least + n_x * n_y + 1), "little")[digit * least :]
    subsets = math.comb(n_x + n_y, k)
    return np.array(
        [
            int.from_bytes(data[place : place + digit], "little") / subsets
            for place in range(0, len(data), digit)
        ]
    )


def u_standard_deviation(n_x: int, n_y: int, ties: float = 0.0) -> float:
    """Return the standard deviation of U under the hypothesis.

    With ``ties`` the sum of t^3 - t over groups of t tied values, its square is::

        sigma_U^2 = n_x n_y / 12 (N + 1 - ties / (N (N - 1)))
    """
    total = n_x + n_y
    return math.sqrt(n_x * n_y / 12 * (total + 1 - ties / (total * (total - 1))))


def _exact_tails(
    chosen: NDArray[np.int64], ordered: NDArray[np.int64]
) -> list[tuple[float, float]]:
    """P(sum <= observed) and P(sum >= observed) for the ``chosen`` of each row's doubled ranks.

    ``ordered`` are all of them, ascending. Rows with the same ties share their distribution.
    """
    k, least = chosen.shape[1], ordered[:, :1]
    common = np.maximum(1, np.gcd.reduce(ordered - least, axis=1))
    weights = (ordered - least) // common[:, None]
    sums = (chosen - least).sum(axis=1) // common
    subsets = math.comb(ordered.shape[1], k)
    tails = []
    for row, observed in zip(weights.tolist(), sums.tolist(), strict=True):
        counts, bits = _subset_sums(tuple(row), k)
        # The digits of a number add up to its rest by the base less 1, which no sum here reaches.
        rest = (1 << bits) - 1
        below = (counts & ((1 << bits * (observed + 1)) - 1)) % rest
        above = (counts >> bits * observed) % rest
        tails.append((below / subsets, above / subsets))
    return tails


@lru_cache(maxsize=1024)
def _subset_sums(weights: tuple[int, ...], k: int) -> tuple[int, int]:
    """Return the number of subsets of size ``k`` of ``weights`` with each sum, and its bits.

    The counts, by the sum from 0 on, are the digits of one long integer of so many bits each: to
    add a weight to all sums is to shift it. That is exact, and faster than small arrays.
    """
    values = len(weights)
    bits = 8 * -(-(math.comb(values, k).bit_length() + 1) // 8)
    sizes = [1] + [0] * k
    for index, weight in enumerate(weights):
        # Smaller subsets could not come to k with the values that are left.
        fewest = max(1, k - (values - 1 - index))
        for size in range(min(k, index + 1), fewest - 1, -1):
            sizes[size] += sizes[size - 1] << bits * weight
    return sizes[k], bits


def _normal_tails(u: float, ordered: NDArray[np.int64], n_x: int, n_y: int) -> tuple[float, float]:
    """Return both tails at ``u`` for ranks that are ``ordered``, doubled."""
    sizes = np.unique(ordered, return_counts=True)[1].astype(np.float64)
    sigma = u_standard_deviation(n_x, n_y, float(np.sum(sizes**3 - sizes)))
    if sigma == 0:
        return 1.0, 1.0
    above = u - n_x * n_y / 2
    return normal_cdf((above + 0.5) / sigma), normal_cdf((0.5 - above) / sigma)
