"""A profiler that watches the memory of its own process from a background thread."""

import gc
import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Self
from weakref import WeakSet

import msgspec
from msgspec import Struct

from veperf.core.errors import MeasureError, UsageError
from veperf.core.text import format_bytes, format_count, format_duration, format_quantity, plural
from veperf.core.units import is_number, is_whole_number
from veperf.profiling.memory import charts
from veperf.profiling.memory.budget import LimitUse, MemoryBudget, check_budget, require_budget
from veperf.profiling.memory.leak_rule import MARGIN, LeakVerdict, judge_leak
from veperf.profiling.memory.process_probes import (
    GcPauses,
    RationedCount,
    RssReader,
    Snapshot,
    count_objects,
    count_processes,
    count_tasks,
    peak_rss_bytes,
)
from veperf.profiling.memory.snapshot_stats import MemoryStats, SnapshotTotals

if TYPE_CHECKING:
    import pandas as pd


class ProfilerExport(Struct, frozen=True):
    """Statistics and snapshots, as ``MemoryProfiler.to_json`` writes them."""

    interval_s: float
    stats: MemoryStats
    snapshots: tuple[Snapshot, ...]


class _Watcher(threading.Thread):
    """The thread of a profiler."""


def _count_threads() -> int:
    """Return the number of Python's threads, those of profilers left out."""
    return sum(not isinstance(thread, _Watcher) for thread in threading.enumerate())


class MemoryProfiler:
    """Takes a snapshot of the process every ``interval`` seconds, and keeps the last ones.

    >>> with MemoryProfiler(interval=0.1) as profiler:
    ...     work()
    >>> profiler.stats().rss.max

    Peaks and means are of all snapshots, kept or not. At 1 s it takes less than 0.1 % of a core,
    whatever there is: in the background, counts of objects and tasks are repeated where counting
    anew would cost too much. Each snapshot that is asked for, by ``take_snapshot``, ``force_gc``,
    ``stop``, ``stats`` or ``check_budget``, counts anew: some 30 ms for a million objects.

    In a fork of the process it doesn't run, and says so; it can be started there.
    """

    def __init__(self, interval: float = 1.0, max_snapshots: int = 3_600) -> None:
        """Create a profiler, which is not running yet.

        Args:
            interval: seconds between two snapshots.
            max_snapshots: number of snapshots that are kept; the oldest are dropped.

        Raises:
            UsageError: one of them is out of range.
        """
        if not is_number(interval) or not 0 < interval <= threading.TIMEOUT_MAX:
            raise UsageError(
                f"the interval must be more than 0 s, and {format_count(threading.TIMEOUT_MAX)} s "
                f"at most, not {interval!r}"
            )
        if not is_whole_number(max_snapshots) or not 1 <= max_snapshots <= sys.maxsize:
            raise UsageError(
                f"one snapshot at least must be kept, in whole ones, not {max_snapshots!r}"
            )
        self.interval_s = interval
        self._ring: deque[Snapshot] = deque(maxlen=max_snapshots)
        # Garbage collected in the middle of a snapshot may run code that asks for one.
        self._lock = threading.RLock()
        self._pauses = GcPauses()
        self._blocks = RationedCount(sys.getallocatedblocks)
        self._tasks = RationedCount(count_tasks)
        self._processes = RationedCount(count_processes)
        self._objects = RationedCount(count_objects)
        self._totals = SnapshotTotals()
        self._made_s = time.monotonic()
        self._rss: RssReader | None = None
        self._thread: _Watcher | None = None
        self._end = threading.Event()
        self._peak_before = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """True while snapshots are taken in the background; False in a fork of the process."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """Snapshots that are kept, the oldest first."""
        with self._lock:
            return tuple(self._ring)

    @property
    def latest(self) -> Snapshot | None:
        """Last snapshot; None if there is none."""
        with self._lock:
            return self._ring[-1] if self._ring else None

    def start(self) -> None:
        """Begin, or go on after ``stop``; the first snapshot is taken here.

        Raises:
            MeasureError: it is running, or this system has no resident memory to read.
        """
        if self.running:
            raise MeasureError("the profiler is running; stop it first")
        self._rss = RssReader()
        self._peak_before = peak_rss_bytes()
        self._pauses.start()
        self._end.clear()
        self.take_snapshot()
        self._thread = _Watcher(target=self._watch, name="veperf-memory", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take a last snapshot and end. Safe to call twice."""
        if self._thread is None:
            return
        self._end.set()
        self._thread.join()
        self._thread = None
        self.take_snapshot()
        self._pauses.stop()
        if self._rss is not None:
            self._rss.close()
            self._rss = None

    def take_snapshot(self) -> Snapshot:
        """Take a snapshot now, kept like all others; also while the profiler is stopped.

        Raises:
            MeasureError: this system has no resident memory to read.
        """
        # In a fork of this process, it was forgotten. Without a lock, as a snapshot may be asked
        # for in the middle of another, of which a fork waits for the end.
        if self not in _FORKS:
            _FORKS.add(self)
        with self._lock:
            return self._take(RationedCount.fresh)

    def force_gc(self) -> tuple[Snapshot, Snapshot]:
        """Collect garbage, and return snapshots of before and after.

        That collection is none of the program's, whose pauses are recorded.
        """
        before = self.take_snapshot()
        with self._pauses.forced():
            gc.collect()
        return before, self.take_snapshot()

    def clear(self) -> None:
        """Drop all snapshots and counts."""
        with self._lock:
            self._ring.clear()
            self._totals = SnapshotTotals()
            self._pauses.clear()
            self._peak_before = peak_rss_bytes()

    def stats(self) -> MemoryStats:
        """Return statistics over all snapshots since ``clear``.

        While it runs, a snapshot is taken first, so that no last count is an old one.

        Raises:
            MeasureError: there is no snapshot.
        """
        if self.running:
            self.take_snapshot()
        return self._stats_so_far()

    def _stats_so_far(self) -> MemoryStats:
        with self._lock:
            return self._totals.stats(self._pauses)

    def detect_leaks(self, percent: float = 100 * MARGIN) -> LeakVerdict:
        """Judge whether resident memory leaks, by the snapshots that are kept, as ``judge_leak``.

        Args:
            percent: growth over the snapshots, in percent, below which memory is clean.

        Raises:
            UsageError: the percentage is no number, or not positive and finite.
        """
        if not is_number(percent) or not 0 < percent < math.inf:
            raise UsageError(
                f"growth must be more than 0 % and finite, not {percent!r}: none at all can't be "
                "ruled out; check_budget(MemoryBudget(leak_growth=0)) names growth that is sure"
            )
        kept = self.snapshots
        return judge_leak([s.at_s for s in kept], [s.rss_bytes for s in kept], percent / 100)

    def check_budget(self, budget: MemoryBudget | None = None) -> tuple[LimitUse, ...]:
        """Return the limits that were exceeded at any time, or that could not be measured.

        While it runs, a snapshot is taken first. Growth takes 10 snapshots at least; with fewer,
        ``leak_growth`` is among the limits, as not measured, unless it is infinite.

        Args:
            budget: limits; by default those that are published.

        Raises:
            UsageError: ``budget`` is something else.
            MeasureError: there is no snapshot.
        """
        allowed = require_budget(budget)
        stats = self.stats()
        leak = self.detect_leaks(100 * allowed.growth_margin)
        return check_budget(stats, allowed, leak)

    def to_json(self) -> str:
        """Return statistics and snapshots as JSON.

        Raises:
            MeasureError: there is no snapshot.
        """
        export = ProfilerExport(self.interval_s, self.stats(), self.snapshots)
        return msgspec.json.format(msgspec.json.encode(export), indent=1).decode()

    def frame(self) -> "pd.DataFrame":
        """Return a row for each snapshot that is kept."""
        import pandas as pd

        rows = [msgspec.to_builtins(snapshot) for snapshot in self.snapshots]
        return pd.DataFrame(rows, columns=list(Snapshot.__struct_fields__)).set_index("at_s")

    def __repr__(self) -> str:
        state = "running" if self.running else "stopped"
        if self._thread is not None and not self.running:
            state = "not running in this fork"
        if self.latest is None:
            return f"MemoryProfiler({state}, no snapshots)"
        stats = self._stats_so_far()
        forced = stats.forced_collections
        return (
            f"MemoryProfiler({state}, {plural(stats.snapshots, 'snapshot')} "
            f"in {format_duration(stats.duration_s)}: "
            f"{format_bytes(stats.rss.last)} resident, peak {format_bytes(stats.peak_rss_bytes)}, "
            f"longest collection {format_quantity(max(stats.gc_longest_cpu_ns), 'ns')}"
            f"{forced and f' ({forced})'})"
        )

    def _repr_html_(self) -> str:
        points = [(s.at_s, float(s.rss_bytes)) for s in self.snapshots]
        return charts.html_card(
            repr(self), charts.memory_curve(points, "Resident memory over time")
        )

    def _take(self, count: Callable[[RationedCount], int]) -> Snapshot:
        rss = self._rss or RssReader()
        try:
            at_s, rss_bytes = time.monotonic() - self._made_s, rss.read_bytes()
        finally:
            if rss is not self._rss:
                rss.close()
        peak = peak_rss_bytes()
        snapshot = Snapshot(
            at_s=at_s,
            rss_bytes=rss_bytes,
            blocks=count(self._blocks),
            objects=count(self._objects),
            gc_counts=gc.get_count(),
            gc_cycles=sum(self._pauses.cycles),
            gc_pause_ns=self._pauses.total_ns,
            threads=_count_threads(),
            tasks=count(self._tasks),
            processes=count(self._processes),
        )
        self._ring.append(snapshot)
        self._totals.add(snapshot)
        # The system knows a peak between two snapshots if it is the highest ever.
        if self._peak_before and peak > self._peak_before:
            self._totals.peak_rss_bytes = max(self._totals.peak_rss_bytes, peak)
        # To count objects takes memory for a moment: a peak that is not the program's.
        if self._peak_before and (own_peak := peak_rss_bytes()) > peak:
            self._peak_before = own_peak
        return snapshot

    def _watch(self) -> None:
        due = time.monotonic() + self.interval_s
        while not self._end.wait(max(0.0, due - time.monotonic())):
            with self._lock:
                self._take(RationedCount.recent)
            # A missed snapshot is not made up for.
            due = max(due + self.interval_s, time.monotonic())

    def _wait_for_fork(self) -> None:
        """Let no snapshot be taken until a fork is done: a lock that is held stays so in it."""
        self._lock.acquire()

    def _go_on(self) -> None:
        self._lock.release()

    def _go_on_in_fork(self) -> None:
        # The thread, which doesn't exist here, may have been about to wait for it.
        self._end = threading.Event()
        self._pauses.forget_running()
        if self._peak_before:
            self._peak_before = peak_rss_bytes()
        self._lock.release()


class _Forks:
    """Forks of this process, in whose middle no profiler is in the middle of a snapshot.

    A fork begins without profilers, so that nothing is done for them, nor allocated, when it forks
    itself; nor is there in a process that has none. One that is used joins again.
    """

    def __init__(self) -> None:
        self._profilers: WeakSet[MemoryProfiler] = WeakSet()
        self._held: tuple[MemoryProfiler, ...] = ()
        # Of two threads that fork, the second one waits.
        self._lock = threading.RLock()
        self._is_watching = False

    def add(self, profiler: MemoryProfiler) -> None:
        with self._lock:
            self._profilers.add(profiler)
            if not self._is_watching:
                self._is_watching = True
                os.register_at_fork(
                    before=self._before,
                    after_in_parent=self._in_parent,
                    after_in_child=self._in_child,
                )

    def __contains__(self, profiler: MemoryProfiler) -> bool:
        return profiler in self._profilers

    def _before(self) -> None:
        self._lock.acquire()
        if len(self._profilers):
            self._held = tuple(self._profilers)
            for profiler in self._held:
                profiler._wait_for_fork()

    def _in_parent(self) -> None:
        if self._held:
            for profiler in self._held:
                profiler._go_on()
            self._held = ()
        self._lock.release()

    def _in_child(self) -> None:
        if self._held:
            for profiler in self._held:
                profiler._go_on_in_fork()
            self._held = ()
            self._profilers.clear()
        self._lock.release()


_FORKS = _Forks()
