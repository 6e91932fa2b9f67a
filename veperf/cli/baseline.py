"""``veperf baseline``: record, update, show."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import click

from veperf.archive.baselines import (
    load_baselines,
    load_retired,
    save_baseline,
    update_baseline,
)
from veperf.cli.completion import complete_runs
from veperf.cli.options import (
    ExampleCommand,
    archive_option,
    baselines_option,
    directions_option,
    display_path,
    new_baselines_option,
    print_notes,
)
from veperf.cli.output import CommandGroup, echo
from veperf.core import paths
from veperf.core.baseline import Baseline
from veperf.core.direction import (
    parse_directions,
    reader_notes,
    require_units,
    with_directions,
)
from veperf.core.errors import UsageError
from veperf.core.text import join_words
from veperf.report.tables.table import text_table

_RUNS = click.argument("runs", nargs=-1, metavar="[RUN]...", shell_complete=complete_runs)


@click.group("baseline", cls=CommandGroup)
def baseline_command() -> None:
    """Record, update and show baselines."""


@baseline_command.command(
    "record",
    cls=ExampleCommand,
    examples=[
        "veperf baseline record                                       of the last run",
        "veperf baseline record 20261123-061402",
        'veperf baseline record last --reason "the first on the new machines"',
        "veperf baseline record 20261121 20261122 20261123-061402     three sessions together",
    ],
)
@_RUNS
@click.option("--reason", default="", metavar="TEXT", help="Why it is recorded: kept with it.")
@directions_option
@archive_option
@new_baselines_option
def record_command(
    runs: tuple[str, ...],
    reason: str,
    directions: tuple[str, ...],
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Make the complete runs RUN (the last one, when not given) the baseline of their machine.

    Several runs, made at different times, tell later runs what one session does not: how much
    the machine itself differs from day to day. Later runs take over the loops, so that both
    measure the same stretch of work. Commit the files: they are what CI compares with.
    """
    folder = baselines or paths.default_baselines_folder()
    for baseline in _pooled_baselines(runs or ("last",), directions, archive):
        path = save_baseline(folder, baseline, reason=reason.strip())
        _print_saved("recorded", path, baseline)


@baseline_command.command(
    "update",
    cls=ExampleCommand,
    examples=['veperf baseline update last --reason "proofs are verified twice since #123"'],
)
@_RUNS
@click.option("--reason", required=True, metavar="TEXT", help="Why the figures may change.")
@directions_option
@archive_option
@baselines_option
def update_command(
    runs: tuple[str, ...],
    reason: str,
    directions: tuple[str, ...],
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Replace a recorded baseline by the runs RUN (the last one, when not given).

    The old one is kept in its history, with the reason: `veperf baseline history` shows both. Of
    runs that are recorded already, the reason alone is kept, which `veperf baseline show` shows.
    """
    folder = baselines or paths.default_baselines_folder()
    for baseline in _pooled_baselines(runs or ("last",), directions, archive):
        path = update_baseline(folder, baseline, reason=reason)
        _print_saved("updated", path, baseline)


@baseline_command.command(
    "show",
    cls=ExampleCommand,
    examples=["veperf baseline show", "veperf baseline show transaction"],
)
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@baselines_option
def show_command(suites: tuple[str, ...], baselines: Path | None) -> None:
    """Show the recorded baselines, of every machine class."""
    from veperf.report.tables import listings  # takes long to load

    recorded = load_baselines(baselines or paths.default_baselines_folder(), suites or ("*",))
    _require_suites(suites, (baseline.suite for baseline in recorded))
    echo(text_table(listings.baselines_table(recorded)))


@baseline_command.command(
    "history",
    cls=ExampleCommand,
    examples=["veperf baseline history", "veperf baseline history transaction"],
)
@click.argument("suites", nargs=-1, metavar="[SUITE]...")
@baselines_option
def baseline_history_command(suites: tuple[str, ...], baselines: Path | None) -> None:
    """Show the baselines that were replaced, of every machine class, and why."""
    from veperf.report.tables import listings  # takes long to load

    folder = baselines or paths.default_baselines_folder()
    retired = load_retired(folder, suites or ("*",))
    recorded = [former.baseline for former in retired] + [*load_baselines(folder, suites)]
    _require_suites(suites, (baseline.suite for baseline in recorded))
    echo(
        text_table(listings.retired_baselines_table(retired))
        if retired
        else "no baseline was ever replaced"
    )


def _require_suites(patterns: Iterable[str], suites: Iterable[str]) -> None:
    """Refuse a name or glob that is of none of ``suites``.

    Raises:
        UsageError: there is one.
    """
    known = set(suites)
    for pattern in patterns:
        if not any(fnmatchcase(suite, pattern) for suite in known):
            raise UsageError(f"nothing is recorded of suite {pattern!r}")


def _pooled_baselines(
    runs: tuple[str, ...], directions: tuple[str, ...], archive: str | None
) -> list[Baseline]:
    """Pool the runs into a baseline for each suite, its sessions in the order they were made."""
    from veperf.api.runs import load
    from veperf.verdicts.baseline import baselines_of, pool_baselines

    known = parse_directions(directions)
    loaded = [load(run, archive).run for run in runs]
    require_units(loaded, known)
    loaded = [with_directions(run, known) for run in loaded]
    for run in loaded:
        print_notes(run.id, reader_notes(run))
    sessions = {run.id: run for run in sorted(loaded, key=lambda run: (run.created, run.id))}
    groups: dict[str, list[Baseline]] = {}
    for run in sessions.values():
        for baseline in baselines_of(run):
            groups.setdefault(baseline.suite, []).append(baseline)
    if not groups:
        raise UsageError(f"no values to make a baseline of in {', '.join(sessions)}")
    return [pool_baselines(group) for group in groups.values()]


def _print_saved(verb: str, path: Path, baseline: Baseline) -> None:
    runs = baseline.sessions or (baseline.run,)
    echo(f"{verb} {display_path(path)} from run{'s' * (len(runs) > 1)} {join_words(runs)}")
