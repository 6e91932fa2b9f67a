"""Records of A/B comparisons: their sides, pairs, looks and changes."""

from typing import Literal

from msgspec import Struct, field

from veperf.core.case import Clock, Metric
from veperf.core.run import Failure, Machine, Revision
from veperf.core.verdict import ChangeStatus, Severity

# Format history of ab.json:
#   1  the first
AB_FORMAT = 1


CommandValue = Literal["time", "cpu", "printed"]
Witness = Literal["instructions", "bytecodes"]
DecideBy = Literal["time", "instructions"]


class ABSide(Struct, frozen=True):
    """A side of an A/B comparison: base or new."""

    name: str
    """Name as requested: a commit, ``working tree``, or a shell command."""
    revision: Revision = Revision()
    environment: str = ""
    """Environment with its packages, if it is not that of veperf itself."""
    toolchain: str = ""
    """Toolchain that built its programs."""


class ABConfig(Struct, frozen=True):
    """Settings of an A/B comparison."""

    select: tuple[str, ...]
    modules: tuple[str, ...]
    samples: int
    """Samples of each side in a pair."""
    min_sample_ns: int
    seed: int
    timeout_s: float
    """Limit for a benchmark in a process."""
    max_pairs: int
    fail_over: float = field(name="fail_effect")
    """Slowdowns whose whole interval is beyond this share are failures, others are warnings; the
    policy may say otherwise, unless this was asked for."""
    time_budget_s: float | None = None
    comparisons: int = field(default=1, name="among")
    """Number of comparisons of the same change, this one included, as on several machine classes:
    a false alarm in any of them is a false alarm of the change."""
    alpha: float = 0.05
    """Highest rate at which equal code is called slower, or slower code equal."""
    margin: float = 0.03
    """Slowdowns that are surely below this share are ``ok``."""
    min_effect: float = 0.01
    """Changes up to this share don't matter, and are never called slower or faster."""
    version_noise: float = 0.0
    """Standard deviation of the log ratio between versions that do the same work, beyond what
    pairs explain, as ``veperf selfcheck --sham`` found it on this machine."""
    witness: tuple[Witness, ...] = ()
    """Counts that are compared beside the time."""
    decide_by: DecideBy = "time"
    """Evidence that decides: the time, or the number of instructions alone."""
    fail_over_given: bool = False
    """True where somebody asked for ``fail_over``, which is the default else."""
    levels: tuple[str, ...] = ()
    """Levels of the benchmarks that were asked for; all where empty."""
    expression: str = ""
    """What they had to fit, as ``-k`` says it."""
    packages: tuple[str, ...] = ()
    """Go packages whose benchmarks are compared, as they were asked for; ``select`` is the regular
    expression of the benchmarks. Empty where no Go is compared."""
    compare_all: bool = True
    """False where benchmarks that the change can't affect were not compared."""
    results_format: str = ""
    """Format of the results that the programs print; empty where they print no list of results."""
    layouts: int = 0
    """Layouts of the binaries that the pairs take turns with; 0 where each pair draws its own, and
    where they are too few to be a sample of layouts."""

    @property
    def is_selection(self) -> bool:
        """Return whether something was selected, and other benchmarks left out."""
        is_part = self.packages not in ((), ("./...",))
        return bool(self.select or self.levels or self.expression or is_part)

    @property
    def is_of_programs(self) -> bool:
        """Return whether programs print the results that are compared."""
        return bool(self.results_format)


class ABPair(Struct, frozen=True):
    """The two process values of a pair, in the benchmark's unit, for one operation."""

    base: float
    new: float
    base_samples: tuple[float, ...] = ()
    new_samples: tuple[float, ...] = ()


class ABGuardrail(Struct, frozen=True):
    """A secondary metric of a benchmark, which has a rule of its own and can only warn.

    Low values of the time can't show it: ``mean`` and ``p99`` of the samples, ``wall`` time of work
    that is judged by CPU time, voluntary ``waits``, ``setup`` time, ``long_run_mean`` over 100
    calls in a process, ``memory_total`` and ``memory_allocations`` of an operation. ``slower``
    stands for higher, which is worse, and ``faster`` for lower.
    """

    name: str
    unit: str
    status: ChangeStatus
    severity: Severity
    reason: str
    base: float | None = None
    new: float | None = None
    ratio: float | None = None
    """New by base; over 1 is worse."""
    low: float | None = None
    high: float | None = None
    pairs: int = 0


class ABCount(Struct, frozen=True):
    """A count of an operation on both sides, which repeats exactly or nearly so."""

    witness: Witness
    base: float | None
    new: float | None
    status: ChangeStatus
    reason: str

    @property
    def ratio(self) -> float | None:
        """New by base; None where either is unknown or zero."""
        return self.new / self.base if self.new is not None and self.base else None


class ABLook(Struct, frozen=True):
    """The evidence after a number of pairs; ratios over 1 are worse, whatever the direction."""

    pairs: int
    ratio: float | None
    low: float | None
    high: float | None
    p_slower: float | None
    p_faster: float | None
    p_equivalent: float | None
    alpha_change: float
    """Highest ``p_slower`` or ``p_faster`` that decides; 0 is never."""
    alpha_ok: float
    """Highest ``p_equivalent`` that decides."""
    autocorrelation: float = 0.0
    """Autocorrelation of the pairs, by which the p-values are widened."""


class ABChange(Struct, frozen=True):
    """The change of a benchmark between base and new."""

    case: str
    metric: Metric
    status: ChangeStatus
    severity: Severity
    """``none`` unless the status is ``slower``."""
    reason: str
    margin: float = 0.03
    """Slowdown that ``ok`` rules out."""
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
    """Least coverage of the interval, whichever look decided."""
    p_slower: float | None = None
    pairs: tuple[ABPair, ...] = ()
    path: tuple[ABLook, ...] = ()
    failure: Failure | None = None
    guardrails: tuple[ABGuardrail, ...] = ()
    counts: tuple[ABCount, ...] = ()
    only_in: Literal["", "base", "new"] = ""
    """Side that has it, where the other hasn't."""

    @property
    def paired_new(self) -> float | None:
        """Base with the ratio on it; the median of the new values where there is no ratio.

        That median may contradict the ratio, as it forgets which values are a pair.
        """
        if self.base is None or not self.ratio:
            return self.new
        return self.base / self.ratio if self.metric.better == "higher" else self.base * self.ratio


class ABRound(Struct, frozen=True):
    """State of the machine while a pair was measured."""

    seconds: float
    load: float
    """One-minute load average at its end."""
    steal_ratio: float | None
    frequency_mhz: float | None
    cpu: int | None = None
    """CPU on which both sides took turns; None where it was not fixed."""


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
    """Reason of an early end: the time budget, or Ctrl-C."""
    autocorrelation: float = 0.0
    """Lag-1 autocorrelation of the pairs' log ratios over all benchmarks, estimated at its upper
    end; 0 where it can't be told from none."""
    unaffected: dict[str, str] = {}
    """Cases that were not compared, as the change can't affect them, with the reason."""
    affected: dict[str, str] = {}
    """Difference by which a case may be affected: the first that was found."""
    format: int = AB_FORMAT


class ABPlace(Struct, frozen=True):
    """A place where a change was compared: a machine class, or a repeat on it."""

    name: str
    comparison: ABRun | None
    missing: str = ""
    """Reason why there is no comparison; empty if there is one."""
