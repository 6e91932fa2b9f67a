"""What is stored and passed around: frozen, typed, free of behaviour.

Everything here is a msgspec struct, so that a file read from elsewhere is checked against these
types before anything believes it. Bare numbers carry their unit in the name.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Literal

from msgspec import Struct

# Format history of run.json:
#   1  the first
RUN_FORMAT = 1

# Format history of ab.json:
#   1  the first
AB_FORMAT = 1

# Format history of a recorded baseline:
#   1  the first
BASELINE_FORMAT = 1

Params = dict[str, int | float | str]
Better = Literal["lower", "higher"]
Clock = Literal["cpu", "wall"]
Arrivals = Literal["poisson", "constant"]
FailureKind = Literal["raised", "crashed", "timeout", "protocol", "invalid"]


class Level(StrEnum):
    """How much of the system a benchmark touches."""

    MICRO = "micro"
    COMPONENT = "component"
    INTEGRATION = "integration"
    LOAD = "load"


# ---------------------------------------------------------------- what is measured


class Metric(Struct, frozen=True):
    """A figure that a case yields once a process: its name, unit and good direction."""

    name: str
    unit: str
    better: Better = "lower"
    exact: bool = False
    """Whether it can't vary, such as the size of a file: one value says all, and differs or not."""


TIME = Metric("time", "ns")

LATENCY_METRICS = (
    Metric("latency_p50", "ms"),
    Metric("latency_p95", "ms"),
    Metric("latency_p99", "ms"),
    Metric("latency_p999", "ms"),
    Metric("latency_max", "ms"),
    Metric("error_rate", "%"),
    Metric("lag_p99", "ms"),
)
"""What a load run yields beside its rates, ``offered`` and ``achieved``, whose unit is the suite's.

``lag_p99`` is how late the generator handed items over; that is part of their latency, too.
"""


MEMORY_METRICS = (
    Metric("memory_peak", "B"),
    Metric("memory_total", "B"),
    Metric("memory_allocations", "allocations"),
)
"""What an operation holds at most, and what it allocates, freed or not; see ``veperf.memory``.

A run has them where it was asked to measure memory. They are counts: load and speed of the machine
don't change them.
"""
MEMORY_NAMES = frozenset(metric.name for metric in MEMORY_METRICS)


class Case(Struct, frozen=True):
    """One benchmark with one set of parameters: what is measured and judged as a unit.

    ``id`` is the benchmark's own id where the parameters are the defaults, otherwise the id
    followed by those that differ: ``transaction/block_processing[transactions=100]``.
    """

    id: str
    benchmark: str
    suite: str
    level: Level
    what: str
    params: Params = {}
    metrics: tuple[Metric, ...] = (TIME,)
    targets: dict[str, str] = {}
    """Metric name to the id of the target that it answers."""
    floor: str = ""
    """The case that measures what this one can't do without, such as a library's call alone."""


# ---------------------------------------------------------------- what was measured


class Sample(Struct, frozen=True):
    """One timed stretch of ``loops`` calls, whole (not divided by anything)."""

    wall_ns: int
    cpu_ns: int | None
    """CPU time of the measuring thread, or of the process for multi-threaded work."""
    switches: int | None
    """Involuntary context switches meanwhile: the scheduler took the CPU away."""
    waits: int | None = None
    """Voluntary ones: the work waited for something."""


class Finished(Struct, frozen=True):
    """Items that a system under load is done with, by the tags under which they were offered."""

    committed: Sequence[int] = ()
    failed: Mapping[int, str] = {}
    """Valid items that were not committed, each with the reason as a short code."""
    rejected: Sequence[int] = ()
    """Bad items that were rightly not committed."""


class Search(Struct, frozen=True):
    """Look for the highest rate of arrivals at which all of this holds."""

    latency_p95_ms: float
    latency_p99_ms: float
    error_percent: float
    start: float
    """The first rate to try, a second."""
    highest: float
    """No rate beyond this is tried."""


class Trial(Struct, frozen=True):
    """One load run of a search."""

    rate: float
    """Arrivals a second."""
    seconds: float
    achieved: float
    """Commits a second."""
    latency_p95_ms: float | None
    latency_p99_ms: float | None
    """None where nothing was committed."""
    error_percent: float
    met: bool
    """Whether the run was valid and within what was searched for."""
    invalid: str = ""
    """Why the run says nothing about the system, where it does not."""


class LoadSoFar(Struct, frozen=True):
    """A load run while it goes on."""

    elapsed_s: float
    planned_s: float
    """Both with the warm-up."""
    achieved: float | None
    """Commits a second since the warm-up; None before its end."""
    latency_p95_ms: float | None
    """None while nothing has been committed since the warm-up."""
    lag_ms: float
    """How late the generator is at this moment."""
    errors: int
    """Valid items that were refused or failed since the warm-up."""


class Failure(Struct, frozen=True):
    """Why a case has no value in a pass: ``invalid`` is a load that was not offered as planned."""

    kind: FailureKind
    message: str
    traceback: str = ""


class Shard(Struct, frozen=True):
    """One of the processes that put a load on a system together.

    Offsets are the target's clock less the shard's; latencies and the schedule need neither.
    """

    number: int
    """From 1."""
    host: str
    offered: float | None = None
    """Items a second, as ``achieved``; None where the shard was lost, and so are the rest."""
    achieved: float | None = None
    own_lag_p99_ms: float | None = None
    """How late it handed items over by its own doing."""
    clock_offset_ns: int | None = None
    """Of monotonic clocks, by which the start was agreed on."""
    clock_uncertainty_ns: int | None = None
    clock_drift_ns: int | None = None
    """By how much the offset had changed at the end of the load."""
    wall_offset_ns: int | None = None
    """Of clocks that tell the time of day; it is as uncertain as the other."""
    invalid: str = ""
    """Why nothing can be said of the system by what this shard found; empty where it can."""


class CaseResult(Struct, frozen=True):
    """What one pass learnt of one case."""

    case: str
    loops: int = 1
    """Calls in a sample."""
    operations: int = 1
    """Operations in a call: time an operation = sample / (loops * operations)."""
    samples: tuple[Sample, ...] = ()
    figures: dict[str, float] = {}
    """Metrics other than time that the case yields itself, by name; ``cpu_decrypt``, in µs, is the
    CPU time of an operation's stage ``decrypt``. An invalid load run has them, too, for the eye
    only."""
    latencies: str = ""
    """Latencies of a load run in ns: an HdrHistogram in its V2 format, compressed, in base64."""
    trials: tuple[Trial, ...] = ()
    """The way of a search, in order."""
    stopped_after_s: float | None = None
    """When a load run was ended before its time: seconds after its warm-up."""
    shards: tuple[Shard, ...] = ()
    """The processes that put the load on, where the system was in another one."""
    failure: Failure | None = None
    seconds: float | None = None
    """What it took in all, set-up included: tells how long the next run will take."""


class Pass(Struct, frozen=True):
    """One fresh process (or, after a crash, its successors) that measured every case once.

    The last ``Config.memory_passes`` of a run measured memory, all others time.
    """

    index: int
    started: str
    """UTC, ISO 8601."""
    seconds: float
    load_before: float
    """One-minute load average."""
    load_after: float
    frequency_mhz: float | None
    steal_ratio: float | None
    """Share of the machine's CPU time that the hypervisor gave to others meanwhile."""
    yardstick_ns: float | None
    """A fixed piece of work that is no part of any suite: tells machine drift from code change."""
    results: tuple[CaseResult, ...]


class Machine(Struct, frozen=True):
    """Where a run was made. ``name`` is the machine class: runs compare only within one."""

    name: str
    cpu_model: str
    cores: int
    memory_bytes: int | None
    system: str
    python: str
    versions: dict[str, str] = {}


class Revision(Struct, frozen=True):
    """The code that was measured."""

    commit: str = ""
    branch: str = ""
    dirty: bool = False


class LoadPlan(Struct, frozen=True):
    """How cases of level load are measured, which takes seconds where others take milliseconds."""

    passes: int = 3
    """Only the first so many passes of a run measure them."""
    seconds: float = 3.0
    warmup_s: float = 1.0
    """Before each load run, trials included; not counted in its seconds."""
    trial_s: float = 1.5
    """Of a trial in a search. What the search finds is confirmed by a run of ``seconds``."""
    arrivals: Arrivals = "poisson"
    shards: int = 0
    """Processes that put the load on a system in another one; 0 where both share one."""


class Config(Struct, frozen=True):
    """How a run was asked for: everything that is needed to go on with it or repeat it."""

    profile: str
    passes: int
    samples: int
    warmups: int
    min_sample_ns: int
    seed: int
    timeout_s: float
    """For one case in one pass, set-up included; for a load between two signs of life."""
    modules: tuple[str, ...] = ()
    """Modules with benchmarks beside the built-in suites."""
    load: LoadPlan = LoadPlan()
    memory_passes: int = 0
    """Of ``passes``, the last so many: they measure memory in place of time."""

    @property
    def timed_passes(self) -> int:
        """Of ``passes``, the first so many."""
        return self.passes - self.memory_passes

    def passes_of(self, level: Level) -> int:
        """The passes in which cases of ``level`` are timed: the first so many."""
        return (
            min(self.timed_passes, self.load.passes) if level is Level.LOAD else self.timed_passes
        )

    def is_measured(self, level: Level, index: int) -> bool:
        """Whether pass ``index`` measures cases of ``level``, be it their time or their memory."""
        in_memory_pass = index >= self.timed_passes and level is not Level.LOAD
        return index < self.passes_of(level) or in_memory_pass


class Run(Struct, frozen=True):
    """A whole run; ``passes`` may be fewer than asked for while it is not complete."""

    id: str
    created: str
    config: Config
    machine: Machine
    revision: Revision
    cases: tuple[Case, ...]
    loops: dict[str, int] = {}
    """Calibrated once, reused by every later pass and by what is compared with this run."""
    passes: tuple[Pass, ...] = ()
    source: str = "veperf"
    """The tool that measured: ``veperf``, or the one that the run was imported from."""
    code: dict[str, str] = {}
    """By benchmark the Python source of its set-up function, as it was when it was measured."""
    format: int = RUN_FORMAT


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


CommandValue = Literal["time", "cpu", "printed"]
"""What counts of a command: wall or CPU time, CPU time, or the last line that it prints."""


class ABSide(Struct, frozen=True):
    """One of the two that an A/B comparison runs."""

    name: str
    """As it was asked for: a commit's name, ``working tree``, or a shell command."""
    revision: Revision = Revision()
    environment: str = ""
    """Where its packages come from, if not from where veperf itself runs."""


class ABConfig(Struct, frozen=True):
    """How an A/B comparison was asked for."""

    select: tuple[str, ...]
    modules: tuple[str, ...]
    samples: int
    """Of each side in a pair."""
    min_sample_ns: int
    seed: int
    timeout_s: float
    """For one benchmark in one process."""
    max_pairs: int
    fail_effect: float
    """A slowdown that is surely more than this share is a failure, and else a warning."""
    time_budget_s: float | None = None
    among: int = 1
    """Comparisons of the same change, this one included, as on several machine classes: a false
    alarm in any of them is one of the change."""


class ABPair(Struct, frozen=True):
    """What one pair of processes says of one benchmark, in its unit, for one operation."""

    base: float
    new: float
    base_samples: tuple[float, ...] = ()
    new_samples: tuple[float, ...] = ()


class ABLook(Struct, frozen=True):
    """The evidence after so many pairs; ratios over 1 are worse, whatever the direction."""

    pairs: int
    ratio: float | None
    low: float | None
    high: float | None
    p_slower: float | None
    p_faster: float | None
    p_equivalent: float | None
    alpha_change: float
    """What ``p_slower`` or ``p_faster`` may be at most to decide; 0 is never."""
    alpha_ok: float
    """What ``p_equivalent`` may be at most to decide."""


class ABChange(Struct, frozen=True):
    """One benchmark, old and new code side by side."""

    case: str
    metric: Metric
    status: ChangeStatus
    severity: Severity
    """``none`` unless the status is ``slower``."""
    reason: str
    clock: Clock = "wall"
    loops: int = 1
    base: float | None = None
    new: float | None = None
    """Medians over pairs."""
    ratio: float | None = None
    """Hodges-Lehmann estimate of new by base; over 1 is worse, whatever the direction."""
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    p_slower: float | None = None
    pairs: tuple[ABPair, ...] = ()
    path: tuple[ABLook, ...] = ()
    failure: Failure | None = None


class ABRound(Struct, frozen=True):
    """What the machine was like while one pair was measured."""

    seconds: float
    load: float
    """One-minute load average at its end."""
    steal_ratio: float | None
    frequency_mhz: float | None


class ABRun(Struct, frozen=True):
    """A whole A/B comparison."""

    id: str
    created: str
    base: ABSide
    new: ABSide
    config: ABConfig
    machine: Machine
    changes: tuple[ABChange, ...]
    rounds: tuple[ABRound, ...]
    stopped: Literal["", "time", "hand"] = ""
    """What ended it before all was decided: its time budget, or somebody's hand."""
    format: int = AB_FORMAT


class ABPlace(Struct, frozen=True):
    """One of the places where a change was compared: a machine class, or a repeat on it."""

    name: str
    found: ABRun | None
    missing: str = ""
    """Why there is no comparison."""
