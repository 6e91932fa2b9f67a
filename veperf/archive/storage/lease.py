"""A lock among machines, made of nothing but objects that can be put, listed and deleted.

Who wants it puts a claim of its own into ``.lock/`` and lists them: with no other claim there, it
has the lock; else it takes its claim back and tries again a little later. Of two who claim at
once, the later one's listing shows the other's, wherever a listing shows what was written before
it (S3, Google, Azure and file systems do). The holder writes its claim anew every few seconds. A
claim that stayed the same for a minute of an onlooker's own clock, or whose process is gone from
the onlooker's machine, is a dead one's: the onlooker deletes it. Claims have random names, so
nobody deletes another one's by mistake, and clocks need not agree.

A holder that could not renew its claim for long enough that others may take it for dead loses it:
``check`` says so.
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
from veperf.archive.storage.notify import PATIENCE_S, Tell, Wait, silent
from veperf.archive.storage.objects import Objects
from veperf.core.errors import CorruptFileError, StorageError

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Holder(Struct, frozen=True):
    """A process. The machine is a hash that tells nothing but whether it is the same one."""

    machine: str
    """Empty where the system does not say; then nobody can see whether the process lives."""
    process: int
    begun: str
    """When, in the system's own count: another process may get the number later."""


def this_process() -> Holder:
    """The one that asks."""
    machine = _machine()
    return Holder(machine, os.getpid(), (_begun(os.getpid()) or "") if machine else "")


def is_gone(holder: Holder) -> bool:
    """Whether the process is known to be dead: it was on this machine, and is no more."""
    if not _is_here(holder):
        return False
    begun = _begun(holder.process)
    return begun != holder.begun if begun is not None else not _exists(holder.process)


def lives(holder: Holder) -> bool:
    """Whether it is known to live: on this machine."""
    return _is_here(holder) and not is_gone(holder)


def _is_here(holder: Holder) -> bool:
    return bool(holder.machine) and holder.machine == _machine()


@cache
def _machine() -> str:
    """This boot of this machine, and the name space in which process numbers mean something."""
    try:
        space = Path("/proc/self/ns/pid").readlink()
        return sha256(f"{_BOOT.read_text()}{space}".encode()).hexdigest()[:16]
    except OSError:
        return ""


def _begun(process: int) -> str | None:
    """Field 22 of /proc/<pid>/stat; empty of the dead; None where it can't be seen."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The second field is a name in brackets, which may hold anything.
    fields = stat.rpartition(")")[2].split()
    return fields[19] if fields[0] not in "ZX" else ""


def _exists(process: int) -> bool:
    """Also where other users' processes are hidden."""
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


FOLDER = ".lock"
_LARGEST = 4_096
"""Bytes of a claim, of which more than enough are read."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a claim is renewed and looked at, in seconds."""

    renew_s: float = 10.0
    lost_s: float = 30.0
    """After so long without a renewal the holder counts its claim as lost."""
    dead_s: float = 60.0
    """After so long without a renewal others do."""
    look_s: float = 0.5
    patience_s: float = PATIENCE_S
    """Who waits for longer says so."""


PACE = Pace()


class _Claim(Struct, frozen=True):
    holder: Holder
    renewed: int = 0
    """How often."""


class Lease:
    """The lock of one folder, held."""

    def __init__(self, claims: Objects, pace: Pace) -> None:
        self._claims = claims
        self._pace = pace
        self._name = secrets.token_hex(8)
        self._renewed = 0
        self._proved = 0.0
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    @classmethod
    def waited_for(cls, folder: Objects, pace: Pace, tell: Tell = silent) -> Self:
        """Wait until nobody else has it; ``tell`` takes that it takes long.

        Raises:
            StorageError: the folder can't be listed or written.
        """
        onlooker = _Onlooker(folder.at(FOLDER), pace, tell)
        while (lease := cls._claimed(onlooker)) is None:
            onlooker.pause()
        return lease

    @classmethod
    def tried(cls, folder: Objects, pace: Pace, tell: Tell = silent) -> Self | None:
        """None where somebody has it who is seen to live; that may take a renewal's time.

        Raises:
            StorageError: as ``waited_for``.
        """
        onlooker = _Onlooker(folder.at(FOLDER), pace, tell)
        while (lease := cls._claimed(onlooker)) is None:
            if onlooker.sees_life:
                return None
            onlooker.pause()
        return lease

    @classmethod
    def _claimed(cls, onlooker: "_Onlooker") -> Self | None:
        if onlooker.others(""):
            return None
        lease = cls(onlooker.claims, onlooker.pace)
        lease._renew()
        try:
            alone = not onlooker.others(lease._name)
        except BaseException:
            lease.release()
            raise
        if not alone:
            lease.release()
            return None
        lease._thread = threading.Thread(target=lease._keep, daemon=True)
        lease._thread.start()
        return lease

    def check(self) -> None:
        """To be called before a step that would do harm if somebody else held the lock by now.

        Raises:
            StorageError: it was lost.
        """
        away_s = time.monotonic() - self._proved
        if self._done.is_set() or away_s > self._pace.lost_s:
            raise StorageError(
                errno.ESTALE,
                f"lost the lock in {self._claims.url}: for {away_s:.0f} s it could not be renewed, "
                "so that somebody else may work there now; call again",
            )

    def release(self) -> None:
        """Let others work. Where the claim can't be deleted, it dies by itself."""
        if self._done.is_set():
            return
        self._done.set()
        if self._thread is not None:
            self._thread.join()
        try:
            self._claims.delete([self._name])
        except StorageError:
            return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.release()

    def _renew(self) -> None:
        asked = time.monotonic()
        self._claims.put(self._name, msgspec.json.encode(_Claim(this_process(), self._renewed)))
        self._proved, self._renewed = asked, self._renewed + 1

    def _keep(self) -> None:
        while not self._done.wait(self._pace.renew_s):
            # A claim that others have deleted must not come back.
            if time.monotonic() - self._proved > self._pace.lost_s:
                return
            try:
                self._renew()
            except StorageError:
                continue


class _Onlooker:
    """Who looks at the claims again and again."""

    def __init__(self, claims: Objects, pace: Pace, tell: Tell) -> None:
        self.claims = claims
        self.pace = pace
        line = (
            f"waiting for whoever holds {claims.url}; "
            f"if that process died, it is over after {pace.dead_s:.0f} s"
        )
        self._wait = Wait(tell, line, pace.patience_s)
        self.sees_life = False
        """Whether one of the claims is known to be a living process's."""
        self._seen: dict[str, tuple[bytes, float]] = {}
        """The content of each claim, and since when it has been the same."""

    def pause(self) -> None:
        """Let some time pass, not always the same: two who try at once part."""
        self._wait.look()
        time.sleep(self.pace.look_s * random.uniform(0.5, 1.5))  # noqa: S311 - no secret

    def others(self, own: str) -> bool:
        """Whether there are claims beside ``own``; those of the dead are deleted.

        Raises:
            StorageError: the claims can't be listed.
        """
        names = [name for name in self.claims.listing() if name != own]
        dead = [name for name in names if self._is_dead(name)]
        self.claims.delete(dead)
        return len(dead) < len(names)

    def _is_dead(self, name: str) -> bool:
        try:
            data = self.claims.get(name, 0, _LARGEST)
        except CorruptFileError:  # just taken back
            return False
        now, known = time.monotonic(), name in self._seen
        before, since = self._seen.setdefault(name, (data, now))
        if before != data:
            self._seen[name] = data, now
            self.sees_life = True
            return False
        try:
            holder = decode_json(data, name, _Claim).holder
        except CorruptFileError:
            return now - since > self.pace.dead_s
        # One that is seen once may be of somebody who only tries, too.
        self.sees_life = self.sees_life or (known and lives(holder))
        return is_gone(holder) or now - since > self.pace.dead_s
