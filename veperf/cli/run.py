"""``veperf run``."""

from pathlib import Path

import click

from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    measuring_options,
    shown,
)


@click.command(
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
@measuring_options
@click.option(
    "--resume",
    is_flag=False,
    flag_value="last",
    metavar="[RUN]",
    help="Go on with an interrupted run: the last one, or the one named.",
)
@archive_option
@baselines_option
def run(
    patterns: tuple[str, ...],
    profile: str,
    seed: int | None,
    timeout_s: float,
    modules: tuple[str, ...],
    memory: bool,
    resume: str | None,
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Measure in fresh worker processes and keep the run in the archive.

    BENCHMARK is a suite, a benchmark, one of its cases or a glob; everything when there is none.
    Ctrl-C keeps the processes that are done; --resume goes on from there.
    """
    from veperf.api.runs import resume as api_resume
    from veperf.api.runs import run as api_run
    from veperf.archive.cli_hints import command
    from veperf.report import text

    if resume is not None and patterns:
        raise click.UsageError("a run that goes on measures what it began with: no BENCHMARK")
    if resume is not None:
        result = api_resume(resume, archive=archive)
    else:
        result = api_run(
            *patterns,
            profile=profile,
            archive=archive,
            baselines=baselines,
            seed=seed,
            timeout_s=timeout_s,
            modules=modules,
            memory=memory,
        )
    click.echo(text.run(result.run))
    how = command("report", result.run.id, archive=archive)
    click.echo(f"\nkept in {shown(result.place)}; {how} judges it")
