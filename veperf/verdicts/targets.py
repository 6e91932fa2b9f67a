"""Is it fast enough? A run against the published targets."""

import math
from collections.abc import Collection, Iterable, Mapping

import numpy as np
from msgspec.structs import replace

from veperf.core.case import TIME
from veperf.core.errors import UnknownTargetError, UsageError
from veperf.core.run import Run
from veperf.core.units import convert, per_operation
from veperf.core.verdict import Target, TargetSet, TargetStatus, TargetVerdict
from veperf.core.words import distance, number, plural
from veperf.stats.hodges_lehmann import median
from veperf.stats.process_values import Key, Series, series_of

MIN_PROCESSES = 3
# Limits and percents are decimal: a value at a bound must not miss it by its last bit.
_ROUNDING = 1e-9


def judge_targets(
    run: Run, targets: TargetSet, known_misses: Collection[str] = ()
) -> tuple[TargetVerdict, ...]:
    """A verdict for each target of the suites that ``run`` measured, in the order of ``targets``.

    The value is the median over processes of the per-process values, in the target's unit.
    ``pass`` up to ``warn_percent`` beyond the limit, ``warn`` up to ``fail_percent``, ``fail``
    past that, bounds included in the milder. Where the low value passes but the median of all
    wall times does not, ``warn``. ``not measured`` where no case answers the target, or fewer than
    3 processes do and not ``fail``. ``error`` where its case failed throughout or a value is no
    number.

    Raises:
        UnknownTargetError: a case or ``known_misses`` names a target that ``targets`` lacks.
        UsageError: a case's figure can't be converted to its target's unit.
    """
    known = {t.id for t in targets.targets}
    _refuse_unknown(known_misses, known, "the known misses")
    for case in run.cases:
        _refuse_unknown(case.targets.values(), known, f"benchmark {case.benchmark}")
    answers = _answers(run, series_of(run))
    suites = {case.suite for case in run.cases}
    verdicts: list[TargetVerdict] = []
    for target in targets.targets:
        blank = TargetVerdict(
            target=target,
            status=TargetStatus.NOT_MEASURED,
            case=None,
            value=None,
            low=None,
            high=None,
            confidence=None,
            over=None,
            processes=0,
            known_miss=target.id in known_misses,
            reason="no benchmark of this run answers it",
        )
        if target.id in answers:
            verdicts += [_judge(blank, series, targets) for series in answers[target.id]]
        elif target.id.partition("/")[0] in suites:
            verdicts.append(blank)
    return tuple(verdicts)


def _refuse_unknown(ids: Iterable[str], known: Collection[str], where: str) -> None:
    if unknown := sorted(set(ids) - set(known)):
        raise UnknownTargetError(f"no published target {', '.join(unknown)} (named by {where})")


def _answers(run: Run, series: Mapping[Key, Series]) -> dict[str, list[Series]]:
    found: dict[str, list[Series]] = {}
    for case in run.cases:
        for metric, target in case.targets.items():
            if (case.id, metric) not in series:
                raise UsageError(
                    f"benchmark {case.benchmark} answers {target} by a metric {metric!r} "
                    "that it does not declare"
                )
            found.setdefault(target, []).append(series[case.id, metric])
    return found


def _judge(blank: TargetVerdict, series: Series, targets: TargetSet) -> TargetVerdict:
    verdict = replace(blank, status=TargetStatus.ERROR, case=series.case, processes=series.n)
    if series.n == 0:
        failed = f"failed in {plural(series.failed, 'pass', 'passes')}"
        return replace(verdict, reason=f"it {failed if series.failed else 'gave no value'}")
    target = blank.target
    values = np.array([in_unit_of(target, series.metric, series.unit, v) for v in series.values])
    if not np.isfinite(values).all():
        return replace(verdict, reason="a value is no number, or a time of nothing")
    found = median(values)
    over = beyond_limit(found.value, target)
    status, reason = _status(over, series, target, targets)
    if over > 0 and found.low <= target.limit <= found.high:
        reason += "; the interval includes the limit, so the miss may be noise"
    return replace(
        verdict,
        status=status,
        value=found.value,
        low=found.low,
        high=found.high,
        confidence=found.confidence,
        over=over,
        reason=reason,
    )


def in_unit_of(target: Target, metric: str, unit: str, value: float) -> float:
    """``value`` of a metric in its ``unit``, in the target's unit.

    Raises:
        UsageError: there is no way from one to the other.
    """
    if metric == TIME.name:
        return per_operation(value, target.unit)
    return convert(value, unit, target.unit)


def beyond_limit(value: float, target: Target) -> float:
    """How far ``value``, in the target's unit, is beyond the limit, as a share of that."""
    beyond = value - target.limit if target.better == "lower" else target.limit - value
    if target.limit == 0:
        return math.inf if beyond > 0 else 0.0
    return beyond / abs(target.limit)


def _status(
    over: float, series: Series, target: Target, targets: TargetSet
) -> tuple[TargetStatus, str]:
    words = distance(over, target.better)
    missed = over > targets.fail_percent / 100 + _ROUNDING
    if series.n < MIN_PROCESSES:
        # Too few to pass, but a miss must not go by unseen because it was measured but once.
        few = f"{plural(series.n, 'process', 'processes')}, where {MIN_PROCESSES} are the least"
        status = TargetStatus.FAIL if missed else TargetStatus.NOT_MEASURED
        return status, f"{words}, but by {few}"
    if missed:
        return TargetStatus.FAIL, words
    warn = targets.warn_percent / 100 + _ROUNDING
    if over > warn:
        return TargetStatus.WARN, f"{words}: a failure past {targets.fail_percent:g} %"
    if series.wall_median is not None:
        typical = per_operation(series.wall_median, target.unit)
        beyond = beyond_limit(typical, target)
        if beyond > warn:
            return TargetStatus.WARN, (
                f"{words} at its best, but the typical wall time, {number(typical)} "
                f"{target.unit}, is {distance(beyond, target.better)}"
            )
    if over > 0:
        return TargetStatus.PASS, f"{words}, within the {targets.warn_percent:g} % allowed"
    return TargetStatus.PASS, words
