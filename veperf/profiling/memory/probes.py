"""What a process holds at this moment, for microseconds each."""

import gc
import os
import resource
import sys
import time
from collections.abc import Callable, Collection
from typing import Protocol

from msgspec import Struct

from veperf.core.errors import MeasureError

_RATION = 3_000
"""Between two counts that are rationed lies so many times what the first one took."""
_TRIES = 100
"""How often to go through a set that other threads change meanwhile."""


class Snapshot(Struct, frozen=True):
    """What a process holds at one moment."""

    at_s: float
    """Since the profiler was made."""
    rss_bytes: int
    """Resident memory, shared pages included."""
    blocks: int
    """Of Python's allocator in use: about as many as there are small objects."""
    gc_counts: tuple[int, int, int]
    """Objects made since the last collection of the youngest generation, and so on."""
    gc_cycles: int
    """Collections so far."""
    gc_pause_ns: int
    """Time that these took."""
    threads: int
    tasks: int
    """Tasks of asyncio that are not done, in all loops of all threads."""


class RssReader:
    """Resident memory from /proc/self/statm, which stays open."""

    def __init__(self) -> None:
        """Open it.

        Raises:
            MeasureError: there is none: the system is not Linux.
        """
        try:
            self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise MeasureError(f"resident memory can't be read: {error}") from error
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")

    def read_bytes(self) -> int:
        """Resident memory now."""
        return int(os.pread(self._statm, 128, 0).split(maxsplit=2)[1]) * self._page_bytes

    def close(self) -> None:
        """Close it. Safe to call twice."""
        if self._statm >= 0:
            os.close(self._statm)
            self._statm = -1


def highest_rss_bytes() -> int:
    """The most that was ever resident since the process began."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class Pauses:
    """How long garbage collections take; called by ``gc`` when one begins and ends."""

    def __init__(self) -> None:
        self._began_ns = 0
        self.cycles = [0, 0, 0]
        """Collections by generation."""
        self.total_ns = 0
        self.longest_ns = 0

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        """Take note of a collection."""
        now = time.perf_counter_ns()
        if phase == "start":
            self._began_ns = now
        elif self._began_ns:
            pause_ns = now - self._began_ns
            self._began_ns = 0
            self.cycles[info["generation"]] += 1
            self.total_ns += pause_ns
            if pause_ns > self.longest_ns:
                self.longest_ns = pause_ns

    def start(self) -> None:
        """Be told from now on."""
        if self not in gc.callbacks:
            gc.callbacks.append(self)

    def stop(self) -> None:
        """Be told no more."""
        if self in gc.callbacks:
            gc.callbacks.remove(self)

    def clear(self) -> None:
        """Forget all so far."""
        self.cycles = [0, 0, 0]
        self.total_ns = self.longest_ns = 0


class Rationed:
    """A count that takes the longer the more there is to count.

    Taken as often as snapshots are, it could cost more than the whole rest.
    """

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count
        self._last = 0
        self._due_ns = 0

    def fresh(self) -> int:
        """The count now."""
        began_ns = time.thread_time_ns()
        self._last = self._count()
        took_ns = time.thread_time_ns() - began_ns
        self._due_ns = time.monotonic_ns() + took_ns * _RATION
        return self._last

    def recent(self) -> int:
        """The count now; the last one, while counting again would take more than its share."""
        return self.fresh() if time.monotonic_ns() >= self._due_ns else self._last


class _Task(Protocol):
    def done(self) -> bool: ...


def count_tasks() -> int:
    """Tasks of asyncio that are not done, in all loops of all threads; 0 where nobody uses it."""
    module = sys.modules.get("asyncio.tasks")
    # asyncio itself tells of one loop only. The first name is that of Python 3.11.
    names = ("_all_tasks", "_scheduled_tasks", "_eager_tasks")
    known: list[Collection[_Task]] = [getattr(module, name, ()) for name in names]
    return sum(not task.done() for tasks in known for task in _members(tasks))


def _members(tasks: Collection[_Task]) -> list[_Task]:
    for _ in range(_TRIES):
        try:
            return list(tasks)
        except RuntimeError:  # another thread made a task meanwhile
            continue
    return []
