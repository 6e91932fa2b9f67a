"""Atomic, durable replacement of a file."""

import os
from contextlib import suppress
from pathlib import Path

from veperf.core.errors import StorageError


def replace_file(path: Path, data: bytes, temporary: Path) -> None:
    """Replace the contents of ``path`` with ``data``, durably: they survive a power failure.

    The data is written to ``temporary``, in the same folder, synced and moved: a process that is
    killed leaves the old file or the new one. Two writers must not share a temporary file.

    Raises:
        StorageError: the file can't be written; the old one is untouched.
    """
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StorageError(error.errno, f"can't write {path}: {error.strerror or error}") from error


def sync_folder(path: Path) -> None:
    """Make the names in the folder ``path`` durable: which files it has.

    Raises:
        OSError: it can't be synced.
    """
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
