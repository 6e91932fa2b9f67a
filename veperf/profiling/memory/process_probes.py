"""Probes of this process: resident memory, objects, tasks and garbage collections."""

import gc
import os
import resource
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Protocol

from msgspec import Struct

from veperf.core.errors import MeasureError

_COUNT_INTERVAL_FACTOR = 3_000
"""Time between two rationed counts, as a multiple of the duration of the first one."""
_TRIES = 100
"""Attempts to read a set that other threads change meanwhile."""


class Snapshot(Struct, frozen=True):
    """The memory of a process at one moment."""

    at_s: float
    """Seconds since the profiler was created."""
    rss_bytes: int
    """Resident memory, shared pages included."""
    blocks: int
    """Blocks of Python's allocator in use, about the number of small objects."""
    gc_counts: tuple[int, int, int]
    """Objects made since the last collection of the youngest generation, and so on."""
    gc_cycles: int
    """Collections so far that the program itself caused."""
    gc_pause_ns: int
    """Total time of these by the clock."""
    threads: int
    tasks: int
    """Asyncio tasks that are not done, in all loops of all threads."""


class RssReader:
    """Resident memory from /proc/self/statm, which stays open."""

    def __init__(self) -> None:
        """Open the file.

        Raises:
            MeasureError: there is none, as the system is not Linux.
        """
        try:
            self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise MeasureError(f"resident memory can't be read: {error}") from error
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")

    def read_bytes(self) -> int:
        """Return the resident memory now, in bytes."""
        return int(os.pread(self._statm, 128, 0).split(maxsplit=2)[1]) * self._page_bytes

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        if self._statm >= 0:
            os.close(self._statm)
            self._statm = -1


def peak_rss_bytes() -> int:
    """Return the peak of resident memory since the process began."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class GcPauses:
    """Durations of the collections that the program itself causes; called by ``gc``.

    A pause is measured twice: by the clock, and in CPU time of the thread that collects, which
    other work on the machine doesn't lengthen. Collections within ``forced`` don't count.
    """

    def __init__(self) -> None:
        self._began: tuple[int, int] | None = None
        self._forcing_thread: int | None = None
        self.clear()

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        """Record the begin or the end of a collection."""
        if self._forcing_thread == threading.get_ident():
            return
        now = time.perf_counter_ns(), time.thread_time_ns()
        if phase == "start":
            self._began = now
        elif self._began is not None:
            generation = info["generation"]
            pause_ns, cpu_ns = (end - begin for begin, end in zip(self._began, now, strict=True))
            self._began = None
            self.cycles[generation] += 1
            self.total_ns += pause_ns
            self.longest_ns[generation] = max(self.longest_ns[generation], pause_ns)
            self.longest_cpu_ns[generation] = max(self.longest_cpu_ns[generation], cpu_ns)

    @contextmanager
    def forced(self) -> Iterator[None]:
        """Ignore the collections of this thread for the time of the block."""
        self._forcing_thread = threading.get_ident()
        try:
            yield
        finally:
            self._forcing_thread = None

    def start(self) -> None:
        """Begin to record collections."""
        if self not in gc.callbacks:
            gc.callbacks.append(self)

    def stop(self) -> None:
        """Stop recording collections."""
        if self in gc.callbacks:
            gc.callbacks.remove(self)

    def clear(self) -> None:
        """Reset all counts."""
        self.cycles = [0, 0, 0]
        """Collections by generation."""
        self.total_ns = 0
        """Total time of them by the clock."""
        self.longest_ns = [0, 0, 0]
        """Longest one of each generation by the clock."""
        self.longest_cpu_ns = [0, 0, 0]
        """Longest one of each generation in CPU time."""


class RationedCount:
    """A count whose duration grows with the number, and which is therefore repeated less often.

    At every snapshot it could cost more than everything else together.
    """

    def __init__(self, count: Callable[[], int]) -> None:
        self._count = count
        self._last = 0
        self._due_ns = 0

    def fresh(self) -> int:
        """Return the count now."""
        began_ns = time.thread_time_ns()
        self._last = self._count()
        duration_ns = time.thread_time_ns() - began_ns
        self._due_ns = time.monotonic_ns() + duration_ns * _COUNT_INTERVAL_FACTOR
        return self._last

    def recent(self) -> int:
        """Return the count now, or the last one while counting again would cost too much."""
        return self.fresh() if time.monotonic_ns() >= self._due_ns else self._last


class _Task(Protocol):
    def done(self) -> bool: ...


def count_tasks() -> int:
    """Return the number of asyncio tasks that are not done, in all loops of all threads."""
    module = sys.modules.get("asyncio.tasks")
    # The public function knows one loop only. The first name is that of Python 3.11.
    names = ("_all_tasks", "_scheduled_tasks", "_eager_tasks")
    task_sets: list[Collection[_Task]] = [getattr(module, name, ()) for name in names]
    return sum(not task.done() for tasks in task_sets for task in _members(tasks))


def _members(tasks: Collection[_Task]) -> list[_Task]:
    for _ in range(_TRIES):
        try:
            return list(tasks)
        except RuntimeError:  # another thread made a task meanwhile
            continue
    return []
