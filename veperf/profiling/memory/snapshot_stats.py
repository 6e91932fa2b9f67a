"""Statistics over all snapshots of a profiler, in constant memory."""

from msgspec import Struct

from veperf.core.errors import MeasureError
from veperf.core.text import format_quantity
from veperf.profiling.memory.process_probes import GcPauses, Snapshot


class Range(Struct, frozen=True):
    """Statistics of a figure over all snapshots."""

    min: int
    max: int
    mean: float
    first: int
    last: int


class MemoryStats(Struct, frozen=True):
    """The memory of a process, over all snapshots that were taken."""

    snapshots: int
    duration_s: float
    """Seconds from the first snapshot to the last."""
    rss: Range
    """Resident memory in bytes."""
    peak_rss_bytes: int
    """Peak, also between two snapshots if it is the highest since the process began."""
    blocks: Range
    """Blocks of Python's allocator."""
    objects: Range
    """Objects that the garbage collector tracks: counted anew in each snapshot that is asked for,
    and now and then in the background."""
    threads: Range
    tasks: Range
    processes: Range
    concurrent: Range
    """Threads, tasks and processes together, without the profiler's own thread."""
    gc_cycles: tuple[int, ...]
    """Collections that Python began by itself, by generation."""
    gc_total_ns: int
    """Total time of them by the clock."""
    gc_longest_ns: tuple[int, ...]
    """Longest one of each generation by the clock."""
    gc_longest_cpu_ns: tuple[int, ...]
    """Longest one of each generation, in CPU time of the thread that collected."""
    gc_forced_cycles: int
    """Collections that the program forced by ``gc.collect()``, none of which is counted above."""
    gc_forced_longest_ns: int
    """Longest one of these by the clock."""
    gc_forced_longest_cpu_ns: int
    """Longest one of these in CPU time."""
    gc_own_longest_cpu_ns: int = 0
    """Longest one of those that ``force_gc`` made, in CPU time: what a collection of everything
    takes. They are none of the program's, and make its own ones rarer."""

    @property
    def forced_collections(self) -> str:
        """Words for the collections that the program forced; empty if there were none."""
        if not self.gc_forced_cycles:
            return ""
        longest = format_quantity(self.gc_forced_longest_cpu_ns, "ns")
        return f"forced by gc.collect(): {self.gc_forced_cycles:,}, longest {longest}"

    @property
    def average_heap_bytes(self) -> float:
        """Mean resident memory over all snapshots."""
        return self.rss.mean

    @property
    def max_heap_bytes(self) -> int:
        """Peak of resident memory, as ``peak_rss_bytes``."""
        return self.peak_rss_bytes


class _Tally:
    """Minimum, maximum, first, last and sum of a series."""

    def __init__(self, first: int) -> None:
        self._min = self._max = self._first = self._last = self._sum = first
        self._count = 1

    def add(self, value: int) -> None:
        self._min, self._max = min(self._min, value), max(self._max, value)
        self._last = value
        self._sum += value
        self._count += 1

    def range(self) -> Range:
        mean = self._sum / self._count
        return Range(self._min, self._max, mean, self._first, self._last)


class SnapshotTotals:
    """Sums over snapshots."""

    def __init__(self) -> None:
        self.peak_rss_bytes = 0
        self._tallies: tuple[_Tally, ...] = ()
        self._count = 0
        self._first_s = self._last_s = 0.0

    def add(self, snapshot: Snapshot) -> None:
        """Add ``snapshot``."""
        values = (
            snapshot.rss_bytes,
            snapshot.blocks,
            snapshot.objects,
            snapshot.threads,
            snapshot.tasks,
            snapshot.processes,
            snapshot.threads + snapshot.tasks + snapshot.processes,
        )
        if not self._tallies:
            self._tallies = tuple(map(_Tally, values))
            self._first_s = snapshot.at_s
        else:
            for tally, value in zip(self._tallies, values, strict=True):
                tally.add(value)
        self._last_s = snapshot.at_s
        self._count += 1
        self.peak_rss_bytes = max(self.peak_rss_bytes, snapshot.rss_bytes)

    def stats(self, pauses: GcPauses) -> MemoryStats:
        """Return the statistics of all snapshots so far.

        Raises:
            MeasureError: there is no snapshot.
        """
        if not self._tallies:
            raise MeasureError("no snapshot has been taken; start the profiler, or take one")
        rss, blocks, objects, threads, tasks, processes, concurrent = (
            tally.range() for tally in self._tallies
        )
        return MemoryStats(
            snapshots=self._count,
            duration_s=self._last_s - self._first_s,
            rss=rss,
            peak_rss_bytes=self.peak_rss_bytes,
            blocks=blocks,
            objects=objects,
            threads=threads,
            tasks=tasks,
            processes=processes,
            concurrent=concurrent,
            gc_cycles=tuple(pauses.cycles),
            gc_total_ns=pauses.total_ns,
            gc_longest_ns=tuple(pauses.longest_ns),
            gc_longest_cpu_ns=tuple(pauses.longest_cpu_ns),
            gc_forced_cycles=pauses.forced_cycles,
            gc_forced_longest_ns=pauses.forced_longest_ns,
            gc_forced_longest_cpu_ns=pauses.forced_longest_cpu_ns,
            gc_own_longest_cpu_ns=pauses.own_longest_cpu_ns,
        )
