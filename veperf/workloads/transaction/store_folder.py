"""The folder of a chain's stores: its database, opened with care, and errors of our own.

LMDB makes a new database of a file that is gone or empty, and reads past the end of one that was
cut off. Neither may happen to a chain.
"""

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import disk_usage

import lmdb

from veperf.core.errors import CorruptFileError, DataError, NewerFormatError, StorageError
from veperf.workloads.atomic_file import sync_folder
from veperf.workloads.transaction.records import DamageError, read_names, write_names

# Format history:
#   1  every node that a commit made
#   2  change sets and snapshots of one tree
#   3  of several trees, committed together
STORE_FORMAT = 3

_DATA = "data.mdb"
_READERS = "lock.mdb"
"""LMDB's list of who reads, which it maps."""
_MARKER = "store"
"""Empty file that is there once the store has been, and locked while a process has it open."""
_FORMAT_KEY = b"format"
_LITTLE_SPACE = 1 << 20
"""Bytes; with less a write failed for lack of space, whatever the database says."""
_NO_SPACE = "no space left on the disk; free some and try again"
_MAX_DIGITS = 9


class StoreFolder:
    """The database in a folder, and transactions on it."""

    def __init__(self, path: Path, names: tuple[str, ...], max_bytes: int) -> None:
        """Open the database of the stores ``names`` in the folder ``path``, or create it.

        Raises:
            StorageError: the folder can't be written, or another process has it open.
            NewerFormatError: a later version of veperf wrote it.
            DataError: an earlier version wrote it, whose format is no longer read, or it holds
                other stores.
            CorruptFileError: it holds something else, or lost its file.
        """
        self.path = path
        self._open_files = ExitStack()
        with self._translated_errors("can't be opened"):
            path.mkdir(parents=True, exist_ok=True)
            self._check_presence()
            self._check_space()
            self._environment = lmdb.open(str(path), map_size=max_bytes)
            self._open_files.callback(self._environment.close)
            try:
                self._check_length()
                with self._environment.begin(write=True) as transaction:
                    self._check_content(transaction, names)
                if not (path / _MARKER).exists():
                    (path / _MARKER).touch()
                    # LMDB syncs its file, but not that the folder has it.
                    sync_folder(path)
                    sync_folder(path.parent)
                self._lock()
            except BaseException:
                self.close()
                raise

    @contextmanager
    def reading(self, what: str) -> Iterator[lmdb.Transaction]:
        """Read in a transaction: values are views of the mapped file, valid in its block alone.

        Raises:
            CorruptFileError: records are missing or damaged; the message says ``what``.
        """
        with (
            self._translated_errors(f"can't be read: {what}"),
            self._environment.begin(buffers=True) as transaction,
        ):
            yield transaction

    @contextmanager
    def writing(self, version: int) -> Iterator[lmdb.Transaction]:
        """Write in a transaction, which is synced at the end of the block, or leaves nothing.

        Raises:
            CorruptFileError: records are missing or damaged.
            StorageError: it can't be written.
        """
        with (
            self._translated_errors(f"can't be written: version {version}"),
            self._environment.begin(write=True) as transaction,
        ):
            yield transaction

    def close(self) -> None:
        """Close the files."""
        self._open_files.close()

    def _lock(self) -> None:
        # LMDB lets processes take turns, but each would replace commits that it doesn't know of.
        # This kind of lock ends with its process, even if processes forked from it live on; LMDB
        # itself refuses to open a folder twice in one.
        marker = self._open_files.enter_context((self.path / _MARKER).open("ab"))
        try:
            fcntl.lockf(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            message = "another process has it open; end that one, or use another folder"
            raise BlockingIOError(message) from error

    def _check_presence(self) -> None:
        data = self.path / _DATA
        if (self.path / _MARKER).exists() and not (data.exists() and data.stat().st_size):
            raise CorruptFileError(
                f"{data} is empty or gone, but a store was here; restore it from a copy, or delete "
                "the folder to begin anew"
            )

    def _check_space(self) -> None:
        # LMDB makes the list as a hole in the file: writing to it on a full disk kills the process.
        readers = self.path / _READERS
        has_space = readers.exists() and readers.stat().st_blocks
        if not has_space and disk_usage(self.path).free < _LITTLE_SPACE:
            raise OSError(_NO_SPACE)

    def _check_length(self) -> None:
        # LMDB maps the file: reading past the end of one that was cut off kills the process.
        used = (self._environment.info()["last_pgno"] + 1) * self._environment.stat()["psize"]
        size = (self.path / _DATA).stat().st_size
        if size < used:
            raise CorruptFileError(
                f"{self.path} was cut off: {size} of {used} bytes; restore it from a copy"
            )

    def _check_content(self, transaction: lmdb.Transaction, names: tuple[str, ...]) -> None:
        number = bytes(transaction.get(_FORMAT_KEY, b""))
        if not number:
            if transaction.stat()["entries"]:
                raise CorruptFileError(f"{self.path} holds another program's database")
            transaction.put(_FORMAT_KEY, b"%d" % STORE_FORMAT)
            write_names(transaction, names)
        elif not number.isdigit() or len(number) > _MAX_DIGITS:
            raise CorruptFileError(f"{self.path} does not hold a readable store")
        elif int(number) > STORE_FORMAT:
            raise NewerFormatError(
                f"{self.path} has format {int(number)}, this veperf reads {STORE_FORMAT}; "
                "update veperf"
            )
        elif int(number) < STORE_FORMAT:
            raise DataError(
                f"{self.path} has format {int(number)}, which is no longer read (it is "
                f"{STORE_FORMAT} now); delete it and make it anew"
            )
        elif (present := read_names(transaction)) != names:
            raise DataError(
                f"{self.path} holds {_listed(present)}, not {_listed(names)}; open it with its own "
                "names, or use another folder"
            )

    @contextmanager
    def _translated_errors(self, what: str) -> Iterator[None]:
        """Raise our own errors for those of the database."""
        try:
            yield
        except (
            DamageError,
            lmdb.InvalidError,
            lmdb.VersionMismatchError,
            lmdb.CorruptedError,
            lmdb.PageNotFoundError,
        ) as error:
            raise CorruptFileError(
                f"the store in {self.path} {what}: {error}; restore it from a copy"
            ) from error
        except (OSError, lmdb.Error) as error:
            # LMDB reports a write that was cut short as an input/output error.
            is_full = (
                "Input/output error" in str(error) and disk_usage(self.path).free < _LITTLE_SPACE
            )
            reason = _NO_SPACE if is_full else error
            raise StorageError(f"the store in {self.path} {what}: {reason}") from error


def _listed(names: tuple[str, ...]) -> str:
    return f"the stores {', '.join(names)}" if any(names) else "a single tree"
