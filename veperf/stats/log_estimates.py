"""Comparison of two estimates of location on the log scale, each with its standard error.

For files that have statistics in place of values, and for so few values that ranks can show
nothing. With l = ln(estimate), standard error e and f degrees of freedom on each side,

    t = (l_new - l_base - ln(bound)) / sqrt(e_base^2 + e_new^2)

is held against Student's t with the degrees of freedom of Welch and Satterthwaite

    f = (e_base^2 + e_new^2)^2 / (e_base^4 / f_base + e_new^4 / f_new)

(Welch, Biometrika 34, 1947). The standard error of a side is the first of these that it has:

- of an interval [a, b] around the center c with coverage 1 - alpha, by its longer arm:
  max(ln b - ln c, ln c - ln a) / t(1 - alpha / 2; n - 1), by the normal quantile without n
- of the quartiles, of a median: they are an interval of it, whatever the distribution, whose ends
  lie (n - 1) / 4 ranks from the middle, and the rank of the true median has the standard deviation
  sqrt(n) / 2: max(ln q3 - ln c, ln c - ln q1) 2 sqrt(n) / (n - 1), with f = 0.367 (n - 1), as an
  interquartile range is that much less certain than a standard deviation (Rousseeuw, Croux, JASA
  88, 1993). Of normal values it is 8 % more than the error of the median, or more if they are few
- of the standard deviation s: sigma^2 = ln(1 + s^2 / c^2), as of a lognormal, with f = n - 1;
  sigma / sqrt(n) of a mean, 1.2533 times that of a median. A deviation without a number of values
  is taken to be of two, the fewest that have any
"""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from veperf.core.case import Direction
from veperf.core.run import Summary
from veperf.stats.hodges_lehmann import from_log
from veperf.stats.paired import decide_status
from veperf.stats.two_sample import TwoSampleComparison, two_sided_status

Center: TypeAlias = Literal["median", "mean", "unknown"]

_MEDIAN_ERROR = math.sqrt(math.pi / 2)
_QUARTILE_FREEDOM = 0.367
_QUARTILES = "quartiles"
_FEWEST = 2
FEW = 5
"""Fewer values don't show in what modes a benchmark runs: of two equally likely ones, 3 values a
side fall into one and the other in 1 of 32 comparisons, 5 in 1 of 512."""
FEW_BEHIND_QUARTILES = 10
"""The same of quartiles, between which lie no more than half of the values."""


@dataclass(frozen=True, slots=True)
class LogEstimate:
    """Logarithm of a median or mean, with its standard error."""

    value: float
    error: float
    freedom: float
    """Degrees of freedom of the error; infinite where the file doesn't say them."""
    center: Center
    n: int | None
    """Number of values; None where the file doesn't say it."""
    basis: str
    """Statistic that the error is of: 99 % intervals, quartiles, standard deviations, values."""

    @property
    def is_of_few(self) -> bool:
        """True where fewer than 5 values are behind it, or fewer than 10 behind its quartiles.

        True also where nobody knows that there are more.
        """
        if self.n is None:
            return self.freedom < math.inf
        return self.n < (FEW_BEHIND_QUARTILES if self.basis == _QUARTILES else FEW)


def estimate_of_summary(center: float, summary: Summary) -> LogEstimate | None:
    """Return the estimate of a side with a ``summary``; None where it has no spread.

    None also where ``center`` or an end of what its spread follows from is not positive.
    """
    if not 0 < center < math.inf or summary.n == 1:
        return None
    estimates = (of(center, summary) for of in (_of_interval, _of_quartiles, _of_deviation))
    return next((e for e in estimates if e is not None and math.isfinite(e.error)), None)


def estimate_of_values(
    values: NDArray[np.float64], center: Center | None = None
) -> LogEstimate | None:
    """Return the estimate of ``values``, of shape (n,); None of one, or where one is not positive.

    It is of their ``center``, for a comparison with a summary, or else of their geometric mean.
    """
    if values.size < _FEWEST or not min(values.tolist()) > 0:
        return None
    logs = np.log(values)
    mean_log = float(logs.sum()) / values.size
    if not math.isfinite(mean_log):
        return None
    deviations = logs - mean_log
    sigma = math.sqrt(float(deviations @ deviations) / (values.size - 1))
    if center is None or center == "median":
        is_median = center is not None
        return _from_sigma(
            math.exp(float(np.median(logs)) if is_median else mean_log),
            sigma,
            values.size,
            "median" if is_median else "mean",
            "values",
        )
    scaled = values / values.max()
    mean = float(scaled.mean())
    sigma = _lognormal_sigma(float(scaled.std(ddof=1)) / mean)
    return _from_sigma(mean * float(values.max()), sigma, values.size, "mean", "values")


def compare_estimates(
    base: LogEstimate,
    new: LogEstimate,
    *,
    better: Direction,
    min_effect: float,
    margin: float,
    alpha: float,
) -> TwoSampleComparison:
    """Compare two estimates by Welch's test; the rules are those of ``compare_two_samples``."""
    before, after = (new, base) if better == "higher" else (base, new)
    shift = after.value - before.value
    error = math.hypot(before.error, after.error)
    freedom = _welch_freedom(before, after)
    smallest, limit = math.log1p(min_effect), math.log1p(margin)
    p_slower = _above(shift - smallest, error, freedom)
    p_faster = _above(-shift - smallest, error, freedom)
    p_equivalent = _above(limit - shift, error, freedom)
    if better == "unknown":
        p_slower, p_faster = min(1.0, 2 * p_slower), min(1.0, 2 * p_faster)
        p_equivalent = max(p_equivalent, _above(limit + shift, error, freedom))
    reach = _quantile(1 - alpha / 2, freedom) * error
    status = decide_status(p_slower, p_faster, p_equivalent, alpha_change=alpha, alpha_ok=alpha)
    return TwoSampleComparison(
        ratio=from_log(shift),
        low=from_log(shift - reach),
        high=from_log(shift + reach),
        confidence=1 - alpha,
        p_slower=p_slower,
        p_faster=p_faster,
        p_equivalent=p_equivalent,
        status=two_sided_status(status, better),
        n_base=base.n or 1,
        n_new=new.n or 1,
        reason="",
    )


def _of_interval(center: float, summary: Summary) -> LogEstimate | None:
    low, high, confidence = summary.low, summary.high, summary.confidence
    if low is None or high is None or confidence is None or not 0 < confidence < 1:
        return None
    if not 0 < low <= center <= high:
        return None
    freedom = math.inf if summary.n is None else summary.n - 1.0
    arm = max(math.log(high / center), math.log(center / low))
    error = arm / _quantile(1 - (1 - confidence) / 2, freedom)
    basis = f"{100 * confidence:.3g}\u202f% intervals"
    return LogEstimate(math.log(center), error, freedom, summary.center, summary.n, basis)


def _of_quartiles(center: float, summary: Summary) -> LogEstimate | None:
    q1, q3 = summary.q1, summary.q3
    if q1 is None or q3 is None or summary.n is None or summary.center == "mean":
        return None
    if not 0 < q1 <= center <= q3:
        return None
    arm, n = max(math.log(q3 / center), math.log(center / q1)), summary.n
    error = arm * 2 * math.sqrt(n) / (n - 1)
    freedom = _QUARTILE_FREEDOM * (n - 1)
    return LogEstimate(math.log(center), error, freedom, summary.center, n, _QUARTILES)


def _of_deviation(center: float, summary: Summary) -> LogEstimate | None:
    deviation = summary.standard_deviation
    if deviation is None or deviation < 0:
        return None
    sigma = _lognormal_sigma(deviation / center)
    return _from_sigma(center, sigma, summary.n, summary.center, "standard deviations")


def _lognormal_sigma(relative: float) -> float:
    """Return sigma of a lognormal whose standard deviation is ``relative`` to its mean."""
    return math.sqrt(math.log1p(relative * relative))


def _from_sigma(
    center: float,
    sigma: float,
    n: int | None,
    kind: Center,
    basis: str,
) -> LogEstimate:
    count = n or _FEWEST
    error = sigma / math.sqrt(count) * (_MEDIAN_ERROR if kind == "median" else 1.0)
    return LogEstimate(math.log(center), error, count - 1.0, kind, n, basis)


def _welch_freedom(a: LogEstimate, b: LogEstimate) -> float:
    total = a.error**2 + b.error**2
    parts = a.error**4 / a.freedom + b.error**4 / b.freedom
    return total**2 / parts if parts > 0 else min(a.freedom, b.freedom)


def _above(shift: float, error: float, freedom: float) -> float:
    """Return the p of "the true shift is not above 0"."""
    from scipy.special import ndtr, stdtr

    if error == 0:
        return 0.0 if shift > 0 else 1.0
    z = -shift / error
    return float(ndtr(z) if math.isinf(freedom) else stdtr(freedom, z))


def _quantile(p: float, freedom: float) -> float:
    from scipy.special import ndtri, stdtrit

    return float(ndtri(p) if math.isinf(freedom) else stdtrit(freedom, p))
