"""Between-version noise: its estimate from versions that do the same work, its part in a verdict.

Where a version's objects happen to lie in memory makes it a little faster or slower, the same in
every process. Of two versions i that do the same work, the log ratio of pair j is

    d_ij = u_i + e_ij,    u_i ~ N(0, tau^2),    e_ij ~ N(0, sigma^2)

The pairs average e out and never u: a one-way model of random effects, whose mean is known to be 0.
With y_i the mean of the n_i pairs of comparison i, i = 1 ... k, and s^2 the variance within
comparisons, on nu = sum (n_i - 1) degrees of freedom,

    Q(tau^2) = sum w_i y_i^2,    w_i = 1 / (tau^2 + s^2 / n_i)

falls with tau^2. Where Q takes its mean under the true tau is the estimate of Paule and Mandel
(Consensus values and weighting factors, J. Res. Nat. Bur. Stand. 87, 1982, 377-385); the quantiles
of Q give its interval (Viechtbauer, Confidence intervals for the amount of heterogeneity in
meta-analysis, Statistics in Medicine 26, 2007, 37-52). As s^2 is estimated, Q is distributed as
k F(k, nu) in place of chi^2(k), exactly so where tau is 0 (Wald, A note on the analysis of variance
with unequal class frequencies, Ann. Math. Statist. 11, 1940, 96-100), so that a lower end above 0
is an exact test. Outliers among the pairs, beyond 4 robust standard deviations from the median of
their comparison, are pulled in to that distance, and s^2 is divided by the square of the share of
the others (Tukey, McLaughlin, Less vulnerable confidence and significance procedures for location,
Sankhya A 25, 1963, 331-352). Several kinds of work, with a sigma each, add up their Q; the
distribution of the sum of k F(k, nu) is simulated.

A verdict speaks of the work, whose log ratio delta is measured as delta + u + e. A bound m on delta
that a test at level alpha rejects in favour of "more" is therefore moved by

    z tau,    P(N(0, 1) > z) = alpha

With normal e of standard error se, the estimate must exceed m + z tau + z se, and as tau + se is at
least (tau^2 + se^2)^(1/2), that happens with probability alpha at most. Whatever the distributions,
it takes u > z tau or e > z se: 2 alpha at most. The interval holds the delta that such tests don't
reject, so that its ends move out by z tau.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from veperf.core.errors import UsageError
from veperf.stats.hodges_lehmann import Estimate

Floats = NDArray[np.float64]
Comparisons = Sequence[Floats]
"""Log ratios of each comparison of one kind of work, of shape (n,)."""

_DRAWS = 20_000
_BISECTIONS = 60
_LARGEST = 10.0
"""Standard deviation of log ratios beyond which nothing is looked for."""
_SMALLEST_VARIANCE = 1e-18
_FENCE = 4.0
# From median absolute deviation to standard deviation, of normal noise.
_MAD = 1.4826


@dataclass(frozen=True, slots=True)
class _Kind:
    """Means and squared standard errors of the comparisons of one kind of work."""

    means: Floats
    variances: Floats
    freedom: int
    """Degrees of freedom of the variance within comparisons."""

    def q(self, between: float) -> float:
        """Return Q for a variance ``between`` versions."""
        return float((self.means**2 / (between + self.variances)).sum())


def estimate_version_noise(
    kinds: Sequence[Comparisons], *, confidence: float = 0.95
) -> Estimate | None:
    """Return tau with its interval, from comparisons of versions that do the same work.

    ``kinds`` holds the comparisons of each kind of work; tau is common to all. None where no kind
    has a comparison of two pairs or more. The numbers of pairs must not depend on their values:
    pairs that were added until they decided would make tau too small.

    Raises:
        UsageError: ``confidence`` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise UsageError(f"a confidence lies between 0 and 1, not {confidence}")
    parts = [part for comparisons in kinds if (part := _summarise(comparisons)) is not None]
    if not parts:
        return None
    shapes = tuple((part.means.size, part.freedom) for part in parts)
    upper, lower = _quantiles_q(shapes, confidence)

    def q(between: float) -> float:
        return sum(part.q(between) for part in parts)

    mean = float(sum(_mean_q(part) for part in parts))
    return Estimate(_solve(q, mean), _solve(q, upper), _solve(q, lower), confidence)


def version_allowance(version_noise: float, alpha: float) -> float:
    """Return by how much a bound on a log ratio moves in a test at level ``alpha``."""
    return version_noise * max(0.0, NormalDist().inv_cdf(1 - alpha))


def _summarise(comparisons: Comparisons) -> _Kind | None:
    groups = [group for group in comparisons if group.size]
    freedom = sum(group.size - 1 for group in groups)
    if not freedom:
        return None
    groups, trust = _pull_in_outliers(groups)
    squares = sum(float(((group - group.mean()) ** 2).sum()) for group in groups)
    variance = max(squares / freedom, _SMALLEST_VARIANCE) / trust**2
    sizes = np.array([group.size for group in groups])
    return _Kind(np.array([group.mean() for group in groups]), variance / sizes, freedom)


def _pull_in_outliers(groups: Sequence[Floats]) -> tuple[list[Floats], float]:
    """Return ``groups`` with outliers moved to the fences, and the share of other values."""
    medians = [float(np.median(group)) for group in groups]
    deviations = np.concatenate([g - m for g, m in zip(groups, medians, strict=True)])
    reach = _FENCE * _MAD * float(np.median(np.abs(deviations)))
    if not reach:
        return list(groups), 1.0
    inside = float(np.mean(np.abs(deviations) <= reach))
    pulled = [np.clip(g, m - reach, m + reach) for g, m in zip(groups, medians, strict=True)]
    return pulled, inside


def _mean_q(part: _Kind) -> float:
    """Mean of k F(k, nu), which exists from nu = 3 on."""
    k, freedom = part.means.size, part.freedom
    return k * freedom / (freedom - 2) if freedom > 2 else k


@lru_cache(maxsize=64)
def _quantiles_q(shapes: tuple[tuple[int, int], ...], confidence: float) -> tuple[float, float]:
    """Quantiles, the upper one first, of the sum of k F(k, nu) over ``shapes`` (k, nu)."""
    generator = np.random.default_rng(0)
    total = sum(k * generator.f(k, freedom, _DRAWS) for k, freedom in shapes)
    upper, lower = np.quantile(total, [(1 + confidence) / 2, (1 - confidence) / 2])
    return float(upper), float(lower)


def _solve(q: Callable[[float], float], target: float) -> float:
    """Return the tau at which ``q`` falls to ``target``; 0 where it starts below that."""
    low, high = 0.0, _LARGEST
    if q(low) <= target:
        return 0.0
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if q(middle**2) > target else (low, middle)
    return (low + high) / 2
