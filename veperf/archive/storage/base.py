"""What the archive asks of the place where it lies."""

from collections.abc import Collection, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, Self

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Lock(Protocol):
    """That nobody else works on a folder. As a context manager it lets go at the end."""

    def check(self) -> None:
        """To be called before a step that would do harm if somebody else held the lock by now.

        Raises:
            StorageError: it was lost.
        """
        ...

    def release(self) -> None:
        """Let others work; once or more often."""
        ...

    def __enter__(self) -> Self:
        """Itself."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Release it."""
        ...


class Storage(Protocol):
    """A folder of files: one of this machine, or the objects under a prefix.

    Names are relative to it, with ``/`` between folders; a folder is there while it holds a file.
    Single files are there whole or not at all. Whatever can't be read because of the way there
    (no access, no connection) is a StorageError; a file that is not what it should be, or is
    missing, a CorruptFileError.
    """

    @property
    def location(self) -> str:
        """Its path or URL, without credentials."""
        ...

    @property
    def at_once(self) -> int:
        """How many files it is best to ask for at a time, from as many threads."""
        ...

    def at(self, folder: str) -> "Storage":
        """A folder in it, which need not be there."""
        ...

    def where(self, name: str) -> str:
        """What to call a file in a message."""
        ...

    def exists(self) -> bool:
        """Whether there is such a folder, or anything under the prefix."""
        ...

    def is_same(self, other: "Storage") -> bool:
        """Whether ``other`` is this very place."""
        ...

    def require_writable(self) -> None:
        """Find out whether files can be written, before minutes are spent on what they are to hold.

        Raises:
            StorageError: they can't.
        """
        ...

    def has(self, name: str) -> bool:
        """Whether there is a file."""
        ...

    def read(self, name: str) -> bytes:
        """The bytes of a file, which is no larger than any of veperf's.

        Raises:
            CorruptFileError: it is not there, is no file of its own, or is too large.
            StorageError: there is no way to it.
        """
        ...

    def open(self, name: str) -> BinaryIO:
        """A file of any size, to read here and there; the caller closes it.

        Raises:
            OSError: it can't be read (a StorageError is one).
        """
        ...

    def write(self, name: str, data: bytes) -> None:
        """Put ``data`` in place of what may be there: readers see the old file or the new one.

        Raises:
            StorageError: it can't be written; what was there is untouched.
        """
        ...

    def delete(self, names: Collection[str]) -> None:
        """Delete files, those that are there.

        Raises:
            StorageError: they can't be deleted.
        """
        ...

    def names(self) -> list[str]:
        """The files in it and in its folders, in order; those that begin with a dot left out.

        Raises:
            CorruptFileError: there is something else than files and folders, or no folder.
            StorageError: there is no way to it.
        """
        ...

    def folders(self, *names: str) -> dict[str, dict[str, int]]:
        """The folders directly in it that have one of these files, and when each was written.

        In ns since 1970, as far as the place knows. One question, however many folders there are;
        none where there is nothing. Links are no folders.

        Raises:
            StorageError: there is no way to it.
        """
        ...

    def holds(self, folder: str, name: str) -> bool:
        """Whether ``folder``, directly in it, has the file ``name``; as ``folders``, for one."""
        ...

    def strangers(self) -> dict[str, str]:
        """What lies directly in it and is no file or folder of anybody's, by name, and why."""
        ...

    def remove(self, folder: str) -> None:
        """Take a folder away: at once for whoever reads, then file by file.

        Raises:
            StorageError: it can't be removed.
        """
        ...

    def sweep(self) -> None:
        """End what killed ``remove`` and ``fill`` began; for who alone works here."""
        ...

    def fill(self, folder: str, lock: Lock) -> AbstractContextManager[Path]:
        """A local folder for files; at the end they are in ``folder``, which is there at once.

        ``lock`` is checked right before.

        Raises:
            StorageError: they can't be written, or the lock was lost; nothing is there then.
        """
        ...

    def lock(self) -> Lock:
        """Wait until nobody else has the lock of this folder, and take it.

        A process that dies lets go.

        Raises:
            StorageError: the folder can't be locked.
        """
        ...

    def try_lock(self) -> Lock | None:
        """The same without waiting for who has it: None then. The folder is made if need be."""
        ...

    def serve(self, connection: "DuckDBPyConnection", names: Iterable[str]) -> list[str]:
        """Let DuckDB read files; returns what it is to call them, in that order."""
        ...
