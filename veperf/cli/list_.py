"""``veperf list``."""

import click

from veperf.cli.options import ExampleCommand, archive_option, modules_option


@click.command(
    "list",
    cls=ExampleCommand,
    examples=["veperf list", "veperf list 'transaction/state*'", "veperf list --runs"],
)
@click.argument("patterns", nargs=-1, metavar="[BENCHMARK]...")
@click.option("--runs", is_flag=True, help="The runs in the archive instead.")
@modules_option
@archive_option
def list_(
    patterns: tuple[str, ...], runs: bool, modules: tuple[str, ...], archive: str | None
) -> None:
    """List the benchmarks, or the runs that were made."""
    from veperf.report import text
    from veperf.report.tables import listings

    if runs:
        from veperf.archive.open import open_archive

        store = open_archive(archive)
        click.echo(text.table(listings.runs(store.readable(), store.incomplete_ids())))
    else:
        from veperf.runner import execute

        click.echo(text.table(listings.benchmarks(execute.benchmarks(patterns, modules))))
