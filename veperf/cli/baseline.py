"""``veperf baseline``: record and show."""

from pathlib import Path

import click

from veperf.cli.options import ExampleCommand, archive_option, baselines_option, shown


@click.group()
def baseline() -> None:
    """Record what later runs on this machine class are screened against, and show it."""


@baseline.command(
    cls=ExampleCommand,
    examples=["veperf baseline record", "veperf baseline record 20261123-061402"],
)
@click.argument("run", default="last")
@archive_option
@baselines_option
def record(run: str, archive: Path | None, baselines: Path | None) -> None:
    """Make the complete run RUN the baseline of its machine class.

    Later runs take over its loops, so that both measure the same stretch of work. Commit the
    files: they are what CI compares with.
    """
    from veperf import api, paths
    from veperf.archive import save_baseline
    from veperf.judge import make_baseline

    done = api.load(run, archive).run
    for suite in sorted({case.suite for case in done.cases}):
        path = save_baseline(baselines or paths.baselines(), make_baseline(done, suite))
        click.echo(f"recorded {shown(path)} from run {done.id}")


@baseline.command(
    cls=ExampleCommand, examples=["veperf baseline show", "veperf baseline show transaction"]
)
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@baselines_option
def show(suites: tuple[str, ...], baselines: Path | None) -> None:
    """Show the recorded baselines, of every machine class."""
    from veperf import paths
    from veperf.archive import load_baselines
    from veperf.report import listings, text

    found = load_baselines(baselines or paths.baselines(), suites or ("*",))
    click.echo(text.table(listings.baselines(found)))
