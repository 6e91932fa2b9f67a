"""Opening a storage by its path or URL."""

from pathlib import Path

from veperf.archive.storage.base import Storage
from veperf.archive.storage.local import LocalStorage
from veperf.archive.storage.location import Location, Url, locate
from veperf.archive.storage.lock import Notify, ignore_notice
from veperf.core.errors import UsageError


def open_storage(location: Location, notify: Notify = ignore_notice) -> Storage:
    """Return the storage at a path or URL, without reading anything yet.

    ``notify`` is called when waiting for a lock takes long.

    Raises:
        UsageError: it is not a valid location, contains credentials, or needs a package that is
            not installed.
    """
    place = locate(location)
    if isinstance(place, Url):
        from veperf.archive.storage.remote import open_remote  # fsspec is slow to import

        return open_remote(place, notify)
    return LocalStorage(place, notify)


def local_folder(storage: Storage | Path) -> Path:
    """Return the local folder of ``storage``.

    Raises:
        UsageError: it is not on this machine.
    """
    place = path_or_url(storage)
    if isinstance(place, Path):
        return place
    raise UsageError(f"{place} is not a folder of this machine")


def path_or_url(storage: Storage | Path, name: str = "") -> Location:
    """Return where a folder, or a file in it, is: a path if local, else a URL as text."""
    if isinstance(storage, LocalStorage):
        return storage.folder / name
    if isinstance(storage, Path):
        return storage / name
    return storage.where(name) if name else storage.location
