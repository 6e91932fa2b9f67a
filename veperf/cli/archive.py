"""``veperf archive``: keep the archive sound and small."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from veperf.cli.options import (
    ArchiveLocation,
    ExampleCommand,
    archive_option,
    baselines_option,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from veperf.archive.merge import Taken
    from veperf.archive.store import Archive

_SHOWN = 5


@click.group()
def archive() -> None:
    """Check the archive of runs, make it smaller, take over another one's runs."""


@archive.command(
    cls=ExampleCommand,
    examples=["veperf archive verify", "veperf archive verify --archive old/reports"],
)
@archive_option
@click.pass_context
def verify(context: click.Context, archive: str | None) -> None:
    """Check every complete run against the checksums that were recorded when it was completed.

    Says which file is damaged or missing, and ends with exit code 3 if there is one.
    """
    from veperf.core import number_format
    from veperf.core.errors import COULD_NOT_MEASURE, OK
    from veperf.core.escape import one_line

    store = _store(archive)
    runs, unfinished = store.ids(), store.incomplete_ids()
    found = store.faults()
    for faults in found.values():
        for fault in faults:
            click.echo(f"✗ {one_line(fault)}")
    sound = sum(run not in found for run in runs)
    click.echo(
        f"{sound:,} of {number_format.count(len(runs), 'complete run')} as they were written"
    )
    if unfinished:
        click.echo(f"{number_format.count(len(unfinished), 'run')} unfinished")
    context.exit(COULD_NOT_MEASURE if found else OK)


@archive.command(
    cls=ExampleCommand, examples=["veperf archive compact", "veperf archive compact --keep 20"]
)
@click.option(
    "--keep",
    type=click.IntRange(min=0),
    metavar="N",
    help="Leave the last N runs as they are.  [default: 100]",
)
@archive_option
def compact(keep: int | None, archive: str | None) -> None:
    """Pack the many small files of old runs, and their reports, into few.

    Nothing is lost: packed runs are loaded, compared and queried like others; `veperf report`
    makes their report anew.
    """
    from veperf.archive.compaction import KEEP
    from veperf.archive.compaction import compact as pack
    from veperf.core import number_format
    from veperf.core.escape import one_line

    done = pack(_store(archive), keep=KEEP if keep is None else keep)
    for why in done.left_out.values():
        click.echo(f"▲ left as it is: {one_line(why)}")
    click.echo(f"packed {number_format.count(len(done.packed), 'run')}")


@archive.command(
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
def prune(
    keep: int | None,
    days: float | None,
    dry_run: bool,
    yes: bool,
    archive: str | None,
    baselines: Path | None,
) -> None:
    """Remove old runs for good.

    The last run of each machine class stays, and so do those that a baseline was recorded from,
    now or before.
    """
    from veperf.archive import compaction
    from veperf.archive.baselines import recorded_runs
    from veperf.archive.summary import summarise
    from veperf.core import number_format, paths

    store = _store(archive)
    needed = recorded_runs(baselines or paths.baselines())
    gone = compaction.superfluous(summarise(store), keep=keep, older_than_days=days, needed=needed)
    for run in gone[:_SHOWN]:
        click.echo(run)
    if len(gone) > _SHOWN:
        click.echo(f"and {len(gone) - _SHOWN:,} more")
    said = number_format.count(len(gone), "run")
    if dry_run or not gone:
        click.echo(f"{said} would be removed" if gone else "nothing to remove")
        return
    if not yes:
        click.confirm(f"remove {said} for good?", abort=True)
    compaction.prune(store, gone)
    click.echo(f"removed {said}")


@archive.command(
    "import",
    cls=ExampleCommand,
    examples=[
        "veperf archive import ../old/reports",
        "veperf archive import reports --archive s3://bucket/folder",
    ],
)
@click.argument("folder", type=ArchiveLocation(), metavar="FOLDER|URL")
@archive_option
def import_(folder: str, archive: str | None) -> None:
    """Copy the runs and A/B comparisons of another archive into this one.

    What is there already stays as it is; what is damaged or unfinished is skipped and named.
    Reports are not copied: `veperf report` makes them anew.
    """
    from veperf.archive.comparisons import ab_ids
    from veperf.archive.merge import take_comparisons, take_over
    from veperf.archive.store import Archive

    mine, theirs = _store(archive), Archive(folder)
    _tell("run", take_over(mine, theirs), theirs)
    if ab_ids(theirs.storage):
        _tell("comparison", take_comparisons(mine, theirs), theirs)


def _tell(what: str, found: "Iterable[Taken]", other: "Archive") -> None:
    """Say which were copied and which not, as they come."""
    from veperf.archive.merge import THERE
    from veperf.archive.storage.open import place_of
    from veperf.core import number_format
    from veperf.core.escape import one_line

    taken = there = skipped = 0
    for one in found:
        if one.skipped == THERE:
            there += 1
        elif one.skipped:
            skipped += 1
            click.echo(f"▲ skipped {one_line(one.run)}: {one_line(one.skipped)}")
        else:
            taken += 1
    click.echo(
        f"copied {number_format.count(taken, what)} from {shown(place_of(other.storage))}, "
        f"{there:,} there already, {skipped:,} skipped"
    )


def _store(folder: str | None) -> "Archive":
    from veperf.archive.open import open_archive

    return open_archive(folder)
