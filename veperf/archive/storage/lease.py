"""A lease: a lock among machines, made of objects that can be written, listed and deleted.

A process that needs the lock writes a claim of its own into ``.lock/`` and lists all claims. If
there is no other, it has the lock; else it deletes its claim and tries again a little later. Of two
processes that claim at the same time, at least the later one sees the other's claim, wherever a
listing shows what was written before it (S3, Google, Azure and file systems do). The owner rewrites
its claim every few seconds. A claim that stayed the same for a minute of a waiting process's own
clock, or whose process no longer runs on the same machine, is dead: the waiting process deletes it.
Claims have random names, so nobody deletes another one by mistake, and clocks need not agree.

An owner that could not renew its claim for so long that others may consider it dead loses the lock:
``check`` raises.
"""

import errno
import os
import random
import secrets
import threading
import time
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from veperf.archive.files import decode_json
from veperf.archive.storage.base import Lock
from veperf.archive.storage.lock import PATIENCE_S, Notify, SlowWaitNotice, ignore_notice
from veperf.archive.storage.objects import Objects
from veperf.core.errors import CorruptFileError, StorageError

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class LockOwner(Struct, frozen=True):
    """A process that holds or wants the lock."""

    machine: str
    """A hash that tells only whether two machines are the same; empty where the system gives none,
    in which case nobody can see whether the process is alive."""
    process: int
    begun: str
    """Start time in clock ticks: a later process may get the same number."""


def current_process() -> LockOwner:
    """Return this process as a lock owner."""
    machine = _machine_id()
    return LockOwner(machine, os.getpid(), (_start_time(os.getpid()) or "") if machine else "")


def is_dead(holder: LockOwner) -> bool:
    """Return whether the process is known to be dead: it ran on this machine and is gone."""
    if not _is_on_this_machine(holder):
        return False
    begun = _start_time(holder.process)
    return begun != holder.begun if begun is not None else not _process_exists(holder.process)


def is_alive(holder: LockOwner) -> bool:
    """Return whether the process is known to run on this machine."""
    return _is_on_this_machine(holder) and not is_dead(holder)


def _is_on_this_machine(holder: LockOwner) -> bool:
    return bool(holder.machine) and holder.machine == _machine_id()


@cache
def _machine_id() -> str:
    """Return a hash of the machine's boot id and the PID name space; empty where unavailable."""
    try:
        space = Path("/proc/self/ns/pid").readlink()
        return sha256(f"{_BOOT.read_text()}{space}".encode()).hexdigest()[:16]
    except OSError:
        return ""


def _start_time(process: int) -> str | None:
    """Return field 22 of /proc/<pid>/stat; empty if dead, None if not visible."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The second field is a name in brackets, which may contain anything.
    fields = stat.rpartition(")")[2].split()
    return fields[19] if fields[0] not in "ZX" else ""


def _process_exists(process: int) -> bool:
    """Return whether the process exists, even where other users' processes are hidden."""
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


FOLDER = ".lock"
_MAX_CLAIM_BYTES = 4_096
"""Largest part of a claim that is read; a claim is far smaller."""


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """Intervals and limits of a lease, in seconds."""

    renew_s: float = 10.0
    lost_s: float = 30.0
    """Time without a renewal after which the owner considers its claim lost."""
    dead_s: float = 60.0
    """Time without a renewal after which others consider a claim dead."""
    poll_s: float = 0.5
    patience_s: float = PATIENCE_S
    """Wait after which the user is notified."""


LEASE_TIMES = LeaseTimes()


class _Claim(Struct, frozen=True):
    holder: LockOwner
    renewed: int = 0
    """Number of renewals."""


class Lease(Lock):
    """A held lock of one folder."""

    def __init__(self, claims: Objects, times: LeaseTimes) -> None:
        self._claims = claims
        self._times = times
        self._name = secrets.token_hex(8)
        self._renewed = 0
        self._proved = 0.0
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    @classmethod
    def acquire(cls, folder: Objects, times: LeaseTimes, notify: Notify = ignore_notice) -> Self:
        """Wait for the lock; ``notify`` is called if that takes long.

        Raises:
            StorageError: the folder can't be listed or written.
        """
        watcher = _ClaimWatcher(folder.at(FOLDER), times, notify)
        while (lease := cls._try_claim(watcher)) is None:
            watcher.pause()
        return lease

    @classmethod
    def try_acquire(
        cls, folder: Objects, times: LeaseTimes, notify: Notify = ignore_notice
    ) -> Self | None:
        """Return the lock, or None if a living process holds it; that takes up to one renewal.

        Raises:
            StorageError: as ``acquire``.
        """
        watcher = _ClaimWatcher(folder.at(FOLDER), times, notify)
        while (lease := cls._try_claim(watcher)) is None:
            if watcher.sees_living_owner:
                return None
            watcher.pause()
        return lease

    @classmethod
    def _try_claim(cls, watcher: "_ClaimWatcher") -> Self | None:
        if watcher.has_other_claims(""):
            return None
        lease = cls(watcher.claims, watcher.times)
        lease._renew()
        try:
            alone = not watcher.has_other_claims(lease._name)
        except BaseException:
            lease.release()
            raise
        if not alone:
            lease.release()
            return None
        lease._thread = threading.Thread(target=lease._renew_regularly, daemon=True)
        lease._thread.start()
        return lease

    def check(self) -> None:
        """Confirm that the lock is still held; call this before every destructive step.

        Raises:
            StorageError: it was lost.
        """
        away_s = time.monotonic() - self._proved
        if self._done.is_set() or away_s > self._times.lost_s:
            raise StorageError(
                errno.ESTALE,
                f"lost the lock in {self._claims.url}: for {away_s:.0f} s it could not be renewed, "
                "so another process may hold it now; call again",
            )

    def release(self) -> None:
        """Release the lock. A claim that can't be deleted expires by itself."""
        if self._done.is_set():
            return
        self._done.set()
        if self._thread is not None:
            self._thread.join()
        try:
            self._claims.delete([self._name])
        except StorageError:
            return

    def _renew(self) -> None:
        started = time.monotonic()
        self._claims.put(self._name, msgspec.json.encode(_Claim(current_process(), self._renewed)))
        self._proved, self._renewed = started, self._renewed + 1

    def _renew_regularly(self) -> None:
        while not self._done.wait(self._times.renew_s):
            # A claim that others may have deleted must not come back.
            if time.monotonic() - self._proved > self._times.lost_s:
                return
            try:
                self._renew()
            except StorageError:
                continue


class _ClaimWatcher:
    """A waiting process's view of the claims, over time."""

    def __init__(self, claims: Objects, times: LeaseTimes, notify: Notify) -> None:
        self.claims = claims
        self.times = times
        line = (
            f"waiting for another process that holds {claims.url}; "
            f"if it died, its lock expires after {times.dead_s:.0f} s"
        )
        self._notice = SlowWaitNotice(notify, line, times.patience_s)
        self.sees_living_owner = False
        """True if one of the claims is known to belong to a living process."""
        self._seen: dict[str, tuple[bytes, float]] = {}
        """Content of each claim, and the time since which it has been the same."""

    def pause(self) -> None:
        """Sleep for a random time, so that two processes that try at once drift apart."""
        self._notice.notify_if_slow()
        time.sleep(self.times.poll_s * random.uniform(0.5, 1.5))  # noqa: S311 - no secret

    def has_other_claims(self, own: str) -> bool:
        """Return whether there are claims beside ``own``; dead ones are deleted.

        Raises:
            StorageError: the claims can't be listed.
        """
        names = [name for name in self.claims.listing() if name != own]
        dead = [name for name in names if self._is_dead(name)]
        self.claims.delete(dead)
        return len(dead) < len(names)

    def _is_dead(self, name: str) -> bool:
        try:
            data = self.claims.get(name, 0, _MAX_CLAIM_BYTES)
        except CorruptFileError:  # just withdrawn
            return False
        now, was_seen = time.monotonic(), name in self._seen
        before, since = self._seen.setdefault(name, (data, now))
        if before != data:
            self._seen[name] = data, now
            self.sees_living_owner = True
            return False
        try:
            holder = decode_json(data, name, _Claim).holder
        except CorruptFileError:
            return now - since > self.times.dead_s
        # A claim that is seen once may belong to a process that is only trying, too.
        self.sees_living_owner = self.sees_living_owner or (was_seen and is_alive(holder))
        return is_dead(holder) or now - since > self.times.dead_s
