"""Targets, baselines, and the verdicts on a run that follow from them."""

from enum import StrEnum

from msgspec import Struct

from veperf.core.case import Clock, Direction
from veperf.core.gate import GateDecision, KnownMiss
from veperf.core.run import Failure
from veperf.core.target import Target
from veperf.core.text import format_exact, format_limit_distance


class TargetStatus(StrEnum):
    """Answer to the question whether a case is fast enough."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"
    NOT_MEASURED = "not measured"


class ChangeStatus(StrEnum):
    """Answer to the question whether a case is slower than before."""

    OK = "ok"
    """A slowdown of the margin or more is ruled out: shown as "within 3 %"."""
    FASTER = "faster"
    SLOWER = "slower"
    CHANGED = "changed"
    SUSPECT = "suspect"
    INCONCLUSIVE = "inconclusive"
    NOT_ENOUGH = "not enough samples"
    OTHER_MACHINE = "not comparable"
    """Made on another machine, or of another definition of the metric."""
    NO_BASELINE = "no baseline"
    ONE_SIDED = "only in one side"
    NOT_MEASURED = "not measured"
    """The time ran out before its first pair."""
    ERROR = "error"


UNDECIDED = frozenset(
    {ChangeStatus.INCONCLUSIVE, ChangeStatus.NOT_ENOUGH, ChangeStatus.NOT_MEASURED}
)
"""Answers that decide nothing."""


class TargetVerdict(Struct, frozen=True):
    """A published target and the measured value, in the target's unit."""

    target: Target
    status: TargetStatus
    case: str | None
    value: float | None
    """Median of the process values."""
    low: float | None
    high: float | None
    """Ends of the distribution-free interval of that median, 95 % if there are enough processes."""
    confidence: float | None
    """Actual coverage of the interval."""
    over: float | None
    """Distance beyond the limit, as a share of it: 0.1 is 10 % worse than the limit."""
    processes: int
    known_miss: bool
    reason: str
    miss: KnownMiss | None = None
    """Reason for a known miss, where it is one."""
    floor: str = ""
    """Distance of a miss to its floor, in words: 1.3 times the library floor; empty if unknown."""
    metric: str = ""
    """Metric of the case that the value is of; empty where no case answers."""
    allowed: float = 0.0
    """Share beyond the limit up to which it is met all the same."""
    successor_value: float | None = None
    """Median of the process values of the target's successor, if it was measured."""
    successor_over: float | None = None
    """Distance of that beyond the limit, as a share of it."""

    @property
    def is_met(self) -> bool:
        """Return whether it is met, if only by the low value."""
        is_doubtful = self.status is TargetStatus.WARN and (self.over or 0.0) <= 0
        return self.status is TargetStatus.PASS or is_doubtful

    @property
    def limit(self) -> str:
        """Limit with its unit."""
        return format_exact(self.target.limit, self.target.unit)

    @property
    def distance(self) -> str:
        """Distance of the value to its limit, in words, with that limit and what is allowed."""
        allowed = self.allowed if self.status is TargetStatus.PASS else 0.0
        return format_limit_distance(
            self.over, self.target.better, limit=self.limit, allowed=allowed
        )


class Change(Struct, frozen=True):
    """The change of a metric of a case between base and new."""

    case: str
    metric: str
    unit: str
    status: ChangeStatus
    base: float | None
    new: float | None
    """Medians of the process values."""
    ratio: float | None
    """Hodges-Lehmann shift as new / base; over 1 is worse, or more if the direction is unknown."""
    low: float | None
    high: float | None
    confidence: float | None
    p: float | None
    """p-value of "no worse than the smallest effect that matters"."""
    p_adjusted: float | None
    """The p-value after Holm's correction over the run."""
    n_base: int
    n_new: int
    clock: Clock
    reason: str
    margin: float | None = 0.03
    """Change that ``ok`` rules out; None of counts, whose ``ok`` is that they don't differ."""
    better: Direction = "lower"
    """Better direction of the metric; where unknown, the status is ``changed`` at most."""
    fail_over: float = 0.2
    """Threshold of a failure where nobody has set one: by what is known of both sides' machine."""


class Verdict(Struct, frozen=True):
    """Verdict on a run: the decision of the gate, and the targets and changes that it is about."""

    run: str
    decision: GateDecision
    targets: tuple[TargetVerdict, ...]
    changes: tuple[Change, ...]
    failures: dict[str, Failure]
    """First failure of each case that could not be measured in some or all passes."""
    against: str = ""
    """Description of the baseline of the changes; empty if there is none."""
    notes: tuple[str, ...] = ()
    """Reservations about the above: drift, another machine, a busy machine."""


class Severity(StrEnum):
    """Severity of a slowdown."""

    NONE = "none"
    WARN = "warn"
    FAIL = "fail"
