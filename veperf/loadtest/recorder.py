"""Keeps the books of a load run in constant memory."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from msgspec.structs import replace

from veperf.core.errors import MeasureError
from veperf.core.load import Finished, LoadSoFar
from veperf.loadtest.histogram import Latencies
from veperf.loadtest.result import LoadResult, Second
from veperf.loadtest.schedule import CHUNK, Nanoseconds, Schedule

_SETTLED = -1


class Outstanding:
    """Scheduled arrivals by tag, in chunks that are let go once all their items are settled.

    Memory follows the items in flight, not those there ever were.
    """

    def __init__(self) -> None:
        self._chunks: dict[int, Nanoseconds] = {}
        self._left: dict[int, int] = {}
        self._added = 0

    def add(self, times: Nanoseconds) -> None:
        """The next chunk of arrivals: ``CHUNK`` of them unless it is the last."""
        self._chunks[self._added] = times.copy()
        self._left[self._added] = times.size
        self._added += 1

    def settle(self, tags: Nanoseconds) -> Nanoseconds:
        """When the items ``tags`` were to arrive, in ns, shape (n,); they are outstanding no more.

        Raises:
            MeasureError: one of them is not outstanding, or comes twice.
        """
        scheduled = np.empty_like(tags)
        numbers = tags // CHUNK
        for number in np.unique(numbers).tolist():
            here = numbers == number
            scheduled[here] = self._settle_in(number, tags[here] - number * CHUNK)
        return scheduled

    def left(self) -> Iterator[Nanoseconds]:
        """When the items that are outstanding were to arrive."""
        for times in self._chunks.values():
            yield times[times != _SETTLED]

    def _settle_in(self, number: int, places: Nanoseconds) -> Nanoseconds:
        times = self._chunks.get(number)
        if times is None or places.max() >= times.size:
            raise _unknown(number * CHUNK + int(places.max()))
        found = times[places]
        times[places] = _SETTLED
        left = int(np.count_nonzero(times != _SETTLED))
        if self._left[number] - left != places.size:
            raise _unknown(number * CHUNK + int(places[0]))
        self._left[number] = left
        if not left:
            del self._chunks[number], self._left[number]
        return found


def _unknown(tag: int) -> MeasureError:
    return MeasureError(f"the system finished items twice, or never offered ones: near item {tag}")


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
