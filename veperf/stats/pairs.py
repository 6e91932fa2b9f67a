"""What pairs of measurements, old and new code side by side, say about a change.

Each pair gives d = ln(new / old), or ln(old / new) where higher is better, so that more is worse.
What disturbs both sides of a pair alike cancels; and where old and new do not differ, it is chance
which side of a pair is the slower one, so that d is symmetric about zero whatever the noise looks
like: heavy tails, two modes or a level that drifts. That is all that the exact signed-rank test
needs. It does need pairs that are independent of each other.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.core.case import Better
from veperf.core.errors import UsageError
from veperf.core.verdict import ChangeStatus, Severity
from veperf.core.words import change_interval, effect, p_value, percent, plural
from veperf.stats.hodges_lehmann import pseudomedian
from veperf.stats.wilcoxon import wilcoxon

# Log ratios that are the same but for the rounding of their values must tie.
_DECIMALS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRule:
    """What counts as a change, and how surely it must show.

    Raises:
        UsageError: a setting is out of its range.
    """

    better: Better = "lower"
    min_effect: float = 0.01
    """Slowdowns and speed-ups up to this share do not count."""
    margin: float = 0.03
    """A slowdown that is surely less than this is ``ok``."""
    fail_effect: float = 0.05
    """A slowdown that is surely more than this is a failure, and else a warning."""
    alpha: float = 0.05
    """How often at most anything in the suite is called slower that is not, and how often one
    benchmark is called ok that is worse by the margin."""
    comparisons: int = 1
    """Benchmarks in the suite, among which ``alpha`` of ``slower`` and ``faster`` is divided."""

    def __post_init__(self) -> None:
        if self.better not in ("lower", "higher"):
            raise UsageError(f"better is 'lower' or 'higher', not {self.better!r}")
        if not 0 <= self.min_effect <= self.margin < math.inf:
            raise UsageError(
                f"0 <= min_effect <= margin must hold, not {self.min_effect} and {self.margin}"
            )
        if not self.min_effect <= self.fail_effect < math.inf:
            raise UsageError(f"fail_effect is min_effect or more, not {self.fail_effect}")
        if not 0 < self.alpha < 1:
            raise UsageError(f"alpha lies between 0 and 1, not {self.alpha}")
        if not self.comparisons >= 1:
            raise UsageError(f"comparisons is 1 or more, not {self.comparisons}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What so many pairs show. Ratios over 1 are worse, whatever the direction; NaN is untested."""

    pairs: int
    ratio: float = math.nan
    """Hodges-Lehmann estimate of new by old."""
    low: float = math.nan
    high: float = math.nan
    confidence: float = math.nan
    """The coverage that ``low`` to ``high`` has, for a number of pairs fixed beforehand."""
    p_slower: float = math.nan
    """Of "at most worse by the smallest effect that counts"."""
    p_faster: float = math.nan
    """Of "at most better by the smallest effect that counts"."""
    p_equivalent: float = math.nan
    """Of "worse by the margin or more"."""


def weigh(log_ratios: NDArray[np.float64], rule: PairRule) -> Evidence:
    """Test and estimate from ``log_ratios``, of shape (n,), n at least 1."""
    smallest, margin = math.log1p(rule.min_effect), math.log1p(rule.margin)
    size = pseudomedian(log_ratios, confidence=1 - rule.alpha)
    return Evidence(
        pairs=log_ratios.size,
        ratio=from_log(size.value),
        low=from_log(size.low),
        high=from_log(size.high),
        confidence=size.confidence,
        p_slower=wilcoxon(np.round(log_ratios - smallest, _DECIMALS)).p_greater,
        p_faster=wilcoxon(np.round(log_ratios + smallest, _DECIMALS)).p_less,
        p_equivalent=wilcoxon(np.round(log_ratios - margin, _DECIMALS)).p_less,
    )


def decide(found: Evidence, alpha_change: float, alpha_ok: float) -> ChangeStatus:
    """The first test that rejects: slower or faster at ``alpha_change``, ok at ``alpha_ok``."""
    if found.p_slower <= alpha_change:
        return ChangeStatus.SLOWER
    if found.p_faster <= alpha_change:
        return ChangeStatus.FASTER
    return ChangeStatus.OK if found.p_equivalent <= alpha_ok else ChangeStatus.INCONCLUSIVE


def severity(found: Evidence, status: ChangeStatus, rule: PairRule) -> Severity:
    """A slowdown fails where its whole interval lies beyond ``fail_effect``."""
    if status is not ChangeStatus.SLOWER:
        return Severity.NONE
    return Severity.FAIL if found.low > 1 + rule.fail_effect else Severity.WARN


def reason(found: Evidence, status: ChangeStatus, rule: PairRule) -> str:
    """``status`` in words: what decided, effect, interval, p and number of pairs."""
    match status:
        case ChangeStatus.SLOWER:
            before, p = "", found.p_slower
        case ChangeStatus.FASTER:
            before, p = "", found.p_faster
        case ChangeStatus.OK:
            before, p = f"less than {percent(rule.margin)} slower: ", found.p_equivalent
        case _:
            before, p = "can't be told from noise: ", found.p_slower
    interval = change_interval(found.low, found.high, found.confidence)
    facts = (interval, p_value(p), plural(found.pairs, "pair"))
    return f"{before}{effect(found.ratio)} ({', '.join(facts)})"


def log_ratios(
    old: NDArray[np.float64], new: NDArray[np.float64], better: Better
) -> NDArray[np.float64]:
    """The d of each pair of values that ``obstacle`` has nothing against."""
    before, after = (old, new) if better == "lower" else (new, old)
    found: NDArray[np.float64] = np.log(after) - np.log(before)
    return found


def obstacle(values: ArrayLike) -> tuple[ChangeStatus, str] | None:
    """Why numbers of any shape have no ratio that could be judged, if so."""
    numbers = np.asarray(values, dtype=np.float64)
    if not np.isfinite(numbers).all():
        return ChangeStatus.ERROR, "a value is no number: it can't be judged"
    if (numbers <= 0).any():
        return ChangeStatus.INCONCLUSIVE, "values of zero or below have no ratio to judge"
    return None


def as_values(values: ArrayLike) -> NDArray[np.float64]:
    """A plain list of numbers as an array of shape (n,).

    Raises:
        UsageError: it is something else.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"values are a list of numbers ({error})") from error
    if array.ndim != 1:
        raise UsageError(f"values have one dimension, not {array.ndim}")
    return array


def from_log(x: float) -> float:
    """Back from the logarithm; infinite where no number is large enough."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf
