"""TODO."""

from typing import Literal

from msgspec import Struct

from veperf.core.case import Case, Level
from veperf.core.load import LoadPlan, Shard, Trial

# Format history of run.json:
#   1  the first
RUN_FORMAT = 1
FailureKind = Literal["raised", "crashed", "timeout", "protocol", "invalid"]


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


class Failure(Struct, frozen=True):
    """Why a case has no value in a pass: ``invalid`` is a load that was not offered as planned."""

    kind: FailureKind
    message: str
    traceback: str = ""


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
