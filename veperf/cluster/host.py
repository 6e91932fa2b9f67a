"""One measurement at a time on a host, whatever number of workers it has."""

import fcntl
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = "veperf-measuring.lock"
_POLL_S = 0.2


@contextmanager
def alone(cancelled: Callable[[], bool], folder: Path | None = None) -> Iterator[bool]:
    """Hold the host's lock; yields whether it was got before ``cancelled`` said to give up.

    The lock ends with the process that holds it, however that ends.
    """
    path = (folder or Path(tempfile.gettempdir())) / _LOCK
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    handle = os.open(path, flags, 0o666)
    try:
        yield _lock(handle, cancelled)
    finally:
        os.close(handle)


def _lock(handle: int, cancelled: Callable[[], bool]) -> bool:
    while not cancelled():
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_POLL_S)
        else:
            return True
    return False
