"""The exponent of a cost's growth with size, with an interval that goes by the noise of processes.

The power law y = a x^b is a line in logarithms. With m_i the mean of the logarithms of the n_i
process values at size x_i, s_i^2 their variance, and u_i = ln x_i, least squares gives

    b = sum w_i m_i,    w_i = (u_i - mean(u)) / sum (u_j - mean(u))^2

Processes differ by more than chance within one of them (address layout, what else the machine
does), so the values of fresh processes are the only replicates, and each size has a variance of its
own: v_i = w_i^2 s_i^2 / n_i. The interval is b -+ t(f) sqrt(sum v_i) with the degrees of freedom of
Welch and Satterthwaite (Satterthwaite, Biometrics Bulletin 2, 1946)

    f = (sum v_i)^2 / sum (v_i^2 / (n_i - 1))

It is the interval of the slope through the true logarithms, whether or not these lie on a line;
``largest_error`` says how far from it they do. What a process has in common at all sizes cancels in
the slope and not in its interval, which is too wide then, never too narrow.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.stats.hodges_lehmann import Estimate, from_log
from veperf.stats.student_t import t_quantile

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """A fitted power law."""

    exponent: Estimate
    """1: twice the size costs twice as much; 0: size does not matter."""
    largest_error: float
    """The largest ratio, 1 or more, between the geometric mean at a size and the law there."""

    @property
    def shows_growth(self) -> bool:
        """Return whether the interval of the exponent excludes 0, to either side."""
        return self.exponent.low > 0 or self.exponent.high < 0

    def ratio_at(self, size_ratio: float) -> Estimate:
        """Return the ratio of costs at ``size_ratio`` times the size, with its interval."""
        step, b = math.log(size_ratio), self.exponent
        low, high = sorted((from_log(step * b.low), from_log(step * b.high)))
        return Estimate(from_log(step * b.value), low, high, b.confidence)


@dataclass(frozen=True, slots=True)
class LogMean:
    """The mean of the logarithms of the process values at one size."""

    value: float
    variance: float
    """Of the mean, not of one value."""
    freedom: int


def fit_power_law(
    sizes: Sequence[float], values: Sequence[ArrayLike], *, confidence: float = 0.95
) -> PowerLaw | None:
    """Fit a power law to the process values (n_i,) at each of ``sizes``.

    None where no interval can be given: fewer than two different sizes, a size or value that is not
    positive and finite, or a size with a single value.
    """
    means = log_means(sizes, values)
    if means is None:
        return None
    u = np.log(np.asarray(sizes, np.float64))
    m = np.array([mean.value for mean in means])
    centred = u - u.mean()
    weights = centred / (centred @ centred)
    exponent = combine_means(weights, means, confidence)
    residuals = m - m.mean() - exponent.value * centred
    return PowerLaw(exponent, from_log(float(np.abs(residuals).max())))


def log_means(sizes: Sequence[float], values: Sequence[ArrayLike]) -> list[LogMean] | None:
    """Return the mean of the logarithms at each size; None as ``fit_power_law``."""
    samples = [np.asarray(sample, np.float64).ravel() for sample in values]
    if len(set(sizes)) < 2 or not all(0 < size < math.inf for size in sizes):
        return None
    if any(s.size < 2 or not np.all(np.isfinite(s)) or s.min() <= 0 for s in samples):
        return None
    logs = [np.log(sample) for sample in samples]
    return [
        LogMean(float(log.mean()), float(log.var(ddof=1)) / log.size, log.size - 1) for log in logs
    ]


def combine_means(weights: Floats, means: Sequence[LogMean], confidence: float) -> Estimate:
    """Return the sum of ``weights`` (k,) times k ``means``, with its Welch interval."""
    value = float(weights @ np.array([mean.value for mean in means]))
    parts = weights**2 * np.array([mean.variance for mean in means])
    total = float(parts.sum())
    if total <= 0:
        return Estimate(value, value, value, confidence)
    shares = (parts / total) ** 2 / np.array([mean.freedom for mean in means])
    quantile = t_quantile((1 + confidence) / 2, np.array([1 / float(shares.sum())]))
    reach = float(quantile[0]) * math.sqrt(total)
    return Estimate(value, value - reach, value + reach, confidence)
