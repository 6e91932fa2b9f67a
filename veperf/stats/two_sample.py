"""Comparison of two independent samples by Mann-Whitney tests, and Holm's correction."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.core.case import Direction
from veperf.core.errors import UsageError
from veperf.core.options import CompareOptions
from veperf.core.text import (
    describe_interval,
    describe_p_value,
    format_effect,
    format_exact,
    plural,
)
from veperf.core.verdict import ChangeStatus
from veperf.stats.hodges_lehmann import Estimate, hodges_lehmann_ratios
from veperf.stats.mann_whitney import mann_whitney_rows, smallest_u_p
from veperf.stats.paired import (
    ChangeEvidence,
    PairRule,
    as_values,
    decide_status,
    deciding_test,
)

ALPHA = CompareOptions.alpha
MIN_EFFECT = CompareOptions.min_effect
MARGIN = CompareOptions.margin
_NO_RATIO = Estimate(math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoSampleComparison(ChangeEvidence):
    """Evidence of two samples with the status that it leads to."""

    status: ChangeStatus
    n_base: int
    n_new: int
    reason: str


def compare_two_samples(
    base: ArrayLike,
    new: ArrayLike,
    *,
    better: Direction = "lower",
    min_effect: float = MIN_EFFECT,
    margin: float = MARGIN,
    alpha: float = ALPHA,
) -> TwoSampleComparison:
    """Compare ``new`` with ``base``, values of shape (n,), one a process, in any positive unit.

    Three one-sided Mann-Whitney tests, each at ``alpha``, on values scaled by the bound tested;
    the first that rejects decides:

    - ``slower``: "ratio <= 1 + min_effect" is rejected
    - ``faster``: "ratio >= 1 / (1 + min_effect)" is rejected
    - ``ok``: "ratio >= 1 + margin" is rejected
    - ``inconclusive``: none is

    ``not enough samples`` where a two-sided test of samples of these sizes can't reach ``alpha``
    whatever the values (with 4 a side its smallest p is 0.029, with 3 it is 0.1), ``error`` where
    a value is NaN or infinite. Zeros (counts) are ranked like other values but have no ratio,
    except that zeros throughout are equal constants. Negative values have no ratio to test.

    Where the better direction is unknown, a change in either counts: the tests for more and for
    less are each made at ``alpha`` / 2 and lead to ``changed``, and ``ok`` takes a rejection of
    both "ratio >= 1 + margin" and "ratio <= 1 / (1 + margin)". Ratios are new / base then.

    Raises:
        UsageError: a setting is out of its range, or the values are not a plain list of numbers.
    """
    PairRule(  # refuses settings that are out of range
        better="lower" if better == "unknown" else better,
        min_effect=min_effect,
        margin=margin,
        fail_over=margin,
        alpha=alpha,
    )
    a, b = as_values(base), as_values(new)
    obstacle = obstacle_to_ranks(a, b)
    if obstacle is not None:
        status, reason = obstacle
        return TwoSampleComparison(status=status, n_base=a.size, n_new=b.size, reason=reason)
    return compare_rows(
        a[None, :], b[None, :], better=better, min_effect=min_effect, margin=margin, alpha=alpha
    )[0]


def compare_rows(
    base: NDArray[np.float64],
    new: NDArray[np.float64],
    *,
    better: Direction,
    min_effect: float,
    margin: float,
    alpha: float,
) -> list[TwoSampleComparison]:
    """Compare each row of ``new``, of shape (m, n_new), with that of ``base``, (m, n_base).

    As ``compare_two_samples``, of values that are finite, not negative, and there on both sides.
    """
    n_base, n_new = base.shape[1], new.shape[1]
    is_zero = np.logical_not(base.any(axis=1) | new.any(axis=1)).reshape(-1, 1)
    a, b = np.where(is_zero, 1.0, base), np.where(is_zero, 1.0, new)

    # With the sides swapped, more is worse for rates as well.
    before, after = (b, a) if better == "higher" else (a, b)
    slower = [r.p_less for r in mann_whitney_rows(before * (1 + min_effect), after)]
    faster = [r.p_greater for r in mann_whitney_rows(before, after * (1 + min_effect))]
    equivalent = [r.p_greater for r in mann_whitney_rows(before * (1 + margin), after)]
    if better == "unknown":
        # Either direction would count as a change: twice as many occasions for a false one.
        slower, faster = ([min(1.0, 2 * p) for p in ps] for ps in (slower, faster))
        mirrored = mann_whitney_rows(before, after * (1 + margin))
        equivalent = [max(p, r.p_less) for p, r in zip(equivalent, mirrored, strict=True)]
    has_ratio = np.minimum(before.min(axis=1), after.min(axis=1)) > 0
    sizes = iter(hodges_lehmann_ratios(before[has_ratio], after[has_ratio], confidence=1 - alpha))
    is_enough = 2 * smallest_u_p(n_base, n_new) <= alpha
    comparisons = []
    for p_slower, p_faster, p_equivalent, known in zip(
        slower, faster, equivalent, has_ratio.tolist(), strict=True
    ):
        status = ChangeStatus.NOT_ENOUGH
        if is_enough:
            status = two_sided_status(
                decide_status(p_slower, p_faster, p_equivalent, alpha_change=alpha, alpha_ok=alpha),
                better,
            )
        size = next(sizes) if known else _NO_RATIO
        comparison = TwoSampleComparison(
            ratio=size.value,
            low=size.low,
            high=size.high,
            confidence=size.confidence,
            p_slower=p_slower,
            p_faster=p_faster,
            p_equivalent=p_equivalent,
            status=status,
            n_base=n_base,
            n_new=n_new,
            reason="",
        )
        comparisons.append(replace(comparison, reason=_reason(comparison, margin, alpha, better)))
    return comparisons


def two_sided_status(status: ChangeStatus, better: Direction) -> ChangeStatus:
    """Return ``changed`` for ``slower`` and ``faster`` where the better direction is unknown."""
    one_sided = status in (ChangeStatus.SLOWER, ChangeStatus.FASTER)
    return ChangeStatus.CHANGED if one_sided and better == "unknown" else status


def describe_evidence(
    change: TwoSampleComparison, p: float, *, worse: str, better: str, sizes: str = ""
) -> str:
    """Return effect, interval, p and n as text; ``p`` is the deciding test's, NaN for none.

    ``sizes`` is n in words, where values are not those of processes.
    """
    facts = [sizes or _sizes(change)]
    if not math.isnan(p):
        facts.insert(0, describe_p_value(p))
    if math.isnan(change.ratio):
        return f"no ratio, as values are zero ({', '.join(facts)})"
    interval = describe_interval(change.low, change.high, change.confidence)
    return f"{format_effect(change.ratio, worse, better)} ({', '.join([interval, *facts])})"


def _reason(change: TwoSampleComparison, margin: float, alpha: float, better: Direction) -> str:
    if change.status is ChangeStatus.NOT_ENOUGH:
        return f"{_sizes(change)} can't show any difference at {alpha:g}: measure more"
    opening, p = deciding_test(change.status, change, margin)
    if better == "unknown":
        if change.status is ChangeStatus.OK:
            opening = f"changed by less than {format_exact(100 * margin, '%')}: "
        return opening + describe_evidence(change, p, worse="more", better="less")
    return opening + describe_evidence(change, p, worse="slower", better="faster")


def _sizes(change: TwoSampleComparison) -> str:
    return f"{change.n_base} against {plural(change.n_new, 'process', 'processes')}"


def obstacle_to_ranks(
    a: NDArray[np.float64], b: NDArray[np.float64]
) -> tuple[ChangeStatus, str] | None:
    """Return the status and the reason where the samples can't be tested, else None."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return ChangeStatus.ERROR, "a value is NaN or infinite: the sides can't be compared"
    if a.size == 0 or b.size == 0:
        return ChangeStatus.NOT_ENOUGH, f"no values on the {'new' if a.size else 'base'} side"
    if min(a.min(), b.min()) < 0:
        return ChangeStatus.INCONCLUSIVE, "values below zero have no ratio that could be judged"
    return None


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Return Holm's adjusted p-values, of the shape (m,) of ``p`` and in its order.

    With p_(1) <= ... <= p_(m):  adjusted_(i) = max over j <= i of min(1, (m - j + 1) p_(j))
    (Holm, Scandinavian Journal of Statistics 6, 1979). Rejecting where that is at most alpha
    keeps the probability of any false rejection at alpha, however the tests depend on each other.

    NaN stands for a test that was not run: it stays NaN and does not count in m.

    Raises:
        UsageError: a p-value lies outside 0 to 1.
    """
    raw = np.asarray(p, dtype=np.float64)
    tested = ~np.isnan(raw)
    values = raw[tested]
    if np.any((values < 0) | (values > 1)):
        raise UsageError("a p-value lies between 0 and 1")
    order = np.argsort(values, kind="stable")
    factors = np.arange(values.size, 0, -1)
    adjusted = np.full(raw.shape, np.nan)
    adjusted[np.flatnonzero(tested)[order]] = np.minimum(
        1.0, np.maximum.accumulate(factors * values[order])
    )
    return adjusted
