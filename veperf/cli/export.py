"""``veperf export``, and the same as an option of other commands."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from veperf.archive.files import write_file
from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    display_path,
    options_of,
)
from veperf.core.errors import UsageError
from veperf.core.options import KnownMissOptions

if TYPE_CHECKING:
    from veperf.formats.exported import Judged

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
@click.argument("run", default="last")
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
@options_of(KnownMissOptions)
@archive_option
@baselines_option
def export_command(
    run: str,
    format: str,
    output: Path | None,
    options: KnownMissOptions,
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Write a run, or the verdict on it, in another tool's format.

    RUN is `last`, a run's id, the beginning of one, or another tool's file. The values are those
    by which the run is judged, one a process. What a format can't hold is named on standard error.
    """
    from veperf.api.reports import export_result

    exported = export_result(
        run, format, archive=archive, baselines=baselines, known_misses=options.known_misses
    )
    for note in exported.notes:
        click.echo(note, err=True)
    if output is not None:
        write_file(output, exported.encoded)
        click.echo(f"written to {display_path(output)}", err=True)
    elif isinstance(exported.data, bytes) and sys.stdout.isatty():
        raise click.UsageError(f"{format} is not for a terminal: name a file with --output")
    else:
        click.echo(exported.data, nl=False)


def check_formats(exports: Sequence[tuple[str, str]]) -> None:
    """Refuse a format that does not exist before anything is measured.

    Raises:
        UsageError: there is one.
    """
    from veperf.formats.writers import output_format

    for format, _ in exports:
        output_format(format)


def write_exports(exports: Sequence[tuple[str, str]], judged: "Sequence[Judged]") -> None:
    """Write each of ``exports``; a format that can hold nothing of it is only named.

    Raises:
        StorageError: a file can't be written.
    """
    from veperf.formats.writers import write_judged

    for format, file in exports:
        try:
            exported = write_judged(judged, format)
        except UsageError as error:
            click.echo(f"{file} is not written: {error}", err=True)
        else:
            write_file(Path(file), exported.encoded)
            click.echo(f"{format}: {display_path(Path(file))}")
