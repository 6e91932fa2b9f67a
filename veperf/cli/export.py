"""``veperf export``, and the same as an option of other commands."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    known_miss_option,
    shown,
)

if TYPE_CHECKING:
    from veperf.formats.judged import Judged

exports_option = click.option(
    "--export",
    "exports",
    nargs=2,
    multiple=True,
    metavar="FORMAT FILE",
    help="Write to FILE as `veperf export` does, whatever the verdict. Can be repeated.",
)


@click.command(
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
@known_miss_option
@archive_option
@baselines_option
def export(
    run: str,
    format: str,
    output: Path | None,
    known_misses: tuple[str, ...],
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Write a run, or the verdict on it, in another tool's format.

    RUN is `last`, a run's id, the beginning of one, or another tool's file. The values are those
    by which the run is judged, one a process. What a format can't hold is named on standard error.
    """
    from veperf.api.reports import export_result
    from veperf.archive.files import write

    done = export_result(
        run, format, archive=archive, baselines=baselines, known_misses=known_misses
    )
    for note in done.notes:
        click.echo(note, err=True)
    if output is not None:
        write(output, done.encoded)
        click.echo(f"written to {shown(output)}", err=True)
    elif isinstance(done.data, bytes) and sys.stdout.isatty():
        raise click.UsageError(f"{format} is not for a terminal: name a file with --output")
    else:
        click.echo(done.data, nl=False)


def check_formats(exports: Sequence[tuple[str, str]]) -> None:
    """Refuse a format that does not exist before anything is measured.

    Raises:
        UsageError: there is one.
    """
    from veperf.formats.writers import named

    for format, _ in exports:
        named(format)


def write_exports(exports: Sequence[tuple[str, str]], judged: "Sequence[Judged]") -> None:
    """Write each of ``exports``; a format that can hold nothing of it is only named.

    Raises:
        StorageError: a file can't be written.
    """
    from veperf.archive.files import write
    from veperf.core.errors import UsageError
    from veperf.formats.writers import write_judged

    for format, file in exports:
        try:
            done = write_judged(judged, format)
        except UsageError as error:
            click.echo(f"{file} is not written: {error}", err=True)
        else:
            write(Path(file), done.encoded)
            click.echo(f"{format}: {shown(Path(file))}")
