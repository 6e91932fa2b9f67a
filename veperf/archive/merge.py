"""The runs of another archive, such as one from another machine, taken over."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from veperf.archive.compaction import tidy
from veperf.archive.comparisons import ab_ids, read_ab, save_ab
from veperf.archive.manifest import COMPLETE
from veperf.archive.store import Archive
from veperf.core.errors import DataError, UsageError
from veperf.core.run import Run

THERE = "there already"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one run or comparison of the other archive."""

    run: str
    """Its id, or the name of something that is no run."""
    skipped: str
    """Why it was not taken over; empty where it was."""


def take_over(archive: Archive, other: Archive) -> Iterator[Taken]:
    """Copy the complete runs of ``other``, one by one, as the result is asked for.

    What is there already stays as it is; what is damaged, unfinished or a link is skipped. A run
    that was begun here and finished there is completed. Every run is decoded and checked first,
    its table of samples made anew, its report left behind: nothing that ``other`` holds is
    believed.

    Raises:
        UsageError: ``other`` is no folder, or is ``archive``.
        StorageError: the archive can't be written.
    """
    if not other.storage.exists():
        raise UsageError(f"{other.location} is no folder of runs")
    if archive.storage.is_same(other.storage):
        raise UsageError(f"{other.location} is this archive itself")
    archive.storage.require_writable()
    with archive.storage.lock() as lock:
        tidy(archive, lock)
        known, begun = archive.completed_ns().keys(), set(archive.incomplete_ids())
        complete, links = other.completed_ns().keys(), other.storage.strangers()
        names = sorted(complete | links.keys() | set(other.incomplete_ids()))
        runs = other.attempts(name for name in names if name in complete and name not in known)
        for name in names:
            if name in known or (name in begun and name not in complete):
                yield Taken(name, THERE)
            elif name not in complete:
                yield Taken(name, links.get(name, f"it has no {COMPLETE}: it was not finished"))
            else:
                run = next(runs)
                lock.check()
                yield Taken(name, _take(archive, run, begun))


def take_comparisons(archive: Archive, other: Archive) -> Iterator[Taken]:
    """Copy the A/B comparisons of ``other`` in the same way.

    Raises:
        StorageError: the archive can't be written.
    """
    known = ab_ids(archive.storage)
    for id in ab_ids(other.storage):
        if id in known:
            yield Taken(id, THERE)
            continue
        try:
            save_ab(archive.storage, read_ab(other.storage, id))
            yield Taken(id, "")
        except DataError as error:
            yield Taken(id, str(error))


def _take(archive: Archive, run: Run | DataError, begun: Collection[str]) -> str:
    """Keep ``run``; return why not, such as that it is another one than what was begun here."""
    if isinstance(run, DataError):
        return str(run)
    if run.id not in begun:
        archive.keep(run)
        return ""
    try:
        writer = archive.resume(run.id)
    except DataError as error:  # what was begun can't be read
        return str(error)
    except UsageError:  # somebody is measuring it, or has just completed it
        return THERE
    with writer:
        if _plan(writer.run) != _plan(run):
            return THERE
        writer.run = run
        writer.complete()
    return ""


def _plan(run: Run) -> Run:
    """What it was to be, without what was measured."""
    return replace(run, passes=(), loops={})
