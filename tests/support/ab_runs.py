"""Comparisons as they would have been found, for tests of what keeps and shows them."""

from typing import Literal

from veperf.core.ab_records import ABChange, ABConfig, ABLook, ABPair, ABRound, ABRun, ABSide
from veperf.core.case import TIME
from veperf.core.run import Machine, Revision
from veperf.core.verdict import ChangeStatus, Severity


def change(
    case: str, status: ChangeStatus, *, ratio: float = 1.0, severity: Severity = Severity.NONE
) -> ABChange:
    """Six pairs with the same ratio, and the look at them."""
    return ABChange(
        case=case,
        metric=TIME,
        status=status,
        severity=severity,
        reason=f"{case} is {status}",
        clock="cpu",
        loops=100,
        base=1000.0,
        new=1000.0 * ratio,
        ratio=ratio,
        low=ratio - 0.01,
        high=ratio + 0.01,
        confidence=0.97,
        p_slower=0.5,
        pairs=(ABPair(1000.0, 1000.0 * ratio, (1000.0, 1010.0), (1000.0 * ratio,)),) * 6,
        path=(ABLook(6, ratio, ratio - 0.01, ratio + 0.01, 0.5, 0.4, 0.016, 0.0, 0.03),),
    )


def ab_run(*changes: ABChange, stopped: Literal["", "time", "hand"] = "") -> ABRun:
    """A comparison of two commits with these changes."""
    return ABRun(
        id="20261123-120000-abc1234-0123",
        created="2026-11-23T12:00:00+00:00",
        base=ABSide("main", Revision("1" * 40)),
        new=ABSide("working tree", Revision("2" * 40, "topic", dirty=True), "its own"),
        config=ABConfig((), (), 8, 5_000_000, 1, 60.0, 48, 0.05),
        machine=Machine("box", "Box 9000", 4, 16 << 30, "Linux 6.1", "CPython 3.11.7"),
        changes=changes,
        rounds=(ABRound(15.0, 0.5, 0.01, 2_600.0), ABRound(15.0, 0.7, None, None)),
        stopped=stopped,
    )
