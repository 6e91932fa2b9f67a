"""Sequential comparison of one benchmark: pairs are added until they decide."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from veperf.abtest.guardrails import CaseGuardrails
from veperf.abtest.pair import PairResult, common_clock, pair_values
from veperf.core.ab_records import ABChange, ABGuardrail, ABLook, ABPair
from veperf.core.case import TIME, Case, Clock, Metric
from veperf.core.text import plural
from veperf.core.verdict import ChangeStatus, Severity
from veperf.stats.look_schedule import LookSchedule
from veperf.stats.paired import PairEvidence, PairRule, evaluate_pairs, find_obstacle, log_ratios
from veperf.stats.sequential import Look, SequentialTest, SequentialVerdict


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
    side, failure = ("base", last.a.failure) if last.a.failure else ("new", last.b.failure)
    assert failure is not None, "one of the sides failed"
    reason = f"{side} code could not be measured: {failure.message}"
    return ABChange(
        case=so_far.case,
        metric=so_far.metric,
        status=ChangeStatus.ERROR,
        severity=Severity.NONE,
        reason=reason,
        clock=so_far.clock,
        loops=so_far.loops,
        pairs=so_far.finite_pairs,
        failure=failure,
    )


def one_sided_change(case: str, metric: Metric, side: str) -> ABChange:
    """Return the change of a benchmark that only ``side`` has."""
    return ABChange(
        case=case,
        metric=metric,
        status=ChangeStatus.ONE_SIDED,
        severity=Severity.NONE,
        reason=f"only in {side}",
    )


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
        if self.pairs >= self._first_look:
            self._judge()
        if (verdict := self._sequential.verdict) is not None:
            self.change = decided_change(self._measured_so_far(), verdict)
        return self.change

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
            self.change = decided_change(self._measured_so_far(), self._sequential.finish())
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
        for pair in self._pairs()[self._sequential.pairs :]:
            pairs = self._sequential.pairs + 1
            if self._has_guardrails and pairs == self._sequential.next_look:
                self._guardrails.look(self._measured[:pairs], self._clock)
            hold = self._guardrails.hints_at_worse
            if self._sequential.add(pair.base, pair.new, hold=hold) is not None:
                return

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
