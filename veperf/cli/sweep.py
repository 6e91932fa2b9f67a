"""``veperf sweep``."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click

from veperf.archive.cli_hints import command_hint
from veperf.cli.gate import chosen_policy, print_explanation
from veperf.cli.options import (
    ExampleCommand,
    append_summary,
    archive_option,
    check_summary,
    display_path,
    options_of,
    refuse_options,
    report_url_option,
    summary_option,
)
from veperf.cli.output import echo
from veperf.core.errors import COULD_NOT_MEASURE, OK
from veperf.core.option_fields import about
from veperf.core.options import DecisionOptions, SweepOptions

if TYPE_CHECKING:
    from veperf.cluster.sweep import SweepOutcome
    from veperf.report.report_links import ReportLinks


@dataclass(frozen=True, kw_only=True)
class SweepCommandOptions(SweepOptions, DecisionOptions):
    """Options of ``veperf sweep``."""

    local: Annotated[bool, about("On this machine, one task after the other.")] = False


@click.command(
    "sweep",
    cls=ExampleCommand,
    examples=[
        "veperf sweep nightly.toml --local                 on this machine",
        "veperf sweep nightly.toml --scheduler tcp://10.0.0.1:8786",
        "veperf sweep --resume --local                     go on with the last one",
        "veperf sweep --show                               what came of the last one",
        "",
        "by an engine of yours, such as a Slurm array or a CI matrix:",
        "  veperf sweep nightly.toml --plan json            what there is to do",
        "  veperf sweep nightly.toml --task 3               one of its tasks, here",
        "  veperf sweep --resume NAME --task 0-4,7          several, of the sweep NAME",
        "  veperf sweep --collect NAME                      the table; what is missing",
        "",
        "nightly.toml:",
        '  name = "nightly"',
        '  benchmarks = ["transaction", "zk_proof/age_proof"]',
        '  profile = "standard"                # quick, standard or thorough',
        '  machine_classes = ["small", "large"]',
        '  refs = ["main", "v1.2.0"]           # commits; else what is installed',
        "  repeats = 3",
        "",
        '  [parameters."transaction/state_write"]',
        "  accounts = [1000, 100000]",
        "",
        "release.toml, which compares two commits on each class of machines:",
        '  name = "release"',
        '  machine_classes = ["small", "large"]',
        '  benchmarks = ["transaction"]        # all of them when left out',
        "",
        "  [ab]",
        '  base = "v1.2.0"',
        '  head = "main"                       # what is checked out when left out',
        '  fail_over = "5%"                    # surely slower by more is a failure',
        '  margin = "3%"                       # slowdowns that a pass rules out',
        '  min_effect = "1%"                   # smaller changes are never slower or faster',
        "  max_pairs = 48",
        "  alpha = 0.05                        # how often equal code may be called slower",
        '  time_budget = "20m"                 # of each comparison; none when left out',
        "",
        "A worker says what it is by its resources:",
        "  dask worker tcp://10.0.0.1:8786 --nthreads 1 --resources 'veperf=1 class:small=1'",
    ],
)
@click.argument("spec", required=False, type=click.Path(dir_okay=False, path_type=Path))
@options_of(SweepCommandOptions)
@click.option(
    "--resume",
    is_flag=False,
    flag_value="last",
    metavar="[SWEEP]",
    help="Go on with a sweep that was stopped: the last one, or the one named.",
)
@click.option(
    "--show",
    is_flag=False,
    flag_value="last",
    metavar="[SWEEP]",
    help="Only show what came of a sweep: the last one, or the one named.",
)
@click.option(
    "--plan",
    type=click.Choice(["json"]),
    help="Only plan SPEC, in the archive, and print its tasks for an engine.",
)
@click.option(
    "--task",
    "tasks",
    metavar="NUMBERS",
    help="Run tasks of a planned sweep here, by number from 0: 3, or 0-4,7.",
)
@click.option(
    "--collect",
    is_flag=False,
    flag_value="last",
    metavar="[SWEEP]",
    help="Show what came of tasks run by number; comparisons get their page.",
)
@summary_option("the result")
@report_url_option
@archive_option
@click.pass_context
def sweep_command(
    context: click.Context,
    spec: Path | None,
    options: SweepCommandOptions,
    resume: str | None,
    show: str | None,
    plan: str | None,
    tasks: str | None,
    collect: str | None,
    summary: Path | None,
    report_url: str | None,
    archive: str | None,
) -> None:
    """Make many runs on many machines.

    SPEC is a TOML file. A dask.distributed scheduler hands its runs to workers, or any engine runs
    them by number: all it needs is an archive that every host reaches.

    Every combination of benchmark, commit, machine class and repeat is a task: one `veperf run` on
    a worker of that class, one at a time on a host. With [ab], every combination of machine class
    and repeat is one `veperf ab`, and the exit code is that of the worst. Results come into the
    archive as they are finished; Ctrl-C keeps them, and --resume goes on. Whoever can reach a
    scheduler can run code on its workers: use it within a trusted network, or with TLS.
    """
    from veperf.abtest.fleet_result import FleetResult
    from veperf.api import sweep as sweeps
    from veperf.report.report_links import find_report_links

    policy = chosen_policy(context, options)
    check_summary(summary)
    if plan is not None or tasks is not None:
        _refuse_beside(context, plan, tasks, spec, resume, show, collect)
        if tasks is None:
            if spec is None:
                raise click.UsageError("say what to plan: veperf sweep SPEC --plan json")
            click.echo(json.dumps(sweeps.plan_sweep_tasks(spec, archive=archive)))
            return
        outcomes = sweeps.run_sweep_tasks(tasks, spec, sweep=resume, archive=archive, notify=echo)
        context.exit(COULD_NOT_MEASURE if any(o.failure for o in outcomes) else OK)
    if sum(source is not None for source in (spec, resume, show, collect)) != 1:
        raise click.UsageError("give one of a SPEC, --resume, --show or --collect")
    if show is not None:
        refuse_options(context, SweepOptions, "--show measures nothing")
        outcome = sweeps.load_sweep(show, archive)
    elif collect is not None:
        refuse_options(context, SweepOptions, "--collect measures nothing")
        outcome = sweeps.collect_sweep(collect, archive)
    elif (options.scheduler is None) != options.local:
        raise click.UsageError("say where: --scheduler ADDRESS, or --local")
    elif spec is not None:
        outcome = sweeps.sweep(spec, options=options, archive=archive)
    else:
        outcome = sweeps.resume_sweep(resume, options=options, archive=archive)
    if isinstance(outcome, FleetResult):
        outcome = replace(outcome, policy=policy)
    print_sweep(outcome, archive, summary, find_report_links(report_url or ""))
    if options.explain and isinstance(outcome, FleetResult):
        print_explanation(outcome.decision)
    context.exit(outcome.exit_code())


def _refuse_beside(
    context: click.Context,
    plan: str | None,
    tasks: str | None,
    spec: Path | None,
    resume: str | None,
    show: str | None,
    collect: str | None,
) -> None:
    """Refuse what --plan or --task would ignore."""
    name = "--plan" if plan is not None else "--task"
    if plan is not None and (tasks is not None or resume is not None):
        raise click.UsageError("--plan goes with a SPEC, and neither --task nor --resume")
    if show is not None or collect is not None:
        raise click.UsageError(f"{name} shows nothing: neither --show nor --collect")
    if spec is None and resume is None:
        raise click.UsageError(f"{name} needs a SPEC, or --resume SWEEP")
    refuse_options(context, SweepCommandOptions, f"{name} needs no workers, and judges nothing")


def print_sweep(
    outcome: "SweepOutcome", archive: str | None, summary: Path | None, links: "ReportLinks"
) -> None:
    """Print the outcome of a sweep in ``archive`` and how to go on; append it to the summary."""
    from veperf.abtest.fleet_result import FleetResult
    from veperf.cluster.sweep_result import missing_tasks
    from veperf.formats.writers import write_judged

    echo(repr(outcome))
    if isinstance(outcome, FleetResult):
        echo(f"\npage: {display_path(outcome.page_at)}")
    if outcome.failed:
        missing = missing_tasks(outcome)
        hint = command_hint(
            "sweep", "--resume", outcome.sweep, "--scheduler", "ADDRESS", archive=archive
        )
        by_number = command_hint(
            "sweep", "--resume", outcome.sweep, "--task", missing, archive=archive
        )
        echo(
            f"\nmissing: {missing}\n{hint} goes on with what is missing; by number, on any host:\n"
            f"{by_number}"
        )
    if isinstance(outcome, FleetResult):
        append_summary(summary, write_judged([outcome.view], "summary", links).encoded)
    else:
        append_summary(summary, outcome._repr_markdown_().encode())
