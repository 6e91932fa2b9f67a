"""Verdicts on published targets: is a run fast enough?"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from msgspec.structs import replace

from veperf.core.case import TIME
from veperf.core.errors import UnknownTargetError, UsageError
from veperf.core.gate import KnownMiss
from veperf.core.run import Failure, Run
from veperf.core.target import Target, TargetSet
from veperf.core.text import (
    format_exact,
    format_limit_distance,
    format_multiple,
    format_number,
    plural,
)
from veperf.core.units import convert, per_operation
from veperf.core.verdict import TargetStatus, TargetVerdict
from veperf.stats.hodges_lehmann import estimate_median
from veperf.stats.process_values import Series, SeriesKey, series_of

# Fewer decide nothing, neither a target met nor a target missed; of an exact count one is enough.
MIN_PROCESSES = 3
# Limits and percents are decimal: a value at a bound must not miss it by its last bit.
_ROUNDING = 1e-9


def judge_targets(
    run: Run, targets: TargetSet, known_misses: Collection[str] | Mapping[str, KnownMiss] = ()
) -> tuple[TargetVerdict, ...]:
    """Judge each target of the suites that ``run`` measured, in the order of ``targets``.

    The value is the median over processes of the per-process values, in the target's unit.
    ``pass`` up to ``warn_percent`` beyond the limit, ``warn`` up to ``fail_percent``, ``fail``
    past that, bounds counted as the milder; an exact figure beyond its limit is a ``fail``. Where
    the low value passes but the median of all wall times does not, ``warn``. ``not measured`` where
    no case answers the target, where fewer than 3 processes do, whichever way (1 is enough of an
    exact count), or where its load was invalid throughout. ``error`` where its case failed
    throughout otherwise or a value is no number.

    Known misses are those that ``targets`` and ``known_misses`` say, which may give the reasons.

    Raises:
        UnknownTargetError: a case or ``known_misses`` names a target that ``targets`` lacks.
        UsageError: a case's figure can't be converted to its target's unit.
    """
    require_published(known_misses, targets, "the known misses")
    for case in run.cases:
        require_published(case.targets.values(), targets, f"benchmark {case.benchmark}")
    every = series_of(run)
    answers = _answers(run, every)
    floors = {case.id: case.lower_bound for case in run.cases}
    failures = _failures(run)
    suites = {case.suite for case in run.cases}
    verdicts: list[TargetVerdict] = []
    for target in targets.targets:
        miss = _known_miss(target, known_misses)
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
            known_miss=miss is not None,
            miss=miss,
            reason="no benchmark of this run answers it",
        )
        if target.id in answers:
            for series in answers[target.id]:
                verdict = _judge(blank, series, failures.get(series.case, ()), targets)
                floor = (miss and miss.floor) or floors[series.case]
                verdicts.append(_with_floor(verdict, every.get((floor, series.metric)), series))
        elif target.id.partition("/")[0] in suites:
            verdicts.append(blank)
    return tuple(verdicts)


def _known_miss(
    target: Target, known_misses: Collection[str] | Mapping[str, KnownMiss]
) -> KnownMiss | None:
    if target.id not in known_misses:
        return target.known_miss
    if isinstance(known_misses, Mapping):
        return known_misses[target.id]
    return target.known_miss or KnownMiss()


def _with_floor(verdict: TargetVerdict, floor: Series | None, series: Series) -> TargetVerdict:
    """Return a known miss with what its floor, measured by the same run, makes of it."""
    is_missed = verdict.status in (TargetStatus.FAIL, TargetStatus.WARN)
    if verdict.miss is None or not is_missed:
        return verdict
    ratio = None
    if floor is not None and floor.n and floor.unit == series.unit:
        value, least = float(np.median(series.values)), float(np.median(floor.values))
        if min(value, least) > 0 and math.isfinite(max(value, least)):
            ratio = value / least if verdict.target.better == "lower" else least / value
    facts = [describe_known_miss(ratio, floor.case if floor else ""), verdict.miss.reason]
    reason = "; ".join(filter(None, [verdict.reason, *facts]))
    return replace(verdict, reason=reason, floor_ratio=ratio)


def describe_known_miss(floor_ratio: float | None, floor: str) -> str:
    """Return words for a known miss: known miss, 1.3 times the library floor."""
    if floor_ratio is None:
        return "known miss"
    noun = "library floor" if "library" in floor else f"floor {floor}"
    return f"known miss, {format_multiple(floor_ratio)} the {noun}"


def require_published(ids: Iterable[str], targets: TargetSet, where: str) -> None:
    """Check that ``targets`` has all ``ids``, which ``where`` names.

    Raises:
        UnknownTargetError: it lacks one.
    """
    if unknown := sorted(set(ids) - {target.id for target in targets.targets}):
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


def _failures(run: Run) -> dict[str, list[Failure]]:
    failures: dict[str, list[Failure]] = {}
    for pass_ in run.passes:
        for result in pass_.results:
            if result.failure is not None:
                failures.setdefault(result.case, []).append(result.failure)
    return failures


def _judge(
    blank: TargetVerdict, series: Series, failures: Sequence[Failure], targets: TargetSet
) -> TargetVerdict:
    verdict = replace(blank, status=TargetStatus.ERROR, case=series.case, processes=series.n)
    void = [failure.message for failure in failures if failure.kind == "invalid"]
    if series.n == 0 and void and len(void) == len(failures):
        # It says nothing about the system: not that it misses, nor that it is broken.
        return replace(verdict, status=TargetStatus.NOT_MEASURED, reason=void[0])
    if series.n == 0:
        failed = f"failed in {plural(series.failed, 'pass', 'passes')}"
        return replace(verdict, reason=f"it {failed if series.failed else 'gave no value'}")
    target = blank.target
    values = np.array([in_unit_of(target, series.metric, series.unit, v) for v in series.values])
    if not np.isfinite(values).all():
        return replace(verdict, reason="a value is no number, or a time of nothing")
    estimate = estimate_median(values)
    over = beyond_limit(estimate.value, target)
    status, reason = _status(over, series, target, targets, void)
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
    over: float, series: Series, target: Target, targets: TargetSet, void: Sequence[str]
) -> tuple[TargetStatus, str]:
    distance = format_limit_distance(over, target.better)
    missed = over > targets.fail_percent / 100 + _ROUNDING
    if series.n < MIN_PROCESSES and not series.exact:
        few = f"{plural(series.n, 'process', 'processes')}, and {MIN_PROCESSES} are the minimum"
        lost = f" ({void[0]})" if void else ""
        return TargetStatus.NOT_MEASURED, f"{distance}, but by {few}{lost}"
    if series.exact and over > _ROUNDING:
        return TargetStatus.FAIL, f"{distance}; an exact figure has no allowance"
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
