"""A folder of this machine."""

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from veperf.archive.files import read, storage_error, write
from veperf.archive.storage.base import Lock, Storage
from veperf.archive.storage.lock import FolderLock
from veperf.archive.storage.notify import Tell, silent
from veperf.core.errors import CorruptFileError, StorageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NEW, _REMOVED = ".new-", ".removed-"


@dataclass(frozen=True, slots=True)
class LocalStorage:
    """A folder as ``protocol.Storage``. Nothing outside of it is read."""

    folder: Path
    tell: Tell = field(default=silent, compare=False, repr=False)

    at_once = 1

    @property
    def location(self) -> str:
        """The path."""
        return str(self.folder)

    def at(self, folder: str) -> "LocalStorage":
        """A folder in it."""
        return LocalStorage(self.folder / folder, self.tell)

    def where(self, name: str) -> str:
        """The path of a file."""
        return str(self.folder / name)

    def exists(self) -> bool:
        """Whether it is there."""
        return self.folder.is_dir()

    def is_same(self, other: Storage) -> bool:
        """Whether ``other`` is this folder, links followed."""
        return isinstance(other, LocalStorage) and self.folder.resolve() == other.folder.resolve()

    def require_writable(self) -> None:
        """Make it if need be.

        Raises:
            StorageError: it can't be made or written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not os.access(self.folder, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise storage_error(self.folder, error) from error

    def has(self, name: str) -> bool:
        """Whether there is a file."""
        return (self.folder / name).is_file()

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            CorruptFileError: it can't be read, or is a link to elsewhere.
        """
        path = self.folder / name
        if "\0" not in name and path.is_symlink():
            raise CorruptFileError(f"{path} is a symbolic link, which no run has")
        if "\0" in name or not path.resolve().is_relative_to(self.folder.resolve()):
            raise CorruptFileError(f"{self.folder} has no file {name!r} of its own")
        return read(path)

    def open(self, name: str) -> BinaryIO:
        """A file to read."""
        return (self.folder / name).open("rb")

    def write(self, name: str, data: bytes) -> None:
        """Write a file, under a temporary name first.

        Raises:
            StorageError: it can't be written.
        """
        write(self.folder / name, data)

    def delete(self, names: Collection[str]) -> None:
        """Delete files.

        Raises:
            StorageError: they can't be deleted.
        """
        for name in names:
            try:
                (self.folder / name).unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(self.folder / name, error) from error

    def names(self) -> list[str]:
        """Names of the files, those left out that begin with a dot: what a writer left behind.

        Raises:
            CorruptFileError: there is a link, or something else that is no file.
        """
        found: list[str] = []
        folders = [""]
        try:
            while folders:
                prefix = folders.pop()
                with os.scandir(self.folder / prefix) as entries:
                    for entry in entries:
                        name = prefix + entry.name
                        if entry.name.startswith("."):
                            continue
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(f"{name}/")
                        elif entry.is_file(follow_symlinks=False):
                            found.append(name)
                        else:
                            raise CorruptFileError(f"{entry.path} is no file but a link or device")
        except OSError as error:
            raise CorruptFileError(f"can't read {self.folder}: {error.strerror}") from error
        return sorted(found)

    def folders(self, *names: str) -> dict[str, dict[str, int]]:
        """Folders with one of these files, by the file's own time."""
        found: dict[str, dict[str, int]] = {}
        with contextlib.suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                    written_ns: dict[str, int] = {}
                    for name in names:
                        with contextlib.suppress(OSError):
                            written_ns[name] = os.lstat(f"{entry.path}/{name}").st_mtime_ns
                    if written_ns:
                        found[entry.name] = written_ns
        return found

    def holds(self, folder: str, name: str) -> bool:
        """Whether there is the file, in a folder that is no link."""
        path = self.folder / folder
        return (path / name).exists() and not path.is_symlink()

    def strangers(self) -> dict[str, str]:
        """Symbolic links."""
        if not self.folder.is_dir():
            return {}
        links = [entry for entry in self.folder.iterdir() if entry.is_symlink()]
        return {link.name: f"{link} is a symbolic link, which no run is" for link in links}

    def remove(self, folder: str) -> None:
        """Rename a folder, then delete it.

        Raises:
            StorageError: it can't be removed.
        """
        path = self.folder / folder
        hidden = path.with_name(_REMOVED + secrets.token_hex(4))
        try:
            path.rename(hidden)
            shutil.rmtree(hidden)
        except FileNotFoundError:
            return
        except OSError as error:
            raise storage_error(path, error) from error

    def sweep(self) -> None:
        """Delete what begins as unfinished and removed folders do."""
        with contextlib.suppress(OSError):
            for entry in os.scandir(self.folder):
                if entry.name.startswith((_NEW, _REMOVED)):
                    shutil.rmtree(entry.path, ignore_errors=True)

    @contextlib.contextmanager
    def fill(self, folder: str, lock: Lock) -> Iterator[Path]:
        """A new folder beside ``folder``, renamed at the end.

        Raises:
            StorageError: it can't be written.
        """
        new = self.folder / f"{_NEW}{secrets.token_hex(4)}"
        try:
            new.mkdir(parents=True)
            yield new
            for path in new.iterdir():
                _to_disk(path)
            lock.check()
            new.rename(self.folder / folder)
        except StorageError:
            raise
        except OSError as error:
            raise storage_error(self.folder / folder, error) from error
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def lock(self) -> FolderLock:
        """Wait for the folder's lock.

        Raises:
            StorageError: there is no such folder.
        """
        return FolderLock.waited_for(self.folder, self.tell)

    def try_lock(self) -> FolderLock | None:
        """The folder's lock, if nobody has it.

        Raises:
            CorruptFileError: it is a link.
            StorageError: the folder can't be made.
        """
        if self.folder.is_symlink():
            raise CorruptFileError(f"{self.folder} is a symbolic link, which no run is")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(self.folder, error) from error
        return FolderLock.tried(self.folder)

    def serve(self, connection: "DuckDBPyConnection", names: Iterable[str]) -> list[str]:
        """DuckDB reads paths as it is."""
        return [self.where(name) for name in names]


def _to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
