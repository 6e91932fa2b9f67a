"""One measurement at a time on a host, whatever number of workers it has."""

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
def alone(cancelled: Callable[[], bool], folder: Path | None = None) -> Iterator[int | None]:
    """Hold the host's lock; yields its descriptor, or None once ``cancelled`` said to give up.

    The lock ends with the last process that has the descriptor, however that ends: a process that
    measures inherits it, so that what outlives its worker for a moment is still alone.

    Raises:
        MeasureError: the lock can't be opened.
    """
    with _opened(folder) as handle:
        got_it = _wait(lambda: _lock(handle, fcntl.LOCK_EX), cancelled)
        yield handle if got_it else None


@contextmanager
def together(
    name: str, cancelled: Callable[[], bool], folder: Path | None = None
) -> Iterator[bool]:
    """As ``alone``, with others of the same ``name``: those who measure one thing together."""
    with _opened(folder) as handle:
        yield _wait(lambda: _lock_as(handle, name.encode()), cancelled)


def _lock_as(handle: int, name: bytes) -> bool:
    """Share the lock with those of ``name``, which the first of them writes into the file.

    ``flock`` does not turn an exclusive lock into a shared one at a stroke (flock(2)): whoever gets
    in between writes a name of its own, which is read once the lock is shared.
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


def _lock(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(locked: Callable[[], bool], cancelled: Callable[[], bool]) -> bool:
    while not cancelled():
        if locked():
            return True
        time.sleep(_POLL_S)
    return False


@contextmanager
def _opened(folder: Path | None) -> Iterator[int]:
    path = (folder or Path(tempfile.gettempdir())) / _LOCK
    try:
        handle = _open(path)
    except OSError as error:
        raise MeasureError(
            f"can't open {path}, the lock of this host: {error.strerror}; whoever has made it "
            "must remove it or let others write it"
        ) from error
    try:
        yield handle
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    """Open the lock for writing, whichever user made it.

    Without O_CREAT at first: of a file of somebody else's in a folder like /tmp the kernel refuses
    that, whatever its mode (fs.protected_regular).
    """
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        handle = os.open(path, flags | os.O_CREAT)
        os.fchmod(handle, 0o666)
        return handle
