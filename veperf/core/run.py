"""Runs: samples, passes, settings, machine and revision."""

import random
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct

from veperf.core.case import Case, Level
from veperf.core.load import CpuContention, LoadPlan, Shard, Trial

# Format history of run.json:
#   1  the first
RUN_FORMAT = 1
FailureKind = Literal["raised", "crashed", "timeout", "protocol", "invalid"]


class Sample(Struct, frozen=True):
    """A timed stretch of ``loops`` calls, as a whole (not divided by anything)."""

    wall_ns: int
    cpu_ns: int | None
    """CPU time of the measuring thread, or of the process for multi-threaded work."""
    switches: int | None
    """Involuntary context switches: the scheduler took the CPU away."""
    waits: int | None = None
    """Voluntary context switches: the work waited for something."""
    cpu: int | None = None
    """CPU on which the sample ended; None where it is unknown."""
    migrated: bool = False
    """True where the sample ended on another CPU than it began on."""
    delay_ns: int | None = None
    """Time that the measuring thread was ready to run and had no CPU; None where it is unknown."""

    @property
    def undelayed_ns(self) -> int:
        """Wall time less that delay, which other work on the machine causes."""
        return max(1, self.wall_ns - self.delay_ns) if self.delay_ns else self.wall_ns


class HotLine(Struct, frozen=True):
    """The line of code that most of a call's CPU time is spent in."""

    where: str
    """Module and number of the line."""
    function: str
    share: float
    """Of the CPU time; C code counts for the line that called it."""


class Failure(Struct, frozen=True):
    """Reason why a case has no value; ``invalid`` is a load that was not offered as planned."""

    kind: FailureKind
    message: str
    traceback: str = ""

    @property
    def is_void(self) -> bool:
        """Return whether it says nothing about what was measured, for or against it."""
        return self.kind == "invalid"


class Summary(Struct, frozen=True):
    """Statistics of values that the file of another tool has no longer, in the metric's unit.

    What the file lacks is None. The center itself is the figure of the result.
    """

    center: Literal["median", "mean", "unknown"] = "unknown"
    """The statistic that the result's figure is."""
    n: int | None = None
    """Number of values."""
    low: float | None = None
    high: float | None = None
    """Ends of the interval of the center."""
    confidence: float | None = None
    """Coverage of the interval: 0.99."""
    standard_deviation: float | None = None
    q1: float | None = None
    q3: float | None = None
    minimum: float | None = None
    maximum: float | None = None

    def times(self, factor: float) -> "Summary":
        """Return the statistics in another unit, of which ``factor`` make this one."""

        def scaled(value: float | None) -> float | None:
            return None if value is None else value * factor

        return Summary(
            center=self.center,
            n=self.n,
            low=scaled(self.low),
            high=scaled(self.high),
            confidence=self.confidence,
            standard_deviation=scaled(self.standard_deviation),
            q1=scaled(self.q1),
            q3=scaled(self.q3),
            minimum=scaled(self.minimum),
            maximum=scaled(self.maximum),
        )


class CaseResult(Struct, frozen=True):
    """Result of a case in a pass."""

    case: str
    loops: int = 1
    """Calls in a sample."""
    operations: int = 1
    """Operations in a call: time an operation = sample / (loops * operations)."""
    samples: tuple[Sample, ...] = ()
    figures: dict[str, float] = {}
    """Metrics other than time that the case reports itself, by name; ``cpu_decrypt``, in µs, is the
    CPU time of an operation's stage ``decrypt``. An invalid load run and a failed result of
    another tool have them, too, for information only."""
    latencies: str = ""
    """Latencies of a load run in ns: an HdrHistogram in its V2 format, compressed, in base64."""
    latencies_by_kind: dict[str, str] = {}
    """The same of each kind of item, where there are several."""
    trials: tuple[Trial, ...] = ()
    """Trials of a search, in order."""
    stopped_after_s: float | None = None
    """Seconds after the warm-up at which a load run was ended early."""
    shards: tuple[Shard, ...] = ()
    """Shards of the load, if the system was a remote one."""
    failure: Failure | None = None
    seconds: float | None = None
    """Total duration, set-up included, from which that of the next run is estimated."""
    summaries: dict[str, Summary] = {}
    """Statistics by metric, of figures that are a summary of several values themselves."""
    contention: CpuContention | None = None
    """Of the system during a load run."""
    hot_line: HotLine | None = None
    """Of a call that missed its published limit, where it was sampled."""


class Pass(Struct, frozen=True):
    """A fresh process (or, after a crash, its successors) that measured every case once.

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
    """Share of the machine's CPU time that the hypervisor gave to other machines."""
    yardstick_ns: float | None
    """Time of the calibration run, which tells drift of the machine from a change of the code."""
    results: tuple[CaseResult, ...]
    cpu: int | None = None
    """CPU of the calibration run and of all cases but loads and multithreaded ones; None where
    they were not kept to one."""


SEVERAL_CPUS = "several: "
"""Begins the CPU model of results that several CPUs gave: comparable with nothing."""


class Machine(Struct, frozen=True):
    """The machine of a run. ``name`` is the machine class, within which runs are comparable."""

    name: str
    cpu_model: str
    cores: int
    memory_bytes: int | None
    system: str
    python: str
    versions: dict[str, str] = {}
    host: str = ""
    """Name that another tool's file gives the machine; veperf stores none of its own."""


class Revision(Struct, frozen=True):
    """The code that was measured."""

    commit: str = ""
    branch: str = ""
    dirty: bool = False


class Config(Struct, frozen=True):
    """Settings of a run: all that is needed to resume or to repeat it."""

    profile: str
    passes: int
    samples: int
    warmups: int
    min_sample_ns: int
    seed: int
    timeout_s: float
    """Limit for a case in a pass, set-up included; for a load, between two signs of life."""
    modules: tuple[str, ...] = ()
    """Modules with benchmarks beside the built-in suites."""
    load: LoadPlan = LoadPlan()
    memory_passes: int = 0
    """Number of passes, the last ones, that measure memory, and other figures that are no times."""
    curve_passes: int | None = None
    """Number of passes that time a point of a parameter's curve, drawn for each; None for all."""
    select: tuple[str, ...] = ()
    """Suites, benchmarks and globs that were asked for; everything, or unknown, where empty. Cases
    where a level or an expression narrowed that down."""
    min_time_ns: int = 0
    """Least time measured of a case in a pass, where it was asked for."""
    time_budget_s: float | None = None
    """Time for the passes, by which cases were chosen; None for all."""

    @property
    def timed_passes(self) -> int:
        """Number of passes, the first ones, that measure time."""
        return self.passes - self.memory_passes

    @property
    def load_passes(self) -> int:
        """Number of passes, the first ones, that measure loads."""
        return min(self.timed_passes, self.load.passes)

    @property
    def search_passes(self) -> int:
        """Number of passes, the first ones, in which a search may go on until it has decided."""
        return min(self.timed_passes, self.load.search_passes)

    def is_measured(self, case: Case, index: int) -> bool:
        """Return whether pass ``index`` measures time or memory of ``case``.

        Memory has passes of its own, of which the first is enough for exact figures alone.
        """
        if case.level is Level.LOAD:
            return index < self.load_passes
        if index >= self.timed_passes:
            is_first = index == self.timed_passes
            return case.is_counted and (is_first or not case.is_exact)
        if self.curve_passes is None or not case.is_curve_point:
            return case.is_timed
        generator = random.Random(f"{self.seed}/{case.id}")  # noqa: S311 - an order, no secret
        drawn = generator.sample(range(self.timed_passes), self.curve_passes)
        return case.is_timed and index in drawn


class PassesOnDemand(Sequence[Pass]):
    """Passes of an imported run, which are made where something asks for them."""

    @property
    @abstractmethod
    def failures(self) -> Mapping[str, Failure]:
        """The first failure of each case that failed."""


# What is read from run.json is a tuple.
if TYPE_CHECKING:
    Passes: TypeAlias = Sequence[Pass]
else:
    Passes = tuple[Pass, ...]


class Run(Struct, frozen=True):
    """A whole run; it has fewer ``passes`` than configured until it is complete."""

    id: str
    created: str
    config: Config
    machine: Machine
    revision: Revision
    cases: tuple[Case, ...]
    loops: dict[str, int] = {}
    """Loops by case: calibrated once, reused by later passes and by runs compared with this one."""
    passes: Passes = ()
    source: str = "veperf"
    """Tool that measured: ``veperf``, or the tool from which the run was imported."""
    code: dict[str, str] = {}
    """Python source of each benchmark's set-up function at the time of the run."""
    format: int = RUN_FORMAT
    notes: tuple[str, ...] = ()
    """Notes on what was left out: of the run itself, or of the reader of another tool's file, which
    also says what is summarised or unknown."""
    reading: str = ""
    """How much of another tool's file was taken, skipped and refused, in one line."""
    settings: dict[str, str] = {}
    """Settings in another tool's file that hold for all of it, such as goos or a note."""
    left_out: dict[str, tuple[str, ...]] = {}
    """Cases that were selected and left out all the same, such as for want of time, by id with the
    targets that they answer: these are not measured."""
    vanished: dict[str, tuple[str, ...]] = {}
    """Benchmarks that another tool's file lacks, though it is of their package, by name with the
    targets that they answer."""
    unlisted: tuple[str, ...] = ()
    """Cases of another tool of which nobody has said what targets they answer."""
    alternation: str = ""
    """The same of two runs whose repetitions, pass by pass, another tool made in turn."""
    same_machine: bool = False
    """True where somebody says that it was made on the machine of what it is compared with, under
    the same conditions, and no calibration run shows it."""

    @property
    def first_failures(self) -> dict[str, Failure]:
        """The first failure of each case that failed in some or all passes.

        One that was void stands there only where none other is: it must not hide a crash.
        """
        if isinstance(self.passes, PassesOnDemand):
            return dict(self.passes.failures)
        failures: dict[str, Failure] = {}
        for pass_ in self.passes:
            for result in pass_.results:
                if result.failure is not None:
                    first = failures.setdefault(result.case, result.failure)
                    if first.is_void and not result.failure.is_void:
                        failures[result.case] = result.failure
        return failures
