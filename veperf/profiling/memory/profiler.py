"""Watches the memory of the own process from a thread in the background."""

import gc
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Self

import msgspec
from msgspec import Struct

from veperf.core.errors import MeasureError, UsageError
from veperf.core.sizes import size
from veperf.profiling.memory import charts
from veperf.profiling.memory.probes import (
    Pauses,
    Rationed,
    RssReader,
    Snapshot,
    count_tasks,
    highest_rss_bytes,
)
from veperf.profiling.memory.stats import MemoryStats, Totals

if TYPE_CHECKING:
    import pandas as pd


class Export(Struct, frozen=True):
    """What ``MemoryProfiler.to_json`` writes."""

    interval_s: float
    stats: MemoryStats
    snapshots: tuple[Snapshot, ...]


class MemoryProfiler:
    """Takes a snapshot of the process every ``interval`` seconds, and keeps the last ones.

    >>> with MemoryProfiler(interval=0.1) as profiler:
    ...     work()
    >>> profiler.stats().rss.max

    Peaks and means are of all snapshots, kept or not. At 1 s it takes less than 0.1 % of a core,
    whatever there is: in the background, counts of objects and tasks are repeated where counting
    anew would take more than its share.
    """

    def __init__(self, interval: float = 1.0, max_snapshots: int = 3_600) -> None:
        """A profiler that is not running.

        Args:
            interval: seconds between two snapshots.
            max_snapshots: so many are kept, the oldest go.

        Raises:
            UsageError: either makes no sense.
        """
        if not 0 < interval <= threading.TIMEOUT_MAX:
            raise UsageError(f"the interval must be more than 0 s and finite, not {interval}")
        if max_snapshots < 1:
            raise UsageError(f"one snapshot at least must be kept, not {max_snapshots}")
        self.interval_s = interval
        self._ring: deque[Snapshot] = deque(maxlen=max_snapshots)
        # Garbage collected in the middle of a snapshot may run code that asks for one.
        self._lock = threading.RLock()
        self._pauses = Pauses()
        self._blocks = Rationed(sys.getallocatedblocks)
        self._tasks = Rationed(count_tasks)
        self._totals = Totals()
        self._made_s = time.monotonic()
        self._rss: RssReader | None = None
        self._thread: threading.Thread | None = None
        self._end = threading.Event()
        self._highest_before = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        """Whether snapshots are being taken."""
        return self._thread is not None

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """Those that are kept, the oldest first."""
        with self._lock:
            return tuple(self._ring)

    @property
    def latest(self) -> Snapshot | None:
        """The last snapshot; None where there is none."""
        with self._lock:
            return self._ring[-1] if self._ring else None

    def start(self) -> None:
        """Begin, or go on after ``stop``; the first snapshot is taken here.

        Raises:
            MeasureError: it is running, or this system does not tell what is resident.
        """
        if self._thread is not None:
            raise MeasureError("the profiler is running; stop it first")
        self._rss = RssReader()
        self._highest_before = highest_rss_bytes()
        self._pauses.start()
        self._end.clear()
        self.take_snapshot()
        self._thread = threading.Thread(target=self._watch, name="veperf-memory", daemon=True)
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
        """A snapshot now, kept like all others; also while it is not running.

        Raises:
            MeasureError: this system does not tell what is resident.
        """
        with self._lock:
            return self._take(self._blocks.fresh(), self._tasks.fresh())

    def force_gc(self) -> tuple[Snapshot, Snapshot]:
        """Collect garbage; snapshots of before and after."""
        before = self.take_snapshot()
        gc.collect()
        return before, self.take_snapshot()

    def clear(self) -> None:
        """Forget all snapshots and whatever was counted."""
        with self._lock:
            self._ring.clear()
            self._totals = Totals()
            self._pauses.clear()
            self._highest_before = highest_rss_bytes()

    def stats(self) -> MemoryStats:
        """Least, most and mean of everything, over all snapshots since ``clear``.

        Raises:
            MeasureError: there is no snapshot.
        """
        with self._lock:
            return self._totals.stats(self._pauses)

    def to_json(self) -> str:
        """Statistics and snapshots.

        Raises:
            MeasureError: there is no snapshot.
        """
        export = Export(self.interval_s, self.stats(), self.snapshots)
        return msgspec.json.format(msgspec.json.encode(export), indent=1).decode()

    def to_frame(self) -> "pd.DataFrame":
        """One row a snapshot that is kept."""
        import pandas as pd

        rows = [msgspec.to_builtins(one) for one in self.snapshots]
        return pd.DataFrame(rows, columns=list(Snapshot.__struct_fields__)).set_index("at_s")

    def __repr__(self) -> str:
        state = "running" if self.running else "stopped"
        if self.latest is None:
            return f"MemoryProfiler({state}, no snapshots)"
        found = self.stats()
        return (
            f"MemoryProfiler({state}, {found.snapshots} snapshots in {found.duration_s:.3g} s: "
            f"{size(found.rss.last)} resident, peak {size(found.peak_rss_bytes)}, "
            f"longest collection {found.gc_longest_ns / 1e6:.3g} ms)"
        )

    def _repr_html_(self) -> str:
        points = [(one.at_s, float(one.rss_bytes)) for one in self.snapshots]
        return charts.card(repr(self), charts.curve(points, "Resident memory over time"))

    def _take(self, blocks: int, tasks: int) -> Snapshot:
        rss = self._rss or RssReader()
        try:
            found = Snapshot(
                at_s=time.monotonic() - self._made_s,
                rss_bytes=rss.read_bytes(),
                blocks=blocks,
                gc_counts=gc.get_count(),
                gc_cycles=sum(self._pauses.cycles),
                gc_pause_ns=self._pauses.total_ns,
                threads=threading.active_count(),
                tasks=tasks,
            )
        finally:
            if rss is not self._rss:
                rss.close()
        self._ring.append(found)
        self._totals.add(found)
        highest = highest_rss_bytes()
        # The system knows of a peak between two snapshots, if it is the highest ever.
        if self._highest_before and highest > self._highest_before:
            self._totals.peak_rss_bytes = max(self._totals.peak_rss_bytes, highest)
        return found

    def _watch(self) -> None:
        due = time.monotonic() + self.interval_s
        while not self._end.wait(max(0.0, due - time.monotonic())):
            with self._lock:
                self._take(self._blocks.recent(), self._tasks.recent())
            # A moment that was missed is not made up for.
            due = max(due + self.interval_s, time.monotonic())
