"""What lies under a prefix of an object store, or of another place that fsspec knows.

Single objects are there whole or not at all; nothing can be renamed. A folder that has an object
``.hidden`` is not there for readers: one is put before a folder is filled or removed, and deleted
last. What a killed process leaves is hidden, then, and ``sweep`` ends it.
"""

import contextlib
import io
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from veperf.archive.files import MAX_FILE_BYTES
from veperf.archive.storage.base import Lock, Storage
from veperf.archive.storage.errors import in_words
from veperf.archive.storage.lease import PACE, Lease, Pace
from veperf.archive.storage.location import Url
from veperf.archive.storage.notify import Tell, silent
from veperf.archive.storage.objects import Objects
from veperf.core.errors import CorruptFileError, UsageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_AT_ONCE_ranges = 1 << 20


class _Pieces(io.RawIOBase):
    def __init__(self, objects: Objects, name: str) -> None:
        super().__init__()
        self._objects = objects
        self._name = name
        self._size = objects.size(name)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"there is nothing at {start + offset}")
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # typeshed asks for any buffer, io passes this one
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        data = self._objects.get(self._name, self._at, end)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def reader(objects: Objects, name: str) -> io.BufferedReader:
    """The file ``name``, to read here and there, about 1 MiB a request.

    Raises:
        CorruptFileError, StorageError: as ``Objects.get``; so does reading.
    """
    return io.BufferedReader(_Pieces(objects, name), _AT_ONCE_ranges)


HIDDEN = ".hidden"
_PROBE = ".writable"
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class RemoteStorage:
    """A prefix as ``protocol.Storage``."""

    objects: Objects
    pace: Pace = PACE
    tell: Tell = field(default=silent, compare=False, repr=False)

    @property
    def location(self) -> str:
        """The URL."""
        return self.objects.url

    def at(self, folder: str) -> "RemoteStorage":
        """A folder in it."""
        return RemoteStorage(self.objects.at(folder), self.pace, self.tell)

    def where(self, name: str) -> str:
        """The URL of a file."""
        return f"{self.objects.url}/{name}"

    @property
    def at_once(self) -> int:
        """Several, where the filesystem is made for it; others may not bear two threads."""
        return _AT_ONCE if self.objects.filesystem.async_impl else 1

    def exists(self) -> bool:
        """Whether anything is there."""
        return bool(self.objects.listing())

    def is_same(self, other: Storage) -> bool:
        """Whether ``other`` has the same URL."""
        return other.location == self.location

    def require_writable(self) -> None:
        """Put something, and delete it.

        Raises:
            StorageError: it can't be written.
        """
        self.objects.put(_PROBE, b"")
        self.objects.delete([_PROBE])

    def has(self, name: str) -> bool:
        """Whether there is a file.

        Raises:
            StorageError: there is no way to it.
        """
        return self.objects.has(name)

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            CorruptFileError: it is not there, or larger than any of ours.
            StorageError: there is no way to it.
        """
        if not _is_plain(name):
            raise CorruptFileError(f"{self.location} has no file {name!r} of its own")
        data = self.objects.get(name, 0, MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise CorruptFileError(f"{self.where(name)} has more bytes than any file of veperf's")
        return data

    def open(self, name: str) -> BinaryIO:
        """A file to read, piece by piece."""
        return reader(self.objects, name)

    def write(self, name: str, data: bytes) -> None:
        """Put a file.

        Raises:
            StorageError: it can't be written.
        """
        self.objects.put(name, data)

    def delete(self, names: Collection[str]) -> None:
        """Delete files.

        Raises:
            StorageError: they can't be deleted.
        """
        self.objects.delete(names)

    def names(self) -> list[str]:
        """Names of the files, unless they are hidden.

        Raises:
            StorageError: there is no way to it.
        """
        found = self.objects.listing()
        if HIDDEN in found:
            return []
        return sorted(name for name in found if _is_plain(name) and not _has_dots(name))

    def folders(self, *names: str) -> dict[str, dict[str, int]]:
        """Folders with one of these files, by the time that the place gives them."""
        found: dict[str, dict[str, int]] = {}
        hidden: set[str] = set()
        for key, about in self.objects.listing().items():
            folder, _, name = key.partition("/")
            if name == HIDDEN:
                hidden.add(folder)
            elif name in names and _is_plain(key) and not folder.startswith("."):
                found.setdefault(folder, {})[name] = self.objects.written_ns(key, about)
        return {folder: written for folder, written in found.items() if folder not in hidden}

    def holds(self, folder: str, name: str) -> bool:
        """Whether there is the file, not hidden."""
        return name in self.at(folder).names()

    def strangers(self) -> dict[str, str]:
        """Objects whose names are no paths."""
        odd = [name for name in self.objects.listing() if not _is_plain(name.rstrip("/"))]
        return {name: f"{self.where(name)} has a name that no file has" for name in odd}

    def remove(self, folder: str) -> None:
        """Hide a folder, then delete it.

        Raises:
            StorageError: it can't be removed.
        """
        there = self.objects.at(folder)
        found = there.listing()
        if found:
            there.put(HIDDEN, b"")
            _empty(there, found)

    def sweep(self) -> None:
        """Delete the folders that are hidden."""
        for key in self.objects.listing():
            folder, _, name = key.partition("/")
            if name == HIDDEN and _is_plain(key):
                there = self.objects.at(folder)
                _empty(there, there.listing())

    @contextlib.contextmanager
    def fill(self, folder: str, lock: Lock) -> Iterator[Path]:
        """A temporary folder, whose files are put at the end, and shown last.

        Raises:
            StorageError: they can't be.
        """
        with tempfile.TemporaryDirectory(prefix="veperf-") as local:
            yield Path(local)
            there = self.objects.at(folder)
            there.put(HIDDEN, b"")
            for file in sorted(Path(local).iterdir()):
                there.put_file(file.name, file)
            lock.check()
            there.delete([HIDDEN])

    def lock(self) -> Lease:
        """Wait for the lock.

        Raises:
            StorageError: there is no way to it.
        """
        return Lease.waited_for(self.objects, self.pace, self.tell)

    def try_lock(self) -> Lease | None:
        """The lock, unless somebody is seen to have it.

        Raises:
            StorageError: there is no way to it.
        """
        return Lease.tried(self.objects, self.pace, self.tell)

    def serve(self, connection: "DuckDBPyConnection", names: Iterable[str]) -> list[str]:
        """Let DuckDB use the same filesystem, with the same credentials.

        It takes every address for a pattern.
        """
        connection.register_filesystem(self.objects.filesystem)
        return [re.sub(r"([*?[])", r"[\1]", self.where(name)) for name in names]


def open_remote(url: Url, tell: Tell = silent) -> RemoteStorage:
    """The storage at ``url``. Nothing is asked of it yet.

    Raises:
        UsageError: fsspec does not know such addresses, or a package is missing.
    """
    from fsspec.core import get_filesystem_class, url_to_fs

    try:
        get_filesystem_class(url.scheme)
    except ImportError:
        raise UsageError(_missing(url.scheme)) from None
    except ValueError:
        raise UsageError(
            f"there is no kind of storage called {url.scheme}://; an archive is a folder, or an "
            "address such as s3://bucket/folder"
        ) from None
    try:
        # Not one that was made before: the environment may have other credentials by now.
        filesystem, path = url_to_fs(str(url), skip_instance_cache=True)
    except Exception as error:  # noqa: BLE001 - each filesystem raises its own
        raise in_words(f"can't open {url}", error) from None
    return RemoteStorage(Objects(filesystem, str(url), path.rstrip("/")), PACE, tell)


def _missing(scheme: str) -> str:
    from fsspec.registry import known_implementations

    how = known_implementations[scheme].get("err", "see fsspec's documentation")
    if scheme in ("s3", "s3a"):
        how = "pip install 'veperf[s3]'"
    return f"{scheme}:// archives need a package more: {how}"


def _empty(there: Objects, names: Collection[str]) -> None:
    there.delete([name for name in names if name != HIDDEN])
    there.delete([HIDDEN])


def _is_plain(name: str) -> bool:
    """Whether it would name a file below, on any system."""
    return "\0" not in name and not {"", ".", ".."} & set(name.split("/"))


def _has_dots(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
