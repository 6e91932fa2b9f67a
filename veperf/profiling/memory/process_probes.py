"""Probes of this process: resident memory, objects, tasks and garbage collections."""

import gc
import os
import re
import resource
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from msgspec import Struct

from veperf.core.errors import MeasureError

_COUNT_INTERVAL_FACTOR = 3_000
"""Time between two rationed counts, as a multiple of the duration of the first one."""
_RESIDENT = re.compile(rb"^(VmRSS|RssAnon|RssFile|RssShmem):\s+(\d+) kB$", re.MULTILINE)
_TRIES = 100
"""Attempts to read a set that other threads change meanwhile."""


class Snapshot(Struct, frozen=True):
    """The memory of a process at one moment."""

    at_s: float
    """Seconds since the profiler was created."""
    rss_bytes: int
    """Resident memory, shared pages included."""
    blocks: int
    """Blocks of Python's allocator in use: small objects and parts of them."""
    objects: int
    """Objects that the garbage collector tracks, which can refer to others."""
    gc_counts: tuple[int, int, int]
    """Objects made since the last collection of the youngest generation, and so on."""
    gc_cycles: int
    """Collections so far that Python began by itself."""
    gc_pause_ns: int
    """Total time of these by the clock."""
    threads: int
    """Threads of Python, those of profilers left out."""
    tasks: int
    """Asyncio tasks that are not done, in all loops of all threads."""
    processes: int
    """Processes that this one has started, directly or not, and that run."""


class Resident(Struct, frozen=True):
    """Resident memory of a process by its kind."""

    own_bytes: int
    """Memory that the process has asked for: heap, stacks, anonymous mappings."""
    mapped_bytes: int
    """Pages of files that it maps, and memory that it shares; the kernel takes the pages of files
    back when it needs them."""


class RssReader:
    """Resident memory from /proc/self/statm, which stays open; in a fork it is opened again."""

    def __init__(self) -> None:
        """Open the file.

        Raises:
            MeasureError: there is none, as the system is not Linux.
        """
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._open()

    def _open(self) -> None:
        try:
            self._statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise MeasureError(f"resident memory can't be read: {error}") from error
        self._pid = os.getpid()

    def read_bytes(self) -> int:
        """Return the resident memory now, in bytes."""
        if os.getpid() != self._pid:
            # The open file is the parent's.
            self.close()
            self._open()
        return int(os.pread(self._statm, 128, 0).split(maxsplit=2)[1]) * self._page_bytes

    def close(self) -> None:
        """Close the file. Safe to call twice."""
        if self._statm >= 0:
            os.close(self._statm)
            self._statm = -1


def read_resident(status: str = "/proc/self/status") -> Resident:
    """Return the resident memory of this process by its kind, as proc(5) says it.

    Where a kernel doesn't tell the kinds apart, all of it is the process's own.

    Raises:
        MeasureError: there is none, as the system is not Linux.
    """
    try:
        sizes = {name: int(size) * 1024 for name, size in _RESIDENT.findall(_read(status))}
    except OSError as error:
        raise MeasureError(f"resident memory can't be read: {error}") from error
    own_bytes = sizes.get(b"RssAnon", sizes.get(b"VmRSS", 0))
    return Resident(own_bytes, sizes.get(b"RssFile", 0) + sizes.get(b"RssShmem", 0))


def children_rss() -> dict[int, int]:
    """Return the resident bytes of all that this process has started, directly or not, by pid.

    Pages that a fork shares with its parent count in both.
    """
    page_bytes = os.sysconf("SC_PAGE_SIZE")
    resident: dict[int, int] = {}
    for pid in _descendants():
        # It may have ended meanwhile.
        with suppress(OSError, IndexError):
            resident[pid] = int(_read(f"/proc/{pid}/statm").split()[1]) * page_bytes
    return resident


def children_rss_bytes() -> int:
    """Return the resident memory of all that this process has started, directly or not."""
    return sum(children_rss().values())


def count_processes() -> int:
    """Return the number of processes that this one has started, directly or not, and that run.

    One that has ended doesn't count while it waits to be waited for (a zombie).
    """
    return sum(map(_runs, _descendants()))


def _runs(pid: int) -> bool:
    try:
        stat = _read(f"/proc/{pid}/stat")
    except OSError:  # it has ended meanwhile, and was waited for
        return False
    # The state follows the name, which may have parentheses of its own.
    return stat.rpartition(b")")[2].split()[0] not in (b"Z", b"X")


def count_objects() -> int:
    """Return the number of objects that the garbage collector tracks, frozen ones included.

    It takes time, and memory for a moment: 8 bytes an object.
    """
    return len(gc.get_objects()) + gc.get_freeze_count()


def _descendants() -> Iterator[int]:
    waiting = _children(os.getpid())
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting += _children(pid)


def _children(pid: int) -> list[int]:
    pids: list[int] = []
    with suppress(OSError), os.scandir(f"/proc/{pid}/task") as threads:
        for thread in threads:
            pids += map(int, _read(f"{thread.path}/children").split())
    return pids


def _read(path: str) -> bytes:
    """Read a small file; pathlib would take ten times as long."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(file, 1 << 16)
    finally:
        os.close(file)


def peak_rss_bytes() -> int:
    """Return the peak of resident memory since the process began."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class GcPauses:
    """Durations of the garbage collections of the program; called by ``gc``.

    A pause is measured twice: by the clock, and in CPU time of the thread that collects, which
    other work on the machine doesn't lengthen. Collections that Python begins by itself are told
    from those that the program forces by ``gc.collect()``; collections within ``forced``, which are
    the profiler's, don't count.
    """

    forced_cycles: int
    """Collections that the program forced."""
    forced_longest_ns: int
    """Longest one of these by the clock."""
    forced_longest_cpu_ns: int
    """Longest one of these in CPU time."""
    own_longest_cpu_ns: int
    """Longest one of the profiler's own in CPU time."""

    def __init__(self) -> None:
        self.forget_running()
        self.clear()

    def forget_running(self) -> None:
        """Forget a collection that is running: its thread doesn't exist in a fork."""
        self._began_ns = self._began_cpu_ns = 0
        self._is_natural = True
        self._forcing_thread: int | None = None

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        """Record the begin or the end of a collection."""
        # It runs at each collection of the youngest generation, hence the plain code.
        if self._forcing_thread is not None and self._forcing_thread == threading.get_ident():
            return
        generation = info["generation"]
        if phase == "start":
            # Python begins when these are exceeded, as it does not while gc is disabled.
            counts, limits = gc.get_count(), gc.get_threshold()
            self._is_natural = (
                0 < limits[0] < counts[0]
                and limits[generation] < counts[generation]
                and gc.isenabled()
            )
            self._began_ns = time.perf_counter_ns()
            self._began_cpu_ns = time.thread_time_ns()
            return
        if not self._began_ns:
            return
        pause_ns = time.perf_counter_ns() - self._began_ns
        self._began_ns = 0
        if not self._is_natural:
            cpu_ns = min(time.thread_time_ns() - self._began_cpu_ns, pause_ns)
            self.forced_cycles += 1
            self.forced_longest_ns = max(self.forced_longest_ns, pause_ns)
            self.forced_longest_cpu_ns = max(self.forced_longest_cpu_ns, cpu_ns)
            return
        self.cycles[generation] += 1
        self.total_ns += pause_ns
        if pause_ns > self.longest_ns[generation]:
            self.longest_ns[generation] = pause_ns
        # CPU time is no more than time by the clock: most collections need not read it twice.
        if pause_ns > self.longest_cpu_ns[generation]:
            cpu_ns = time.thread_time_ns() - self._began_cpu_ns
            longest_ns = self.longest_cpu_ns[generation]
            self.longest_cpu_ns[generation] = max(longest_ns, min(cpu_ns, pause_ns))

    @contextmanager
    def forced(self) -> Iterator[None]:
        """Ignore the collections of this thread for the time of the block, but for its CPU time."""
        self._forcing_thread = threading.get_ident()
        began_ns = time.thread_time_ns()
        try:
            yield
        finally:
            self._forcing_thread = None
            cpu_ns = time.thread_time_ns() - began_ns
            self.own_longest_cpu_ns = max(self.own_longest_cpu_ns, cpu_ns)

    def start(self) -> None:
        """Begin to record collections."""
        if self not in gc.callbacks:
            # The first one, as others may release objects, by which they change the counts.
            gc.callbacks.insert(0, self)

    def stop(self) -> None:
        """Stop recording collections."""
        if self in gc.callbacks:
            gc.callbacks.remove(self)

    def clear(self) -> None:
        """Reset all counts."""
        self.cycles = [0, 0, 0]
        """Collections that Python began by itself, by generation."""
        self.total_ns = 0
        """Total time of them by the clock."""
        self.longest_ns = [0, 0, 0]
        """Longest one of each generation by the clock."""
        self.longest_cpu_ns = [0, 0, 0]
        """Longest one of each generation in CPU time."""
        self.forced_cycles = self.forced_longest_ns = self.forced_longest_cpu_ns = 0
        self.own_longest_cpu_ns = 0


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
