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
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from veperf.core.case import Direction
from veperf.core.run import Summary
from veperf.stats.hodges_lehmann import from_log
from veperf.stats.paired import decide_status
from veperf.stats.student_t import t_cdf, t_quantile
from veperf.stats.two_sample import TwoSampleComparison, two_sided_status

Center: TypeAlias = Literal["median", "mean", "unknown"]
Floats: TypeAlias = NDArray[np.float64]

_MEDIAN_ERROR = math.sqrt(math.pi / 2)
_QUARTILE_FREEDOM = 0.367
_QUARTILES = "quartiles"
_FEWEST = 2
FEW = 5
"""Fewer values don't show in what modes a benchmark runs: of two equally likely ones, 3 values a
side fall into one and the other in 1 of 32 comparisons, 5 in 1 of 512."""
FEW_BEHIND_QUARTILES = 10
"""The same of quartiles, between which lie no more than half of the values."""


class LogEstimate(Struct, frozen=True):
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


def estimate_of_values(values: Floats, center: Center | None = None) -> LogEstimate | None:
    """Return the estimate of ``values``, of shape (n,); None of one, or where one is not positive.

    It is of their ``center``, for a comparison with a summary, or else of their geometric mean.
    """
    return estimates_of_rows(values[None, :], center)[0]


def estimates_of_rows(values: Floats, center: Center | None = None) -> list[LogEstimate | None]:
    """Return the estimate of each row of ``values``, of shape (m, n), as ``estimate_of_values``."""
    n = values.shape[1]
    if n < _FEWEST:
        return [None] * len(values)
    is_known = (values.min(axis=1) > 0) & np.isfinite(values).all(axis=1)
    known = np.where(is_known[:, None], values, 1.0)
    logs = np.log(known)
    if center is None or center == "median":
        places = np.median(logs, axis=1) if center else logs.mean(axis=1)
        sigmas = logs.std(axis=1, ddof=1)
    else:
        largest = known.max(axis=1)
        scaled = known / largest[:, None]
        means = scaled.mean(axis=1)
        places = np.log(means * largest)
        sigmas = _lognormal_sigma(scaled.std(axis=1, ddof=1) / means)
    kind: Center = "median" if center == "median" else "mean"
    errors = _standard_errors(sigmas, n, kind)
    return [
        LogEstimate(place, error, n - 1.0, kind, n, "values") if is_there else None
        for place, error, is_there in zip(
            places.tolist(), errors.tolist(), is_known.tolist(), strict=True
        )
    ]


def compare_estimates(
    pairs: Sequence[tuple[LogEstimate, LogEstimate]],
    *,
    better: Direction,
    min_effect: float,
    margin: float,
    alpha: float,
) -> list[TwoSampleComparison]:
    """Compare the estimates of base and new of each pair by Welch's test.

    The rules are those of ``compare_two_samples``.
    """
    before, after = (_Columns([pair[i] for pair in pairs]) for i in (0, 1))
    if better == "higher":
        before, after = after, before
    shifts, errors = after.values - before.values, np.hypot(before.errors, after.errors)
    freedoms = _welch_freedoms(before, after)
    smallest, limit = math.log1p(min_effect), math.log1p(margin)
    slower = _above(shifts - smallest, errors, freedoms)
    faster = _above(-shifts - smallest, errors, freedoms)
    equivalent = _above(limit - shifts, errors, freedoms)
    if better == "unknown":
        slower, faster = np.minimum(1.0, 2 * slower), np.minimum(1.0, 2 * faster)
        equivalent = np.maximum(equivalent, _above(limit + shifts, errors, freedoms))
    reaches = t_quantile(1 - alpha / 2, freedoms) * errors
    columns = (shifts, reaches, slower, faster, equivalent)
    return [
        TwoSampleComparison(
            ratio=from_log(shift),
            low=from_log(shift - reach),
            high=from_log(shift + reach),
            confidence=1 - alpha,
            p_slower=p_slower,
            p_faster=p_faster,
            p_equivalent=p_equivalent,
            status=two_sided_status(
                decide_status(p_slower, p_faster, p_equivalent, alpha_change=alpha, alpha_ok=alpha),
                better,
            ),
            n_base=base.n or 1,
            n_new=new.n or 1,
            reason="",
        )
        for (base, new), shift, reach, p_slower, p_faster, p_equivalent in zip(
            pairs, *(column.tolist() for column in columns), strict=True
        )
    ]


class _Columns:
    """Values, errors and degrees of freedom of estimates, each of shape (m,)."""

    def __init__(self, estimates: Sequence[LogEstimate]) -> None:
        self.values = np.array([e.value for e in estimates])
        self.errors = np.array([e.error for e in estimates])
        self.freedoms = np.array([e.freedom for e in estimates])


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
    sigma = float(_lognormal_sigma(np.array(deviation / center)))
    return _from_sigma(center, sigma, summary.n, summary.center, "standard deviations")


def _from_sigma(
    center: float, sigma: float, n: int | None, kind: Center, basis: str
) -> LogEstimate:
    count = n or _FEWEST
    error = float(_standard_errors(np.array(sigma), count, kind))
    return LogEstimate(math.log(center), error, count - 1.0, kind, n, basis)


def _lognormal_sigma(relative: Floats) -> Floats:
    """Return sigma of lognormals whose standard deviations are ``relative`` to their means."""
    sigma: Floats = np.sqrt(np.log1p(relative * relative))
    return sigma


def _standard_errors(sigmas: Floats, n: int, kind: Center) -> Floats:
    """Return the standard errors of medians or means of ``n`` values."""
    return sigmas * ((_MEDIAN_ERROR if kind == "median" else 1.0) / math.sqrt(n))


def _welch_freedoms(a: _Columns, b: _Columns) -> Floats:
    total = a.errors**2 + b.errors**2
    parts = a.errors**4 / a.freedoms + b.errors**4 / b.freedoms
    fewest = np.minimum(a.freedoms, b.freedoms)
    freedoms: Floats = np.where(parts > 0, total**2 / np.where(parts > 0, parts, 1.0), fewest)
    return freedoms


def _above(shifts: Floats, errors: Floats, freedoms: Floats) -> Floats:
    """Return the p of "the true shift is not above 0"."""
    has_error = errors > 0
    p = t_cdf(-shifts / np.where(has_error, errors, 1.0), freedoms)
    p_values: Floats = np.where(has_error, p, np.where(shifts > 0, 0.0, 1.0))
    return p_values


@lru_cache(maxsize=1024)
def _quantile(p: float, freedom: float) -> float:
    return float(t_quantile(p, np.array([freedom]))[0])
