"""Growth of each process that this one has started, by id and name."""

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from veperf.core.escape import one_line
from veperf.core.text import format_bytes
from veperf.profiling.memory.process_probes import children_rss

_MAX_ROWS = 5
_MAX_NAME = 60
_OPTIONS_WITH_A_VALUE = ("-X", "-W")


class ChildGrowth(Struct, frozen=True):
    """Resident memory of a child process, at first and in the end."""

    pid: int
    name: str
    """Its program, or the script or module that its interpreter runs."""
    first_bytes: int
    """After the warm-up, or when it was seen first."""
    last_bytes: int

    def __repr__(self) -> str:
        grown = format_bytes(self.last_bytes - self.first_bytes)
        return (
            f"process {self.pid} ({self.name}) grew by {grown} to {format_bytes(self.last_bytes)}"
        )


class ChildWatch:
    """Resident memory of the child processes that live, in memory that follows their number."""

    def __init__(self) -> None:
        self._children: dict[int, ChildGrowth] = {}

    def read(self, *, is_warm: bool = True) -> int:
        """Return the resident bytes of all child processes now; growth counts from warm ones on."""
        resident = children_rss()
        children: dict[int, ChildGrowth] = {}
        for pid, size in resident.items():
            before = self._children.get(pid)
            name = before.name if before is not None else _program(pid)
            first = before.first_bytes if before is not None and is_warm else size
            children[pid] = ChildGrowth(pid, name, first, size)
        self._children = children
        return sum(resident.values())

    def grown(self) -> tuple[ChildGrowth, ...]:
        """Return the processes that have grown, at most five, the one that grew most first."""
        grown = [child for child in self._children.values() if child.last_bytes > child.first_bytes]
        grown.sort(key=lambda child: (child.first_bytes - child.last_bytes, child.pid))
        return tuple(grown[:_MAX_ROWS])


def _program(pid: int) -> str:
    """Return the name of a process's program, without arguments, which may be secret."""
    words = _arguments(pid)
    if not words:
        return "ended"
    if words == _arguments(os.getpid()):
        return "a fork of this process"
    return one_line(" ".join(_names(words)))[:_MAX_NAME]


def _arguments(pid: int) -> Sequence[str]:
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return ()
    return text.decode(errors="replace").rstrip("\0").split("\0") if text else ()


def _names(words: Sequence[str]) -> Sequence[str]:
    program = Path(words[0]).name
    if not program.startswith("python"):
        return [program]
    options = iter(words[1:])
    for word in options:
        if word in _OPTIONS_WITH_A_VALUE:
            next(options, "")
        elif word == "-m":
            return [program, word, next(options, "")]
        elif word == "-c":
            return [program, word]
        elif not word.startswith("-"):
            return [program, Path(word).name]
    return [program]
