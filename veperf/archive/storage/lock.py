"""One process at a time: for what changes several files of a folder at once."""

import fcntl
import os
import threading
from pathlib import Path
from typing import Self

from veperf.archive.files import storage_error
from veperf.archive.storage.notify import PATIENCE_S, Tell, silent


class FolderLock:
    """The lock of a folder of this machine; a process that dies lets go."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def waited_for(cls, folder: Path, tell: Tell = silent) -> Self:
        """Wait until nobody else has it; ``tell`` takes that it takes long.

        Raises:
            StorageError: there is no such folder.
        """
        if (lock := cls.tried(folder)) is not None:
            return lock
        line = f"waiting for another process, which has the lock of {folder}"
        timer = threading.Timer(PATIENCE_S, tell, [line])
        timer.daemon = True
        handle = _opened(folder)
        timer.start()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except BaseException:
            os.close(handle)
            raise
        finally:
            timer.cancel()
        return cls(handle)

    @classmethod
    def tried(cls, folder: Path) -> Self | None:
        """None where somebody has it.

        Raises:
            StorageError: there is no such folder.
        """
        handle = _opened(folder)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return cls(handle)

    def check(self) -> None:
        """The system takes it from nobody who lives."""

    def release(self) -> None:
        """Let others work."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()


def _opened(folder: Path) -> int:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise storage_error(folder, error) from error
