"""What a run did in each of its seconds."""

import numpy as np

from veperf.measure.load.result import Second
from veperf.measure.load.schedule import Nanoseconds

_NS_A_SECOND = 10**9


class Timeline:
    """Three figures a second; latencies are kept for the running second only."""

    def __init__(self) -> None:
        self._offered: list[int] = []
        self._committed: list[int] = []
        self._p99_ms: list[float | None] = []
        self._now = 0
        self._latencies: list[Nanoseconds] = []

    def offered(self, at: Nanoseconds) -> None:
        """Items were handed over ``at``, ns from the start, shape (n,)."""
        for second, count in zip(*np.unique(at // _NS_A_SECOND, return_counts=True), strict=True):
            _extend(self._offered, int(second) + 1)
            self._offered[second] += int(count)

    def committed(self, at: Nanoseconds, latency: Nanoseconds) -> None:
        """Items were committed ``at``, ascending over all calls, after ``latency``; shape (n,)."""
        seconds = at // _NS_A_SECOND
        for second in np.unique(seconds).tolist():
            if second > self._now:
                self._turn(second)
            self._latencies.append(latency[seconds == second])

    def seconds(self) -> tuple[Second, ...]:
        """All of them, to the last in which anything happened."""
        self._turn(self._now + 1)
        length = max(len(self._offered), len(self._committed))
        _extend(self._offered, length)
        _extend(self._committed, length)
        p99 = self._p99_ms + [None] * (length - len(self._p99_ms))
        return tuple(map(Second, self._offered, self._committed, p99))

    def _turn(self, second: int) -> None:
        """Sum the running second up, and go on to ``second``."""
        if self._latencies:
            latencies = np.concatenate(self._latencies)
            _extend(self._committed, self._now)
            self._p99_ms += [None] * (self._now - len(self._p99_ms))
            self._committed.append(latencies.size)
            self._p99_ms.append(float(np.percentile(latencies, 99)) / 1e6)
            self._latencies = []
        self._now = second


def _extend(counts: list[int], length: int) -> None:
    counts += [0] * (length - len(counts))
