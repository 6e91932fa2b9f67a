"""The interface of the places where an archive can be stored, and JSON files in them."""

from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self, TypeVar

from veperf.archive.files import decode_json, encode_checked_json

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

T = TypeVar("T")


class Lock(Protocol):
    """An exclusive lock of a folder; as a context manager it is released at the end."""

    def check(self) -> None:
        """Confirm that the lock is still held; call this before every destructive step.

        Raises:
            StorageError: it was lost.
        """
        ...

    def release(self) -> None:
        """Release the lock; calling this again does nothing."""
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()


class Storage(Protocol):
    """A folder of files: a local one, or the objects under a prefix.

    Names are relative to it, with ``/`` between folders; a folder exists while it holds a file.
    Single files are written whole or not at all. An inaccessible place (no permission, no
    connection) raises a StorageError; a file that is missing or not as expected raises a
    CorruptFileError.
    """

    @property
    def location(self) -> str:
        """Its path or URL, without credentials."""
        ...

    @property
    def concurrency(self) -> int:
        """The number of threads with which files are best read."""
        ...

    def at(self, folder: str) -> "Storage":
        """Return a subfolder, which need not exist."""
        ...

    def where(self, name: str) -> str:
        """Return the path or URL of a file, for messages."""
        ...

    def exists(self) -> bool:
        """Return whether the folder exists, or anything under the prefix."""
        ...

    def is_same(self, other: "Storage") -> bool:
        """Return whether ``other`` is the same place."""
        ...

    def require_writable(self) -> None:
        """Check that files can be written, before minutes are spent on measuring.

        Raises:
            StorageError: they can't.
        """
        ...

    def has(self, name: str) -> bool:
        """Return whether the file exists.

        Raises:
            StorageError: the place is inaccessible.
        """
        ...

    def read(self, name: str) -> bytes:
        """Return the bytes of a file of at most ``MAX_FILE_BYTES``.

        Raises:
            CorruptFileError: it does not exist, is a link, or is too large.
            StorageError: the place is inaccessible.
        """
        ...

    def open(self, name: str) -> BinaryIO:
        """Open a file of any size for random access; the caller closes it.

        Raises:
            OSError: it can't be read (a StorageError is one).
        """
        ...

    def digest(self, name: str) -> str:
        """Return the SHA-256 of a file of any size, in hexadecimal.

        It is read once in a process for as long as its size and time of writing are the same.

        Raises:
            CorruptFileError: it does not exist, or is a link.
            StorageError: the place is inaccessible.
        """
        ...

    def write(self, name: str, data: bytes) -> None:
        """Write a file atomically: readers see the old file or the new one. No link is followed.

        Raises:
            StorageError: it can't be written; the old file is untouched.
        """
        ...

    def delete(self, names: Collection[str]) -> None:
        """Delete those of the files that exist.

        Raises:
            StorageError: they can't be deleted.
        """
        ...

    def names(self) -> list[str]:
        """Return the names of all files in it and its subfolders, sorted, without dot files.

        Raises:
            CorruptFileError: there is something other than files and folders, or no folder.
            StorageError: the place is inaccessible.
        """
        ...

    def folders(self, *names: str) -> dict[str, dict[str, int]]:
        """Return the direct subfolders that have one of these files, and when each was written.

        In ns since 1970, as far as the place knows. This is one request, however many folders
        there are; empty where nothing exists. Links are not followed.

        Raises:
            StorageError: the place is inaccessible.
        """
        ...

    def folder_has(self, folder: str, name: str) -> bool:
        """Return whether the direct subfolder ``folder`` has the file ``name``."""
        ...

    def foreign_entries(self) -> dict[str, str]:
        """Return the entries directly in it that are neither files nor folders, and the reason."""
        ...

    def remove(self, folder: str) -> None:
        """Remove a folder: at once for readers, then file by file.

        Raises:
            StorageError: it can't be removed.
        """
        ...

    def remove_leftovers(self) -> None:
        """Delete what a killed ``remove`` or ``new_folder`` left; needs the lock of the folder."""
        ...

    def new_folder(self, folder: str, lock: Lock) -> AbstractContextManager[Path]:
        """Give a local folder to fill; at the end its files appear at once as ``folder``.

        ``lock`` is checked right before.

        Raises:
            StorageError: they can't be written, or the lock was lost; nothing appears then.
        """
        ...

    def lock(self) -> Lock:
        """Wait for the lock of this folder and return it; a dying process releases its lock.

        Raises:
            StorageError: the folder can't be locked.
        """
        ...

    def try_lock(self) -> Lock | None:
        """Return the lock, or None if another process holds it; the folder is made if need be.

        Raises:
            CorruptFileError: the folder is a link.
            StorageError: the folder can't be made or locked.
        """
        ...

    def duckdb_paths(self, connection: "DuckDBPyConnection", names: Iterable[str]) -> list[str]:
        """Give DuckDB access to files, and return the paths under which it reads them."""
        ...


def read_stored_json(
    storage: Storage, name: str, kind: type[T], *, newest_format: int | None = None
) -> T:
    """Read a JSON file as a ``kind``, every field checked against its type.

    Raises:
        CorruptFileError: it does not exist, is not JSON, is not a ``kind``, or differs from its
            checksum.
        NewerFormatError: its ``format`` is beyond ``newest_format``.
        StorageError: the place is inaccessible.
    """
    data = storage.read(name)
    return decode_json(data, storage.where(name), kind, newest_format=newest_format)


def write_stored_json(storage: Storage, name: str, value: object, **more: object) -> None:
    """Write ``value``, with ``more`` fields, as indented JSON with its checksum, atomically.

    Raises:
        StorageError: it can't be written.
    """
    storage.write(name, encode_checked_json(value, **more))
