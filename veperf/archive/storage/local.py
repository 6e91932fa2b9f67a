"""A storage in a folder of this machine."""

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from veperf.archive.files import (
    checksum_of,
    file_read_error,
    file_write_error,
    folder_inside,
    open_inside,
    read_inside,
    write_inside,
)
from veperf.archive.storage.base import Lock, Storage
from veperf.archive.storage.lock import FolderLock, Notify, ignore_notice
from veperf.core.errors import CorruptFileError, StorageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_NEW, _REMOVED = ".new-", ".removed-"


@dataclass(frozen=True, slots=True)
class LocalStorage:
    """A local folder as a ``base.Storage``, which says what the methods raise.

    Nothing outside of the archive is read or written: no link in it is followed.
    """

    folder: Path
    notify: Notify = field(default=ignore_notice, compare=False, repr=False)
    archive: Path | None = field(default=None, compare=False, repr=False)
    """The archive that it is a subfolder of; None where it is one itself."""

    concurrency = 1

    @property
    def location(self) -> str:
        """The path."""
        return str(self.folder)

    def at(self, folder: str) -> "LocalStorage":
        """Return a subfolder."""
        return LocalStorage(self.folder / folder, self.notify, self._root)

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
            self._root.mkdir(parents=True, exist_ok=True)
            with folder_inside(self._root, self._inner(""), make=True):
                if not os.access(self.folder, os.W_OK):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        except OSError as error:
            raise file_write_error(self.folder, error) from error

    def has(self, name: str) -> bool:
        """Return whether the file exists, or a link that reading it refuses."""
        return self._is_there(name, lambda mode: not stat.S_ISDIR(mode))

    def read(self, name: str) -> bytes:
        """Return the bytes of a file that is not a link."""
        if "\0" in name or ".." in PurePosixPath(name).parts:
            raise CorruptFileError(f"{self.folder} has no file {name!r} of its own")
        return read_inside(self._root, self._inner(name))

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading."""
        return os.fdopen(open_inside(self._root, self._inner(name)), "rb")

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a file, read once for each size, time of writing and inode."""
        try:
            with self.open(name) as file:
                status = os.fstat(file.fileno())
                identity = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
                return _digest(self._root, self._inner(name), identity)
        except OSError as error:
            raise file_read_error(self.folder / name, error) from error

    def write(self, name: str, data: bytes) -> None:
        """Write a file, under a temporary name first."""
        write_inside(self._root, self._inner(name), data)

    def delete(self, names: Collection[str]) -> None:
        """Delete those of the files that exist."""
        for name in names:
            path = PurePosixPath(self._inner(name))
            try:
                with folder_inside(self._root, str(path.parent)) as folder:
                    os.unlink(path.name, dir_fd=folder)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise file_write_error(self.folder / name, error) from error

    def names(self) -> list[str]:
        """Return the names of all files; names that begin with a dot are left by killed writers."""
        names: list[str] = []
        folders = [""]
        try:
            self._refuse_links()
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
            raise file_read_error(self.folder, error) from error
        return sorted(names)

    def folders(self, *names: str) -> dict[str, dict[str, int]]:
        """Return the subfolders that have one of these files, with its modification time in ns."""
        folders: dict[str, dict[str, int]] = {}
        try:
            self._refuse_links()
            with os.scandir(self.folder) as entries:
                for entry in entries:
                    if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                        written_ns: dict[str, int] = {}
                        for name in names:
                            with contextlib.suppress(OSError):
                                written_ns[name] = os.lstat(f"{entry.path}/{name}").st_mtime_ns
                        if written_ns:
                            folders[entry.name] = written_ns
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise _listing_error(self.folder, error) from error
        return folders

    def folder_has(self, folder: str, name: str) -> bool:
        """Return whether the subfolder, which must not be a link, has the file."""
        return not (self.folder / folder).is_symlink() and self._is_there(f"{folder}/{name}")

    def foreign_entries(self) -> dict[str, str]:
        """Return the symbolic links, each with a sentence that says so."""
        try:
            with os.scandir(self.folder) as entries:
                links = sorted(entry.name for entry in entries if entry.is_symlink())
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except OSError as error:
            raise _listing_error(self.folder, error) from error
        return {
            name: f"{self.where(name)} is a symbolic link, which no run is: put what it leads to "
            "in its place, or remove it"
            for name in links
        }

    def remove(self, folder: str) -> None:
        """Rename a folder, then delete it."""
        path = self.folder / folder
        hidden = path.with_name(_REMOVED + secrets.token_hex(4))
        try:
            self._refuse_links()
            path.rename(hidden)
            shutil.rmtree(hidden)
        except FileNotFoundError:
            return
        except OSError as error:
            raise file_write_error(path, error) from error

    def remove_leftovers(self) -> None:
        """Delete unfinished and removed folders, known by how their names begin."""
        with contextlib.suppress(OSError):
            self._refuse_links()
            for entry in os.scandir(self.folder):
                if entry.name.startswith((_NEW, _REMOVED)):
                    shutil.rmtree(entry.path, ignore_errors=True)

    @contextlib.contextmanager
    def new_folder(self, folder: str, lock: Lock) -> Iterator[Path]:
        """Give a new folder beside ``folder``, renamed at the end."""
        new = self.folder / f"{_NEW}{secrets.token_hex(4)}"
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with folder_inside(self._root, self._inner(""), make=True):
                new.mkdir()
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
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with folder_inside(self._root, self._inner(""), make=True):
                pass
        except OSError as error:
            raise file_write_error(self.folder, error) from error
        return FolderLock.try_acquire(self.folder)

    def duckdb_paths(self, connection: "DuckDBPyConnection", names: Iterable[str]) -> list[str]:
        """Return the paths of the files, which DuckDB reads without further ado."""
        return [self.where(name) for name in names]

    @property
    def _root(self) -> Path:
        return self.folder if self.archive is None else self.archive

    def _inner(self, name: str) -> str:
        """Return the name of a file relative to the archive."""
        return str(PurePosixPath(self.folder.relative_to(self._root), name))

    def _refuse_links(self) -> None:
        """Raise an OSError where a folder between the archive and this one is a link, or none."""
        with folder_inside(self._root, self._inner("")):
            pass

    def _is_there(self, name: str, kind: Callable[[int], bool] = bool) -> bool:
        """Return whether there is such an entry, itself or as a link, of a ``kind`` of mode."""
        try:
            return "\0" not in name and kind(os.lstat(self.folder / name).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise _listing_error(self.folder / name, error) from error


@lru_cache(maxsize=1 << 16)
def _digest(root: Path, name: str, identity: tuple[int, ...]) -> str:  # noqa: ARG001 - the cache's key
    """Return the SHA-256 of the file of that device, inode, size and time of writing."""
    return checksum_of(os.fdopen(open_inside(root, name), "rb"))


def _listing_error(folder: Path, error: OSError) -> StorageError:
    message = file_read_error(folder, error)
    return StorageError(error.errno, f"{message}; or name another archive with --archive")
