"""Readings of a process under a long load, in memory that doesn't grow with its length."""

from msgspec import Struct

from veperf.core.run import CaseResult
from veperf.profiling.memory.child_growth import ChildGrowth
from veperf.profiling.memory.leak_evidence import LeakEvidence
from veperf.profiling.memory.process_probes import Snapshot
from veperf.profiling.memory.snapshot_stats import MemoryStats

Points = tuple[tuple[float, float], ...]

_PARTS = 5


class SoakReadings(Struct, frozen=True):
    """Readings of the process under load."""

    load: CaseResult
    stats: MemoryStats
    rss: Points
    """Seconds, and bytes that were resident when garbage had been collected."""
    blocks: Points
    """The same of the blocks of Python's allocator."""
    children: Points = ()
    """Resident bytes of all processes that the system has started; empty if there were none."""
    grown_children: tuple[ChildGrowth, ...] = ()
    """The child processes that grew most, of those that lived in the end."""
    planned_rate: float | None = None
    """Items a second that were to be offered; None for a search."""
    at_rest: tuple[Snapshot, Snapshot] | None = None
    """The process after the warm-up, and in the end; None if it didn't get that far."""
    backlog: int = 0
    """Items by which those that wait in the system became more, as ``grown_backlog``."""
    evidence: LeakEvidence | None = None
    """Memory that a last stretch of load left behind; None where nothing grew in this process."""


class ThinnedSeries:
    """Times and values; where they become too many, the lower one of each pair stays.

    The troughs, by which a leak is judged, are kept that way. ``capacity`` is even.
    """

    def __init__(self, capacity: int = 4_096) -> None:
        self._capacity = capacity
        self._points: list[tuple[float, float]] = []
        self._each = 1
        self._skipped = 0

    def add(self, time: float, value: float) -> None:
        """Add a value."""
        if self._skipped and value >= self._points[-1][1]:
            pass
        elif self._skipped:
            self._points[-1] = time, value
        else:
            if len(self._points) == self._capacity:
                pairs = zip(self._points[::2], self._points[1::2], strict=True)
                self._points = [min(pair, key=lambda point: point[1]) for pair in pairs]
                self._each *= 2
            self._points.append((time, value))
        self._skipped = (self._skipped + 1) % self._each

    def points(self) -> Points:
        """The times and values that stay, in order."""
        return tuple(self._points)


def grown_backlog(waiting: Points) -> int:
    """Return how many more items waited in the last fifth of the readings than in the first.

    By the least of the last and the most of the first, so that a burst is no backlog; 0 if there
    are none to compare.
    """
    count = len(waiting) // _PARTS
    if not count:
        return 0
    first, last = waiting[:count], waiting[-count:]
    growth = min(value for _, value in last) - max(value for _, value in first)
    return max(0, round(growth))
