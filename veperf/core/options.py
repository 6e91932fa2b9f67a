"""The options of every command: default, bounds and help of each, declared once.

See ``veperf.core.option_fields`` for what is made of them.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from msgspec import Meta

from veperf.core.ab_records import CommandValue, DecideBy, Witness
from veperf.core.case import Better
from veperf.core.errors import UsageError
from veperf.core.load import Arrivals, Shape
from veperf.core.option_fields import Duration, Options, Ratio, about
from veperf.core.project import project_modules
from veperf.core.selection import parse_expression

Profile = Literal["quick", "standard", "thorough"]
Text = Annotated[str, Meta(min_length=1, max_length=200)]
Names = tuple[Text, ...]
Seconds = Annotated[float, Meta(gt=0, le=1e9)]


@dataclass(frozen=True, kw_only=True)
class ModuleOptions(Options):
    """Modules with benchmarks, besides veperf's own suites and the project's."""

    modules: Annotated[
        Names,
        about(
            "A Python module with benchmarks of your own.",
            flag="--module",
            metavar="MODULE",
        ),
    ] = ()

    @property
    def all_modules(self) -> Names:
        """The project's modules and these."""
        return project_modules(self.modules)


LevelName = Literal["micro", "component", "integration", "load"]


@dataclass(frozen=True, kw_only=True)
class SelectionOptions(Options):
    """Selection among the benchmarks that are named, or among all.

    Raises:
        UsageError: the expression can't be read.
    """

    levels: Annotated[
        tuple[LevelName, ...],
        about("Only benchmarks of this level.", flag="--level"),
    ] = ()
    expression: Annotated[
        str,
        Meta(max_length=500),
        about(
            "Only benchmarks that fit, as with pytest: 'hash or nonce and not load'.",
            flag="-k",
            metavar="EXPRESSION",
        ),
    ] = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        parse_expression(self.expression)


@dataclass(frozen=True, kw_only=True)
class RunFilterOptions(Options):
    """Selection among the runs of an archive."""

    machine: Annotated[str, about("Only runs of this machine class.", metavar="CLASS")] = ""
    since: Annotated[
        str,
        about("Only runs begun then or later: 2026-11-30, or an age such as 30d.", metavar="WHEN"),
    ] = ""
    branch: Annotated[str, about("Only runs of this branch.", metavar="BRANCH")] = ""
    commit: Annotated[
        str, about("Only runs of the commit that begins like this.", metavar="COMMIT")
    ] = ""
    limit: Annotated[
        Annotated[int, Meta(ge=1)] | None, about("Only the last N runs.", metavar="N")
    ] = None


@dataclass(frozen=True, kw_only=True)
class ListOptions(ModuleOptions, SelectionOptions):
    """Options of the list of benchmarks."""


@dataclass(frozen=True, kw_only=True)
class ListCommandOptions(RunFilterOptions, ListOptions):
    """Options of the list of benchmarks, or of runs."""


@dataclass(frozen=True, kw_only=True)
class TimeLimitOptions(Options):
    """Time limit of a measurement."""

    timeout_s: Annotated[
        float,
        Meta(gt=0, le=86_400),
        about("Time limit for one case in one process, including its set-up."),
    ] = 60.0


@dataclass(frozen=True, kw_only=True)
class CaseOptions(TimeLimitOptions, ModuleOptions):
    """Options of every measurement of cases."""


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


Unanswered = Literal["note", "warn", "inconclusive", "error"]
Undecided = Literal["note", "warn", "inconclusive"]
Doubtful = Literal["note", "warn", "inconclusive", "fail"]


@dataclass(frozen=True, kw_only=True)
class PolicyOptions(StrictOptions):
    """Effects of answers on the gate: what each of them does. See docs/verdicts.md."""

    failed: Annotated[
        Unanswered,
        about("Effect of a benchmark that raised, crashed or hung.", flag="--on-failed"),
    ] = "error"
    missing: Annotated[
        Unanswered,
        about("Effect of a benchmark with a target that is gone.", flag="--on-missing"),
    ] = "error"
    not_measured: Annotated[
        Unanswered,
        about("Effect of a target without an answer.", flag="--on-not-measured"),
    ] = "error"
    inconclusive: Annotated[
        Undecided,
        about("Effect of a change that can't be told from noise.", flag="--on-inconclusive"),
    ] = "inconclusive"
    suspect: Annotated[
        Doubtful,
        about("Effect of what may be slower.", flag="--on-suspect"),
    ] = "warn"
    changed: Annotated[
        Doubtful,
        about("Effect of a change whose better direction is not known.", flag="--on-changed"),
    ] = "warn"
    not_comparable: Annotated[
        Unanswered,
        about("Effect of sides that are of different machines.", flag="--on-not-comparable"),
    ] = "warn"
    warn_over: Annotated[
        Ratio,
        Meta(ge=0, lt=1),
        about("A slowdown that is surely more than this is a warning, a smaller one a note."),
    ] = 0.0
    strict: Annotated[
        bool,
        about("End with 4 where something is inconclusive, suspect, changed or not comparable."),
    ] = False


@dataclass(frozen=True, kw_only=True)
class PolicyFileOptions(Options):
    """File with the policy of the gate."""

    policy: Annotated[
        str,
        about(
            "TOML file with the gate's policy in its table [gate]; options win over it, its rules "
            "included.",
            metavar="FILE",
            default="the project's veperf.toml or pyproject.toml",
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class JudgementOptions(KnownMissOptions, PolicyFileOptions):
    """Policy by which a run is judged."""


@dataclass(frozen=True, kw_only=True)
class SitePageOptions(RunFilterOptions):
    """Options of the pages of the archive's web site."""

    commit_url: Annotated[
        str,
        about(
            "Where commits are shown: https://host/owner/name/commit/{commit}.",
            metavar="TEMPLATE",
            default="commit_url of veperf.toml, else by git's remote of the project, if that is on "
            "GitHub, GitLab, Codeberg or Bitbucket and the archive is the project's",
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class SiteOptions(SitePageOptions, JudgementOptions):
    """Options of the archive's web site."""


@dataclass(frozen=True, kw_only=True)
class DecisionOptions(PolicyOptions, PolicyFileOptions):
    """Decision of the gate."""

    explain: Annotated[
        bool, about("Print every question: its answer, what that does, and by which rule.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class TimeBudgetOptions(Options):
    """Time for comparing."""

    time_budget_s: Annotated[
        Seconds | None,
        about(
            "Stop comparing after this time: 90s, 10m. Dear benchmarks are left out so that most "
            "are decided; what is undecided then is inconclusive, and the exit code 4.",
            flag="--budget",
            alias="--time-budget",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class RunOptions(CaseOptions, SelectionOptions, SeedOptions):
    """Options of a run.

    Raises:
        UsageError: they contradict each other.
    """

    profile: Annotated[Profile, about("How much to measure: 6, 12 or 24 fresh processes.")] = (
        "quick"
    )
    processes: Annotated[
        Annotated[int, Meta(ge=1, le=1000)] | None,
        about(
            "Number of fresh processes of everything.",
            default="the profile's",
            metavar="N",
        ),
    ] = None
    min_time_s: Annotated[
        Seconds | None,
        about(
            "Least time measured of a case in a process.",
            default="the profile's",
        ),
    ] = None
    short: Annotated[
        bool,
        about("A quick look that answers no target: 2 processes, no loads, no memory."),
    ] = False
    memory: Annotated[bool, about("Measure memory, too, in 3 more processes.")] = False
    time_budget_s: Annotated[
        Seconds | None,
        about(
            "Measure what fits into this time, targets first; the rest is named.",
            flag="--budget",
            alias="--time-budget",
        ),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.short and (self.memory or self.processes is not None):
            raise UsageError(
                "short is 2 processes without memory, and goes with neither processes nor memory"
            )
        if self.min_time_s is not None and self.min_time_s > self.timeout_s / 2:
            raise UsageError(
                f"min_time {self.min_time_s:g} s needs a timeout of {2 * self.min_time_s:g} s or "
                f"more, not {self.timeout_s:g} s"
            )


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
    shape: Annotated[
        Shape,
        about("How the rate changes over the load, with the rate asked for as the mean."),
    ] = "soak"
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
class ErrorOptions(Options):
    """Error that a decision may have."""

    alpha: Annotated[
        Ratio,
        Meta(ge=0.0001, le=0.2),
        about("How often equal code may be called slower, and slower code equal: 5% or 0.05."),
    ] = 0.05


@dataclass(frozen=True, kw_only=True)
class SequentialOptions(ErrorOptions):
    """Number of pairs, and the error that their decision may have."""

    max_pairs: Annotated[
        int,
        Meta(ge=6, le=200),
        about("Most pairs to make; what is undecided then is inconclusive. 96 decide more."),
    ] = 48


@dataclass(frozen=True, kw_only=True)
class MarginOptions(Options):
    """Sizes of change that count.

    Raises:
        UsageError: they contradict each other.
    """

    margin: Annotated[
        Ratio,
        Meta(ge=0.001, lt=1),
        about("A benchmark passes where a slowdown of this or more is ruled out."),
    ] = 0.03
    min_effect: Annotated[
        Ratio,
        Meta(ge=0, lt=1),
        about("Changes up to this are never called slower or faster."),
    ] = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("margin", "fail_over"):
            limit = getattr(self, name, None)
            if limit is not None and self.min_effect > limit:
                raise UsageError(
                    f"min_effect can't be more than {name}: {100 * self.min_effect:.6g}% is more "
                    f"than {100 * limit:.6g}%"
                )


@dataclass(frozen=True, kw_only=True)
class EffectOptions(MarginOptions):
    """Sizes of change that count, and that fail."""

    fail_over: Annotated[
        Ratio,
        Meta(ge=0.001, lt=1),
        about(
            "A slowdown that is surely more than this is a failure, a smaller one a warning.",
            former=("threshold", "fail_percent"),
        ),
    ] = 0.05


@dataclass(frozen=True, kw_only=True)
class ConditionOptions(Options):
    """Conditions in which the results of other tools were made."""

    same_machine: Annotated[
        bool,
        about("Both were made on one machine under the same conditions."),
    ] = False


@dataclass(frozen=True, kw_only=True)
class CompareOptions(MarginOptions, ErrorOptions, ConditionOptions):
    """Rules of a comparison of two runs."""

    fail_over: Annotated[
        Annotated[Ratio, Meta(ge=0.001, lt=1)] | None,
        about(
            "Surely slower than this is `slower`.",
            default="20%, counts 5%",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class JudgeOptions(SequentialOptions, MarginOptions, TimeBudgetOptions):
    """Rules of an A/B comparison, wherever it is made."""

    fail_over: Annotated[
        Annotated[Ratio, Meta(ge=0.001, lt=1)] | None,
        about(
            "A slowdown that is surely more than this is a failure, a smaller one a warning.",
            default="the policy's, or 5%",
            former=("threshold", "fail_percent"),
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class UnaffectedOptions(Options):
    """Benchmarks that a change can't affect."""

    compare_all: Annotated[
        bool,
        about(
            "Compare all benchmarks, also those that execute no code, and read no data, that "
            "differs.",
            flag="--all",
        ),
    ] = False


@dataclass(frozen=True, kw_only=True)
class WitnessOptions(Options):
    """Counts beside the time, or in its place."""

    witness: Annotated[
        tuple[Witness, ...],
        about(
            "Count this beside the time: the instructions of an operation (by valgrind), or its "
            "Python bytecodes, which are counted in any case where they can be.",
        ),
    ] = ()
    decide_by: Annotated[
        DecideBy,
        about(
            "Evidence that decides: the time, or the number of instructions alone, for which "
            "nothing is timed.",
            flag="--by",
        ),
    ] = "time"


@dataclass(frozen=True, kw_only=True)
class ABOptions(
    JudgeOptions, UnaffectedOptions, WitnessOptions, CaseOptions, SelectionOptions, SeedOptions
):
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


@dataclass(frozen=True, kw_only=True)
class CommandOptions(JudgeOptions, WitnessOptions, CaseOptions):
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
class ResultOptions(JudgeOptions, TimeLimitOptions):
    """Options of an A/B comparison of two commands that print many results."""

    bench_format: Annotated[
        str,
        about(
            "What the commands print is a list of results, which are compared one by one: go, "
            "google, criterion, json-lines, any format of `veperf import`, or auto.",
            metavar="FORMAT",
        ),
    ] = ""


@dataclass(frozen=True, kw_only=True)
class GoOptions(JudgeOptions, TimeLimitOptions, SeedOptions):
    """Options of an A/B comparison of Go benchmarks."""

    bench: Annotated[
        str,
        about("Go benchmarks that fit this, as -bench of `go test`.", metavar="REGEXP"),
    ] = "."
    tags: Annotated[
        str, about("Build tags of Go, with commas.", flag="--go-tags", metavar="TAGS")
    ] = ""
    processors: Annotated[
        str,
        about(
            "Values of GOMAXPROCS, each of which is compared, as -cpu of `go test`: 1,2,4.",
            flag="--go-cpu",
            metavar="LIST",
            default="all CPUs",
        ),
    ] = ""
    layouts: Annotated[
        int,
        Meta(ge=1, le=48),
        about(
            "Binaries of a Go package on each side, linked in different orders. Fewer than 12 are "
            "built sooner, and can make equal code look some percent faster or slower.",
            flag="--go-layouts",
        ),
    ] = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        values = self.processors.split(",") if self.processors else []
        if not all(value.isascii() and value.isdigit() and int(value) > 0 for value in values):
            raise UsageError(f"--go-cpu is a list such as 1,2,4, not {self.processors!r}")


@dataclass(frozen=True, kw_only=True)
class SelfCheckOptions(SequentialOptions, EffectOptions, CaseOptions):
    """Options of a comparison of the code with itself."""

    trials: Annotated[int, Meta(ge=1), about("Number of comparisons to make.")] = 1


@dataclass(frozen=True, kw_only=True)
class ShamOptions(SequentialOptions, EffectOptions):
    """Options of a sham-edit battery."""

    edits: Annotated[
        int,
        Meta(ge=1, le=10_000),
        about("With --sham: versions to compare that differ in nothing that runs."),
    ] = 6
    planted: Annotated[
        int,
        Meta(ge=0, le=10_000),
        about("With --sham: versions to compare that do 5 % more work."),
    ] = 1


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
class FleetOptions(
    JudgeOptions, UnaffectedOptions, CaseOptions, SelectionOptions, SeedOptions, SweepOptions
):
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
class GateOptions(JudgeOptions, KnownMissOptions, DecisionOptions, ConditionOptions):
    """Options of the gate of ``veperf ci``, besides those of the run.

    The rules are those of its comparisons side by side.
    """

    against: Annotated[
        str | None,
        about(
            "Also run the code of COMMIT and this code side by side, as `veperf ab` does.",
            metavar="COMMIT",
        ),
    ] = None
    only_changed: Annotated[
        bool,
        about("Measure only benchmarks that what differs from the code of --against can affect."),
    ] = False
    confirm: Annotated[
        bool,
        about("Run what a recorded baseline suspects side by side with the baseline's commit."),
    ] = True


@dataclass(frozen=True, kw_only=True)
class DirectionOptions(Options):
    """Better directions of other tools' metrics."""

    directions: Annotated[
        Names,
        about(
            "Better direction of figures in UNIT, where neither the file nor the unit says it.",
            flag="--better",
            metavar="UNIT=higher|lower",
        ),
    ] = ()


@dataclass(frozen=True, kw_only=True)
class HistoryOptions(RunFilterOptions):
    """Selection of the archive's history."""

    metric: Annotated[
        str, about("Metric of the benchmark.", default="time, or the first", metavar="METRIC")
    ] = ""
    machine: Annotated[
        str,
        about("Runs of this machine class.", default="that of the last run", metavar="CLASS"),
    ] = ""
    last: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        about("Only the last N of the benchmark's runs.", metavar="N"),
    ] = None
