"""Verdicts on published targets: is a run fast enough?"""

import math
from collections.abc import Collection, Iterable, Mapping

import numpy as np
from msgspec.structs import replace

from veperf.core.case import TIME
from veperf.core.errors import UnknownTargetError, UsageError
from veperf.core.run import Run
from veperf.core.target import Target, TargetSet
from veperf.core.text import format_exact, format_limit_distance, format_number, plural
from veperf.core.units import convert, per_operation
from veperf.core.verdict import TargetStatus, TargetVerdict
from veperf.stats.hodges_lehmann import estimate_median
from veperf.stats.process_values import Series, SeriesKey, series_of

MIN_PROCESSES = 3
# Limits and percents are decimal: a value at a bound must not miss it by its last bit.
_ROUNDING = 1e-9


def judge_targets(
    run: Run, targets: TargetSet, known_misses: Collection[str] = ()
) -> tuple[TargetVerdict, ...]:
    """Judge each target of the suites that ``run`` measured, in the order of ``targets``.

    The value is the median over processes of the per-process values, in the target's unit.
    ``pass`` up to ``warn_percent`` beyond the limit, ``warn`` up to ``fail_percent``, ``fail``
    past that, bounds counted as the milder. Where the low value passes but the median of all
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


def _answers(run: Run, series: Mapping[SeriesKey, Series]) -> dict[str, list[Series]]:
    answers: dict[str, list[Series]] = {}
    for case in run.cases:
        for metric, target in case.targets.items():
            if (case.id, metric) not in series:
                raise UsageError(
                    f"benchmark {case.benchmark} answers {target} by a metric {metric!r} "
                    "that it does not declare"
                )
            answers.setdefault(target, []).append(series[case.id, metric])
    return answers


def _judge(blank: TargetVerdict, series: Series, targets: TargetSet) -> TargetVerdict:
    verdict = replace(blank, status=TargetStatus.ERROR, case=series.case, processes=series.n)
    if series.n == 0:
        failed = f"failed in {plural(series.failed, 'pass', 'passes')}"
        return replace(verdict, reason=f"it {failed if series.failed else 'gave no value'}")
    target = blank.target
    values = np.array([in_unit_of(target, series.metric, series.unit, v) for v in series.values])
    if not np.isfinite(values).all():
        return replace(verdict, reason="a value is no number, or a time of nothing")
    estimate = estimate_median(values)
    over = beyond_limit(estimate.value, target)
    status, reason = _status(over, series, target, targets)
    if over > 0 and estimate.low <= target.limit <= estimate.high:
        reason += "; the interval includes the limit, so the miss may be noise"
    return replace(
        verdict,
        status=status,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        confidence=estimate.confidence,
        over=over,
        reason=reason,
    )


def in_unit_of(target: Target, metric: str, unit: str, value: float) -> float:
    """Convert ``value`` of a metric from ``unit`` to the target's unit.

    Raises:
        UsageError: one can't be converted into the other.
    """
    if metric == TIME.name:
        return per_operation(value, target.unit)
    return convert(value, unit, target.unit)


def beyond_limit(value: float, target: Target) -> float:
    """Return how far ``value``, in the target's unit, is beyond the limit, as a share of it."""
    beyond = value - target.limit if target.better == "lower" else target.limit - value
    if target.limit == 0:
        return math.inf if beyond > 0 else 0.0
    return beyond / abs(target.limit)


def _status(
    over: float, series: Series, target: Target, targets: TargetSet
) -> tuple[TargetStatus, str]:
    distance = format_limit_distance(over, target.better)
    missed = over > targets.fail_percent / 100 + _ROUNDING
    if series.n < MIN_PROCESSES:
        # Too few to pass, but a miss must not go unnoticed because few processes measured it.
        few = f"{plural(series.n, 'process', 'processes')}, and {MIN_PROCESSES} are the minimum"
        status = TargetStatus.FAIL if missed else TargetStatus.NOT_MEASURED
        return status, f"{distance}, but by {few}"
    if missed:
        return TargetStatus.FAIL, distance
    warn = targets.warn_percent / 100 + _ROUNDING
    if over > warn:
        fail_percent = format_exact(targets.fail_percent, "%")
        return TargetStatus.WARN, f"{distance}: a failure past {fail_percent}"
    if series.wall_median is not None:
        typical = per_operation(series.wall_median, target.unit)
        beyond = beyond_limit(typical, target)
        if beyond > warn:
            return TargetStatus.WARN, (
                f"{distance} at its best, but the typical wall time, {format_number(typical)} "
                f"{target.unit}, is {format_limit_distance(beyond, target.better)}"
            )
    if over > 0:
        warn_percent = format_exact(targets.warn_percent, "%")
        return TargetStatus.PASS, f"{distance}, within the {warn_percent} allowed"
    return TargetStatus.PASS, distance
