"""``veperf export``, and the same as an option of other commands."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from veperf.archive.files import require_writable_file, write_file
from veperf.cli.completion import complete_runs
from veperf.cli.gate import chosen_policy
from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    display_path,
    options_of,
    report_url_option,
)
from veperf.cli.output import echo
from veperf.core.errors import UsageError
from veperf.core.escape import one_line
from veperf.core.options import JudgementOptions

if TYPE_CHECKING:
    from veperf.formats.exported import Judged
    from veperf.report.report_links import ReportLinks

exports_option = click.option(
    "--export",
    "exports",
    nargs=2,
    multiple=True,
    metavar="FORMAT FILE",
    help="Write to FILE as `veperf export` does, whatever the verdict. Can be repeated.",
)


@click.command(
    "export",
    cls=ExampleCommand,
    examples=[
        "veperf export last --format go >new.txt            for benchstat",
        "veperf export last --format pyperf -o new.json     for pyperf compare_to",
        "veperf export last --format junit -o junit.xml     the verdict, for a CI server",
        "veperf export old.txt --format pytest-benchmark    of another tool's file",
    ],
)
@click.argument("run", default="last", shell_complete=complete_runs)
@click.option(
    "--format",
    required=True,
    metavar="FORMAT",
    help="pytest-benchmark, pyperf, bencher, github-action-smaller, github-action-bigger, go, "
    "csv, parquet; of the verdict: junit, summary, comment.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write to FILE, whole or not at all.  [default: standard output]",
)
@report_url_option
@options_of(JudgementOptions)
@archive_option
@baselines_option
@click.pass_context
def export_command(
    context: click.Context,
    run: str,
    format: str,
    output: Path | None,
    report_url: str | None,
    options: JudgementOptions,
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Write a run, or the verdict on it, in another tool's format.

    RUN is `last`, a run's id, the beginning of one, or another tool's file. The values are those
    by which the run is judged, one a process. What a format can't hold is named on standard error.
    """
    from veperf.api.reports import export_result
    from veperf.report.report_links import find_report_links

    links = find_report_links(report_url or "")
    policy = chosen_policy(context, options, options.known_misses)
    if output is not None:
        require_writable_file(output)
    exported = export_result(
        run, format, archive=archive, baselines=baselines, policy=policy, links=links
    )
    for note in exported.notes:
        echo(one_line(note), err=True)
    if output is not None:
        write_file(output, exported.encoded)
        echo(f"written to {display_path(output)}", err=True)
    elif isinstance(exported.data, bytes) and sys.stdout.isatty():
        raise click.UsageError(f"{format} is not for a terminal: name a file with --output")
    else:
        click.echo(exported.encoded, nl=False)


def check_exports(exports: Sequence[tuple[str, str]]) -> None:
    """Refuse formats and files of ``--export`` that can't be, before anything is measured.

    Raises:
        UsageError: there is no such format.
        StorageError: a file can't be written.
    """
    from veperf.formats.writers import output_format

    for format, file in exports:
        output_format(format)
        require_writable_file(Path(file))


def write_exports(
    exports: Sequence[tuple[str, str]], judged: "Sequence[Judged]", links: "ReportLinks"
) -> None:
    """Write each of ``exports``; a format that can hold nothing of it is only named.

    Raises:
        StorageError: a file can't be written.
    """
    from veperf.formats.writers import write_judged

    for format, file in exports:
        try:
            exported = write_judged(judged, format, links)
        except UsageError as error:
            echo(f"{file} is not written: {error}", err=True)
        else:
            write_file(Path(file), exported.encoded)
            echo(f"{format}: {display_path(Path(file))}")
