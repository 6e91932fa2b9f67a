"""Run-queue wait and CPU time of a process and all that it has started, and of all others.

Read from /proc (proc(5), and Documentation/scheduler/sched-stats.rst for ``schedstat``). Where a
kernel keeps no run-queue wait, and elsewhere than on Linux, nothing is known.
"""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from veperf.core.load import CpuContention
from veperf.measure.cpus import usable_cpus

_PROC = Path("/proc")
# Fields of /proc/PID/stat behind the name, which may hold blanks: ppid, and utime, stime, cutime
# and cstime, the last two of children that have ended.
_PARENT = 1
_CPU_TIMES = slice(11, 15)
# Columns of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal.
_BUSY = (0, 1, 2, 5, 6)
_STEAL = 7


EndOfWatch = Callable[[], CpuContention | None]


def watch_contention(pid: int | None = None, *, proc: Path = _PROC) -> EndOfWatch:
    """Read the CPU times of ``pid`` (this process) and its children; return a function for later.

    That function returns the contention since then, for the process and all that it has started,
    children of children included; None where the system does not tell.
    """
    pid = os.getpid() if pid is None else pid
    before = _Reading.of(proc, pid)

    def since() -> CpuContention | None:
        after = _Reading.of(proc, pid)
        return None if before is None or after is None else before.contention(after)

    return since


def boot_id() -> str:
    """Return the id of the running kernel, the same in all its containers; empty where unknown."""
    return _text(_PROC / "sys/kernel/random/boot_id").strip()


@dataclass(frozen=True, slots=True)
class _Reading:
    at_s: float
    cpus: tuple[int, ...]
    ran_ticks: int
    waited_ns: dict[tuple[int, int], int]
    """Run-queue wait by process and thread."""
    busy_ticks: int
    stolen_ticks: int

    @classmethod
    def of(cls, proc: Path, pid: int) -> Self | None:
        cpus = usable_cpus()
        columns = [_cpu_columns(proc, cpu) for cpu in cpus]
        stats = _stats(proc)
        waited_ns: dict[tuple[int, int], int] = {}
        ran_ticks = 0
        for member in _tree(pid, stats):
            ran_ticks += sum(map(int, stats[member][_CPU_TIMES]))
            waited_ns |= {(member, thread): ns for thread, ns in _waits(proc, member)}
        if not waited_ns or not all(columns):
            return None
        return cls(
            at_s=time.monotonic(),
            cpus=cpus,
            ran_ticks=ran_ticks,
            waited_ns=waited_ns,
            busy_ticks=sum(each[i] for each in columns for i in _BUSY),
            stolen_ticks=sum(each[_STEAL] for each in columns),
        )

    def contention(self, later: Self) -> CpuContention | None:
        if self.cpus != later.cpus:
            return None
        tick_s = 1 / os.sysconf("SC_CLK_TCK")
        ran_s = max(later.ran_ticks - self.ran_ticks, 0) * tick_s
        waited_ns = sum(ns - self.waited_ns.get(who, 0) for who, ns in later.waited_ns.items())
        busy_s = (later.busy_ticks - self.busy_ticks) * tick_s
        return CpuContention(
            seconds=later.at_s - self.at_s,
            cpus=len(self.cpus),
            ran_s=ran_s,
            waited_s=max(waited_ns, 0) / 1e9,
            # The system counts both in ticks, though not the same ones.
            others_s=max(busy_s - ran_s, 0.0),
            stolen_s=max(later.stolen_ticks - self.stolen_ticks, 0) * tick_s,
        )


def _cpu_columns(proc: Path, cpu: int) -> list[int]:
    """Return the ticks of ``cpu`` since boot; empty where they are unknown."""
    for line in _text(proc / "stat").splitlines():
        name, _, ticks = line.partition(" ")
        if name == f"cpu{cpu}":
            columns = [int(count) for count in ticks.split()]
            return columns if len(columns) > _STEAL else []
    return []


def _stats(proc: Path) -> dict[int, list[str]]:
    """Return the fields of each process's stat from its state on, by process id."""
    stats: dict[int, list[str]] = {}
    for entry in _entries(proc):
        if entry.name.isdecimal():
            fields = _text(entry / "stat").rpartition(")")[2].split()
            if len(fields) >= _CPU_TIMES.stop:
                stats[int(entry.name)] = fields
    return stats


def _tree(pid: int, stats: dict[int, list[str]]) -> Iterator[int]:
    """Yield ``pid`` and all that it has started, directly or not."""
    children: dict[int, list[int]] = {}
    for member, fields in stats.items():
        children.setdefault(int(fields[_PARENT]), []).append(member)
    waiting = [pid] if pid in stats else []
    while waiting:
        member = waiting.pop()
        yield member
        waiting += children.get(member, [])


def _waits(proc: Path, pid: int) -> Iterator[tuple[int, int]]:
    """Yield each thread of ``pid`` with the ns for which it has waited in a run queue."""
    for thread in _entries(proc / str(pid) / "task"):
        fields = _text(thread / "schedstat").split()
        if len(fields) > 1:
            yield int(thread.name), int(fields[1])


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []  # the process has ended, or there is no /proc


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
