"""``veperf compare``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from veperf.cli.options import ExampleCommand, archive_option, by_option, format_option

if TYPE_CHECKING:
    from veperf.core.run import Run


@click.command(
    cls=ExampleCommand,
    examples=[
        "veperf compare 20261120-101500 last",
        "veperf compare old.txt new.txt              files of go test and other tools",
        "veperf compare both.txt --by note           two configurations in one Go file",
        "veperf compare old.txt new.txt --markdown >comment.md",
    ],
)
@click.argument("base")
@click.argument("new", required=False)
@click.option("--markdown", "as_markdown", is_flag=True, help="Print markdown.")
@format_option
@by_option
@archive_option
@click.pass_context
def compare(
    context: click.Context,
    base: str,
    new: str | None,
    as_markdown: bool,
    format: str,
    by: str,
    archive: str | None,
) -> None:
    """Compare NEW (the last run, when not given) with BASE, benchmark by benchmark.

    Each is a run in the archive or another tool's file. Medians with their 95 % intervals, the
    change (`~` where the samples don't differ by the Mann-Whitney test at 0.05), p, n and geometric
    means are benchstat's; the last column is veperf's verdict, which also asks for the size of the
    effect, corrects for the number of comparisons and refuses to compare machines.

    Two runs made at different times differ by what happened to the machine in between, too:
    `suspect` is a reason to look closer; `slower` is beyond what such drift explains, and ends
    with exit code 1.
    """
    from veperf.api.reports import compare as api_compare
    from veperf.core.errors import FAILED, OK
    from veperf.core.verdict import ChangeStatus
    from veperf.report.tables import benchstat_table
    from veperf.report.tables.result_tables import NOTHING_IN_COMMON

    if by and new is not None:
        raise click.UsageError("--by tells two runs in one file apart: no NEW")
    if by:
        (before, a), (after, b) = _both(base, format, by)
    else:
        new = new or "last"
        before, a = _side(base, format, archive)
        after, b = _side(new, format, archive)
        if before == after:
            before, after = base, new
    found = api_compare(a, b)
    tables = found.tables()
    if benchstat_table.sides_meet(tables):
        write = benchstat_table.as_markdown_text if as_markdown else benchstat_table.as_text
        click.echo(write(tables, found.changes, before, after))
    else:
        click.echo(NOTHING_IN_COMMON)
    slower = any(change.status is ChangeStatus.SLOWER for change in found.changes)
    context.exit(FAILED if slower else OK)


def _side(given: str, format: str, archive: str | None) -> "tuple[str, Run]":
    """What to call a side, and its run."""
    from veperf.api.runs import read, resolve_run
    from veperf.formats.source import is_file, is_folder

    path = Path(given)
    if is_file(path):
        return path.name, read(path, format=format).run
    run = resolve_run(given, archive)
    return (path.name if is_folder(path) else run.id), run


def _both(file: str, format: str, by: str) -> "list[tuple[str, Run]]":
    from veperf.core.errors import UsageError
    from veperf.formats.readers import read_path

    found = read_path(Path(file), format=format, by=by)
    if len(found) != 2:
        values = ", ".join(one.label or "none" for one in found[:10])
        raise UsageError(
            f"{file} has {len(found)} values of {by}, where two are compared: {values}"
        )
    return [(one.label or f"no {by}", one.run) for one in found]
