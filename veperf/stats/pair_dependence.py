"""Dependence of pairs: on the pairs before them, and between the benchmarks of a comparison.

The signed-rank test takes pairs for independent. Where a disturbance lasts longer than a pair, they
are not, and its statistic varies more than the test believes. That is asymptotically the sum of the
scores 2 F(d_i) - 1, so that for scores with the autocorrelations r^k of an AR(1) process the
variance is larger by the factor (Bartlett, JRSS Suppl. 8, 1946)

    v(n, r) = 1 + 2 sum over k < n of (1 - k / n) r^k,   which is (1 + r) / (1 - r) for large n

and n pairs are worth n / v independent ones. A p-value is widened to Phi(Phi^-1(p) / sqrt(v)), and
stays the exact one where r is 0.

One benchmark has too few pairs to estimate r, but all of a comparison share the machine: the
estimate pools the lag-1 rank autocorrelations of their log ratios. Ranks are centred in each
series, which biases short series by about -1 / n; the r is taken whose AR(1) process would give the
pooled value. Chance alone gives values of either sign. With its mean and variance under exchange of
the pairs (Wald, Wolfowitz, Ann. Math. Statist. 14, 1943), r is 0 up to one standard error above
that mean, and beyond it is estimated at its upper end, by one standard error more: simulated, that
keeps the error rates where the estimate alone would not, see benchmarks/paired_power.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from veperf.stats.ranks import doubled_midranks, normal_cdf

# Fewer pairs in all say nothing about their dependence.
_MIN_PAIRS = 30
_MIN_LENGTH = 4

_GRID = np.linspace(0, 0.9, 91)

Floats = NDArray[np.float64]


def pooled_autocorrelation(series: Sequence[Floats]) -> float:
    """Return the lag-1 autocorrelation to reckon with of log ratios, from 0 to 0.9.

    ``series`` has one array for each benchmark, of shape (n,), in order of time; n may differ. It
    is 0 where fewer than 30 pairs are there in all.
    """
    lags = [lag for x in series if x.size >= _MIN_LENGTH and (lag := _lag_one(x.tobytes()))]
    total = sum(lag.pairs for lag in lags)
    if total < _MIN_PAIRS:
        return 0.0
    pooled = sum(lag.pairs * lag.autocorrelation for lag in lags) / total
    deviation = math.sqrt(sum(lag.pairs**2 * lag.exchange_variance for lag in lags)) / total
    by_chance = -len(lags) / total  # the mean of -1 / n
    if pooled <= by_chance + deviation:
        return 0.0
    lengths = Counter(lag.pairs for lag in lags)
    return _solve(pooled + deviation, {n: n * count / total for n, count in lengths.items()})


@lru_cache(maxsize=1024)
def variance_inflation(n: int, autocorrelation: float) -> float:
    """Return v(n, r), the factor on the variance of a mean of ``n`` AR(1) values; 1 at r = 0."""
    lags = np.arange(1, n)
    return 1 + 2 * float(np.sum((1 - lags / n) * autocorrelation**lags))


def widen_p(p: float, inflation: float) -> float:
    """Return the one-sided ``p`` of a statistic whose variance is larger by ``inflation``."""
    if inflation == 1 or not 0 < p < 1:
        return p
    return normal_cdf(NormalDist().inv_cdf(p) / math.sqrt(inflation))


def narrow_level(level: float, inflation: float) -> float:
    """Return the level for unwidened p-values that ``level`` is for widened ones."""
    return widen_p(level, 1 / inflation)


class CommonMode(NamedTuple):
    """Correlation of the benchmarks within pairs; NaN where there is none to tell."""

    correlation: float
    """Mean rank correlation between two of them."""
    by_chance: float
    """Its standard deviation if they were independent."""


def common_mode(series: Sequence[Floats]) -> CommonMode:
    """Return the correlation between benchmarks of the log ratios of the same pairs.

    ``series`` has one array for each benchmark, of shape (n,), in order of time, of which the pairs
    that all have count; at least 2 benchmarks and 4 pairs.
    """
    pairs = min((x.size for x in series), default=0)
    scores = [_rank_scores(x[:pairs]) for x in series] if pairs >= _MIN_LENGTH else []
    scores = [x for x in scores if x.any()]
    if len(scores) < 2:
        return CommonMode(math.nan, math.nan)
    # The variance of the sum has all the pairwise correlations in it.
    total, ordered = np.sum(scores, axis=0), len(scores) * (len(scores) - 1)
    correlation = (float(total @ total) - len(scores)) / ordered
    return CommonMode(correlation, math.sqrt(2 / (ordered * (pairs - 1))))


def _rank_scores(values: Floats) -> Floats:
    """Return centred midranks with a sum of squares of 1; zeros where all values are the same."""
    ranks = doubled_midranks(values)[0].astype(np.float64)
    centred = ranks - ranks.mean()
    norm = float(np.linalg.norm(centred))
    scores: Floats = centred / norm if norm > 0 else centred
    return scores


class _LagOne(NamedTuple):
    """Lag-1 rank autocorrelation of one series, and its variance if the order were random."""

    pairs: int
    autocorrelation: float
    exchange_variance: float


@lru_cache(maxsize=1024)  # from one look to the next, few series of a comparison have grown
def _lag_one(values: bytes) -> _LagOne | None:
    """Return that of float64 ``values``; None where they are all the same."""
    scores = _rank_scores(np.frombuffer(values))
    if not scores.any():
        return None
    n, fourth = scores.size, float(np.sum(scores**4))
    variance = (1 - fourth) / n + (1 - 2 * fourth) / (n * (n - 1)) - 1 / n**2
    return _LagOne(n, float(scores[1:] @ scores[:-1]), variance)


def _solve(pooled: float, weights: Mapping[int, float]) -> float:
    """Return the r at which series, weighted by their lengths, have this value."""
    expected = sum(weight * _expected(n) for n, weight in weights.items())
    return float(np.interp(pooled, expected, _GRID))


@lru_cache(maxsize=256)
def _expected(n: int) -> Floats:
    """Return the lag-1 autocorrelation of ``n`` AR(1) values about their own mean, for the grid.

    A ratio of expectations; -1 / n at r = 0.
    """
    powers = _GRID[:, None] ** np.arange(n)
    inflation = 2 * powers @ (1 - np.arange(n) / n) - 1
    expected: Floats = (n - 1) * _GRID - (n + 1) / n * inflation + 2 / n * powers.sum(axis=1)
    return expected / (n - inflation)
