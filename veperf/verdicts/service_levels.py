"""Verdicts on service levels: did the loads of a run keep what is promised?

Each objective is judged by every load that has its metric, on that load's own figure: a median over
repetitions, of shares the mean. A limit is kept at the limit itself. An objective that no load of
the run answers is not measured, and by default that never passes.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np

from veperf.core.case import Case
from veperf.core.gate import Answer, Effect, GateItem, Question
from veperf.core.objectives import AVAILABILITY, ERROR_BUDGET, Objective, ServiceLevel
from veperf.core.policy import GatePolicy
from veperf.core.run import Run
from veperf.core.text import format_duration, format_exact, format_number, format_percent, plural
from veperf.core.units import same_dimension_factor, unit_family
from veperf.stats.process_values import Series, series_of

_ROUNDING = 1e-9
_ERROR_RATE = "error_rate"
_RATE = "rate"
_LATENCY = "latency"
_VALUE = "value"
_PERCENTILE = re.compile(rf"({_LATENCY}_)?p([0-9]{{1,6}})", re.ASCII)
_ALL = 100.0
_SHOWN_DIGITS = 4
_VOID = "invalid"
_DAY_S = 86_400
_WHOLE_REQUESTS: Mapping[str, tuple[str, ...]] = {
    _LATENCY: ("http_req_duration", "grpc_req_duration"),
    "throughput": ("http_reqs",),
}
"""Metrics of k6 that are of whole requests, not of a part of them or of an iteration with waits."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """The values of a metric in a load, in the objective's unit."""

    case: str
    values: Sequence[float]
    is_share: bool = False
    note: str = ""


def service_level_items(
    run: Run, levels: Iterable[ServiceLevel], policy: GatePolicy
) -> Iterator[GateItem]:
    """Yield an item for each objective of ``levels`` and each load of ``run`` that has it."""
    series = series_of(run)
    for level in levels:
        cases = [case for case in run.cases if _is_about(level, case)]
        for objective in level.objectives:
            about = cases if level.match else _requests_of(objective.metric, cases) or cases
            readings = list(_readings(objective, level, about, series, run))
            yield from (_judged(reading, objective, level, policy) for reading in readings)
            answered = {reading.case for reading in readings}
            failed = [
                case
                for case in about
                if case.id in run.first_failures
                and case.id not in answered
                and _could_answer(case, objective.metric)
            ]
            yield from (_failed(case, objective, level, run, policy) for case in failed)
            if not readings and not failed:
                yield _unanswered(objective, level, about, policy)


def _is_about(level: ServiceLevel, case: Case) -> bool:
    names = (case.id, case.benchmark, case.benchmark.removeprefix(f"{case.suite}/"))
    patterns = level.match or ("*",)
    return any(name == p or fnmatchcase(name, p) for p in patterns for name in names)


def _readings(
    objective: Objective,
    level: ServiceLevel,
    cases: Sequence[Case],
    series: Mapping[tuple[str, str], Series],
    run: Run,
) -> Iterator[_Reading]:
    metric = objective.metric
    if metric in (AVAILABILITY, ERROR_BUDGET):
        yield from _shares(objective, level, cases, series)
        return
    for case in cases:
        values = series.get((case.id, metric))
        if values is not None and values.n:
            factor = _factor(values.unit, objective.unit)
            if factor is not None:
                is_share = objective.unit == "%"
                yield _Reading(case.id, (values.values * factor).tolist(), is_share)
        elif (match := _PERCENTILE.fullmatch(metric)) and run.source != "veperf":
            requests = series.get((case.id, _LATENCY if match[1] else _VALUE))
            if requests is not None:
                yield from _percentile(match[2], objective, case, requests)


def _could_answer(case: Case, metric: str) -> bool:
    """Return whether a case that has failed declares a metric that answers an objective on one."""
    names = {declared.name for declared in case.metrics}
    if metric in (AVAILABILITY, ERROR_BUDGET):
        return bool(names & {_ERROR_RATE, _RATE})
    match = _PERCENTILE.fullmatch(metric)
    return metric in names or bool(match and (_LATENCY if match[1] else _VALUE) in names)


def _requests_of(metric: str, cases: Sequence[Case]) -> list[Case]:
    """Return the cases of k6 that are about whole requests, where an SLO names none."""
    kind = _LATENCY if metric.startswith(_LATENCY) else metric
    names = _WHOLE_REQUESTS.get(kind, ())
    return [c for c in cases if c.benchmark.removeprefix(f"{c.suite}/") in names]


def _factor(unit: str, to: str) -> float | None:
    """Return the factor from ``unit``; a rate of anything counted can be one of a plain ``1/s``."""
    factor = same_dimension_factor(unit, to)
    if factor is None and to == "1/s":
        counted, slash, _ = unit.partition("/")
        is_plain = slash and unit_family(counted)[0] not in ("B", "bit", "s")
        return same_dimension_factor(unit, f"{counted}/s") if is_plain else None
    return factor


def _percentile(
    digits: str, objective: Objective, case: Case, requests: Series
) -> Iterator[_Reading]:
    """Yield a percentile of single requests, where there are enough of them for one beyond it."""
    share = float(f"0.{digits}") if digits != "100" else 1.0
    factor = same_dimension_factor(requests.unit, objective.unit)
    if factor is None or requests.n * (1 - share) < 1 - _ROUNDING or share >= 1:
        return
    value = float(np.quantile(requests.values, share)) * factor
    yield _Reading(case.id, [value], note=f"of {plural(requests.n, 'request')}")


def _shares(
    objective: Objective,
    level: ServiceLevel,
    cases: Sequence[Case],
    series: Mapping[tuple[str, str], Series],
) -> Iterator[_Reading]:
    """Yield availability, or the error budget that was spent, by the share of errors."""
    errors = {
        case.id: values.values
        for case in cases
        if (values := series.get((case.id, _ERROR_RATE))) is not None and values.n
    }
    if not errors:  # shares of successes: of checks, or of a metric that is named
        errors = {
            case.id: _ALL - values.values
            for case in cases
            if (values := series.get((case.id, _RATE))) is not None
            and values.n
            and values.unit == "%"
            and (values.better == "higher" or level.match)
        }
    for case_id, percents in errors.items():
        if objective.metric == AVAILABILITY:
            yield _Reading(case_id, (_ALL - percents).tolist(), is_share=True)
        else:
            spent, note = _budget(percents, objective, level)
            yield _Reading(case_id, spent, is_share=True, note=note)


def _budget(
    percents: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]",
    objective: Objective,
    level: ServiceLevel,
) -> tuple[list[float], str]:
    """Return the budget that the shares of errors spend, in the unit of the objective."""
    if objective.unit == "%":
        availability = next(o for o in level.objectives if o.metric == AVAILABILITY)
        return (_ALL * percents / (_ALL - availability.limit)).tolist(), ""
    window = level.window_s or math.nan
    share = format_percent(float(np.mean(percents)) / _ALL)
    is_long = window >= 2 * _DAY_S
    length = f"{window / _DAY_S:.3g} days" if is_long else format_duration(window)
    note = f"{share} of errors over {length}"
    return (window * percents / _ALL).tolist(), note


def _judged(
    reading: _Reading, objective: Objective, level: ServiceLevel, policy: GatePolicy
) -> GateItem:
    values = np.asarray(reading.values, dtype=np.float64)
    value = float(np.mean(values) if reading.is_share else np.median(values))
    missed = [float(v) for v in values if not _keeps(float(v), objective)]
    if not np.all(np.isfinite(values)):
        answer, (effect, rule) = Answer.FAILED, policy.effect_of("failed", reading.case)
    elif not _keeps(value, objective):
        answer, effect, rule = Answer.MISSED, Effect.FAIL, "an SLO that is missed is a failure"
    elif missed:
        answer, effect, rule = Answer.MET, Effect.WARN, "a load that misses it can only warn"
    else:
        answer, effect, rule = Answer.MET, Effect.PASS, "met up to the limit itself"
    parts = [f"{_quantity(value, objective)}, {_describe(objective)}"]
    if len(values) > 1:
        parts.append(f"{'mean' if reading.is_share else 'median'} of {len(values)} loads")
    if missed and effect is Effect.WARN:
        parts.append(f"{len(missed)} of {plural(len(values), 'load')} missed it")
    return GateItem(
        question=Question.TARGET,
        answer=answer,
        effect=effect,
        reason="; ".join(filter(None, [*parts, reading.note])),
        rule=rule,
        case=reading.case,
        metric=objective.metric,
        target=f"{level.name}: {objective.metric}",
        extent=_extent(value, objective),
    )


def _keeps(value: float, objective: Objective) -> bool:
    slack = _ROUNDING * max(abs(objective.limit), _ROUNDING)
    if objective.bound == "at most":
        return value <= objective.limit + slack
    return value >= objective.limit - slack


def _extent(value: float, objective: Objective) -> float:
    """Return how far a value is beyond the limit, as a share of it."""
    if not math.isfinite(value) or not objective.limit:
        return 0.0
    ratio = value / objective.limit - 1
    return ratio if objective.bound == "at most" else -ratio


def _quantity(value: float, objective: Objective) -> str:
    if objective.unit == "s":
        return format_duration(value)
    if objective.unit == "%":  # 99.95 % and 99.9 % must not look the same
        return format_exact(float(f"{value:.6g}"), "%") if math.isfinite(value) else "no number"
    return f"{format_number(value, _SHOWN_DIGITS)} {objective.unit}".replace(" 1/", "/").rstrip()


def _describe(objective: Objective) -> str:
    return f"{objective.bound} {_quantity(objective.limit, objective)}"


def _failed(
    case: Case, objective: Objective, level: ServiceLevel, run: Run, policy: GatePolicy
) -> GateItem:
    failure = run.first_failures[case.id]
    is_void = failure.kind == _VOID  # which says nothing about the system, for or against it
    effect, rule = policy.effect_of("not_measured" if is_void else "failed", case.id)
    return GateItem(
        question=Question.TARGET,
        answer=Answer.NOT_MEASURED if is_void else Answer.FAILED,
        effect=effect,
        reason=f"{failure.message}; {_describe(objective)}",
        rule=rule,
        case=case.id,
        metric=objective.metric,
        target=f"{level.name}: {objective.metric}",
    )


def _unanswered(
    objective: Objective, level: ServiceLevel, cases: Sequence[Case], policy: GatePolicy
) -> GateItem:
    name = f"{level.name}: {objective.metric}"
    effect, rule = policy.effect_of("not_measured", name, objective.metric)
    if not cases:
        reason = f"no benchmark matches {', '.join(level.match) or '*'}"
    else:
        reason = f"no load has its {objective.metric}, of {plural(len(cases), 'benchmark')}"
        bare = objective.metric.removeprefix(f"{_LATENCY}_")
        if any(bare != objective.metric and m.name == bare for c in cases for m in c.metrics):
            reason += f"; there is a {bare} without a unit, as k6 has it of a trend that is no time"
    return GateItem(
        question=Question.TARGET,
        answer=Answer.NOT_MEASURED,
        effect=effect,
        reason=f"{reason}; {_describe(objective)}",
        rule=rule,
        metric=objective.metric,
        target=name,
    )
