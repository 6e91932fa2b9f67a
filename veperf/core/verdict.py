"""TODO."""

from enum import StrEnum

from msgspec import Struct

from veperf.core.case import Better, Clock
from veperf.core.run import Failure, Machine, Revision

# Format history of a recorded baseline:
#   1  the first
BASELINE_FORMAT = 1


# ---------------------------------------------------------------- what it is judged against


class Target(Struct, frozen=True):
    """A published target."""

    id: str
    limit: float
    unit: str
    better: Better
    what: str
    target: float | None = None
    """What is aimed at, where that is more than the limit that is judged."""


class TargetSet(Struct, frozen=True):
    """targets.json."""

    version: str
    source: str
    warn_percent: float
    fail_percent: float
    targets: tuple[Target, ...]


class BaselineSeries(Struct, frozen=True):
    """One metric of one case in a recorded baseline: a value a process, by clock."""

    case: str
    metric: str
    unit: str
    better: Better
    clock: Clock
    loops: int
    operations: int
    cpu: tuple[float, ...]
    """Empty where the case has no CPU time."""
    wall: tuple[float, ...]


class Baseline(Struct, frozen=True):
    """What later runs on the same machine class are screened against."""

    suite: str
    recorded: str
    run: str
    machine: Machine
    revision: Revision
    yardstick_ns: tuple[float, ...]
    series: tuple[BaselineSeries, ...]
    sessions: tuple[str, ...] = ()
    """The runs whose processes are put together in it, where they are several; ``run`` and
    ``revision`` are those of the last."""
    format: int = BASELINE_FORMAT


class RetiredBaseline(Struct, frozen=True):
    """A baseline that another one took the place of."""

    baseline: Baseline
    retired: str
    """UTC, ISO 8601."""
    reason: str
    format: int = BASELINE_FORMAT


# ---------------------------------------------------------------- what was found


class TargetStatus(StrEnum):
    """Is it fast enough?"""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"
    NOT_MEASURED = "not measured"


class ChangeStatus(StrEnum):
    """Is it slower than it was?"""

    OK = "ok"
    FASTER = "faster"
    SLOWER = "slower"
    SUSPECT = "suspect"
    INCONCLUSIVE = "inconclusive"
    NOT_ENOUGH = "not enough samples"
    OTHER_MACHINE = "other machine"
    NO_BASELINE = "no baseline"
    ONE_SIDED = "only in one side"
    ERROR = "error"


class TargetVerdict(Struct, frozen=True):
    """One published target and what was measured for it, in the target's unit."""

    target: Target
    status: TargetStatus
    case: str | None
    value: float | None
    """Median over processes of the per-process values."""
    low: float | None
    high: float | None
    """Distribution-free interval of that median, 95 % where the number of processes allows."""
    confidence: float | None
    """The coverage that the interval really has."""
    over: float | None
    """How far beyond the limit, as a share of it: 0.1 is 10 % worse than the limit."""
    processes: int
    known_miss: bool
    reason: str


class Change(Struct, frozen=True):
    """One metric of one case, baseline against candidate."""

    case: str
    metric: str
    unit: str
    status: ChangeStatus
    base: float | None
    new: float | None
    """Medians over processes."""
    ratio: float | None
    """Hodges-Lehmann shift as new / base; over 1 is worse, whatever the metric's direction."""
    low: float | None
    high: float | None
    confidence: float | None
    p: float | None
    """Of "no worse than the smallest effect that counts"."""
    p_adjusted: float | None
    """The same after Holm's correction over the suite."""
    n_base: int
    n_new: int
    clock: Clock
    reason: str


class Outcome(StrEnum):
    """A whole verdict in one word."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"
    INCONCLUSIVE = "inconclusive"


class Verdict(Struct, frozen=True):
    """The two answers about one run, apart, and the one sentence that sums them up."""

    run: str
    outcome: Outcome
    sentence: str
    targets: tuple[TargetVerdict, ...]
    changes: tuple[Change, ...]
    failures: dict[str, Failure]
    """Case id to the first failure, for cases that could not be measured (wholly or in part)."""
    against: str = ""
    """What the changes are measured against, in words; empty when nothing is."""
    notes: tuple[str, ...] = ()
    """What a reader must know before believing the above: drift, other machine, busy machine."""


# ---------------------------------------------------------------- old and new code in pairs


class Severity(StrEnum):
    """How bad a change is."""

    NONE = "none"
    WARN = "warn"
    FAIL = "fail"
