"""A storage in a folder of this machine."""

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from veperf.archive.files import file_write_error, read_file, write_file
from veperf.archive.storage.base import Lock, Storage
from veperf.archive.storage.lock import FolderLock, Notify, ignore_notice
from veperf.core.errors import CorruptFileError, StorageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NEW, _REMOVED = ".new-", ".removed-"


@dataclass(frozen=True, slots=True)
class LocalStorage:
    """A local folder as a ``base.Storage``, which says what the methods raise.

    Nothing outside of the folder is read.
    """

    folder: Path
    notify: Notify = field(default=ignore_notice, compare=False, repr=False)

    concurrency = 1

    @property
    def location(self) -> str:
        """The path."""
        return str(self.folder)

    def at(self, folder: str) -> "LocalStorage":
        """Return a subfolder."""
        return LocalStorage(self.folder / folder, self.notify)

    def where(self, name: str) -> str:
        """Return the path of a file."""
        return str(self.folder / name)

    def exists(self) -> bool:
        """Return whether the folder exists."""
        return self.folder.is_dir()

    def is_same(self, other: Storage) -> bool:
        """Return whether ``other`` is the same folder, with links followed."""
        return isinstance(other, LocalStorage) and self.folder.resolve() == other.folder.resolve()

    def require_writable(self) -> None:
        """Check that the folder can be written; make it if need be."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not os.access(self.folder, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise file_write_error(self.folder, error) from error

    def has(self, name: str) -> bool:
        """Return whether the file exists."""
        return (self.folder / name).is_file()

    def read(self, name: str) -> bytes:
        """Return the bytes of a file that is not a link."""
        path = self.folder / name
        if "\0" not in name and path.is_symlink():
            raise CorruptFileError(f"{path} is a symbolic link, which no run has")
        if "\0" in name or not path.resolve().is_relative_to(self.folder.resolve()):
            raise CorruptFileError(f"{self.folder} has no file {name!r} of its own")
        return read_file(path)

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        return (self.folder / name).open("rb")

    def write(self, name: str, data: bytes) -> None:
        """Write a file, under a temporary name first."""
        write_file(self.folder / name, data)

    def delete(self, names: Collection[str]) -> None:
        """Delete those of the files that exist."""
        for name in names:
            try:
                (self.folder / name).unlink(missing_ok=True)
            except OSError as error:
                raise file_write_error(self.folder / name, error) from error

    def names(self) -> list[str]:
        """Return the names of all files; names that begin with a dot are left by killed writers."""
        names: list[str] = []
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
                            names.append(name)
                        else:
                            raise CorruptFileError(
                                f"{entry.path} is a link or device, not a regular file"
                            )
        except OSError as error:
            raise CorruptFileError(f"can't read {self.folder}: {error.strerror}") from error
        return sorted(names)

    def folders(self, *names: str) -> dict[str, dict[str, int]]:
        """Return the subfolders that have one of these files, with its modification time in ns."""
        folders: dict[str, dict[str, int]] = {}
        with contextlib.suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                    written_ns: dict[str, int] = {}
                    for name in names:
                        with contextlib.suppress(OSError):
                            written_ns[name] = os.lstat(f"{entry.path}/{name}").st_mtime_ns
                    if written_ns:
                        folders[entry.name] = written_ns
        return folders

    def folder_has(self, folder: str, name: str) -> bool:
        """Return whether the subfolder, which must not be a link, has the file."""
        path = self.folder / folder
        return (path / name).exists() and not path.is_symlink()

    def foreign_entries(self) -> dict[str, str]:
        """Return the symbolic links, each with a sentence that says so."""
        if not self.folder.is_dir():
            return {}
        links = [entry for entry in self.folder.iterdir() if entry.is_symlink()]
        return {link.name: f"{link} is a symbolic link, which no run is" for link in links}

    def remove(self, folder: str) -> None:
        """Rename a folder, then delete it."""
        path = self.folder / folder
        hidden = path.with_name(_REMOVED + secrets.token_hex(4))
        try:
            path.rename(hidden)
            shutil.rmtree(hidden)
        except FileNotFoundError:
            return
        except OSError as error:
            raise file_write_error(path, error) from error

    def remove_leftovers(self) -> None:
        """Delete unfinished and removed folders, known by how their names begin."""
        with contextlib.suppress(OSError):
            for entry in os.scandir(self.folder):
                if entry.name.startswith((_NEW, _REMOVED)):
                    shutil.rmtree(entry.path, ignore_errors=True)

    @contextlib.contextmanager
    def new_folder(self, folder: str, lock: Lock) -> Iterator[Path]:
        """Give a new folder beside ``folder``, renamed at the end."""
        new = self.folder / f"{_NEW}{secrets.token_hex(4)}"
        try:
            new.mkdir(parents=True)
            yield new
            for path in new.iterdir():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
            lock.check()
            new.rename(self.folder / folder)
        except StorageError:
            raise
        except OSError as error:
            raise file_write_error(self.folder / folder, error) from error
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def lock(self) -> FolderLock:
        """Wait for the folder's lock; the folder must exist."""
        return FolderLock.acquire(self.folder, self.notify)

    def try_lock(self) -> FolderLock | None:
        """Return the folder's lock, or None if another process holds it."""
        if self.folder.is_symlink():
            raise CorruptFileError(f"{self.folder} is a symbolic link, which no run is")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise file_write_error(self.folder, error) from error
        return FolderLock.try_acquire(self.folder)

    def duckdb_paths(self, connection: "DuckDBPyConnection", names: Iterable[str]) -> list[str]:
        """Return the paths of the files, which DuckDB reads without further ado."""
        return [self.where(name) for name in names]
