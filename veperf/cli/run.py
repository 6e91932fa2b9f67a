"""``veperf run``."""

from pathlib import Path

import click

from veperf.archive.cli_hints import command_hint
from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    display_path,
    options_of,
    patterns_argument,
)
from veperf.core.options import RunOptions


@click.command(
    "run",
    cls=ExampleCommand,
    examples=[
        "veperf run                                   everything, 6 fresh processes",
        "veperf run transaction --profile thorough    one suite, 24 fresh processes",
        "veperf run transaction/execution             one benchmark and its scaling curve",
        "veperf run transaction --memory              bytes and allocations, too",
        "veperf run --module mine.benchmarks mine     a suite of your own",
        "veperf run --resume                          go on with what was interrupted",
    ],
)
@patterns_argument
@options_of(RunOptions)
@click.option(
    "--resume",
    is_flag=False,
    flag_value="last",
    metavar="[RUN]",
    help="Go on with an interrupted run: the last one, or the one named.",
)
@archive_option
@baselines_option
def run_command(
    patterns: tuple[str, ...],
    options: RunOptions,
    resume: str | None,
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Measure in fresh processes, and store the run.

    BENCHMARK is a suite, a benchmark, one of its cases or a glob; everything when there is none.
    Ctrl-C keeps the processes that are done; --resume goes on from there.
    """
    from veperf.api import runs
    from veperf.report import rendering

    if resume is not None and patterns:
        raise click.UsageError("a resumed run measures what it began with: no BENCHMARK")
    if resume is not None:
        result = runs.resume(resume, archive=archive)
    else:
        result = runs.run(patterns, options=options, archive=archive, baselines=baselines)
    click.echo(rendering.run_text(result.run))
    hint = command_hint("report", result.run.id, archive=archive)
    click.echo(f"\nkept in {display_path(result.place)}; {hint} judges it")
