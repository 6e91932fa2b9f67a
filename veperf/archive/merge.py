"""The runs of another archive, such as one from another machine, taken over."""

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

from veperf.archive.compaction import tidy
from veperf.archive.completion import COMPLETE
from veperf.archive.files import storage_error
from veperf.archive.lock import locked
from veperf.archive.packing import UNFINISHED
from veperf.archive.store import Archive
from veperf.archive.writer import RunWriter
from veperf.errors import DataError, IncompleteRunError, StorageError, UsageError

THERE = "there already"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one run of the other archive."""

    run: str
    """Its id, or the name of something that is no run."""
    skipped: str
    """Why it was not taken over; empty where it was."""


def take_over(archive: Archive, other: Archive) -> Iterator[Taken]:
    """Copy the complete runs of ``other``, one by one, as the result is asked for.

    What is there already stays as it is; what is damaged, unfinished or a link is skipped. Every
    run is decoded and checked first, its table of samples made anew, its report left behind:
    nothing that ``other`` holds is believed.

    Raises:
        UsageError: ``other`` is no folder, or is ``archive``.
        StorageError: the archive can't be written.
    """
    if not other.folder.is_dir():
        raise UsageError(f"{other.folder} is no folder of runs")
    if archive.folder.resolve() == other.folder.resolve():
        raise UsageError(f"{other.folder} is this archive itself")
    with contextlib.suppress(FileExistsError):
        archive.folder.mkdir(parents=True)
    with locked(archive.folder):
        tidy(archive)
        known = archive.completed_ns().keys() | set(archive.incomplete_ids())
        for name in _names(other):
            if name in known:
                yield Taken(name, THERE)
                continue
            try:
                _copy(archive, other, name)
                yield Taken(name, "")
            except DataError as error:
                yield Taken(name, str(error))


def _names(other: Archive) -> list[str]:
    """Complete runs, unfinished ones, and links, which might pass for either."""
    links = {path.name for path in other.folder.iterdir() if path.is_symlink()}
    return sorted(links | other.completed_ns().keys() | set(other.incomplete_ids()))


def _copy(archive: Archive, other: Archive, run_id: str) -> None:
    if run_id not in other.completed_ns():
        link = (other.folder / run_id).is_symlink()
        why = "it is a symbolic link" if link else f"it has no {COMPLETE}: it was not finished"
        raise IncompleteRunError(why)
    run = other.read(run_id)
    new = archive.folder / f"{UNFINISHED}{secrets.token_hex(4)}"
    try:
        new.mkdir()
        RunWriter(new, run).complete()
        new.rename(archive.path(run_id))
    except StorageError:
        raise
    except OSError as error:
        raise storage_error(archive.path(run_id), error) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
