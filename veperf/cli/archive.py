"""``veperf archive``: keep the archive sound and small."""

import contextlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from veperf.archive.baselines import baseline_run_ids
from veperf.archive.comparisons import ab_ids
from veperf.archive.storage.open import path_or_url
from veperf.cli.acknowledge import acknowledge_command
from veperf.cli.options import (
    ArchiveLocation,
    ExampleCommand,
    archive_option,
    baselines_option,
    display_path,
    print_left_out,
)
from veperf.cli.output import CommandGroup, echo
from veperf.core import paths
from veperf.core.errors import COULD_NOT_MEASURE, OK, DataError
from veperf.core.escape import one_line
from veperf.core.text import plural

if TYPE_CHECKING:
    from veperf.archive.merge import MergeResult
    from veperf.archive.store import Archive

_LISTED = 5


@click.group("archive", cls=CommandGroup)
def archive_command() -> None:
    """Verify, compact, prune, merge and migrate archives; acknowledge what is known."""


archive_command.add_command(acknowledge_command)


@archive_command.command(
    "verify",
    cls=ExampleCommand,
    examples=["veperf archive verify", "veperf archive verify --archive old/reports"],
)
@archive_option
@click.pass_context
def verify_command(context: click.Context, archive: str | None) -> None:
    """Check every complete run against the checksums that were recorded when it was completed.

    Says which file is damaged or missing, and ends with exit code 3 if there is one.
    """
    store = _store(archive)
    store.require_exists()
    faults = store.faults()
    for faults_of_run in faults.values():
        for fault in faults_of_run:
            echo(f"✗ {one_line(fault)}")
    with contextlib.suppress(DataError):  # of a pack that can't be read nobody knows the runs
        runs, unfinished = store.ids(), store.incomplete_ids()
        sound = sum(run not in faults for run in runs)
        echo(f"{sound:,} of {plural(len(runs), 'complete run')} as they were written")
        if unfinished:
            echo(f"{plural(len(unfinished), 'run')} unfinished")
    context.exit(COULD_NOT_MEASURE if faults else OK)


@archive_command.command(
    "compact",
    cls=ExampleCommand,
    examples=["veperf archive compact", "veperf archive compact --keep 20"],
)
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    metavar="N",
    help="Leave the N runs that were completed last as they are.  [default: 100]",
)
@archive_option
@click.pass_context
def compact_command(context: click.Context, keep: int | None, archive: str | None) -> None:
    """Pack the many small files of old runs, and their reports, into few.

    Nothing is lost: packed runs are loaded, compared and queried like others; `veperf report`
    makes their report anew. Ends with exit code 3 if a run can't be packed, since it is damaged, or
    of a later version; it stays as it is.
    """
    from veperf.archive.compaction import DEFAULT_KEEP, compact_archive

    result = compact_archive(_store(archive), keep=DEFAULT_KEEP if keep is None else keep)
    for reason in result.left_out.values():
        echo(f"▲ left as it is: {one_line(reason)}")
    kept = f"; the last {result.kept:,} stay as they are" if result.kept else ""
    echo(f"packed {plural(len(result.packed), 'run')}{kept}")
    context.exit(COULD_NOT_MEASURE if result.left_out else OK)


@archive_command.command(
    "migrate",
    cls=ExampleCommand,
    examples=["veperf archive migrate", "veperf archive migrate --archive s3://bucket/folder"],
)
@archive_option
@click.pass_context
def migrate_command(context: click.Context, archive: str | None) -> None:
    """Bring the files of earlier versions up to what this one writes.

    They are read without that, too; they then have checksums of their own, and say in which order
    they were completed. May be stopped at any time, and called again. Ends with exit code 3 if
    something is damaged, which stays as it is.
    """
    from veperf.archive.migration import migrate_archive

    steps = list(migrate_archive(_store(archive)))
    faults = [step.fault for step in steps if step.fault]
    for fault in faults:
        echo(f"▲ left as it is: {one_line(fault)}")
    changed = sum(step.is_changed for step in steps)
    echo(
        f"brought {plural(changed, 'file')} up to date, "
        f"{len(steps) - changed - len(faults):,} were so already"
    )
    context.exit(COULD_NOT_MEASURE if faults else OK)


@archive_command.command(
    "prune",
    cls=ExampleCommand,
    examples=[
        "veperf archive prune --keep 1000 --dry-run      only say what would go",
        "veperf archive prune --older-than 365 --yes     don't ask",
    ],
)
@click.option(
    "--keep", type=click.IntRange(min=0), metavar="N", help="The last N runs stay, whatever age."
)
@click.option(
    "--older-than",
    "days",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    help="Only runs that were made so many days ago go.",
)
@click.option("--dry-run", is_flag=True, help="Remove nothing, say what would go.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@archive_option
@baselines_option
def prune_command(
    keep: int | None,
    days: float | None,
    dry_run: bool,
    yes: bool,
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Remove old runs for good.

    The last runs are those that were completed last, whatever the clock said. The last run of each
    machine class stays, and so do those that a baseline was recorded from, now or before.
    """
    from veperf.archive import compaction
    from veperf.archive.summary import load_summary

    store = _store(archive)
    needed = baseline_run_ids(baselines or paths.default_baselines_folder())
    summary = load_summary(store)
    print_left_out(summary.left_out)
    expired = compaction.expired_runs(summary, keep=keep, older_than_days=days, needed=needed)
    for run in expired[:_LISTED]:
        echo(run)
    if len(expired) > _LISTED:
        echo(f"and {len(expired) - _LISTED:,} more")
    count = plural(len(expired), "run")
    if dry_run or not expired:
        echo(f"{count} would be removed" if expired else "nothing to remove")
        return
    if not yes:
        _confirm(f"remove {count} for good?")
    compaction.prune_runs(store, expired)
    echo(f"removed {count}")


def _confirm(question: str) -> None:
    """Ask on standard input; anything but yes is an Abort.

    Raises:
        click.UsageError: nobody is there to answer.
    """
    nobody = click.UsageError("nobody answers on standard input: --yes removes without asking")
    if sys.stdin is None:
        raise nobody
    try:
        click.confirm(question, abort=True)
    except click.Abort as stop:
        if isinstance(stop.__context__, EOFError):
            raise nobody from stop
        raise


@archive_command.command(
    "import",
    cls=ExampleCommand,
    examples=[
        "veperf archive import ../old/reports",
        "veperf archive import reports --archive s3://bucket/folder",
    ],
)
@click.argument("folder", type=ArchiveLocation(), metavar="FOLDER|URL")
@archive_option
def import_archive_command(folder: str, archive: str | None) -> None:
    """Copy the runs, A/B comparisons and acknowledgements of another archive into this one.

    What is there already stays as it is, but for earlier reasons of an acknowledgement; what is
    damaged or unfinished is skipped and named.
    Reports are not copied: `veperf report` makes them anew.
    """
    from veperf.archive.acknowledgements import merge_acknowledgements
    from veperf.archive.merge import merge_comparisons, merge_runs
    from veperf.archive.store import Archive

    target, source = _store(archive), Archive(folder)
    _print_merged("run", merge_runs(target, source), source)
    if ab_ids(source.storage):
        _print_merged("comparison", merge_comparisons(target, source), source)
    if acknowledgements := [*merge_acknowledgements(target.storage, source.storage)]:
        _print_merged("acknowledgement", acknowledgements, source)


def _print_merged(noun: str, results: Iterable["MergeResult"], source: "Archive") -> None:
    """Print what is skipped as it comes, and how many were copied."""
    from veperf.archive.merge import ALREADY_PRESENT

    copied = present = skipped = 0
    for result in results:
        if result.skipped == ALREADY_PRESENT:
            present += 1
        elif result.skipped:
            skipped += 1
            echo(f"▲ skipped {one_line(result.run)}: {one_line(result.skipped)}")
        else:
            copied += 1
    echo(
        f"copied {plural(copied, noun)} from {display_path(path_or_url(source.storage))}, "
        f"{present:,} there already, {skipped:,} skipped"
    )


def _store(folder: str | None) -> "Archive":
    from veperf.archive.store import open_archive

    return open_archive(folder)
