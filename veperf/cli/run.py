"""``veperf run``."""

from pathlib import Path

import click

from veperf.archive.files import require_writable_file, write_file
from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    options_of,
    patterns_argument,
    print_kept,
    print_notes,
    refuse_options,
)
from veperf.cli.output import echo
from veperf.core.options import RunOptions


@click.command(
    "run",
    cls=ExampleCommand,
    examples=[
        "veperf run                                   everything, 6 fresh processes",
        "veperf run transaction --profile thorough    one suite, 24 fresh processes",
        "veperf run transaction/execution             one benchmark and its scaling curve",
        "veperf run transaction --memory              bytes and allocations, too",
        "veperf run --short                           a quick look, which answers no target",
        "veperf run --budget 3m                       what fits, targets first",
        "veperf run --level micro -k 'hash or nonce'  by level, by parts of names",
        "veperf run bidding/latency --processes 20 --min-time 2s",
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
@click.option(
    "--id-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the run's id to FILE, for the script's next command.",
)
@archive_option
@baselines_option
@click.pass_context
def run_command(
    context: click.Context,
    patterns: tuple[str, ...],
    options: RunOptions,
    resume: str | None,
    id_file: Path | None,
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Measure in fresh processes, and store the run.

    BENCHMARK is a suite, a benchmark, one of its cases or a glob; without any, all suites but those
    that `veperf list` says are measured only where they are named. --level and -k narrow that down.
    Ctrl-C keeps the processes that are done; --resume goes on from there. The overview, whose
    address comes first, is brought up to date after each of them.
    """
    from veperf.api import runs
    from veperf.report import rendering
    from veperf.verdicts.run_notes import successor_notes

    if id_file is not None:
        require_writable_file(id_file)
    if resume is not None and patterns:
        raise click.UsageError("a resumed run measures what it began with: no BENCHMARK")
    if resume is not None:
        refuse_options(context, RunOptions, "a resumed run measures as it began")
        result = runs.resume(resume, archive=archive)
    else:
        result = runs.run(patterns, options=options, archive=archive, baselines=baselines)
    if id_file is not None:
        write_file(id_file, f"{result.run.id}\n".encode())
    echo(rendering.run_text(result.run))
    print_notes(result.run.id, result.run.notes)
    verdict = result.verdict(baselines).verdict
    if verdict.targets or verdict.against or verdict.failures:
        echo(f"\n{rendering.answers_text(verdict)}")
    for note in rendering.notes_text(tuple(successor_notes(verdict.targets))):
        echo(f"\n{note}")
    print_kept(result.place, archive)
