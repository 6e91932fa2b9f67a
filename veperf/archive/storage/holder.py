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
    return Holder(machine, os.getpid(), _begun(os.getpid()) if machine else "")


def is_gone(holder: Holder) -> bool:
    """Whether the process is known to be dead: it was on this machine, and is no more."""
    return (
        bool(_machine())
        and holder.machine == _machine()
        and _begun(holder.process) != (holder.begun)
    )


def lives(holder: Holder) -> bool:
    """Whether it is known to live: on this machine."""
    return bool(_machine()) and holder.machine == _machine() and not is_gone(holder)


@cache
def _machine() -> str:
    """This boot of this machine, and the name space in which process numbers mean something."""
    try:
        space = Path("/proc/self/ns/pid").readlink()
        return sha256(f"{_BOOT.read_text()}{space}".encode()).hexdigest()[:16]
    except OSError:
        return ""


def _begun(process: int) -> str:
    """Field 22 of /proc/<pid>/stat; empty where there is no such process."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text(errors="replace")
    except OSError:
        return ""
    # The second field is a name in brackets, which may hold anything.
    fields = stat.rpartition(")")[2].split()
    return fields[19] if len(fields) > 19 and fields[0] not in "ZX" else ""
