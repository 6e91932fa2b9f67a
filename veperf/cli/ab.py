"""``veperf ab`` and ``veperf selfcheck``: code beside code."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click

from veperf.cli.export import check_exports, exports_option, write_exports
from veperf.cli.gate import chosen_policy, print_explanation
from veperf.cli.options import (
    ExampleCommand,
    append_summary,
    archive_option,
    check_summary,
    display_path,
    options_of,
    patterns_argument,
    report_url_option,
    summary_option,
)
from veperf.cli.output import echo
from veperf.cli.sweep import print_sweep
from veperf.core.errors import INTERRUPTED
from veperf.core.option_fields import about
from veperf.core.options import (
    ABOptions,
    CommandOptions,
    DecisionOptions,
    FleetOptions,
    GoOptions,
    Names,
    ResultOptions,
    SelfCheckOptions,
    ShamOptions,
)

if TYPE_CHECKING:
    from veperf.abtest.selfcheck import SelfCheckResult
    from veperf.abtest.sham.result import ShamResult


@dataclass(frozen=True, kw_only=True)
class ABCommandOptions(
    ABOptions, CommandOptions, ResultOptions, GoOptions, FleetOptions, DecisionOptions
):
    """Options of ``veperf ab``: of commits here or on workers, of Go code, and of two commands."""

    head: Annotated[
        str | None, about("The new code's commit.", metavar="REF", default="the working tree")
    ] = None
    working_tree: Annotated[
        bool, about("The new code is the working tree, uncommitted changes included: the default.")
    ] = False
    since: Annotated[
        str,
        about(
            "Compare with the commit that this run of the archive measured, in place of BASE: an "
            "id, `last`, or `green`, the last run or comparison that passed.",
            metavar="RUN",
        ),
    ] = ""
    go: Annotated[
        Names,
        about(
            "Compare the Go benchmarks of these packages, with no benchmark of veperf's; more of "
            "them may follow BASE, if they begin with a dot.",
            metavar="PACKAGES",
        ),
    ] = ()
    command_a: Annotated[
        str | None, about("The old one of two shell commands.", metavar="COMMAND")
    ] = None
    command_b: Annotated[str | None, about("The new one.", metavar="COMMAND")] = None


@click.command(
    "ab",
    cls=ExampleCommand,
    examples=[
        "veperf ab main                              did my changes make anything slower?",
        "veperf ab HEAD~1 transaction/execution      the last commit and what is uncommitted",
        "veperf ab v1.2 --head v1.3 --budget 10m",
        "veperf ab --since green                     what came after the last run that passed",
        "veperf ab main --all                        nightly: also what the change can't affect",
        "veperf ab main --level micro -k 'not zk'    by level, by parts of names",
        "veperf ab main --module mine.benchmarks mine",
        "veperf ab main --witness instructions       a count without noise beside the time",
        "veperf ab main --by instructions --min-effect 0.5%",
        "veperf ab v1.2 --head main --scheduler tcp://10.0.0.1:8786 --machine-class small "
        "--machine-class large",
        "veperf ab main --go ./...                   Go benchmarks; no Python in the repository",
        "veperf ab main --go ./x/market/... --bench 'Match|Query' --budget 10m",
        "veperf ab --command-a './old in.txt' --command-b './new in.txt'",
        "veperf ab --command-a ./old --command-b ./new --bench-format google",
        "veperf ab --command-a ./old --command-b ./new --value printed --better higher",
    ],
)
@click.argument("base", required=False)
@patterns_argument
@options_of(ABCommandOptions)
@summary_option("the result")
@exports_option
@report_url_option
@archive_option
@click.pass_context
def ab_command(
    context: click.Context,
    base: str | None,
    patterns: tuple[str, ...],
    options: ABCommandOptions,
    summary: Path | None,
    exports: tuple[tuple[str, str], ...],
    report_url: str | None,
    archive: str | None,
) -> None:
    """Compare the code with the commit BASE, side by side.

    Old and new code run in pairs of fresh processes, sample by sample in turn, until each
    benchmark is decided: slower, faster, within the margin (3 %), or (never a pass) inconclusive. A
    commit gets a worktree for the while, and an environment of its own where its dependencies
    differ.

    Ctrl-C keeps what is decided by then, and ends with 130. A time budget that ends before all are
    decided ends with 4.

    With --go, the Go test binaries of both are built once, and each Go benchmark runs in pairs of
    fresh processes with equal iterations. Memory (B/op, allocs/op) that doesn't vary is compared
    exactly. Two commands may print many results, too: --bench-format says how.

    With --scheduler, workers of a dask cluster do that, one of each --machine-class. Each has its
    own verdict, and the worst is that of the whole. The commits must be in the checkouts that the
    workers were started in.
    """
    from veperf.abtest.run import ab, ab_commands
    from veperf.api.sweep import ab_fleet
    from veperf.formats.exported import JudgedPairs
    from veperf.formats.writers import write_judged
    from veperf.programs.run import ab_go, ab_results
    from veperf.report.report_links import find_report_links

    links = find_report_links(report_url or "")
    check_exports(exports)
    check_summary(summary)
    packages: tuple[str, ...] = ()
    if options.since:
        base, patterns = _since(base, patterns, options, archive)
    if options.go:
        base, packages = _go_arguments(base, patterns, options.go)
    _check_sides(base, options)
    policy = chosen_policy(context, options)
    if options.command_a is not None and options.command_b is not None:
        compare = ab_results if options.bench_format else ab_commands
        result = compare(options.command_a, options.command_b, options=options, archive=archive)
    elif options.go:
        assert base is not None, "it was checked"
        result = ab_go(base, *packages, head=options.head, options=options, archive=archive)
    elif options.scheduler is not None:
        assert base is not None, "it was checked"
        fleet = ab_fleet(base, *patterns, head=options.head, options=options, archive=archive)
        fleet = replace(fleet, policy=policy)
        print_sweep(fleet, archive, summary, links)
        write_exports(exports, [fleet.view], links)
        if options.explain:
            print_explanation(fleet.decision)
        context.exit(fleet.exit_code())
    else:
        assert base is not None, "it was checked"
        result = ab(base, *patterns, head=options.head, options=options, archive=archive)
    result = replace(result, policy=policy)
    echo(f"{result!r}\n\nkept in {display_path(result.place)}")
    judged = [JudgedPairs(result.judged, result.decision)]
    append_summary(summary, write_judged(judged, "summary", links).encoded)
    write_exports(exports, judged, links)
    if options.explain:
        print_explanation(result.decision)
    stopped = result.ab.stopped == "hand"
    context.exit(INTERRUPTED if stopped else result.exit_code())


def _since(
    base: str | None, patterns: tuple[str, ...], options: ABCommandOptions, archive: str | None
) -> tuple[str, tuple[str, ...]]:
    """Return the commit of the run of ``--since``, and the benchmarks: there is no BASE.

    Raises:
        click.UsageError: two commands are compared.
        VeperfError: as ``find_since``.
    """
    from veperf.api.last_green import find_since

    if options.command_a is not None or options.command_b is not None:
        raise click.UsageError("two commands are compared: no --since")
    patterns = (*([base] if base is not None else []), *patterns)
    commit = find_since(options.since, patterns, options.head, archive)
    echo(f"compared with {commit[:10]}, by --since {options.since}\n")
    return commit, patterns


def _go_arguments(
    base: str | None, patterns: tuple[str, ...], packages: tuple[str, ...]
) -> tuple[str | None, tuple[str, ...]]:
    """Tell BASE from packages: a commit can't begin with a dot, and there is one BASE.

    Raises:
        click.UsageError: there are several.
    """
    words = [word for word in (base, *patterns) if word is not None]
    commits = [word for word in words if not word.startswith(".")]
    if len(commits) > 1:
        raise click.UsageError(
            f"one BASE is compared with, not {' and '.join(commits)}; a package that does not "
            "begin with a dot goes after --go"
        )
    others = tuple(word for word in words if word.startswith("."))
    return (commits[0] if commits else None), (*packages, *others)


def _check_sides(base: str | None, options: ABCommandOptions) -> None:
    """Refuse options that don't go together.

    Raises:
        click.UsageError: they don't.
    """
    _check_programs(options)
    of_workers = options.scheduler is not None or options.machine_classes
    if options.command_a is not None and options.command_b is not None:
        if base is not None or options.head is not None or options.working_tree or options.modules:
            raise click.UsageError("two commands are compared: no BASE, --head or --module")
        if options.levels or options.expression:
            raise click.UsageError("two commands are compared, no benchmarks: no --level, no -k")
        if of_workers:
            raise click.UsageError("workers compare commits: no --command-a and --command-b")
        return
    if options.command_a is not None or options.command_b is not None:
        raise click.UsageError("both commands are needed: --command-a and --command-b")
    if base is None:
        raise click.UsageError("BASE is missing: the commit to compare with, such as main")
    if options.value != "time" or options.better != "lower" or options.unit:
        raise click.UsageError("--value, --better and --unit are for two commands")
    if options.head is not None and options.working_tree:
        raise click.UsageError("the new code is either --head or --working-tree")
    if of_workers and options.scheduler is None:
        raise click.UsageError("--machine-class needs workers: --scheduler ADDRESS")
    if of_workers and (options.working_tree or options.comparisons != 1):
        raise click.UsageError("workers compare commits: no --working-tree, no --comparisons")
    if of_workers and (options.witness or options.decide_by != "time"):
        raise click.UsageError("workers compare times: no --witness, no --by")


def _check_programs(options: ABCommandOptions) -> None:
    """Refuse options of Go and of many results where there is neither, and others where there are.

    Raises:
        click.UsageError: they don't go together.
    """
    has_commands = options.command_a is not None or options.command_b is not None
    if options.go and has_commands:
        raise click.UsageError("either --go, or --command-a and --command-b")
    if options.bench_format and not has_commands:
        raise click.UsageError("--bench-format is for --command-a and --command-b")
    defaults = GoOptions()
    names = ("bench", "tags", "processors", "layouts")
    if not options.go and any(getattr(options, n) != getattr(defaults, n) for n in names):
        raise click.UsageError("--bench, --go-tags, --go-cpu and --go-layouts are for --go")
    if not options.go and not options.bench_format:
        return
    of_python = options.modules or options.levels or options.expression
    if of_python or options.witness or options.decide_by != "time":
        raise click.UsageError(
            "programs in any language have no --module, --level, -k, --witness and --by"
        )
    if options.scheduler is not None or options.machine_classes or options.comparisons != 1:
        raise click.UsageError("programs are compared here: no --scheduler, no --comparisons")
    if options.bench_format and (options.value, options.better) != ("time", "lower"):
        raise click.UsageError("--value and --better are for commands without --bench-format")


@dataclass(frozen=True, kw_only=True)
class SelfCheckCommandOptions(SelfCheckOptions, ShamOptions):
    """Options of ``veperf selfcheck``: of this code, or of sham edits."""

    sham: Annotated[
        bool, about("Compare versions that differ in nothing that runs, and show their noise.")
    ] = False


@click.command(
    "selfcheck",
    cls=ExampleCommand,
    examples=[
        "veperf selfcheck                            three typical benchmarks, a minute or two",
        "veperf selfcheck transaction --trials 3     a suite, three times",
        "veperf selfcheck --max-pairs 96             what twice the pairs would show",
        "veperf selfcheck --sham                     edits that change nothing, some minutes",
        "veperf selfcheck --sham --edits 20 --planted 5",
    ],
)
@patterns_argument
@options_of(SelfCheckCommandOptions)
@archive_option
@click.pass_context
def selfcheck_command(
    context: click.Context,
    patterns: tuple[str, ...],
    options: SelfCheckCommandOptions,
    archive: str | None,
) -> None:
    """Find out how small a slowdown this machine can show.

    Counts false alarms, works out the smallest slowdown that would be found in 9 of 10
    comparisons, and says what to change on the machine. Ends with 1 after a false alarm.

    With --sham, versions of a small library are compared that differ by an edit beside the work: a
    function that nobody calls, an import, another order. Called slower or faster, they are false
    alarms. The archive keeps how much such versions differ on this machine class, and later
    comparisons allow for it.
    """
    from veperf.abtest.selfcheck import selfcheck
    from veperf.abtest.sham.battery import sham_selfcheck

    result: SelfCheckResult | ShamResult
    if options.sham:
        if options.trials != 1 or options.modules:
            raise click.UsageError("--trials and --module are not for --sham: see --edits")
        result = sham_selfcheck(*patterns, options=options, archive=archive)
    else:
        if (options.edits, options.planted) != (ShamOptions.edits, ShamOptions.planted):
            raise click.UsageError("--edits and --planted are of --sham")
        result = selfcheck(*patterns, options=options)
    echo(repr(result))
    context.exit(INTERRUPTED if result.was_stopped else result.exit_code())
