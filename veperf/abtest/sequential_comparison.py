"""One benchmark's pairs, until they decide."""

import math
from dataclasses import dataclass

import numpy as np

from veperf.abtest.pair import Measured, clock_of, pair_of
from veperf.core.ab import ABChange, ABLook, ABPair
from veperf.core.case import Case, Clock, Metric
from veperf.core.verdict import ChangeStatus, Severity
from veperf.core.words import plural
from veperf.stats.look_schedule import Plan
from veperf.stats.pairs import Evidence, PairRule, log_ratios, obstacle, weigh
from veperf.stats.sequential import Look, Sequential, SequentialVerdict


@dataclass(frozen=True, slots=True)
class SoFar:
    """What was measured of a benchmark."""

    case: str
    metric: Metric
    clock: Clock
    loops: int
    pairs: tuple[ABPair, ...]

    @property
    def kept(self) -> tuple[ABPair, ...]:
        """The pairs less those with a value that is no number, which JSON can't say."""
        return tuple(p for p in self.pairs if math.isfinite(p.base) and math.isfinite(p.new))


def decided(so_far: SoFar, verdict: SequentialVerdict) -> ABChange:
    """The judge's decision."""
    return _change(
        so_far,
        verdict,
        verdict.status,
        verdict.reason,
        verdict.severity,
        tuple(map(_look, verdict.path)),
    )


def broken_off(so_far: SoFar, rule: PairRule) -> ABChange:
    """No decision, because somebody stopped the comparison."""
    values = np.array([(pair.base, pair.new) for pair in so_far.pairs])
    found = Evidence(pairs=len(so_far.pairs))
    if so_far.pairs and obstacle(values) is None:
        found = weigh(log_ratios(values[:, 0], values[:, 1], rule.better), rule)
    reason = f"stopped by hand after {plural(len(so_far.pairs), 'pair')}, undecided"
    return _change(so_far, found, ChangeStatus.INCONCLUSIVE, reason)


def failed(so_far: SoFar, last: Measured) -> ABChange:
    """One side could not be measured."""
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
        pairs=so_far.kept,
        failure=failure,
    )


def one_sided(case: str, metric: Metric, side: str) -> ABChange:
    """A benchmark that the other side does not have."""
    return ABChange(
        case=case,
        metric=metric,
        status=ChangeStatus.ONE_SIDED,
        severity=Severity.NONE,
        reason=f"only in {side}",
    )


def _change(
    so_far: SoFar,
    found: Evidence,
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
        clock=so_far.clock,
        loops=so_far.loops,
        base=_median([pair.base for pair in so_far.kept]),
        new=_median([pair.new for pair in so_far.kept]),
        ratio=_known(found.ratio),
        low=_known(found.low),
        high=_known(found.high),
        confidence=_known(found.confidence),
        p_slower=_known(found.p_slower),
        pairs=so_far.kept,
        path=path,
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
    )


def _median(values: list[float]) -> float | None:
    return _known(float(np.median(values))) if values else None


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


class Contest:
    """Takes the pairs of ``case`` in, and says what they come to.

    By which clock is settled by the pairs of the first look, before any of them is judged.
    """

    def __init__(self, case: Case, rule: PairRule, plan: Plan) -> None:
        self.case = case
        self.decided: ABChange | None = None
        """What it came to; None while it is open."""
        self._rule = rule
        self._first_look = plan.looks[0]
        self._sequential = Sequential(rule, plan)
        self._measured: list[Measured] = []
        self._clock: Clock | None = None

    @property
    def pairs(self) -> int:
        """How many were taken in."""
        return len(self._measured)

    def add(self, new: Measured) -> ABChange | None:
        """Take in one more pair, and return the decision if that brought it."""
        if new.failed:
            self.decided = failed(self._measured_so_far(), new)
            return self.decided
        self._measured.append(new)
        if self.pairs >= self._first_look:
            self._judge()
        if (verdict := self._sequential.verdict) is not None:
            self.decided = decided(self._measured_so_far(), verdict)
        return self.decided

    def run_out(self) -> ABChange:
        """The decision where time is up: a last look at the pairs there are."""
        if self.decided is None:
            self._judge()
            self.decided = decided(self._measured_so_far(), self._sequential.finish())
        return self.decided

    def break_off(self) -> ABChange:
        """The decision where somebody had seen enough: none, as what they saw may be why."""
        if self.decided is None:
            self.decided = broken_off(self._measured_so_far(), self._rule)
        return self.decided

    def _judge(self) -> None:
        """Hand the pairs on that have not been judged yet."""
        if self._clock is None:
            self._clock = clock_of(self._measured)
        for pair in self._pairs()[self._sequential.pairs :]:
            if self._sequential.add(pair.base, pair.new) is not None:
                return

    def _measured_so_far(self) -> SoFar:
        loops = self._measured[0].a.loops if self._measured else 1
        clock = self._clock or clock_of(self._measured)
        return SoFar(self.case.id, self.case.metrics[0], clock, loops, self._pairs())

    def _pairs(self) -> tuple[ABPair, ...]:
        clock = self._clock or clock_of(self._measured)
        return tuple(pair_of(one, self.case.metrics[0], clock) for one in self._measured)
