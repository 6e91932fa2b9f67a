"""The order in which runs and comparisons were completed, whatever the clock said.

A stamp is the time in ns since 1970, or, where the clock was set back, one more than the
archive's last stamp: a hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", OPODIS
2014). So stamps grow within an archive, and those of several machines compare as times do.

::

    <archive>/.last-stamp.json    the greatest stamp; made again where it is missing or broken
"""

import contextlib
import time
from collections.abc import Collection, Mapping

from veperf.archive.manifest import COMPLETE, Stamp, decode_stamp
from veperf.archive.packs import Packs
from veperf.archive.storage.base import Storage, write_stored_json
from veperf.archive.storage.ordered_map import ordered_map
from veperf.core.errors import DataError, StorageError

LAST = "last"
"""Names the run, or comparison, that was completed last."""
COMPARISON = "ab.json"
_FILE = ".last-stamp.json"


def next_stamp(archive: Storage) -> int:
    """Return the stamp of what is completed now, greater than all in ``archive``, and note it."""
    stamp = max(time.time_ns(), _last_stamp(archive) + 1)
    _note(archive, stamp)
    return stamp


def note_stamp(archive: Storage, stamp: int) -> None:
    """Note that something with ``stamp`` was added, so that later stamps are greater."""
    if stamp > _last_stamp(archive):
        _note(archive, stamp)


def run_stamps(
    archive: Storage, packs: Packs, only: Collection[str] | None = None
) -> dict[str, int]:
    """Return the completion stamps of the complete runs, by id; of those in ``only`` if given.

    Raises:
        CorruptFileError, NewerFormatError: a pack can't be read.
        StorageError: the place is inaccessible.
    """
    unpacked = read_stamps(archive, COMPLETE, only)
    stamps = packs.order() | unpacked
    return {run: stamp for run, stamp in stamps.items() if only is None or run in only}


def read_stamps(archive: Storage, file: str, only: Collection[str] | None = None) -> dict[str, int]:
    """Return the stamps of the folders in ``archive`` that have ``file``, by folder.

    Of a file that has none or can't be read it is the time of writing: damage must not put another
    run in the place of the last.

    Args:
        archive: the folder of the folders.
        file: the file that says when it was completed, or begun.
        only: folders to read; all when not given.

    Raises:
        StorageError: the place is inaccessible.
    """
    listed = archive.folders(file)
    folders = [folder for folder in listed if only is None or folder in only]

    def stamp_of(folder: str) -> int:
        place = archive.at(folder)
        try:
            stamp = decode_stamp(place.read(file), place.where(file))
        except DataError:
            stamp = 0
        return stamp or listed[folder][file]

    stamps = ordered_map(archive.concurrency, stamp_of, folders)
    return dict(zip(folders, stamps, strict=True))


def in_order(stamps: Mapping[str, int]) -> list[str]:
    """Return the names in the order of their stamps; those of equal ones by name."""
    return sorted(stamps, key=lambda name: (stamps[name], name))


def last_of(stamps: Mapping[str, int]) -> str:
    """Return the name with the greatest stamp; of equal ones the greatest name."""
    return in_order(stamps)[-1]


def _last_stamp(archive: Storage) -> int:
    with contextlib.suppress(DataError):
        if stamp := decode_stamp(archive.read(_FILE), archive.where(_FILE)):
            return stamp
    runs: dict[str, int] = {}
    with contextlib.suppress(DataError):  # a damaged pack must not cost what was just measured
        runs = Packs(archive).order()
    runs |= read_stamps(archive, COMPLETE)
    comparisons = read_stamps(archive, COMPARISON)
    return max([*runs.values(), *comparisons.values()], default=0)


def _note(archive: Storage, stamp: int) -> None:
    with contextlib.suppress(StorageError):  # it can be made again
        write_stored_json(archive, _FILE, Stamp(stamp_ns=stamp))
