"""``veperf ab``."""

from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from veperf.cli.export import check_formats, exports_option, write_exports
from veperf.cli.fleet import fleet_options, tell_sweep
from veperf.cli.load import INTERRUPTED
from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    modules_option,
    shown,
    time_budget_option,
    timeout_option,
)
from veperf.cli.step_summary import append, summary_option
from veperf.core.ab import CommandValue
from veperf.core.case import Better

if TYPE_CHECKING:
    from veperf.abtest.result import ABResult


@click.command(
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
@click.argument("patterns", nargs=-1, metavar="[BENCHMARK]...")
@click.option("--head", metavar="REF", help="The new code's commit.  [default: the working tree]")
@click.option(
    "--working-tree",
    is_flag=True,
    help="The new code is the working tree, uncommitted changes included: the default.",
)
@click.option("--command-a", metavar="COMMAND", help="The old one of two shell commands.")
@click.option("--command-b", metavar="COMMAND", help="The new one.")
@click.option(
    "--value",
    type=click.Choice(get_args(CommandValue)),
    default="time",
    show_default=True,
    help="What counts of a command: the time it takes (cpu: that of the CPU, whatever else the "
    "machine is doing), or the number in the last line that it prints.",
)
@click.option(
    "--better",
    type=click.Choice(get_args(Better)),
    default="lower",
    show_default=True,
    help="Of printed numbers.",
)
@click.option("--unit", default="", help="Of printed numbers.")
@click.option(
    "--threshold",
    "fail_percent",
    type=click.FloatRange(min=1, max=1000),
    default=5.0,
    show_default=True,
    metavar="PERCENT",
    help="A slowdown that is surely more than this is a failure, a smaller one a warning.",
)
@click.option(
    "--max-pairs",
    type=click.IntRange(min=6, max=200),
    default=48,
    show_default=True,
    help="After so many, what is undecided is inconclusive; 96 decide more.",
)
@time_budget_option
@fleet_options
@click.option("--strict", is_flag=True, help="End with 4 where something is inconclusive.")
@click.option(
    "--among",
    type=click.IntRange(1, 100_000),
    default=1,
    show_default=True,
    metavar="N",
    help="So many comparisons of this change are made, as on N machine classes: each must be the "
    "more certain.",
)
@click.option("--seed", type=int, help="Of the order of measuring.  [default: drawn]")
@summary_option("the result")
@exports_option
@timeout_option
@modules_option
@archive_option
@click.pass_context
def ab(
    context: click.Context,
    base: str | None,
    patterns: tuple[str, ...],
    head: str | None,
    working_tree: bool,
    command_a: str | None,
    command_b: str | None,
    value: CommandValue,
    better: Better,
    unit: str,
    fail_percent: float,
    max_pairs: int,
    time_budget_s: float | None,
    scheduler: str | None,
    machine_classes: tuple[str, ...],
    wait_s: float,
    strict: bool,
    among: int,
    seed: int | None,
    summary: Path | None,
    exports: tuple[tuple[str, str], ...],
    timeout_s: float,
    modules: tuple[str, ...],
    archive: str | None,
) -> None:
    """Find out whether the code got slower since the commit BASE, side by side.

    Old and new code run in pairs of fresh processes, sample by sample in turn, until each
    benchmark is decided: slower, faster, no slower, or (never a pass) inconclusive. A commit gets a
    worktree for the while, and an environment of its own where its dependencies differ.

    Ctrl-C keeps what is decided by then, and ends with 130.

    With --scheduler, workers of a dask cluster do that, one of each --machine-class. Each has its
    own verdict, and the worst is that of the whole. The commits must be in the checkouts that the
    workers were started in.
    """
    from veperf.abtest.run import ab as gate_ab
    from veperf.abtest.run import ab_commands
    from veperf.api import sweep
    from veperf.formats.judged import JudgedPairs

    check_formats(exports)
    if command_a is not None and command_b is not None:
        if base is not None or head is not None or working_tree or modules:
            raise click.UsageError("two commands are compared: no BASE, --head or --module")
        if scheduler is not None or machine_classes:
            raise click.UsageError("workers compare commits: no --command-a and --command-b")
        result = ab_commands(
            command_a,
            command_b,
            value=value,
            better=better,
            unit=unit,
            max_pairs=max_pairs,
            fail_percent=fail_percent,
            time_budget_s=time_budget_s,
            timeout_s=timeout_s,
            archive=archive,
        )
    else:
        if command_a is not None or command_b is not None:
            raise click.UsageError("it takes both: --command-a and --command-b")
        if base is None:
            raise click.UsageError("BASE is missing: the commit to compare with, such as main")
        if value != "time" or better != "lower" or unit:
            raise click.UsageError("--value, --better and --unit are for two commands")
        if head is not None and working_tree:
            raise click.UsageError("the new code is either --head or --working-tree")
        if machine_classes and scheduler is None:
            raise click.UsageError("--machine-class needs workers: --scheduler ADDRESS")
        if scheduler is not None:
            if working_tree or among != 1:
                raise click.UsageError("workers compare commits: no --working-tree, no --among")
            fleet = sweep.ab_fleet(
                base,
                *patterns,
                head=head,
                machine_classes=machine_classes,
                scheduler=scheduler,
                modules=modules,
                max_pairs=max_pairs,
                fail_percent=fail_percent,
                time_budget_s=time_budget_s,
                timeout_s=timeout_s,
                seed=seed,
                wait_s=wait_s,
                archive=archive,
            )
            tell_sweep(fleet, archive, summary)
            write_exports(exports, [fleet.shown])
            context.exit(fleet.exit_code(strict=strict))
        result = gate_ab(
            base,
            *patterns,
            head=head,
            modules=modules,
            max_pairs=max_pairs,
            fail_percent=fail_percent,
            time_budget_s=time_budget_s,
            timeout_s=timeout_s,
            seed=seed,
            among=among,
            archive=archive,
        )
    tell(result, summary)
    write_exports(exports, [JudgedPairs(result.ab, result.outcome, result.sentence)])
    stopped = result.ab.stopped == "hand"
    context.exit(INTERRUPTED if stopped else result.exit_code(strict=strict))


def tell(result: "ABResult", summary: Path | None) -> None:
    """Print a comparison and where it is kept; append it to a step's summary."""
    click.echo(repr(result))
    click.echo(f"\nkept in {shown(result.place)}")
    if summary is not None:
        append(summary, result._repr_markdown_().encode())
