"""Baselines: process values recorded from a run, for later runs to be screened against."""

from msgspec import Struct

from veperf.core.case import Clock, Direction
from veperf.core.run import Machine, Revision, Summary

# Format history of a recorded baseline:
#   1  the first
BASELINE_FORMAT = 1


class BaselineSeries(Struct, frozen=True):
    """A metric of a case in a recorded baseline: process values by clock."""

    case: str
    metric: str
    unit: str
    better: Direction
    clock: Clock
    loops: int
    operations: int
    cpu: tuple[float, ...]
    """Empty if the case has no CPU time."""
    wall: tuple[float, ...]
    exact: bool = False
    """True for values that can't vary."""
    summary: Summary | None = None
    """Statistics of the values of which the only process value is the center."""
    definition: str = ""
    """That of the metric."""


class Baseline(Struct, frozen=True):
    """Process values against which later runs on the same machine class are screened."""

    suite: str
    recorded: str
    run: str
    machine: Machine
    revision: Revision
    yardstick_ns: tuple[float, ...]
    series: tuple[BaselineSeries, ...]
    sessions: tuple[str, ...] = ()
    """Runs whose process values are combined, if there are several; ``run`` and ``revision`` are
    those of the last."""
    reason: str = ""
    """Reason why it was recorded; empty where nobody gave one."""
    format: int = BASELINE_FORMAT


class RetiredBaseline(Struct, frozen=True):
    """A baseline that was replaced by another one."""

    baseline: Baseline
    retired: str
    """UTC, ISO 8601."""
    reason: str
    format: int = BASELINE_FORMAT
