"""Files that are there whole, or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from veperf.core.errors import StorageError


def replace_file(path: Path, data: bytes, temporary: Path) -> None:
    """Put ``data`` in the place of ``path``; when this returns it is there even if power fails.

    It is written to ``temporary``, in the same folder, synced and moved: whoever is killed leaves
    the old file or the new one. No two may write to one temporary file at the same time.

    Raises:
        StorageError: it can't be written; the old file is untouched.
    """
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise StorageError(error.errno, f"can't write {path}: {error.strerror or error}") from error
