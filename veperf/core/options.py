"""The options of every command: default, bounds and help of each, declared once.

See ``veperf.core.option_fields`` for what is made of them.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from veperf.core.ab_records import CommandValue, DecideBy, Witness
from veperf.core.case import Better
from veperf.core.load import Arrivals
from veperf.core.option_fields import Duration, Options, Ratio, about

Profile = Literal["quick", "standard", "thorough"]
Text = Annotated[str, Meta(min_length=1, max_length=200)]
Names = tuple[Text, ...]
Seconds = Annotated[float, Meta(gt=0, le=1e9)]


@dataclass(frozen=True, kw_only=True)
class ModuleOptions(Options):
    """Modules with benchmarks, besides veperf's own suites."""

    modules: Annotated[
        Names,
        about(
            "A Python module with benchmarks of your own.",
            flag="--module",
            metavar="MODULE",
        ),
    ] = ()


@dataclass(frozen=True, kw_only=True)
class CaseOptions(ModuleOptions):
    """Options of every measurement of cases."""

    timeout_s: Annotated[
        float,
        Meta(gt=0, le=86_400),
        about("Time limit for one case in one process, including its set-up."),
    ] = 60.0


@dataclass(frozen=True, kw_only=True)
class SeedOptions(Options):
    """Order of measuring."""

    seed: Annotated[int | None, about("Seed of the order of measuring.", default="drawn")] = None


@dataclass(frozen=True, kw_only=True)
class StrictOptions(Options):
    """Strictness about what is inconclusive."""

    strict: Annotated[bool, about("End with 4 where something is inconclusive.")] = False


@dataclass(frozen=True, kw_only=True)
class KnownMissOptions(Options):
    """Targets that need not be met."""

    known_misses: Annotated[
        Names,
        about(
            "A target known to be missed: shown as missed, but no failure.",
            flag="--known-miss",
            metavar="TARGET",
        ),
    ] = ()


@dataclass(frozen=True, kw_only=True)
class TimeBudgetOptions(Options):
    """Time for comparing."""

    time_budget_s: Annotated[
        Seconds | None,
        about("Stop comparing after this time: 90s, 10m. What is undecided then is inconclusive."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class RunOptions(CaseOptions, SeedOptions):
    """Options of a run."""

    profile: Annotated[Profile, about("How much to measure: 6, 12 or 24 fresh processes.")] = (
        "quick"
    )
    memory: Annotated[bool, about("Measure memory, too, in 3 more processes.")] = False


@dataclass(frozen=True, kw_only=True)
class LoadOptions(CaseOptions):
    """Options of a load."""

    seconds: Annotated[Duration, Meta(gt=0), about("Length of the load, after the warm-up.")] = 10.0
    warmup_s: Annotated[
        float, Meta(ge=0), about("Warm-up load before that, which is in no figure.")
    ] = 2.0
    arrivals: Annotated[
        Arrivals, about("Arrivals at random, as from many clients, or evenly spaced.")
    ] = "poisson"
    seed: Annotated[int | None, about("Seed of the arrivals.", default="drawn")] = None
    shards: Annotated[
        int,
        Meta(ge=0),
        about(
            "Number of processes that put the load on, with the system in another one.",
            metavar="NUMBER",
        ),
    ] = 0
    scheduler: Annotated[
        str | None,
        about(
            "Dask scheduler: each shard and the target run on a worker of their own.",
            metavar="ADDRESS",
        ),
    ] = None
    target: Annotated[
        str | None,
        about(
            "Address of a `veperf serve`, with its token in VEPERF_LOAD_TOKEN.",
            default="one is started",
            metavar="ADDRESS",
        ),
    ] = None
    target_class: Annotated[
        str,
        about(
            "Machine class of the worker that is to be the target.",
            metavar="NAME",
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class ServeOptions(ModuleOptions):
    """Options of a system that serves loads from elsewhere."""

    listen: Annotated[
        str,
        about("tcp://HOST:PORT or unix:///PATH; port 0 is any free one.", metavar="ADDRESS"),
    ] = "tcp://127.0.0.1:0"
    shards: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        about(
            "Number of processes that every load must come from.",
            default="as the first one says",
            metavar="NUMBER",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class SoakOptions(ModuleOptions):
    """Options of a soak test."""

    minutes: Annotated[float, Meta(gt=0, le=100_000), about("Minutes of load.")] = 10.0
    seed: Annotated[int, about("Seed of the arrivals.")] = 1


@dataclass(frozen=True, kw_only=True)
class SequentialOptions(Options):
    """Number of pairs, and the error that their decision may have."""

    max_pairs: Annotated[
        int,
        Meta(ge=6, le=200),
        about("Most pairs to make; what is undecided then is inconclusive. 96 decide more."),
    ] = 48
    alpha: Annotated[
        Ratio,
        Meta(ge=0.0001, le=0.2),
        about(
            "How often at most equal code is called slower, or slower code equal. Ratios are "
            "written 5% or 0.05."
        ),
    ] = 0.05


@dataclass(frozen=True, kw_only=True)
class JudgeOptions(SequentialOptions, TimeBudgetOptions):
    """Rules of an A/B comparison, wherever it is made."""

    fail_over: Annotated[
        Ratio,
        Meta(ge=0.001, lt=1),
        about(
            "A slowdown that is surely more than this is a failure, a smaller one a warning.",
            former=("threshold", "fail_percent"),
        ),
    ] = 0.05
    margin: Annotated[
        Ratio,
        Meta(ge=0.001, lt=1),
        about("A benchmark passes where it is surely less than this slower."),
    ] = 0.03
    min_effect: Annotated[
        Ratio,
        Meta(ge=0, lt=1),
        about("The smallest change that matters: smaller ones are never called slower or faster."),
    ] = 0.01


@dataclass(frozen=True, kw_only=True)
class ABOptions(JudgeOptions, CaseOptions, SeedOptions):
    """Options of an A/B comparison on this machine."""

    comparisons: Annotated[
        int,
        Meta(ge=1, le=100_000),
        about(
            "Number of comparisons made of this change, as on N machine classes: each must be the "
            "more certain.",
            metavar="N",
            former=("among",),
        ),
    ] = 1
    witness: Annotated[
        tuple[Witness, ...],
        about(
            "Count this beside the time: executed instructions (valgrind, or the CPU's counters) "
            "or Python bytecodes.",
        ),
    ] = ()
    decide_by: Annotated[
        DecideBy,
        about("Evidence that decides: the time, or the instructions alone.", flag="--by"),
    ] = "time"


@dataclass(frozen=True, kw_only=True)
class CommandOptions(JudgeOptions, CaseOptions):
    """Options of an A/B comparison of two shell commands."""

    value: Annotated[
        CommandValue,
        about(
            "What counts of a command: the time it takes (cpu: CPU time, whatever else the "
            "machine is doing), or the number in the last line that it prints."
        ),
    ] = "time"
    better: Annotated[Better, about("The better direction of printed numbers.")] = "lower"
    unit: Annotated[str, about("Unit of printed numbers.")] = ""


@dataclass(frozen=True, kw_only=True)
class SelfCheckOptions(SequentialOptions, CaseOptions):
    """Options of a comparison of the code with itself."""

    trials: Annotated[int, Meta(ge=1), about("Number of comparisons to make.")] = 1


@dataclass(frozen=True, kw_only=True)
class SweepOptions(Options):
    """Workers of a sweep."""

    scheduler: Annotated[
        str | None, about("Dask scheduler: tcp://host:8786 or tls://...", metavar="ADDRESS")
    ] = None
    wait_s: Annotated[
        Seconds,
        about("Wait for workers of a machine class that has none, when all else is done."),
    ] = 600.0


@dataclass(frozen=True, kw_only=True)
class FleetOptions(JudgeOptions, CaseOptions, SeedOptions, SweepOptions):
    """Options of an A/B comparison on several machine classes."""

    machine_classes: Annotated[
        Names,
        about(
            "Compare on a worker of this class; needs --scheduler.",
            flag="--machine-class",
            metavar="NAME",
        ),
    ] = ()


@dataclass(frozen=True, kw_only=True)
class GateOptions(KnownMissOptions, StrictOptions, TimeBudgetOptions):
    """Options of the gate of ``veperf ci``, besides those of the run."""

    against: Annotated[
        str | None,
        about(
            "Also run the code of COMMIT and this code side by side, as `veperf ab` does.",
            metavar="COMMIT",
        ),
    ] = None
    confirm: Annotated[
        bool,
        about("Run what a recorded baseline suspects side by side with the baseline's commit."),
    ] = True


@dataclass(frozen=True, kw_only=True)
class HistoryOptions(Options):
    """Selection of the archive's history."""

    metric: Annotated[
        str, about("Metric of the benchmark.", default="time, or the first", metavar="METRIC")
    ] = ""
    machine: Annotated[
        str,
        about("Runs of this machine class.", default="that of the last run", metavar="CLASS"),
    ] = ""
    last: Annotated[
        Annotated[int, Meta(ge=1)] | None, about("Only the last N runs.", metavar="N")
    ] = None
