"""``veperf baseline``: record, update, show."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from veperf.cli.options import ExampleCommand, archive_option, baselines_option, shown

if TYPE_CHECKING:
    from veperf.core.verdict import Baseline

_RUNS = click.argument("runs", nargs=-1, metavar="[RUN]...")


@click.group()
def baseline() -> None:
    """Record what later runs on this machine class are screened against, and show it."""


@baseline.command(
    cls=ExampleCommand,
    examples=[
        "veperf baseline record                                       of the last run",
        "veperf baseline record 20261123-061402",
        "veperf baseline record 20261121 20261122 20261123-061402     three sessions together",
    ],
)
@_RUNS
@archive_option
@baselines_option
def record(runs: tuple[str, ...], archive: str | None, baselines: Path | None) -> None:
    """Make the complete runs RUN (the last one, when not given) the baseline of their machine.

    Several runs, made at different times, tell later runs what one session does not: how much
    the machine itself differs from day to day. Later runs take over the loops, so that both
    measure the same stretch of work. Commit the files: they are what CI compares with.
    """
    from veperf.archive.baselines import save_baseline
    from veperf.core import paths

    folder = baselines or paths.baselines()
    for one in _baselines(runs or ("last",), archive):
        _say("recorded", save_baseline(folder, one), one)


@baseline.command(
    cls=ExampleCommand,
    examples=['veperf baseline update last --reason "proofs are verified twice since #123"'],
)
@_RUNS
@click.option("--reason", required=True, metavar="TEXT", help="Why the figures may change.")
@archive_option
@baselines_option
def update(runs: tuple[str, ...], reason: str, archive: str | None, baselines: Path | None) -> None:
    """Replace a recorded baseline by the runs RUN (the last one, when not given).

    The old one is kept in its history, with the reason: `veperf baseline history` shows both.
    """
    from veperf.archive.baselines import update_baseline
    from veperf.core import paths

    folder = baselines or paths.baselines()
    for one in _baselines(runs or ("last",), archive):
        _say("updated", update_baseline(folder, one, reason=reason), one)


@baseline.command(
    cls=ExampleCommand, examples=["veperf baseline show", "veperf baseline show transaction"]
)
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@baselines_option
def show(suites: tuple[str, ...], baselines: Path | None) -> None:
    """Show the recorded baselines, of every machine class."""
    from veperf.archive.baselines import load_baselines
    from veperf.core import paths
    from veperf.report import text
    from veperf.report.tables import listings

    found = load_baselines(baselines or paths.baselines(), suites or ("*",))
    click.echo(text.table(listings.baselines(found)))


@baseline.command(
    cls=ExampleCommand, examples=["veperf baseline history", "veperf baseline history transaction"]
)
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@baselines_option
def history(suites: tuple[str, ...], baselines: Path | None) -> None:
    """Show the baselines that were replaced, of every machine class, and why."""
    from veperf.archive.baselines import load_retired
    from veperf.core import paths
    from veperf.report import text
    from veperf.report.tables import listings

    found = load_retired(baselines or paths.baselines(), suites or ("*",))
    click.echo(text.table(listings.retired(found)) if found else "no baseline was ever replaced")


def _baselines(runs: tuple[str, ...], archive: str | None) -> "list[Baseline]":
    """A baseline for each suite that the runs have, of the sessions in the order they were made."""
    from veperf.api.runs import load
    from veperf.core.errors import UsageError
    from veperf.verdicts.baseline import baselines_of, pooled

    found = [load(run, archive).run for run in runs]
    sessions = {run.id: run for run in sorted(found, key=lambda run: (run.created, run.id))}
    groups: dict[str, list[Baseline]] = {}
    for run in sessions.values():
        for one in baselines_of(run):
            groups.setdefault(one.suite, []).append(one)
    if not groups:
        raise UsageError(f"no values to make a baseline of in {', '.join(sessions)}")
    return [pooled(group) for group in groups.values()]


def _say(what: str, path: Path, one: "Baseline") -> None:
    from veperf.core import number_format

    runs = one.sessions or (one.run,)
    click.echo(f"{what} {shown(path)} from run{'s' * (len(runs) > 1)} {number_format.listed(runs)}")
