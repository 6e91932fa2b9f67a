"""Sequential comparison of one benchmark: pairs are added until they decide."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from veperf.abtest.guardrails import CaseGuardrails
from veperf.abtest.pair import PairResult, SideLetter, common_clock, pair_values
from veperf.core.ab_records import ABChange, ABGuardrail, ABLook, ABPair
from veperf.core.case import TIME, Case, Clock, Metric
from veperf.core.run import Failure
from veperf.core.text import format_count, plural
from veperf.core.units import is_count
from veperf.core.verdict import ChangeStatus, Severity
from veperf.stats.look_schedule import LookSchedule
from veperf.stats.paired import PairEvidence, PairRule, evaluate_pairs, find_obstacle, log_ratios
from veperf.stats.sequential import Look, SequentialTest, SequentialVerdict

# What matters of bytes, as of the guardrails of memory.
_LEAST_BYTES = 64.0
# Of a count that doesn't vary, so that it is known to be one.
_FEWEST_PAIRS_OF_COUNT = 2


@dataclass(frozen=True, slots=True)
class MeasuredPairs:
    """Pairs measured so far of a benchmark."""

    case: str
    metric: Metric
    clock: Clock
    loops: int
    margin: float
    pairs: tuple[ABPair, ...]
    guardrails: tuple[ABGuardrail, ...] = ()

    @property
    def finite_pairs(self) -> tuple[ABPair, ...]:
        """Pairs whose values are numbers; JSON has no others."""
        return tuple(p for p in self.pairs if math.isfinite(p.base) and math.isfinite(p.new))


def decided_change(so_far: MeasuredPairs, verdict: SequentialVerdict) -> ABChange:
    """Return the change that the sequential test decided."""
    return _change(
        so_far,
        verdict,
        verdict.status,
        verdict.reason,
        verdict.severity,
        tuple(map(_look, verdict.path)),
    )


def stopped_change(so_far: MeasuredPairs, rule: PairRule, path: tuple[Look, ...]) -> ABChange:
    """Return an undecided change, as the comparison was stopped by hand.

    The evidence is that of the last look of ``path``; before the first there is an estimate alone.
    """
    values = np.array([(pair.base, pair.new) for pair in so_far.pairs])
    evidence = PairEvidence(pairs=len(so_far.pairs))
    if path:
        evidence = path[-1]
    elif so_far.pairs and find_obstacle(values) is None:
        ratios = log_ratios(values[:, 0], values[:, 1], rule.better)
        evidence = evaluate_pairs(ratios, rule, end_level=0)
    reason = f"stopped by hand after {plural(len(so_far.pairs), 'pair')}, undecided"
    looks = tuple(map(_look, path))
    return _change(so_far, evidence, ChangeStatus.INCONCLUSIVE, reason, path=looks)


def failed_change(so_far: MeasuredPairs, last: PairResult) -> ABChange:
    """Return the change of a benchmark whose last pair failed on one side."""
    letter: SideLetter = "a" if last.a.failure else "b"
    failure = last.a.failure or last.b.failure
    assert failure is not None, "one of the sides failed"
    return replace(
        failed_result(so_far.case, letter, failure, so_far.metric),
        clock=so_far.clock,
        loops=so_far.loops,
        pairs=so_far.finite_pairs,
    )


def failed_result(
    case: str, letter: SideLetter, failure: Failure, metric: Metric = TIME
) -> ABChange:
    """Return the change of a benchmark that has failed on one side."""
    side = "base" if letter == "a" else "new"
    return ABChange(
        case=case,
        metric=metric,
        status=ChangeStatus.ERROR,
        severity=Severity.NONE,
        reason=f"{side} code could not be measured: {failure.message}",
        failure=failure,
    )


def one_sided_change(
    case: str, metric: Metric, letter: SideLetter, side: str, detail: str = ""
) -> ABChange:
    """Return the change of a benchmark that only one side has, which has the name ``side``."""
    return ABChange(
        case=case,
        metric=metric,
        status=ChangeStatus.ONE_SIDED,
        severity=Severity.NONE,
        reason=f"only in {side}{detail}",
        only_in="base" if letter == "a" else "new",
    )


def is_count_metric(metric: Metric) -> bool:
    """Return whether ``metric`` is one that may be the same whenever it is measured."""
    return metric.name != TIME.name and (metric.exact or is_count(metric.unit))


def exact_change(so_far: MeasuredPairs, fail_over: float) -> ABChange | None:
    """Return the change of a count that is the same in all pairs of a side; None where it varies.

    Such a count needs no test: any difference is one. More is ``slower`` (less, where higher is
    better), and a failure beyond ``fail_over``; from zero to anything is a failure.
    """
    metric, (first, *others) = so_far.metric, so_far.pairs
    base, new = first.base, first.new
    if not (math.isfinite(base) and math.isfinite(new) and min(base, new) >= 0):
        return None
    if any((pair.base, pair.new) != (base, new) for pair in others):
        return None
    worse = base - new if metric.better == "higher" else new - base
    ends = (new, base) if metric.better == "higher" else (base, new)
    ratio = 1.0 if base == new else ends[1] / ends[0] if ends[0] else None
    status, severity = ChangeStatus.OK, Severity.NONE
    if worse and metric.better == "unknown":
        status = ChangeStatus.CHANGED
    elif worse > 0:
        status = ChangeStatus.SLOWER
        is_failure = ratio is None or ratio > 1 + fail_over
        severity = Severity.FAIL if is_failure else Severity.WARN
    elif worse < 0:
        status = ChangeStatus.FASTER
    sizes = f"{format_count(base)} to {format_count(new)}"
    more = "more" if new > base else "fewer"
    effect = f"equal, {format_count(base)}" if base == new else f"{more}, {sizes}"
    reason = f"{effect} in each of {plural(len(so_far.pairs), 'pair')}: exact, it needs no test"
    evidence = PairEvidence(pairs=len(so_far.pairs), ratio=math.nan if ratio is None else ratio)
    return _change(so_far, evidence, status, reason, severity)


def _of_unknown_direction(change: ABChange) -> ABChange:
    """Return ``change``, judged as if less were better, of a metric that may be better either way.

    More and less are both ``changed``; it is ``ok`` only where neither is as much as the margin.
    """
    if change.status in (ChangeStatus.SLOWER, ChangeStatus.FASTER):
        return replace(change, status=ChangeStatus.CHANGED, severity=Severity.NONE)
    is_low = change.low is None or change.low < 1 / (1 + change.margin)
    if change.status is ChangeStatus.OK and is_low:
        reason = f"less is not ruled out: {change.reason}"
        return replace(change, status=ChangeStatus.INCONCLUSIVE, reason=reason)
    return change


def _change(
    so_far: MeasuredPairs,
    evidence: PairEvidence,
    status: ChangeStatus,
    reason: str,
    severity: Severity = Severity.NONE,
    path: tuple[ABLook, ...] = (),
) -> ABChange:
    return ABChange(
        case=so_far.case,
        metric=so_far.metric,
        status=status,
        severity=severity,
        reason=reason,
        margin=so_far.margin,
        clock=so_far.clock,
        loops=so_far.loops,
        base=_median([pair.base for pair in so_far.finite_pairs]),
        new=_median([pair.new for pair in so_far.finite_pairs]),
        ratio=_known(evidence.ratio),
        low=_known(evidence.low),
        high=_known(evidence.high),
        confidence=_known(evidence.confidence),
        p_slower=_known(evidence.p_slower),
        pairs=so_far.finite_pairs,
        path=path,
        guardrails=so_far.guardrails,
    )


def _look(look: Look) -> ABLook:
    return ABLook(
        pairs=look.pairs,
        ratio=_known(look.ratio),
        low=_known(look.low),
        high=_known(look.high),
        p_slower=_known(look.p_slower),
        p_faster=_known(look.p_faster),
        p_equivalent=_known(look.p_equivalent),
        alpha_change=look.alpha_change,
        alpha_ok=look.alpha_ok,
        autocorrelation=look.autocorrelation,
    )


def _median(values: list[float]) -> float | None:
    return _known(float(np.median(values))) if values else None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


class SequentialComparison:
    """Sequential comparison of ``case``, to which pairs are added until they decide.

    The clock is settled by the pairs of the first look, before any of them is judged.
    ``autocorrelation`` returns that of the pairs of the whole comparison.
    """

    def __init__(
        self,
        case: Case,
        rule: PairRule,
        schedule: LookSchedule,
        autocorrelation: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.case = case
        self.change: ABChange | None = None
        """Decision; None while there is none."""
        self._rule = rule
        self._first_look = schedule.looks[0]
        self._sequential = SequentialTest(rule, schedule, autocorrelation)
        self._guardrails = CaseGuardrails(rule, schedule)
        self._measured: list[PairResult] = []
        self._clock: Clock | None = None

    @property
    def pairs(self) -> int:
        """Number of pairs added."""
        return len(self._measured)

    @property
    def measured(self) -> tuple[PairResult, ...]:
        """Pairs added, but for one that failed."""
        return tuple(self._measured)

    def add(self, pair: PairResult) -> ABChange | None:
        """Add a pair, and return the decision if it led to one."""
        if pair.has_failed:
            self.change = failed_change(self._measured_so_far(), pair)
            return self.change
        self._measured.append(pair)
        if self.pairs == self._first_look and (change := self._count_change()) is not None:
            self.change = change
            return change
        if self.pairs >= self._first_look:
            self._judge()
        if (verdict := self._sequential.verdict) is not None:
            self._decide(verdict)
        return self.change

    def _decide(self, verdict: SequentialVerdict) -> None:
        change = decided_change(self._measured_so_far(), verdict)
        is_unknown = self.case.metrics[0].better == "unknown"
        self.change = _of_unknown_direction(change) if is_unknown else change

    def _count_change(self) -> ABChange | None:
        """Return the decision on a count that doesn't vary."""
        if not is_count_metric(self.case.metrics[0]) or self.pairs < _FEWEST_PAIRS_OF_COUNT:
            return None
        return exact_change(self._measured_so_far(), self._rule.fail_over)

    @property
    def log_ratios(self) -> NDArray[np.float64]:
        """Log ratios of the pairs so far, shape (pairs,); empty where a value has none."""
        if self._sequential.pairs or not self._measured:
            return self._sequential.log_ratios
        values = np.array([(pair.base, pair.new) for pair in self._pairs()])
        if find_obstacle(values) is not None:
            return np.empty(0)
        return log_ratios(values[:, 0], values[:, 1], self._rule.better)

    @property
    def next_look(self) -> int:
        """Number of pairs at the next look; it is 0 once decided."""
        return self._sequential.next_look or 0

    @property
    def has_look(self) -> bool:
        """True where there are pairs enough for a look."""
        return self.pairs >= self._first_look

    def leave_out(self, reason: str) -> ABChange:
        """Return the change of a benchmark that got too few pairs for a look, for this reason."""
        assert not self.has_look, "pairs enough for a look get one"
        if (change := self._count_change()) is not None:
            self.change = change
            return change
        status = ChangeStatus.NOT_ENOUGH if self.pairs else ChangeStatus.NOT_MEASURED
        evidence = PairEvidence(pairs=self.pairs)
        self.change = _change(self._measured_so_far(), evidence, status, reason)
        return self.change

    def finish(self) -> ABChange:
        """Return the decision when time is up, from a last look at the pairs so far."""
        if self.change is None:
            self._judge()
            if self._has_guardrails:
                self._guardrails.finish(self._measured, self._settled_clock())
            self._decide(self._sequential.finish())
        assert self.change is not None, "the last look decides"
        return self.change

    def stop(self) -> ABChange:
        """Return the change after a stop by hand: undecided, as the data may have prompted it."""
        if self.change is None:
            if not self.pairs:
                return self.leave_out("stopped by hand before its first pair")
            path = self._sequential.path
            self.change = stopped_change(self._measured_so_far(), self._rule, path)
        return self.change

    def _judge(self) -> None:
        """Pass the new pairs on to the test."""
        if self._clock is None:
            self._clock = common_clock(self._measured)
        pairs_so_far = self._pairs()
        offset = self._offset(pairs_so_far[: self._first_look])
        for pair in pairs_so_far[self._sequential.pairs :]:
            pairs = self._sequential.pairs + 1
            if self._has_guardrails and pairs == self._sequential.next_look:
                self._guardrails.look(self._measured[:pairs], self._clock)
            hold = self._guardrails.hints_at_worse
            verdict = self._sequential.add(pair.base + offset, pair.new + offset, hold=hold)
            if verdict is not None:
                return

    def _offset(self, first: Sequence[ABPair]) -> float:
        """Return what is added to counts, so that those about zero, which vary, have a ratio.

        A byte more than none doesn't matter, and 64 more do, as does an allocation.
        """
        metric = self.case.metrics[0]
        if not is_count_metric(metric):
            return 0.0
        least = _LEAST_BYTES if metric.unit in ("B", "B/op") else 1.0
        return least if min(min(pair.base, pair.new) for pair in first) < least else 0.0

    @property
    def _has_guardrails(self) -> bool:
        return self.case.metrics[0] == TIME

    def _settled_clock(self) -> Clock:
        return self._clock or common_clock(self._measured)

    def _measured_so_far(self) -> MeasuredPairs:
        loops = self._measured[0].a.loops if self._measured else 1
        return MeasuredPairs(
            case=self.case.id,
            metric=self.case.metrics[0],
            clock=self._settled_clock(),
            loops=loops,
            margin=self._rule.margin,
            pairs=self._pairs(),
            guardrails=self._guardrails.results,
        )

    def _pairs(self) -> tuple[ABPair, ...]:
        clock = self._settled_clock()
        return tuple(pair_values(result, self.case.metrics[0], clock) for result in self._measured)
