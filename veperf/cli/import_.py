"""``veperf import``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    by_option,
    format_option,
    shown,
)

if TYPE_CHECKING:
    from veperf.formats.imported_run import Imported


@click.command(
    "import",
    cls=ExampleCommand,
    examples=[
        "veperf import old.txt new.txt                        Go's text, one run each",
        "go test -bench . -count 10 -json | veperf import -   straight from go test",
        "veperf import target/criterion                       what criterion left behind",
        "veperf import results.csv --format csv --name nightly",
    ],
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@format_option
@by_option
@click.option("--name", default="", metavar="NAME", help="Becomes part of the runs' names.")
@archive_option
@baselines_option
def import_(
    files: tuple[str, ...],
    format: str,
    by: str,
    name: str,
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Keep other tools' results in the archive, as though they had been measured here.

    FILE is what go test, pytest-benchmark, pyperf, hyperfine, Google Benchmark, asv or criterion
    wrote, CSV or JSON lines; `-` is standard input. Every repetition counts as a process. If one
    of the files is broken, none is kept.
    """
    from veperf.api.runs import save_run
    from veperf.archive.cli_hints import command
    from veperf.core.escape import one_line
    from veperf.formats.go_targets import aim, go_benchmarks, strangers, unlisted
    from veperf.formats.readers import read, read_path
    from veperf.formats.source import MAX_FILE_BYTES

    found: list[tuple[str, Imported]] = []
    for file in files:
        if file == "-":
            data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
            runs = read(data, "standard input", format=format, by=by, title=name)
        else:
            runs = read_path(Path(file), format=format, by=by, title=name)
        found += [(file, one) for one in runs]
    listed = go_benchmarks(baselines)
    for file, one in found:
        _say("standard input" if file == "-" else file, one)
        result = save_run(aim(one.run, listed), archive)
        if strange := strangers(one.run, listed):
            click.echo(f"  {one_line(unlisted(strange))}; `veperf ci` refuses the run until then")
        how = command("report", result.run.id, archive=archive)
        click.echo(f"kept in {shown(result.place)}; {how} shows it")


def _say(file: str, one: "Imported") -> None:
    from veperf.core import number_format
    from veperf.core.escape import one_line

    benchmarks = number_format.count(len(one.run.cases), "benchmark")
    which = f", {one.label}" if one.label else ""
    click.echo(
        one_line(
            f"{file}{which}: results of {one.run.source}, {benchmarks}, "
            f"{number_format.count(one.values, 'value')}"
        )
    )
    for note in one.notes:
        click.echo(f"  {one_line(note)}")
