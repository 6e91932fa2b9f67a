"""``veperf history``."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec

from veperf.cli.completion import complete_benchmarks
from veperf.cli.options import ExampleCommand, archive_option, options_of, print_left_out
from veperf.cli.output import echo
from veperf.core.escape import make_visible
from veperf.core.options import HistoryOptions

if TYPE_CHECKING:
    from veperf.api.history import History, Trends


@click.command(
    "history",
    cls=ExampleCommand,
    examples=[
        "veperf history                                 every benchmark, the largest shift first",
        "veperf history transaction/hash_compute        one, with the commits to blame",
        "veperf history transaction/load --metric latency_p99 --last 50",
        "veperf history transaction/hash_compute --csv >values.csv",
    ],
)
@click.argument("benchmark", required=False, shell_complete=complete_benchmarks)
@options_of(HistoryOptions)
@click.option("--json", "form", flag_value="json", help="Print all values as JSON.")
@click.option("--csv", "form", flag_value="csv", help="Print a row a run, or a benchmark, as CSV.")
@archive_option
def history_command(
    benchmark: str | None,
    options: HistoryOptions,
    form: Literal["json", "csv"] | None,
    archive: str | None,
) -> None:
    """Show how a benchmark changed over the runs.

    A value is the median over a run's processes, as it is judged. At a change point the level
    moved and stayed; the commits to blame lie between the last run before it and the first after.
    A benchmark that moves slowly since then drifts, and no commit is to blame.
    Without BENCHMARK, every benchmark with its latest change point. Runs of different machine
    classes are never mixed.
    """
    from veperf.api import history as api
    from veperf.archive.missing_runs import progress_lines
    from veperf.progress.output import print_status

    progress = progress_lines(print_status, "read", 1_000)
    result: History | Trends
    if benchmark is not None:
        result = api.history(benchmark, options=options, archive=archive, progress=progress)
    else:
        result = api.trends(options=options, archive=archive, progress=progress)
    match form:
        case None:
            echo(repr(result))
        case "json":
            print_left_out(result.left_out)
            click.echo(msgspec.json.format(msgspec.json.encode(result.plain()), indent=2))
        case "csv":
            print_left_out(result.left_out)
            click.echo(_as_csv(result.rows()), nl=False)


def _as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    from veperf.formats.rows import escape_formula

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in [list(rows[0]) if rows else [], *(row.values() for row in rows)]:
        writer.writerow([escape_formula(make_visible(c)) if isinstance(c, str) else c for c in row])
    return text.getvalue()
