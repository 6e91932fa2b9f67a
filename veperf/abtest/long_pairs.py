"""Long pairs: many calls of a benchmark in a process, for what happens only every so many calls.

A pair has few calls of long work, and its processes are fresh: work that every 50th call makes ten
times as long may never show. So each such benchmark gets one long pair at the end, and more of them
only where that hints at a change for the worse.
"""

import contextlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from msgspec.structs import replace

from veperf.abtest.benchmark_pairs import BenchmarkPairs
from veperf.abtest.guardrails import (
    LONG_RULE,
    can_be_judged,
    describe_effect,
    describe_threshold,
    evaluate_guardrail,
    guardrail_alpha,
    mean_time,
)
from veperf.abtest.pair import OUT_OF_TIME, PairResult
from veperf.abtest.sequential_comparison import SequentialComparison
from veperf.core.ab_records import ABGuardrail
from veperf.core.case import TIME
from veperf.core.errors import MeasureError
from veperf.core.text import plural
from veperf.core.verdict import ChangeStatus, Severity
from veperf.stats.look_schedule import LookSchedule
from veperf.stats.paired import PairRule

LONG_CALLS = 100
"""Calls on each side of a long pair. A benchmark that has as many in each pair needs none."""
_SIDE_NS = 1_000_000_000
"""Longest duration of a side of a long pair, on a calm machine."""
# Less is no news.
_LEAST_GAIN = 2
# Long pairs draw other orders, layouts and hash seeds than the pairs before them.
_FIRST_INDEX = 10_000


@dataclass(slots=True)
class _LongRun:
    """Long pairs of one benchmark."""

    comparison: SequentialComparison
    samples: int
    values: list[tuple[float, float]] = field(default_factory=list)
    """Means of both sides by pair."""
    result: ABGuardrail | None = None


def measure_long_pairs(
    pairs: BenchmarkPairs,
    comparisons: Sequence[SequentialComparison],
    rule: PairRule,
    schedule: LookSchedule,
    until: float | None,
) -> dict[str, ABGuardrail]:
    """Return the guardrail of each benchmark that needs long pairs, by id.

    ``until`` is the end of the time budget, by ``time.monotonic``. Stopping where there is no hint
    any more, before any look, adds no false alarm.
    """
    runs = {run.comparison.case.id: run for run in map(_plan, comparisons) if run is not None}
    remaining = [run for run in runs.values() if run.result is None]
    longer = pairs.lengthened({run.comparison.case.id: run.samples for run in remaining})
    for index in range(schedule.looks[-1]):
        if not remaining:
            break
        results = longer.measure(_FIRST_INDEX + index, [run.comparison.case for run in remaining])
        try:
            with contextlib.closing(results):
                for result in results:
                    _judge(runs[result.case.id], result, rule, schedule)
                    if until is not None and time.monotonic() >= until:
                        _give_up(remaining, OUT_OF_TIME)
                        break
        except MeasureError as error:
            _give_up(remaining, str(error))
        remaining = [run for run in remaining if run.result is None]
    return {id: run.result for id, run in runs.items() if run.result is not None}


def _plan(comparison: SequentialComparison) -> _LongRun | None:
    """Return the long run of a benchmark; None if it failed, is slower, or has calls enough."""
    first = next(iter(comparison.measured), None)
    change = comparison.change
    if first is None or change is None or comparison.case.metrics[0] != TIME:
        return None
    if change.failure is not None or change.status is ChangeStatus.SLOWER:
        return None
    usual, loops = len(first.a.samples), first.a.loops
    if not usual or usual * loops >= LONG_CALLS:
        return None
    sample_ns = min(sample.wall_ns for sample in first.a.samples)
    samples = min(math.ceil(LONG_CALLS / loops), round(_SIDE_NS / max(1, sample_ns)))
    run = _LongRun(comparison, samples)
    if samples < _LEAST_GAIN * usual:
        run.result = _undecided(run, f"{LONG_CALLS} calls take too long")
    return run


def _judge(run: _LongRun, pair: PairResult, rule: PairRule, schedule: LookSchedule) -> None:
    """Add a pair to ``run``, and settle its result unless more pairs are needed."""
    change = run.comparison.change
    if pair.has_failed or change is None:
        failure = pair.a.failure or pair.b.failure
        run.result = _undecided(run, failure.message if failure else "unknown")
        return
    run.values.append((mean_time(pair.a, change.clock), mean_time(pair.b, change.clock)))
    base, new = np.array(run.values).T
    if not can_be_judged(LONG_RULE, base, new):
        run.result = _undecided(run, "a time is not positive")
        return
    evidence = evaluate_guardrail(LONG_RULE, base, new, rule.alpha)
    number = len(run.values)
    if number in schedule.looks:
        look = schedule.looks.index(number)
        result = evidence.decide(schedule.levels_change(guardrail_alpha(rule))[look], 0.0)
        if result.status is not ChangeStatus.INCONCLUSIVE or number == schedule.looks[-1]:
            run.result = result
            return
    ratio = evidence.ratio or math.inf
    if ratio <= 1 + LONG_RULE.effect:
        effect = describe_effect(evidence.base, evidence.new, ratio, LONG_RULE.unit)
        run.result = replace(
            evidence.decide(0.0, 0.0),
            low=None,
            high=None,
            reason=(
                f"no sign of more than {describe_threshold(LONG_RULE)}: {LONG_RULE.noun} {effect} "
                f"({plural(number, 'long pair')} of {plural(run.samples, 'sample')})"
            ),
        )


def _give_up(runs: Sequence[_LongRun], reason: str) -> None:
    for run in runs:
        run.result = run.result or _undecided(run, reason)


def _undecided(run: _LongRun, reason: str) -> ABGuardrail:
    return ABGuardrail(
        name=LONG_RULE.name,
        unit=LONG_RULE.unit,
        status=ChangeStatus.INCONCLUSIVE,
        severity=Severity.NONE,
        reason=f"{LONG_RULE.noun} undecided after {plural(len(run.values), 'pair')}: {reason}",
        pairs=len(run.values),
    )
