"""``veperf compare``."""

from pathlib import Path

import click

from veperf.cli.options import ExampleCommand, archive_option, by_option, format_option
from veperf.core.errors import FAILED, OK, UsageError
from veperf.core.run import Run
from veperf.core.verdict import ChangeStatus
from veperf.formats.source import is_existing_folder, is_readable_file


@click.command(
    "compare",
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
def compare_command(
    context: click.Context,
    base: str,
    new: str | None,
    as_markdown: bool,
    format: str,
    by: str,
    archive: str | None,
) -> None:
    """Compare two runs, or files of other tools.

    NEW is the last run when not given.

    Each is a run in the archive or another tool's file. Medians with their 95 % intervals, the
    change (`~` where the samples don't differ by the Mann-Whitney test at 0.05), p, n and geometric
    means are benchstat's; the last column is veperf's verdict, which also asks for the size of the
    effect, corrects for the number of comparisons and refuses to compare machines.

    Two runs made at different times differ by what happened to the machine in between, too:
    `suspect` is a reason to look closer; `slower` is beyond what such drift explains, and ends
    with exit code 1.
    """
    from veperf.api.runs import compare
    from veperf.report.tables import benchstat_table
    from veperf.report.tables.result_tables import NOTHING_IN_COMMON

    if by and new is not None:
        raise click.UsageError("--by tells two runs in one file apart: no NEW")
    if by:
        (before, a), (after, b) = _read_both(base, format, by)
    else:
        new = new or "last"
        before, a = _side(base, format, archive)
        after, b = _side(new, format, archive)
        if before == after:
            before, after = base, new
    comparison = compare(a, b)
    tables = comparison.tables()
    if benchstat_table.has_common_rows(tables):
        write = (
            benchstat_table.benchstat_markdown if as_markdown else benchstat_table.benchstat_text
        )
        click.echo(write(tables, comparison.changes, before, after))
    else:
        click.echo(NOTHING_IN_COMMON)
    slower = any(change.status is ChangeStatus.SLOWER for change in comparison.changes)
    context.exit(FAILED if slower else OK)


def _side(name: str, format: str, archive: str | None) -> tuple[str, Run]:
    """The name of a side, and its run."""
    from veperf.api.runs import read, resolve_run

    path = Path(name)
    if is_readable_file(path):
        return path.name, read(path, format=format).run
    run = resolve_run(name, archive)
    return (path.name if is_existing_folder(path) else run.id), run


def _read_both(file: str, format: str, by: str) -> list[tuple[str, Run]]:
    from veperf.formats.readers import read_runs_from

    runs = read_runs_from(Path(file), format=format, by=by)
    if len(runs) != 2:
        values = ", ".join(imported.label or "none" for imported in runs[:10])
        raise UsageError(f"{file} has {len(runs)} values of {by}, where two are compared: {values}")
    return [(imported.label or f"no {by}", imported.run) for imported in runs]
