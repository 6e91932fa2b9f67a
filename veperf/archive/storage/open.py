"""From what a user gives to a storage."""

from pathlib import Path

from veperf.archive.storage.base import Storage
from veperf.archive.storage.local import LocalStorage
from veperf.archive.storage.location import Location, Url, locate
from veperf.archive.storage.notify import Tell, silent
from veperf.core.errors import UsageError


def open_storage(location: Location, tell: Tell = silent) -> Storage:
    """The storage at a folder or URL. Reads nothing yet; ``tell`` takes what it waits for.

    Raises:
        UsageError: that is no location, it holds credentials, or what reads it is not installed.
    """
    found = locate(location)
    if isinstance(found, Url):
        from veperf.archive.storage.remote import open_remote  # fsspec takes its time

        return open_remote(found, tell)
    return LocalStorage(found, tell)


def local_folder(storage: Storage | Path) -> Path:
    """The folder of this machine that ``storage`` is.

    Raises:
        UsageError: it is none.
    """
    place = place_of(storage)
    if isinstance(place, Path):
        return place
    raise UsageError(f"{place} is no folder of this machine")


def place_of(storage: Storage | Path, name: str = "") -> Location:
    """A folder, or a file in it: a path on this machine, else a URL as text."""
    if isinstance(storage, LocalStorage):
        return storage.folder / name
    if isinstance(storage, Path):
        return storage / name
    return storage.where(name) if name else storage.location
