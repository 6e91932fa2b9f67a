"""The lock of a local folder, and the notice to the user when waiting for a lock takes long."""

import fcntl
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeAlias

from veperf.archive.files import file_write_error
from veperf.archive.storage.base import Lock

Notify: TypeAlias = Callable[[str], None]
"""Shows a line to the user; the archive itself prints nothing."""
PATIENCE_S = 2.0
"""Waits shorter than this are not reported."""


def ignore_notice(line: str) -> None:
    """Drop the notice."""


@dataclass(slots=True)
class SlowWaitNotice:
    """A notice that is sent once, when a wait has lasted longer than ``patience_s``."""

    notify: Notify
    line: str
    patience_s: float = PATIENCE_S
    _began: float = field(default_factory=time.monotonic, init=False)
    _is_sent: bool = field(default=False, init=False)

    def notify_if_slow(self) -> None:
        """Send the notice if the wait has become long; call this now and then."""
        if not self._is_sent and time.monotonic() - self._began > self.patience_s:
            self._is_sent = True
            self.notify(self.line)


class FolderLock(Lock):
    """An exclusive lock (flock) of a local folder; it ends when its process dies."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def acquire(cls, folder: Path, notify: Notify = ignore_notice) -> Self:
        """Wait for the lock; ``notify`` is called if that takes long.

        Raises:
            StorageError: there is no such folder.
        """
        if (lock := cls.try_acquire(folder)) is not None:
            return lock
        line = f"waiting for another process that holds the lock of {folder}"
        timer = threading.Timer(PATIENCE_S, notify, [line])
        timer.daemon = True
        handle = _open_folder(folder)
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
    def try_acquire(cls, folder: Path) -> Self | None:
        """Return the lock, or None if another process holds it.

        Raises:
            StorageError: there is no such folder.
        """
        handle = _open_folder(folder)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return None
        return cls(handle)

    def check(self) -> None:
        """Do nothing: the system never takes this lock from a living process."""

    def release(self) -> None:
        """Release the lock."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _open_folder(folder: Path) -> int:
    try:
        return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise file_write_error(folder, error) from error
