"""The lock of a host: at most one measurement at a time, however many workers it has."""

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from veperf.core.errors import MeasureError

_LOCK = "veperf-measuring.lock"
_POLL_S = 0.2


@contextmanager
def exclusive_host_lock(
    is_cancelled: Callable[[], bool], folder: Path | None = None
) -> Iterator[int | None]:
    """Hold the host's lock; yield its descriptor, or None if ``is_cancelled`` before it is free.

    The lock ends with the last process that has the descriptor, however that ends: a process that
    measures inherits it, so that no other measurement starts while it outlives its worker.

    Raises:
        MeasureError: the lock can't be opened.
    """
    with _lock_file(folder) as handle:
        is_locked = _wait(lambda: _lock(handle, fcntl.LOCK_EX), is_cancelled)
        yield handle if is_locked else None


@contextmanager
def shared_host_lock(
    name: str, is_cancelled: Callable[[], bool], folder: Path | None = None
) -> Iterator[bool]:
    """Hold the host's lock together with others of the same ``name``, the parts of one load.

    Yields False if ``is_cancelled`` before the lock is free.
    """
    with _lock_file(folder) as handle:
        yield _wait(lambda: _lock_as(handle, name.encode()), is_cancelled)


def _lock_as(handle: int, name: bytes) -> bool:
    """Share the lock with those of ``name``, which the first of them writes into the file.

    ``flock`` does not turn an exclusive lock into a shared one atomically (flock(2)): a process
    that gets in between writes its own name, which is read once the lock is shared.
    """
    if _lock(handle, fcntl.LOCK_EX):
        os.ftruncate(handle, 0)
        os.pwrite(handle, name, 0)
    if not _lock(handle, fcntl.LOCK_SH):
        return False
    if os.pread(handle, len(name) + 1, 0) == name:
        return True
    fcntl.flock(handle, fcntl.LOCK_UN)
    return False


def _lock(handle: int, operation: int) -> bool:
    try:
        fcntl.flock(handle, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(try_lock: Callable[[], bool], is_cancelled: Callable[[], bool]) -> bool:
    while not is_cancelled():
        if try_lock():
            return True
        time.sleep(_POLL_S)
    return False


@contextmanager
def _lock_file(folder: Path | None) -> Iterator[int]:
    path = (folder or Path(tempfile.gettempdir())) / _LOCK
    try:
        handle = _open(path)
    except OSError as error:
        raise MeasureError(
            f"can't open {path}, the lock of this host: {error.strerror}; its owner must remove it "
            "or let others write it"
        ) from error
    try:
        yield handle
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    """Open the lock for writing, whichever user made it.

    Without O_CREAT at first: the kernel refuses that for another user's file in a folder like /tmp,
    whatever its mode (fs.protected_regular).
    """
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        handle = os.open(path, flags | os.O_CREAT)
        os.fchmod(handle, 0o666)
        return handle
