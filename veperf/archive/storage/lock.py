"""The lock of a local folder, and the notice to the user when waiting for a lock takes long."""

import errno
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
LOCK_FILE = ".lock"
"""What is locked in place of a folder where folders can't be locked."""
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
    """An exclusive lock (flock) of a local folder; it ends when its process dies.

    On NFS, where only what is open for writing can be locked, it is that of a file in the folder.
    """

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
        timer.start()
        try:
            return cls(_locked(folder, fcntl.LOCK_EX))
        finally:
            timer.cancel()

    @classmethod
    def try_acquire(cls, folder: Path) -> Self | None:
        """Return the lock, or None if another process holds it.

        Raises:
            StorageError: there is no such folder.
        """
        try:
            return cls(_locked(folder, fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            return None

    def check(self) -> None:
        """Do nothing: the system never takes this lock from a living process."""

    def release(self) -> None:
        """Release the lock."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _locked(folder: Path, operation: int) -> int:
    """Return a handle that holds the lock of ``folder``.

    Raises:
        BlockingIOError: ``operation`` does not wait, and another process holds it.
        StorageError: there is no such folder, or it can't be locked.
    """
    try:
        try:
            return _flock(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), operation)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return _flock(os.open(folder / LOCK_FILE, flags, 0o666), operation)
    except BlockingIOError:
        raise
    except OSError as error:
        raise file_write_error(folder, error) from error


def _flock(handle: int, operation: int) -> int:
    """Return ``handle``, which is locked then; close it where that fails."""
    try:
        fcntl.flock(handle, operation)
    except BaseException:
        os.close(handle)
        raise
    return handle
