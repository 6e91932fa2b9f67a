"""Verdicts on published targets: is a run fast enough?"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
from msgspec.structs import replace

from veperf.core.case import TIME, Case
from veperf.core.errors import UnknownTargetError, UsageError
from veperf.core.gate import KnownMiss
from veperf.core.run import CaseResult, Failure, Run
from veperf.core.stages import describe_largest_stage
from veperf.core.sustained_rate import (
    THROUGHPUT,
    Confirmations,
    confirmations_of,
    trials_by_process,
)
from veperf.core.target import MIN_PROCESSES, Target, TargetSet
from veperf.core.text import (
    format_exact,
    format_limit_distance,
    format_multiple,
    format_percent,
    format_quantity,
    plural,
)
from veperf.core.units import convert, is_time, per_operation
from veperf.core.verdict import TargetStatus, TargetVerdict
from veperf.stats.hodges_lehmann import estimate_median
from veperf.stats.process_values import Series, SeriesKey, series_of

# Limits and percents are decimal: a value at a bound must not miss it by its last bit.
_ROUNDING = 1e-9
_BENCHMEM = frozenset({"B/op", "allocs/op"})
"""Figures that a file of Go has with that option alone."""


def judge_targets(
    run: Run, targets: TargetSet, known_misses: Collection[str] | Mapping[str, KnownMiss] = ()
) -> tuple[TargetVerdict, ...]:
    """Judge each target of the suites that ``run`` measured, in the order of ``targets``.

    The value is the median over processes of the per-process values, in the target's unit.
    ``pass`` up to ``warn_percent`` beyond the limit, ``warn`` up to ``fail_percent``, ``fail``
    past that, bounds counted as the milder; an exact figure beyond its limit is a ``fail``. Where
    the low value passes but the median of all wall times does not, ``warn``. ``not measured`` where
    no case answers the target or it was left out, where the file of another tool lacks the metric
    that does, where fewer than 3 processes do, whichever way (1 is enough of an exact count), or
    where its load was invalid throughout. ``error`` where its case failed throughout otherwise or
    a value is no number, or a time of 0.

    Known misses are those that ``targets`` and ``known_misses`` say, which may give the reasons.

    Raises:
        UnknownTargetError: ``known_misses`` names a target that ``targets`` lacks.
        UsageError: a case's figure can't be converted to its target's unit.
    """
    require_published(known_misses, targets, "the known misses")
    every = series_of(run)
    answers = _answers(run, every)
    failures = _failures(run)
    trials = trials_by_process(run)
    suites = {case.suite for case in run.cases}
    left_out = {target: case for case, answered in run.left_out.items() for target in answered}
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
            for case, metric in answers[target.id]:
                series, failed = every.get((case.id, metric)), failures.get(case.id, ())
                answered = replace(blank, case=case.id, metric=metric)
                if series is None:
                    verdicts.append(_lacking(answered, metric, failed))
                    continue
                confirmed = (
                    confirmations_of(trials.get(case.id, ())) if metric == THROUGHPUT else None
                )
                verdict = _judge(answered, series, failed, targets, confirmed)
                verdict = _with_successor(verdict, every)
                floor = every.get(((miss and miss.floor) or case.lower_bound, metric))
                verdicts.append(_explained(verdict, series, floor, case, run))
        elif target.id in left_out:
            case_id = left_out[target.id]
            subject = "it" if case_id == target.id else case_id
            reason = f"{subject} was left out of this run"
            verdicts.append(replace(blank, case=case_id, reason=reason))
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


def _explained(
    verdict: TargetVerdict, series: Series, floor: Series | None, case: Case, run: Run
) -> TargetVerdict:
    """Return a miss with what is known of it: its floor, the reason, the stage that dominates."""
    is_missed = verdict.status in (TargetStatus.FAIL, TargetStatus.WARN)
    if not is_missed or (verdict.over or 0.0) <= 0:
        return verdict
    distance, figure = _compare_with_floor(verdict.target, series, floor)
    stage = line = ""
    if series.metric == TIME.name or series.metric.startswith(_OF_CPU_TIME):
        results = [r for pass_ in run.passes for r in pass_.results if r.case == case.id]
        stage = describe_largest_stage(case, (r for r in results if r.failure is None))
        line = _describe_hot_line(results) if series.metric == TIME.name else ""
    beside = f"{distance} of {figure}" if distance else ""
    miss = verdict.miss.reason if verdict.miss is not None else ""
    known = f"known: {miss}" if miss else ""
    reason = "; ".join(filter(None, [verdict.reason, beside, known, stage, line]))
    return replace(verdict, reason=reason, floor=distance)


def _with_successor(verdict: TargetVerdict, every: Mapping[SeriesKey, Series]) -> TargetVerdict:
    """Return ``verdict`` with the figure of the target's successor, if it was measured."""
    target = verdict.target
    series = target.successor and every.get((target.successor.benchmark, verdict.metric))
    if not series or not series.n:
        return verdict
    value = in_unit_of(target, series.metric, series.unit, float(np.median(series.values)))
    if not math.isfinite(value):
        return verdict
    return replace(verdict, successor_value=value, successor_over=beyond_limit(value, target))


def _describe_hot_line(results: Sequence[CaseResult]) -> str:
    """Return words for the line that was found hottest; empty where none was sampled."""
    hot = next((r.hot_line for r in reversed(results) if r.hot_line is not None), None)
    if hot is None:
        return ""
    return f"hottest line {hot.where} ({hot.function}, {format_percent(hot.share)} of the CPU time)"


_OF_CPU_TIME = ("latency", THROUGHPUT)
"""Metrics of loads that the CPU time of their stages explains."""


def _compare_with_floor(target: Target, series: Series, floor: Series | None) -> tuple[str, str]:
    """Return words for a value beside what no implementation beats, and that; "" if unknown."""
    if floor is None or not floor.n or floor.unit != series.unit:
        return "", ""
    value, least = float(np.median(series.values)), float(np.median(floor.values))
    if min(value, least) <= 0 or not math.isfinite(max(value, least)):
        return "", ""
    ratio = value / least if target.better == "lower" else least / value
    noun = "library floor" if "library" in floor.case else f"floor {floor.case}"
    figure = in_unit_of(target, series.metric, floor.unit, least)
    return f"{format_multiple(ratio)} the {noun}", format_quantity(figure, target.unit)


def require_published(ids: Iterable[str], targets: TargetSet, where: str) -> None:
    """Check that ``targets`` has all ``ids``, which ``where`` names.

    Raises:
        UnknownTargetError: it lacks one.
    """
    if unknown := sorted(set(ids) - {target.id for target in targets.targets}):
        raise UnknownTargetError(f"no published target {', '.join(unknown)} (named by {where})")


def _answers(run: Run, series: Mapping[SeriesKey, Series]) -> dict[str, list[tuple[Case, str]]]:
    """Return by target the cases that are to answer it, each with the metric that does."""
    answers: dict[str, list[tuple[Case, str]]] = {}
    for case in run.cases:
        for metric, target in case.targets.items():
            if run.source == "veperf" and (case.id, metric) not in series:
                raise UsageError(
                    f"benchmark {case.benchmark} answers {target} by a metric {metric!r} "
                    "that it does not declare"
                )
            answers.setdefault(target, []).append((case, metric))
    return answers


def _failures(run: Run) -> dict[str, list[Failure]]:
    failures: dict[str, list[Failure]] = {}
    for pass_ in run.passes:
        for result in pass_.results:
            if result.failure is not None:
                failures.setdefault(result.case, []).append(result.failure)
    return failures


def _lacking(verdict: TargetVerdict, metric: str, failures: Sequence[Failure]) -> TargetVerdict:
    """Return the verdict on a case of another tool's file that has no value of ``metric``."""
    if failures:
        reason = f"it failed in {plural(len(failures), 'pass', 'passes')}"
        return replace(verdict, status=TargetStatus.ERROR, reason=reason)
    option = "; run with -benchmem" if metric in _BENCHMEM else ""
    return replace(verdict, reason=f"the file has no {metric} of it{option}")


def _judge(
    blank: TargetVerdict,
    series: Series,
    failures: Sequence[Failure],
    targets: TargetSet,
    confirmed: Confirmations | None,
) -> TargetVerdict:
    allowed = 0.0 if series.exact else targets.warn_percent / 100 + _ROUNDING
    verdict = replace(blank, status=TargetStatus.ERROR, processes=series.n, allowed=allowed)
    void = [failure.message for failure in failures if failure.kind == "invalid"]
    if series.n == 0 and void and len(void) == len(failures):
        # It says nothing about the system: not that it misses, nor that it is broken.
        return replace(verdict, status=TargetStatus.NOT_MEASURED, reason=void[0])
    if series.n == 0 and confirmed is not None:
        lost = f" ({void[0]})" if void else ""
        reason = f"{confirmed.describe(series.unit)}{lost}"
        return replace(verdict, status=TargetStatus.NOT_MEASURED, reason=reason)
    if series.n == 0:
        failed = f"failed in {plural(series.failed, 'pass', 'passes')}"
        return replace(verdict, reason=f"it {failed if series.failed else 'gave no value'}")
    target = blank.target
    values = np.array([in_unit_of(target, series.metric, series.unit, v) for v in series.values])
    is_zero_time = is_time(series.unit) and min(values) <= 0
    if is_zero_time or not np.isfinite(values).all():
        return replace(verdict, reason="a value is no number, or a time of nothing")
    estimate = estimate_median(values)
    over = beyond_limit(estimate.value, target)
    if confirmed is not None and confirmed.is_enough:
        return _judge_confirmed(verdict, over, estimate.value, confirmed, series, targets)
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


def _judge_confirmed(
    verdict: TargetVerdict,
    over: float,
    rate: float,
    confirmed: Confirmations,
    series: Series,
    targets: TargetSet,
) -> TargetVerdict:
    """Judge a sustained ``rate``: one value, which loads in several processes agreed on.

    A rate is no miss where none above it missed, and backlogs were drained as fast as the target.
    """
    status, reason = _compare(over, series, verdict.target, targets)
    capacity = max(confirmed.capacities, default=0.0)
    if status is not TargetStatus.PASS and not confirmed.is_bounded:
        possible = in_unit_of(verdict.target, series.metric, series.unit, capacity)
        if beyond_limit(possible, verdict.target) <= 0:
            status = TargetStatus.NOT_MEASURED
            reason = f"{reason}, but no higher rate was tried that its backlog allows"
    return replace(
        verdict,
        status=status,
        value=rate,
        over=over,
        processes=confirmed.processes,
        reason=f"{reason}; {confirmed.describe(series.unit)}",
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
    if series.n < MIN_PROCESSES and not series.exact:
        distance = format_limit_distance(over, target.better)
        few = f"{plural(series.n, 'process', 'processes')}, and {MIN_PROCESSES} are the minimum"
        lost = f" ({void[0]})" if void else ""
        return TargetStatus.NOT_MEASURED, f"{distance}, but by {few}{lost}"
    return _compare(over, series, target, targets)


def _compare(
    over: float, series: Series, target: Target, targets: TargetSet
) -> tuple[TargetStatus, str]:
    distance = format_limit_distance(over, target.better)
    missed = over > targets.fail_percent / 100 + _ROUNDING
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
                f"{distance} at its best, but the typical wall time, "
                f"{format_quantity(typical, target.unit)}, is "
                f"{format_limit_distance(beyond, target.better)}"
            )
    return TargetStatus.PASS, format_limit_distance(over, target.better, allowed=warn)
