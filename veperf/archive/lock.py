"""One process at a time: for what changes several files of a folder at once."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from veperf.archive.files import storage_error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait until nobody else holds ``folder``, and hold it; a process that dies lets go.

    Raises:
        StorageError: there is no such folder.
    """
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise storage_error(folder, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
