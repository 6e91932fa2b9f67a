"""The same number of measurements of old and new code, taken in pairs: is the new one worse?"""

from dataclasses import asdict, dataclass

from numpy.typing import ArrayLike

from veperf.core.case import Better
from veperf.core.errors import UsageError
from veperf.core.verdict import ChangeStatus, Severity
from veperf.core.words import plural
from veperf.stats.pairs import (
    Evidence,
    PairRule,
    as_values,
    decide,
    log_ratios,
    obstacle,
    reason,
    severity,
    weigh,
)
from veperf.stats.wilcoxon import smallest_t_p_value

_DEFAULT = PairRule()


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedVerdict(Evidence):
    """The evidence and what it comes to."""

    status: ChangeStatus
    severity: Severity = Severity.NONE
    """``none`` unless the status is ``slower``."""
    reason: str


def paired(
    values_a: ArrayLike,
    values_b: ArrayLike,
    *,
    better: Better = _DEFAULT.better,
    min_effect: float = _DEFAULT.min_effect,
    margin: float = _DEFAULT.margin,
    fail_effect: float = _DEFAULT.fail_effect,
    alpha: float = _DEFAULT.alpha,
    comparisons: int = _DEFAULT.comparisons,
) -> PairedVerdict:
    """Compare ``values_b`` (new) with ``values_a`` (old), of shape (n,); [i] of both is a pair.

    Three exact one-sided Wilcoxon signed-rank tests on the log ratios; the first that rejects
    decides:

    - ``slower``: "ratio <= 1 + min_effect" is rejected at ``alpha / comparisons``. A failure
      where the whole interval lies beyond ``fail_effect``, else a warning
    - ``faster``: "ratio >= 1 / (1 + min_effect)" is rejected at ``alpha / comparisons``
    - ``ok``: "ratio >= 1 + margin" is rejected at ``alpha``
    - ``inconclusive``: none is

    ``not enough samples`` where so few pairs can't reach ``alpha`` on two sides whatever their
    values (less than 6 for 5 %), and instead of ``inconclusive`` where they could not have been
    found slower among so many comparisons. ``error`` where a value is NaN or infinite,
    ``inconclusive`` where one is zero or below. The number of pairs must be fixed beforehand:
    to look while measuring, use ``sequential``.

    Raises:
        UsageError: a setting is out of its range, the values are not plain lists of numbers, or
            the lists differ in length.
    """
    rule = PairRule(
        better=better,
        min_effect=min_effect,
        margin=margin,
        fail_effect=fail_effect,
        alpha=alpha,
        comparisons=comparisons,
    )
    a, b = as_values(values_a), as_values(values_b)
    if a.size != b.size:
        raise UsageError(f"{a.size} values can't be paired with {b.size}")
    if a.size == 0:
        return PairedVerdict(pairs=0, status=ChangeStatus.NOT_ENOUGH, reason="there are no pairs")
    if (found := obstacle([a, b])) is not None:
        return PairedVerdict(pairs=a.size, status=found[0], reason=found[1])
    return _judge(weigh(log_ratios(a, b, better), rule), rule)


def _judge(found: Evidence, rule: PairRule) -> PairedVerdict:
    alpha_change = rule.alpha / rule.comparisons
    status = decide(found, alpha_change, rule.alpha)
    why = reason(found, status, rule)
    few, smallest = plural(found.pairs, "pair"), smallest_t_p_value(found.pairs)
    if 2 * smallest > rule.alpha:
        status, why = ChangeStatus.NOT_ENOUGH, f"{few} can't show any change: measure more"
    elif status is ChangeStatus.INCONCLUSIVE and smallest > alpha_change:
        status = ChangeStatus.NOT_ENOUGH
        why += f"; among {rule.comparisons} comparisons {few} can't show any slowdown"
    return PairedVerdict(
        **asdict(found), status=status, severity=severity(found, status, rule), reason=why
    )
