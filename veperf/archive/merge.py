"""Merging the runs and comparisons of another archive, such as one from another machine."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from veperf.archive.compaction import finish_interrupted_work
from veperf.archive.comparisons import ab_ids, read_ab, save_ab
from veperf.archive.manifest import COMPLETE
from veperf.archive.store import Archive
from veperf.core.errors import DataError, UsageError
from veperf.core.run import Run

ALREADY_PRESENT = "there already"


@dataclass(frozen=True, slots=True)
class MergeResult:
    """The result for one run or comparison of the other archive."""

    run: str
    """Its id, or the name of an entry that is not a run."""
    skipped: str
    """Reason why it was not copied; empty where it was."""


def merge_runs(archive: Archive, other: Archive) -> Iterator[MergeResult]:
    """Copy the complete runs of ``other``, one by one, as the results are consumed.

    Existing runs stay as they are; damaged and unfinished runs and links are skipped. A run that
    was begun in ``archive`` and finished in ``other`` is completed. As ``other`` is not trusted,
    every run is decoded and checked, its table of samples is made again, and its report is not
    copied.

    Raises:
        UsageError: ``other`` does not exist, or is ``archive`` itself.
        StorageError: the archive can't be written.
    """
    if not other.storage.exists():
        raise UsageError(f"{other.location} is not a folder of runs")
    if archive.storage.is_same(other.storage):
        raise UsageError(f"{other.location} is the archive itself")
    archive.storage.require_writable()
    with archive.storage.lock() as lock:
        finish_interrupted_work(archive, lock)
        existing, begun = archive.completed_ns().keys(), set(archive.incomplete_ids())
        complete, links = other.completed_ns().keys(), other.storage.foreign_entries()
        names = sorted(complete | links.keys() | set(other.incomplete_ids()))
        stamps = other.completion_stamps()
        runs = other.read_each(name for name in names if name in complete and name not in existing)
        for name in names:
            if name in existing or (name in begun and name not in complete):
                yield MergeResult(name, ALREADY_PRESENT)
            elif name not in complete:
                yield MergeResult(
                    name, links.get(name, f"it has no {COMPLETE}: it was not finished")
                )
            else:
                run = next(runs)
                lock.check()
                yield MergeResult(name, _merge_run(archive, run, begun, stamps.get(name)))


def merge_comparisons(archive: Archive, other: Archive) -> Iterator[MergeResult]:
    """Copy the A/B comparisons of ``other`` likewise.

    Raises:
        StorageError: the archive can't be written.
    """
    existing = ab_ids(archive.storage)
    for id in ab_ids(other.storage):
        if id in existing:
            yield MergeResult(id, ALREADY_PRESENT)
            continue
        try:
            save_ab(archive.storage, read_ab(other.storage, id))
            yield MergeResult(id, "")
        except DataError as error:
            yield MergeResult(id, str(error))


def _merge_run(
    archive: Archive, run: Run | DataError, begun: Collection[str], stamp: int | None
) -> str:
    """Save ``run``; return the reason if it was not, such as that another run was begun."""
    if isinstance(run, DataError):
        return str(run)
    if run.id not in begun:
        archive.save(run, stamp)
        return ""
    try:
        writer = archive.resume(run.id)
    except DataError as error:  # the unfinished run can't be read
        return str(error)
    except UsageError:  # another process is measuring it, or has just completed it
        return ALREADY_PRESENT
    with writer:
        if _without_results(writer.run) != _without_results(run):
            return ALREADY_PRESENT
        writer.run = run
        writer.complete(stamp)
    return ""


def _without_results(run: Run) -> Run:
    """Return the run as it was planned, without results."""
    return replace(run, passes=(), loops={})
