"""Verdicts on a test of scale: limits at sizes, and what an operation costs at 10 times the size.

A rule of degradation is about every benchmark that was measured at several sizes: sub-benchmarks of
Go whose name ends with a number (``orders_1000``), and cases that differ by one numeric parameter
alone. How it is judged: ``veperf.stats.degradation``.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import NDArray

from veperf.core.case import TIME, Case
from veperf.core.gate import Answer, Effect, GateItem, Question
from veperf.core.objectives import DegradationRules, ScaleBaselines, ScaleLimit
from veperf.core.policy import GatePolicy
from veperf.core.run import Run
from veperf.core.target import MIN_PROCESSES
from veperf.core.text import (
    format_limit_distance,
    format_multiple,
    format_number,
    format_quantity,
    plural,
)
from veperf.stats.degradation import Degradation, judge_degradation
from veperf.stats.process_values import Series, series_of

SIZE_RATIO = 10.0
_ROUNDING = 1e-9
_SIZE_IN_NAME = re.compile(r"(.+?)[_=-]?([0-9]{1,15})")
_NO_SIZES = frozenset(
    {"gomaxprocs", "threads", "workers", "verifiers", "engines", "rate", "limit", "shards"}
)
"""Parameters that say how, not on how much."""


@dataclass(frozen=True, slots=True)
class _Source:
    """The function of VirtEngine's tests/load/scale that gives the figure of a limit."""

    function: str
    metric: str = ""
    """Of Go's output; empty where the time is meant."""
    is_over_size: bool = False
    """True of a rate that is the size over the time, where Go's metric is not there."""


_SOURCES: Mapping[str, _Source] = {
    "validator_operations/iteration_max_sec": _Source("BenchmarkValidatorIteration"),
    "validator_operations/voting_power_calc_max_ms": _Source("BenchmarkVotingPowerCalculation"),
    "marketplace_operations/order_iteration_rate": _Source(
        "BenchmarkOpenOrderIteration", "orders_iterated/sec", is_over_size=True
    ),
    "provider_daemon/min_bids_per_second": _Source("BenchmarkConcurrentBidding", "bids/sec"),
}
_FACTOR = {"ns": 1.0, "ms": 1e-6, "s": 1e-9}
_NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class SizeCurve:
    """A benchmark at several sizes, ascending."""

    name: str
    size_of: str
    points: tuple[tuple[float, Case], ...]


def scaling_items(
    run: Run,
    baselines: ScaleBaselines,
    policy: GatePolicy,
    counterparts: Mapping[str, str],
    *,
    patterns: Sequence[str] = (),
    per_item: bool = False,
) -> Iterator[GateItem]:
    """Yield an item for each curve of ``run``, and for each limit that a benchmark answers.

    Args:
        run: of veperf, or of Go.
        baselines: limits and rules.
        policy: of the gate.
        counterparts: veperf's benchmark by the function of tests/load/scale.
        patterns: globs of the benchmarks that the rules are about, and then of limits only those
            that have an answer; all where there are none.
        per_item: judge the cost of one of the things that there are so many of.
    """
    series = series_of(run)
    for curve in size_curves(run, patterns):
        yield _degradation_item(curve, series, baselines.rules, policy, per_item=per_item)
    answerable = [limit for limit in baselines.limits if limit.target.id in _SOURCES]
    for limit in answerable:
        item = _limit_item(limit, run, series, policy, counterparts)
        if not patterns or item.answer is not Answer.NOT_MEASURED:
            yield item
    names = [limit.target.id for limit in baselines.limits if limit not in answerable]
    if names:
        yield GateItem(
            question=Question.TARGET,
            answer=Answer.NOT_MEASURED,
            effect=Effect.NOTE,
            reason=f"no benchmark gives {plural(len(names), 'limit')}: {', '.join(names)}",
            rule="what no benchmark can answer is shown, not judged",
            target="scale, other limits",
        )


def _fits(benchmark: str, patterns: Sequence[str]) -> bool:
    suite, _, name = benchmark.partition("/")
    parts = (benchmark, suite, name)
    return not patterns or any(
        part == p or fnmatchcase(part, p) for p in patterns for part in parts
    )


def size_curves(run: Run, patterns: Sequence[str] = ()) -> list[SizeCurve]:
    """Return the benchmarks of ``run`` that were timed at several sizes, in its order.

    Where there are ``patterns``, only those whose name fits one of these globs.
    """
    groups: dict[tuple[str, str, frozenset[tuple[str, object]]], dict[float, Case]]
    groups = defaultdict(dict)
    for case in run.cases:
        if not case.is_timed:
            continue
        for name, value in case.params.items():
            if isinstance(value, int | float) and value > 0 and name not in _NO_SIZES:
                others = frozenset((k, v) for k, v in case.params.items() if k != name)
                groups[case.benchmark, name, others][float(value)] = case
        head, slash, last = case.benchmark.rpartition("/")
        match = _SIZE_IN_NAME.fullmatch(last)
        if slash and head.count("/") and match and int(match[2]):
            others = frozenset(case.params.items())
            groups[head, match[1].rstrip("_=-"), others].setdefault(float(match[2]), case)
    return [
        SizeCurve(_curve_name(name, of, others), of, tuple(sorted(points.items(), key=_size)))
        for (name, of, others), points in groups.items()
        if len(points) > 1 and _fits(name, patterns)
    ]


def _size(point: tuple[float, Case]) -> float:
    return point[0]


def _curve_name(benchmark: str, size_of: str, others: frozenset[tuple[str, object]]) -> str:
    cpus = dict(others).get("gomaxprocs")
    return f"{benchmark} by {size_of}" + (f" on {cpus} CPUs" if cpus is not None else "")


def _degradation_item(
    curve: SizeCurve,
    series: Mapping[tuple[str, str], Series],
    rules: DegradationRules,
    policy: GatePolicy,
    *,
    per_item: bool,
) -> GateItem:
    sizes = [size for size, _ in curve.points]
    values = [series[case.id, TIME.name].values for _, case in curve.points]
    if per_item:
        values = [v / size for size, v in zip(sizes, values, strict=True)]
    levels = [
        judge_degradation(sizes, values, at_most=factor, size_ratio=SIZE_RATIO)
        for factor in (rules.acceptable, rules.warning, rules.critical)
    ]
    answer, effect, rule = _answer(curve, levels, rules, policy)
    worst = next((level.worst for level in levels if level is not None), None)
    reason = "a size has no value, or a single one: an interval takes two, as of go test -count 5"
    extent = 0.0
    if worst is not None:
        growth, extent = worst.ratio, worst.ratio.value / rules.acceptable - 1
        cost = "cost of one" if per_item else "cost"
        reason = (
            f"{cost} at 10 times the size is {format_multiple(growth.value)} as high "
            f"({format_number(growth.low)} to {format_number(growth.high)}), from "
            f"{worst.smaller:,.0f} to {worst.larger:,.0f} {curve.size_of}"
        )
        if not per_item and growth.low <= SIZE_RATIO <= growth.high:
            reason += "; that is linear growth, and --per-item judges the cost of one"
    return GateItem(
        question=Question.TARGET,
        answer=answer,
        effect=effect,
        reason=reason,
        rule=rule,
        case=curve.points[-1][1].id,
        target=f"degradation of {curve.name}",
        size=format_multiple(worst.ratio.value) if worst is not None else "",
        extent=extent,
    )


def _answer(
    curve: SizeCurve,
    levels: Sequence[Degradation | None],
    rules: DegradationRules,
    policy: GatePolicy,
) -> tuple[Answer, Effect, str]:
    acceptable, warning, critical = levels
    if acceptable is None or warning is None or critical is None:
        return Answer.NOT_MEASURED, *policy.effect_of("not_measured", curve.name, TIME.name)
    words = f"up to {format_multiple(rules.acceptable)} is met, up to"
    if critical.status == "beyond":
        edge = format_multiple(rules.critical)
        return Answer.MISSED, Effect.FAIL, f"critical: surely over {edge} at 10 times the size"
    if warning.status == "beyond":
        edge = format_multiple(rules.warning)
        return Answer.MISSED, Effect.FAIL, f"a failure where surely over {edge}"
    if acceptable.status == "within":
        return (
            Answer.MET,
            Effect.PASS,
            f"met where surely up to {format_multiple(rules.acceptable)}",
        )
    if acceptable.status == "beyond":
        return Answer.MISSED, Effect.WARN, f"{words} {format_multiple(rules.warning)} a warning"
    effect, rule = policy.effect_of("inconclusive", curve.name, TIME.name)
    return Answer.INCONCLUSIVE, effect, rule


def _limit_item(
    limit: ScaleLimit,
    run: Run,
    series: Mapping[tuple[str, str], Series],
    policy: GatePolicy,
    counterparts: Mapping[str, str],
) -> GateItem:
    target, source = limit.target, _SOURCES[limit.target.id]
    name = f"scale {target.id}"
    item = GateItem(
        question=Question.TARGET,
        answer=Answer.NOT_MEASURED,
        effect=Effect.NOTE,
        reason="",
        rule="",
        target=name,
    )
    effect, rule = policy.effect_of("not_measured", name, source.metric or TIME.name)
    points = [
        (size, case, values)
        for size, case in _points_of(source.function, run, counterparts.get(source.function, ""))
        if (values := _values(source, target.unit, size, case, series)) is not None
    ]
    enough = [point for point in points if len(point[2]) >= MIN_PROCESSES]
    if not enough:
        problem = f"has fewer than {MIN_PROCESSES} values" if points else "is not in this run"
        return _unanswered(item, f"{source.function} {problem}", effect, rule)
    # The smallest size at which the limit holds, or the largest below that; of equals the worst.
    sizes = [size for size, _, _ in enough]
    size = min((s for s in sizes if s >= (limit.size or 0)), default=max(sizes))
    over, value, case = max(
        (
            (_distance(median := float(np.median(values)), limit), median, case)
            for point, case, values in enough
            if point == size
        ),
        key=lambda candidate: candidate[0],
    )
    at = f" at {size:,.0f} {limit.size_of}".rstrip() if size else ""
    figure = f"{_quantity(value, limit)}{at}, limit {_quantity(target.limit, limit)}"
    if limit.size is not None and size < limit.size and over <= _ROUNDING:
        reason = f"{figure} at {limit.size:,.0f}, which was not measured"
        return _unanswered(item, reason, effect, rule)
    is_met = over <= _ROUNDING
    return GateItem(
        question=Question.TARGET,
        answer=Answer.MET if is_met else Answer.MISSED,
        effect=Effect.PASS if is_met else Effect.FAIL,
        reason=figure,
        rule="met up to the limit itself",
        case=case.id,
        target=name,
        size="" if is_met else format_limit_distance(over, target.better),
        extent=over,
    )


def _values(
    source: _Source,
    unit: str,
    size: float,
    case: Case,
    series: Mapping[tuple[str, str], Series],
) -> NDArray[np.float64] | None:
    """Return the values of a limit's figure in its unit; None where the case has none."""
    if source.metric and (figures := series.get((case.id, source.metric))) is not None:
        return figures.values
    times = series.get((case.id, TIME.name))
    if times is None or (source.metric and not (source.is_over_size and size)):
        return None
    if source.metric:
        return _NS_PER_S * size / times.values
    return times.values * _FACTOR[unit]


def _distance(value: float, limit: ScaleLimit) -> float:
    """Return how far a value is beyond its limit, as a share of it."""
    ratio = value / limit.target.limit
    return ratio - 1 if limit.target.better == "lower" else 1 - ratio


def _unanswered(item: GateItem, reason: str, effect: Effect, rule: str) -> GateItem:
    return GateItem(
        question=item.question,
        answer=Answer.NOT_MEASURED,
        effect=effect,
        reason=reason,
        rule=rule,
        target=item.target,
    )


def _points_of(function: str, run: Run, counterpart: str) -> list[tuple[float, Case]]:
    """Return size and case of each point of a Go function, or of veperf's benchmark for it."""
    points = []
    for case in run.cases:
        name = case.benchmark.removeprefix(f"{case.suite}/")
        if name.partition("/")[0] == function:
            match = _SIZE_IN_NAME.fullmatch(name.rpartition("/")[2]) if "/" in name else None
            points.append((float(match[2]) if match else 0.0, case))
        elif counterpart and case.benchmark == counterpart:
            sizes = [v for n, v in case.params.items() if n not in _NO_SIZES]
            numbers = [float(v) for v in sizes if isinstance(v, int | float)]
            points.append((numbers[0] if len(numbers) == 1 else 0.0, case))
    return points


def _quantity(value: float, limit: ScaleLimit) -> str:
    return format_quantity(value, limit.target.unit)
