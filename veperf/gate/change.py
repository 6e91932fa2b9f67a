"""What a benchmark's pairs come to, as it is kept and shown."""

import math
from dataclasses import dataclass

import numpy as np

from veperf.judge.pairs import Evidence, PairRule, log_ratios, obstacle, weigh
from veperf.judge.sequential import Look, SequentialVerdict
from veperf.judge.words import plural
from veperf.measure.ab.pair import Measured
from veperf.model import ABChange, ABLook, ABPair, ChangeStatus, Clock, Metric, Severity


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
