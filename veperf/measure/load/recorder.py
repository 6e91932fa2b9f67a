"""Keeps the books of a load run in constant memory."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec.structs import replace

from veperf.errors import MeasureError
from veperf.measure.load.histogram import Latencies
from veperf.measure.load.outstanding import Outstanding
from veperf.measure.load.result import LoadResult
from veperf.measure.load.schedule import Nanoseconds, Schedule
from veperf.measure.load.timeline import Timeline
from veperf.model import Finished, LoadSoFar

_BATCH = 4_096


class Recorder:
    """What became of each item. All times are ns from the start of the run.

    What the system finishes is noted cheaply and worked through in batches, so that the generator
    keeps its time.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._outstanding = Outstanding()
        self._latencies, self._lags, self._own_lags = Latencies(), Latencies(), Latencies()
        self._timeline = Timeline()
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._behind_ns = 0
        self._last_handed_ns = 0
        self._in_window = 0
        self._stopped = False
        self._committed: list[int] = []
        self._committed_at: list[tuple[int, int]] = []
        self._refused: list[int] = []
        self._failed: dict[int, str] = {}
        self._rejected: list[int] = []
        self.in_flight = 0
        """Items that the system has taken and not finished."""

    def expect(self, times: Nanoseconds) -> None:
        """The next chunk of scheduled arrivals."""
        self._outstanding.add(times)

    def taken(self, items: int, refused: Iterable[int]) -> None:
        """The system took ``items`` and turned the tags ``refused`` away."""
        self.in_flight += items
        self._refused += refused

    def finished(self, at: int, done: Finished) -> None:
        """The system finished items at ``at``."""
        if done.committed:
            self._committed += done.committed
            self._committed_at.append((at, len(done.committed)))
            self.in_flight -= len(done.committed)
        if done.failed:
            self._failed |= done.failed
            self.in_flight -= len(done.failed)
        if done.rejected:
            self._rejected += done.rejected
            self.in_flight -= len(done.rejected)
        if len(self._committed) >= _BATCH:
            self._work_through()

    def handed_over(
        self, scheduled: Nanoseconds, at: Nanoseconds, bursts: Sequence[tuple[int, int, int]]
    ) -> None:
        """Items ``scheduled`` were handed over ``at``, shape (n,) each, in ``bursts``.

        Each burst is how many items it had, when the generator began with it, and when the system
        had given the thread back to it before: what lies between is the generator's own lag.
        """
        if not at.size:
            return
        sizes, began, given_back = np.array(bursts, dtype=np.int64).T
        ready = np.maximum(scheduled, np.repeat(given_back, sizes))
        own_lag = np.maximum(np.repeat(began, sizes) - ready, 0)
        lag = at - scheduled
        measured = scheduled >= self._schedule.warmup_ns
        self._counts["offered"] += int(np.count_nonzero(measured))
        self._lags.record(lag[measured])
        self._own_lags.record(own_lag[measured])
        self._timeline.offered(at)
        self._behind_ns = int(lag[-1])
        self._last_handed_ns = int(at[-1])

    def so_far(self, at: int, lag_ns: int) -> LoadSoFar:
        """The run at the moment ``at``, when the generator is ``lag_ns`` late."""
        self._work_through()
        counts, schedule = self._counts, self._schedule
        measured_ns = min(at, schedule.end_ns) - schedule.warmup_ns
        return LoadSoFar(
            elapsed_s=at / 1e9,
            planned_s=schedule.end_ns / 1e9,
            achieved=self._in_window / (measured_ns / 1e9) if measured_ns > 0 else None,
            latency_p95_ms=self._latencies.percentile_ms(95),
            lag_ms=lag_ns / 1e6,
            errors=counts["refused"] + counts["failed"],
        )

    def stop(self, at: int) -> None:
        """The schedule ends ``at``, if it has not ended before."""
        if at < self._schedule.end_ns:
            measured_ns = max(at - self._schedule.warmup_ns, 1)
            self._schedule = replace(self._schedule, seconds=measured_ns / 1e9)
            self._stopped = True

    def withdraw(self, tags: Nanoseconds) -> None:
        """These were expected, and will not be offered after all."""
        self._outstanding.settle(tags)

    def result(self) -> LoadResult:
        """The whole run; what is still in flight is lost."""
        self._work_through()
        counts, schedule = self._counts, self._schedule
        lost = sum(
            int(np.count_nonzero(times >= schedule.warmup_ns)) for times in self._outstanding.left()
        )
        took_ns = max(self._last_handed_ns, schedule.end_ns) - schedule.warmup_ns
        return LoadResult(
            schedule=schedule,
            offered=counts["offered"],
            committed=counts["committed"],
            refused=counts["refused"],
            failed=counts["failed"],
            lost=lost,
            rejected=counts["rejected"],
            reasons=dict(self._reasons),
            offering_s=took_ns / 1e9,
            achieved_rate=self._in_window / schedule.seconds,
            behind_s=self._behind_ns / 1e9,
            latency=self._latencies.percentiles(),
            lag=self._lags.percentiles(),
            own_lag=self._own_lags.percentiles(),
            latencies=self._latencies.encode(),
            lags=self._lags.encode(),
            own_lags=self._own_lags.encode(),
            timeline=self._timeline.seconds(),
            stopped=self._stopped,
        )

    def _work_through(self) -> None:
        self._commit()
        self._settle("refused", self._refused)
        self._settle("rejected", self._rejected)
        late = self._settle("failed", list(self._failed))
        reasons = self._failed.values()
        self._reasons.update(r for r, counts in zip(reasons, late, strict=True) if counts)
        self._refused, self._rejected, self._failed = [], [], {}

    def _commit(self) -> None:
        if not self._committed:
            return
        moments, sizes = np.array(self._committed_at, dtype=np.int64).T
        at = np.repeat(moments, sizes)
        scheduled = self._outstanding.settle(np.array(self._committed, dtype=np.int64))
        latency = at - scheduled
        if latency.min() < 0:
            raise MeasureError("the system finished an item before it arrived")
        measured = scheduled >= self._schedule.warmup_ns
        self._counts["committed"] += int(np.count_nonzero(measured))
        self._latencies.record(latency[measured])
        self._timeline.committed(at, latency)
        window = (at >= self._schedule.warmup_ns) & (at < self._schedule.end_ns)
        self._in_window += int(np.count_nonzero(window))
        self._committed, self._committed_at = [], []

    def _settle(self, what: str, tags: list[int]) -> list[bool]:
        """Count ``tags`` as ``what``; which of them are measured."""
        if not tags:
            return []
        scheduled = self._outstanding.settle(np.array(tags, dtype=np.int64))
        measured = scheduled >= self._schedule.warmup_ns
        self._counts[what] += int(np.count_nonzero(measured))
        return list(measured.tolist())
