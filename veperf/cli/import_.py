"""``veperf import``."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    by_option,
    directions_option,
    format_option,
    print_failures,
    print_kept,
)
from veperf.cli.output import echo
from veperf.core.direction import parse_directions, require_units, with_directions
from veperf.core.errors import CorruptFileError, UsageError
from veperf.core.escape import one_line
from veperf.core.text import join_words, plural
from veperf.formats.imported_run import ImportedRun
from veperf.formats.source import MAX_FILE_BYTES

_MOST_NAMES = 8


@click.command(
    "import",
    cls=ExampleCommand,
    examples=[
        "veperf import old.txt new.txt                        Go's text, one run each",
        "go test -bench . -count 10 -json | veperf import -   straight from go test",
        "veperf import target/criterion                       what criterion left behind",
        "veperf import results.csv --format csv --name nightly",
        "veperf import old.txt --explain                      which lines were left out, and why",
    ],
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@format_option
@by_option
@directions_option
@click.option("--name", default="", metavar="NAME", help="Becomes part of the runs' names.")
@click.option(
    "--explain", is_flag=True, help="Print what became of each line or entry of the files."
)
@archive_option
@baselines_option
def import_command(
    files: tuple[str, ...],
    format: str,
    by: str,
    directions: tuple[str, ...],
    name: str,
    explain: bool,
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Store other tools' results as runs in the archive.

    FILE is what one of some 20 benchmark and load tools wrote or printed (docs/formats.md lists
    them), CSV, JSON lines or Parquet; or the folder in which criterion, asv, pytest-benchmark,
    BenchmarkDotNet or Gungraun keeps its results; `-` is standard input. Every repetition counts
    as a process. If one of the files is broken, none is kept.
    """
    from veperf.api.runs import save_run
    from veperf.formats.readers import read_runs, read_runs_from
    from veperf.formats.virtengine import (
        load_go_benchmarks,
        unlisted_cases,
        unlisted_message,
        unlisted_packages,
        vanished_benchmarks,
        with_listing,
    )

    known = parse_directions(directions)
    imports: list[tuple[str, ImportedRun]] = []
    for file in files:
        if file == "-":
            runs = read_runs(_read_input(), "standard input", format=format, by=by, title=name)
        else:
            runs = read_runs_from(Path(file), format=format, by=by, title=name)
        imports += [(file, imported) for imported in runs]
    require_units([imported.run for _, imported in imports], known)
    imports = [
        (file, replace(imported, run=with_directions(imported.run, known)))
        for file, imported in imports
    ]
    listed = load_go_benchmarks(baselines)
    for file, read in imports:
        imported = replace(read, run=with_listing(read.run, listed))
        _print_imported("standard input" if file == "-" else file, imported, explain=explain)
        result = save_run(imported.run, archive)
        if unlisted := unlisted_cases(imported.run, listed):
            echo(f"  {one_line(unlisted_message(unlisted))}")
        if packages := unlisted_packages(imported.run, listed):
            echo(f"  {one_line(f'no target is known of package {_listing(packages)}')}")
        if vanished := vanished_benchmarks(imported.run, listed):
            names = _listing([f"{name} of {package}" for package, name in vanished])
            echo(f"  {one_line(f'not in this run, but with a target: {names}')}")
        print_kept(result.place, archive)


def _listing(names: Sequence[str]) -> str:
    """Return the first of ``names``, and how many more there are."""
    more = len(names) - _MOST_NAMES
    return join_words([*names[:_MOST_NAMES], *([f"{more:,} more"] if more > 0 else [])])


def _read_input() -> bytes:
    """Return what standard input holds, up to one byte more than is allowed.

    Raises:
        UsageError: it is closed.
        CorruptFileError: it can't be read.
    """
    if sys.stdin is None:
        raise UsageError("standard input is closed: name a file, or pipe one in")
    try:
        return sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise CorruptFileError(f"can't read standard input: {error.strerror}") from error


def _print_imported(file: str, imported: ImportedRun, *, explain: bool) -> None:
    from veperf.formats.account import explain_account

    benchmarks = plural(len(imported.run.cases), "benchmark")
    label = f", {imported.label}" if imported.label else ""
    echo(
        one_line(
            f"{file}{label}: results of {imported.run.source}, {benchmarks}, "
            f"{plural(imported.values, 'value')}"
        )
    )
    for account in imported.accounts if explain else ():
        where = f"{account.file}: " if len(imported.accounts) > 1 else ""
        for line in explain_account(account):
            echo(f"  {one_line(where + line)}")
    if not explain:
        echo(f"  {one_line(imported.run.reading)}")
    for note in imported.notes:
        echo(f"  {one_line(note)}")
    if failed := len(imported.run.first_failures):
        echo(f"  {plural(failed, 'benchmark')} failed:")
        print_failures(imported.run, f"{file}{label}")
