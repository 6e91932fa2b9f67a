"""Paired comparison of old and new code by exact signed-rank tests on log ratios.

Each pair gives d = ln(new / old), or ln(old / new) where higher is better, so that more is worse.
A disturbance of both sides of a pair cancels; and where old and new do not differ, chance decides
which side of a pair is slower, so that d is symmetric about zero whatever the noise looks like:
heavy tails, two modes or a drifting level. The exact signed-rank test assumes no more than that,
and that the pairs are independent of each other; where they are not, its p-values are widened by
their autocorrelation.
"""

import math
from dataclasses import asdict, dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from veperf.core.case import Better, Direction
from veperf.core.errors import UsageError
from veperf.core.options import EffectOptions, JudgeOptions
from veperf.core.text import (
    describe_interval,
    describe_p_value,
    format_effect,
    format_exact,
    plural,
)
from veperf.core.verdict import ChangeStatus, Severity
from veperf.stats.alpha_spending import reachable_level
from veperf.stats.hodges_lehmann import from_log, pseudomedian
from veperf.stats.pair_dependence import narrow_level, variance_inflation, widen_p
from veperf.stats.version_noise import version_allowance
from veperf.stats.wilcoxon import smallest_signed_rank_p, wilcoxon

# Log ratios that are the same but for the rounding of their values must tie.
_DECIMALS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRule:
    """Sizes of change that count, and the errors that are permitted.

    Raises:
        UsageError: a setting is out of its range.
    """

    better: Direction = "lower"
    """A pair is not judged in two directions: unknown is refused."""
    min_effect: float = JudgeOptions.min_effect
    """Smallest effect that matters: smaller slowdowns and speed-ups do not count."""
    margin: float = JudgeOptions.margin
    """Equivalence margin: a slowdown that is proven to be less is ``ok``."""
    fail_over: float = EffectOptions.fail_over
    """A slowdown that is proven to be more is a failure, otherwise a warning."""
    alpha: float = JudgeOptions.alpha
    """Largest probability of a false ``slower`` anywhere in the suite, and of a false ``ok`` of one
    benchmark that is worse by the margin."""
    comparisons: int = 1
    """Benchmarks in the suite, among which ``alpha`` of ``slower`` and ``faster`` is divided."""
    version_noise: float = 0.0
    """Standard deviation of the log ratio between versions that do the same work, which no number
    of pairs averages out: a verdict must overcome it, see ``veperf.stats.version_noise``."""
    layouts: int = 0
    """Memory layouts that the pairs take turns with, so that pairs so many apart share one, and are
    one value of the tests; 0 where each pair has one of its own."""

    def __post_init__(self) -> None:
        if self.better not in ("lower", "higher"):
            raise UsageError(f"better is 'lower' or 'higher', not {self.better!r}")
        if not 0 <= self.min_effect <= self.margin < math.inf:
            raise UsageError(
                f"0 <= min_effect <= margin must hold, not {self.min_effect} and {self.margin}"
            )
        if not self.min_effect <= self.fail_over < math.inf:
            raise UsageError(f"fail_over is min_effect or more, not {self.fail_over}")
        if not 0 < self.alpha < 1:
            raise UsageError(f"alpha lies between 0 and 1, not {self.alpha}")
        if not self.comparisons >= 1:
            raise UsageError(f"comparisons is 1 or more, not {self.comparisons}")
        if not 0 <= self.version_noise < math.inf:
            raise UsageError(f"version_noise is finite and not negative, not {self.version_noise}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEvidence:
    """Estimate and tests of a change; ratios over 1 are worse, NaN is untested."""

    ratio: float = math.nan
    """Hodges-Lehmann estimate of new / old."""
    low: float = math.nan
    high: float = math.nan
    confidence: float = math.nan
    """Coverage of ``low`` to ``high``: of the number of pairs where that was fixed beforehand, and
    the least at any look where it was not."""
    p_slower: float = math.nan
    """p of "at most worse by the smallest effect that matters"."""
    p_faster: float = math.nan
    """p of "at most better by the smallest effect that matters"."""
    p_equivalent: float = math.nan
    """p of "worse by the margin or more"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairEvidence(ChangeEvidence):
    """Evidence of a number of pairs."""

    pairs: int
    autocorrelation: float = 0.0
    """Lag-1 autocorrelation of the pairs, by which the tests are widened."""


def evaluate_pairs(
    log_ratios: NDArray[np.float64],
    rule: PairRule,
    end_level: float | None = None,
    autocorrelation: float = 0.0,
) -> PairEvidence:
    """Return the estimate and the tests of ``log_ratios``, of shape (n,), n at least 1.

    With an ``autocorrelation``, p-values are widened; see ``veperf.stats.pair_dependence``.

    At a look, ``end_level`` is the level of the test that each end of the interval inverts, and the
    confidence is that of all looks together, 1 - 2 alpha: a repeated confidence interval (Jennison,
    Turnbull, JRSS B 51, 1989), which holds whichever look comes to be the last. At level 0 there is
    no interval. The rule's version noise moves the bounds of the tests and the interval's ends.
    """
    pairs = log_ratios.size
    log_ratios = layout_values(log_ratios, rule.layouts)
    inflation = variance_inflation(log_ratios.size, autocorrelation)
    if end_level and (inflation > 1 or log_ratios.size < pairs):
        end_level = reachable_level(narrow_level(end_level, inflation), log_ratios.size)
    in_total = rule.alpha if end_level is not None else rule.alpha / 2
    beyond = version_allowance(rule.version_noise, in_total)
    smallest = math.log1p(rule.min_effect)
    smallest += version_allowance(rule.version_noise, rule.alpha / rule.comparisons)
    margin = math.log1p(rule.margin) - version_allowance(rule.version_noise, rule.alpha)
    if end_level is None:
        size = pseudomedian(log_ratios, confidence=1 - rule.alpha)
    else:
        size = pseudomedian(log_ratios, confidence=1 - 2 * (end_level or rule.alpha))
        low, high = (size.low, size.high) if end_level else (math.nan, math.nan)
        size = replace(size, low=low, high=high, confidence=1 - 2 * rule.alpha)
    slower, faster, equivalent = (
        wilcoxon(np.round(log_ratios - limit, _DECIMALS)) for limit in (smallest, -smallest, margin)
    )
    return PairEvidence(
        pairs=pairs,
        autocorrelation=autocorrelation,
        ratio=from_log(size.value),
        low=from_log(size.low - beyond),
        high=from_log(size.high + beyond),
        confidence=size.confidence,
        p_slower=widen_p(slower.p_greater, inflation),
        p_faster=widen_p(faster.p_less, inflation),
        p_equivalent=widen_p(equivalent.p_less, inflation),
    )


def layout_values(log_ratios: NDArray[np.float64], layouts: int) -> NDArray[np.float64]:
    """Return one value a layout, of shape (min(n, layouts),): the median of its pairs.

    What a layout does to a version is in each of its pairs, so that only another layout is another
    draw: however many pairs share four layouts, they say no more about all layouts than four values
    do. If nothing changed, the values are symmetric about zero, as the pairs are.
    """
    if not 0 < layouts < log_ratios.size:
        return log_ratios
    return np.array([np.median(log_ratios[k::layouts]) for k in range(layouts)])


def decide_status(
    p_slower: float, p_faster: float, p_equivalent: float, *, alpha_change: float, alpha_ok: float
) -> ChangeStatus:
    """Return the status of the first of the three tests that rejects; else ``inconclusive``."""
    if p_slower <= alpha_change:
        return ChangeStatus.SLOWER
    if p_faster <= alpha_change:
        return ChangeStatus.FASTER
    return ChangeStatus.OK if p_equivalent <= alpha_ok else ChangeStatus.INCONCLUSIVE


def decide_pairs(evidence: PairEvidence, alpha_change: float, alpha_ok: float) -> ChangeStatus:
    """Return the status that ``evidence`` leads to at these levels."""
    return decide_status(
        evidence.p_slower,
        evidence.p_faster,
        evidence.p_equivalent,
        alpha_change=alpha_change,
        alpha_ok=alpha_ok,
    )


def change_severity(evidence: PairEvidence, status: ChangeStatus, rule: PairRule) -> Severity:
    """Return ``fail`` for a slowdown whose whole interval lies beyond ``fail_over``."""
    if status is not ChangeStatus.SLOWER:
        return Severity.NONE
    return Severity.FAIL if evidence.low > 1 + rule.fail_over else Severity.WARN


def deciding_test(
    status: ChangeStatus, evidence: ChangeEvidence, margin: float
) -> tuple[str, float]:
    """Return how the reason for ``status`` opens, and the p of the test that decided."""
    match status:
        case ChangeStatus.SLOWER:
            return "", evidence.p_slower
        case ChangeStatus.FASTER:
            return "", evidence.p_faster
        case ChangeStatus.OK:
            opening = f"less than {format_exact(100 * margin, '%')} slower: "
            return opening, evidence.p_equivalent
        case ChangeStatus.CHANGED:
            return "", min(evidence.p_slower, evidence.p_faster)
    return "can't be told from noise: ", evidence.p_slower


def change_reason(evidence: PairEvidence, status: ChangeStatus, rule: PairRule) -> str:
    """Return ``status`` as text: effect, interval, p of the deciding test, number of pairs."""
    opening, p = deciding_test(status, evidence, rule.margin)
    facts = [describe_p_value(p), plural(evidence.pairs, "pair")]
    if not math.isnan(evidence.low):
        facts.insert(0, describe_interval(evidence.low, evidence.high, evidence.confidence))
    return f"{opening}{format_effect(evidence.ratio)} ({', '.join(facts)})"


def log_ratios(
    old: NDArray[np.float64], new: NDArray[np.float64], better: Direction
) -> NDArray[np.float64]:
    """Return d of each pair, whose values are positive and finite."""
    before, after = (old, new) if better == "lower" else (new, old)
    ratios: NDArray[np.float64] = np.log(after) - np.log(before)
    return ratios


def find_obstacle(values: ArrayLike) -> tuple[ChangeStatus, str] | None:
    """Return the status and the reason where ``values`` have no ratio to judge, else None."""
    numbers = np.asarray(values, dtype=np.float64)
    if not np.isfinite(numbers).all():
        return ChangeStatus.ERROR, "a value is NaN or infinite: the sides can't be compared"
    if (numbers <= 0).any():
        return ChangeStatus.INCONCLUSIVE, "values of zero or below have no ratio to judge"
    return None


def as_values(values: ArrayLike) -> NDArray[np.float64]:
    """Return a plain list of numbers as an array of shape (n,).

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


_DEFAULT = PairRule()


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedVerdict(PairEvidence):
    """Evidence with the status that it leads to."""

    status: ChangeStatus
    severity: Severity = Severity.NONE
    """``none`` unless the status is ``slower``."""
    reason: str


def compare_pairs(
    values_a: ArrayLike,
    values_b: ArrayLike,
    *,
    better: Better = "lower",
    min_effect: float = _DEFAULT.min_effect,
    margin: float = _DEFAULT.margin,
    fail_over: float = _DEFAULT.fail_over,
    alpha: float = _DEFAULT.alpha,
    comparisons: int = _DEFAULT.comparisons,
) -> PairedVerdict:
    """Compare ``values_b`` (new) with ``values_a`` (old), both of shape (n,), in pairs by index.

    Three exact one-sided Wilcoxon signed-rank tests on the log ratios; the first that rejects
    decides:

    - ``slower``: "ratio <= 1 + min_effect" is rejected at ``alpha / comparisons``. A failure
      where the whole interval lies beyond ``fail_over``, else a warning
    - ``faster``: "ratio >= 1 / (1 + min_effect)" is rejected at ``alpha / comparisons``
    - ``ok``: "ratio >= 1 + margin" is rejected at ``alpha``
    - ``inconclusive``: none is

    ``not enough samples`` where so few pairs can't reach ``alpha`` on two sides whatever their
    values (fewer than 6 for 5 %), and instead of ``inconclusive`` where they could not have been
    found slower among so many comparisons. ``error`` where a value is NaN or infinite,
    ``inconclusive`` where one is zero or below. The number of pairs must be fixed beforehand:
    to look while measuring, use ``compare_sequentially``.

    Raises:
        UsageError: a setting is out of its range, the values are not plain lists of numbers, or
            the lists differ in length.
    """
    rule = PairRule(
        better=better,
        min_effect=min_effect,
        margin=margin,
        fail_over=fail_over,
        alpha=alpha,
        comparisons=comparisons,
    )
    a, b = as_values(values_a), as_values(values_b)
    if a.size != b.size:
        raise UsageError(f"{a.size} values can't be paired with {b.size}")
    if a.size == 0:
        return PairedVerdict(pairs=0, status=ChangeStatus.NOT_ENOUGH, reason="there are no pairs")
    if (obstacle := find_obstacle([a, b])) is not None:
        return PairedVerdict(pairs=a.size, status=obstacle[0], reason=obstacle[1])
    return _judge(evaluate_pairs(log_ratios(a, b, better), rule), rule)


def _judge(evidence: PairEvidence, rule: PairRule) -> PairedVerdict:
    alpha_change = rule.alpha / rule.comparisons
    status = decide_pairs(evidence, alpha_change, rule.alpha)
    reason = change_reason(evidence, status, rule)
    few, smallest = plural(evidence.pairs, "pair"), smallest_signed_rank_p(evidence.pairs)
    if 2 * smallest > rule.alpha:
        status, reason = ChangeStatus.NOT_ENOUGH, f"{few} can't show any change: measure more"
    elif status is ChangeStatus.INCONCLUSIVE and smallest > alpha_change:
        status = ChangeStatus.NOT_ENOUGH
        reason += f"; among {rule.comparisons} comparisons {few} can't show any slowdown"
    severity = change_severity(evidence, status, rule)
    return PairedVerdict(**asdict(evidence), status=status, severity=severity, reason=reason)
