"""Which process holds a lock, so that another one on the same machine can see that it died."""

import os
from functools import cache
from hashlib import sha256
from pathlib import Path

from msgspec import Struct

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
