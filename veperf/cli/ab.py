"""``veperf ab`` and ``veperf selfcheck``: code beside code."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import click

from veperf.cli.export import check_formats, exports_option, write_exports
from veperf.cli.options import (
    INTERRUPTED,
    ExampleCommand,
    append_summary,
    archive_option,
    display_path,
    options_of,
    patterns_argument,
    summary_option,
)
from veperf.cli.sweep import print_sweep
from veperf.core.option_fields import about
from veperf.core.options import (
    ABOptions,
    CommandOptions,
    FleetOptions,
    SelfCheckOptions,
    StrictOptions,
)


@dataclass(frozen=True, kw_only=True)
class ABCommandOptions(ABOptions, CommandOptions, FleetOptions, StrictOptions):
    """Options of ``veperf ab``: of commits here or on workers, and of two commands."""

    head: Annotated[
        str | None, about("The new code's commit.", metavar="REF", default="the working tree")
    ] = None
    working_tree: Annotated[
        bool, about("The new code is the working tree, uncommitted changes included: the default.")
    ] = False
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
        "veperf ab v1.2 --head v1.3 --time-budget 10m",
        "veperf ab main --module mine.benchmarks mine",
        "veperf ab v1.2 --head main --scheduler tcp://10.0.0.1:8786 --machine-class small "
        "--machine-class large",
        "veperf ab --command-a './old in.txt' --command-b './new in.txt'",
        "veperf ab --command-a ./old --command-b ./new --value printed --better higher",
    ],
)
@click.argument("base", required=False)
@patterns_argument
@options_of(ABCommandOptions)
@summary_option("the result")
@exports_option
@archive_option
@click.pass_context
def ab_command(
    context: click.Context,
    base: str | None,
    patterns: tuple[str, ...],
    options: ABCommandOptions,
    summary: Path | None,
    exports: tuple[tuple[str, str], ...],
    archive: str | None,
) -> None:
    """Compare the code with the commit BASE, side by side.

    Old and new code run in pairs of fresh processes, sample by sample in turn, until each
    benchmark is decided: slower, faster, no slower, or (never a pass) inconclusive. A commit gets a
    worktree for the while, and an environment of its own where its dependencies differ.

    Ctrl-C keeps what is decided by then, and ends with 130.

    With --scheduler, workers of a dask cluster do that, one of each --machine-class. Each has its
    own verdict, and the worst is that of the whole. The commits must be in the checkouts that the
    workers were started in.
    """
    from veperf.abtest.run import ab, ab_commands
    from veperf.api.sweep import ab_fleet
    from veperf.formats.exported import JudgedPairs

    check_formats(exports)
    _check_sides(base, options)
    if options.command_a is not None and options.command_b is not None:
        result = ab_commands(options.command_a, options.command_b, options=options, archive=archive)
    elif options.scheduler is not None:
        assert base is not None, "it was checked"
        fleet = ab_fleet(base, *patterns, head=options.head, options=options, archive=archive)
        print_sweep(fleet, archive, summary)
        write_exports(exports, [fleet.view])
        context.exit(fleet.exit_code(strict=options.strict))
    else:
        assert base is not None, "it was checked"
        result = ab(base, *patterns, head=options.head, options=options, archive=archive)
    click.echo(f"{result!r}\n\nkept in {display_path(result.place)}")
    append_summary(summary, result._repr_markdown_().encode())
    write_exports(exports, [JudgedPairs(result.ab, result.outcome, result.sentence)])
    stopped = result.ab.stopped == "hand"
    context.exit(INTERRUPTED if stopped else result.exit_code(strict=options.strict))


def _check_sides(base: str | None, options: ABCommandOptions) -> None:
    """Refuse options that don't go together.

    Raises:
        click.UsageError: they don't.
    """
    of_workers = options.scheduler is not None or options.machine_classes
    if options.command_a is not None and options.command_b is not None:
        if base is not None or options.head is not None or options.working_tree or options.modules:
            raise click.UsageError("two commands are compared: no BASE, --head or --module")
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


@click.command(
    "selfcheck",
    cls=ExampleCommand,
    examples=[
        "veperf selfcheck                            three typical benchmarks, a minute or two",
        "veperf selfcheck transaction --trials 3     a suite, three times",
        "veperf selfcheck --max-pairs 96             what twice the pairs would show",
    ],
)
@patterns_argument
@options_of(SelfCheckOptions)
@click.pass_context
def selfcheck_command(
    context: click.Context, patterns: tuple[str, ...], options: SelfCheckOptions
) -> None:
    """Find out how small a slowdown this machine can show.

    Counts false alarms, works out the smallest slowdown that would be found in 9 of 10
    comparisons, and says what to change on the machine. Ends with 1 after a false alarm.
    """
    from veperf.abtest.selfcheck import selfcheck

    result = selfcheck(*patterns, options=options)
    click.echo(repr(result))
    context.exit(INTERRUPTED if result.was_stopped else result.exit_code())
