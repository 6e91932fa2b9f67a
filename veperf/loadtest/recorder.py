"""Record what becomes of each item of a load run, in constant memory."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from veperf.core.errors import MeasureError
from veperf.core.load import Finished, LoadSoFar
from veperf.loadtest.histogram import Latencies
from veperf.loadtest.result import LoadResult, Second
from veperf.loadtest.schedule import CHUNK, Nanoseconds, Schedule

_SETTLED = -1


class InFlightItems:
    """Scheduled arrivals by tag, in chunks that are freed once all their items are settled.

    Memory follows the number of items in flight, not of all items ever.
    """

    def __init__(self) -> None:
        self._chunks: dict[int, Nanoseconds] = {}
        self._unsettled: dict[int, int] = {}
        self._added = 0

    def add(self, times: Nanoseconds) -> None:
        """Add the next chunk of arrivals: ``CHUNK`` of them unless it is the last."""
        self._chunks[self._added] = times.copy()
        self._unsettled[self._added] = times.size
        self._added += 1

    def settle(self, tags: Nanoseconds) -> Nanoseconds:
        """Remove the items ``tags``; return their scheduled arrivals in ns, shape (n,).

        Raises:
            MeasureError: one of them is not in flight, or comes twice.
        """
        scheduled = np.empty_like(tags)
        numbers = tags // CHUNK
        for number in np.unique(numbers).tolist():
            in_chunk = numbers == number
            scheduled[in_chunk] = self._settle_in(number, tags[in_chunk] - number * CHUNK)
        return scheduled

    def unsettled(self) -> Iterator[Nanoseconds]:
        """Yield the scheduled arrivals of the items still in flight, in ns."""
        for times in self._chunks.values():
            yield times[times != _SETTLED]

    def _settle_in(self, number: int, places: Nanoseconds) -> Nanoseconds:
        times = self._chunks.get(number)
        if times is None or places.max() >= times.size:
            raise _unknown(number * CHUNK + int(places.max()))
        scheduled = times[places]
        times[places] = _SETTLED
        unsettled = int(np.count_nonzero(times != _SETTLED))
        if self._unsettled[number] - unsettled != places.size:
            raise _unknown(number * CHUNK + int(places[0]))
        self._unsettled[number] = unsettled
        if not unsettled:
            del self._chunks[number], self._unsettled[number]
        return scheduled


def _unknown(tag: int) -> MeasureError:
    return MeasureError(
        f"the system finished items twice, or items that it was never offered: near item {tag}"
    )


_NS_A_SECOND = 10**9


class Timeline:
    """Three figures for each second; latencies are kept for the current second only."""

    def __init__(self) -> None:
        self._offered: list[int] = []
        self._committed: list[int] = []
        self._p99_ms: list[float | None] = []
        self._current = 0
        self._latencies: list[Nanoseconds] = []

    def offered(self, at: Nanoseconds) -> None:
        """Count items handed over ``at``, in ns from the start, shape (n,)."""
        for second, count in zip(*np.unique(at // _NS_A_SECOND, return_counts=True), strict=True):
            _extend(self._offered, int(second) + 1)
            self._offered[second] += int(count)

    def committed(self, at: Nanoseconds, latency: Nanoseconds) -> None:
        """Count items committed ``at``, ascending over all calls, after ``latency``; shape (n,)."""
        seconds = at // _NS_A_SECOND
        for second in np.unique(seconds).tolist():
            if second > self._current:
                self._advance(second)
            self._latencies.append(latency[seconds == second])

    def seconds(self) -> tuple[Second, ...]:
        """Return all seconds, to the last in which anything happened."""
        self._advance(self._current + 1)
        length = max(len(self._offered), len(self._committed))
        _extend(self._offered, length)
        _extend(self._committed, length)
        p99 = self._p99_ms + [None] * (length - len(self._p99_ms))
        return tuple(map(Second, self._offered, self._committed, p99))

    def _advance(self, second: int) -> None:
        """Summarise the current second, and go on to ``second``."""
        if self._latencies:
            latencies = np.concatenate(self._latencies)
            _extend(self._committed, self._current)
            self._p99_ms += [None] * (self._current - len(self._p99_ms))
            self._committed.append(latencies.size)
            self._p99_ms.append(float(np.percentile(latencies, 99)) / 1e6)
            self._latencies = []
        self._current = second


def _extend(counts: list[int], length: int) -> None:
    counts += [0] * (length - len(counts))


_BATCH = 4_096
_SHED = "shed: "
_DEVIATIONS = 5
"""Standard deviations of a Poisson count that it is never above: once in 3 million."""


class Recorder:
    """The outcome of each item. All times are in ns from the start of the run.

    Finished items are noted cheaply and processed in batches, so that the generator keeps its
    schedule.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        expected = schedule.rate * schedule.seconds
        self._most_measured = math.ceil(expected + _DEVIATIONS * math.sqrt(expected))
        """Items that arrive after the warm-up, at most."""
        self._in_flight_items = InFlightItems()
        self._latencies, self._lags, self._own_lags = Latencies(), Latencies(), Latencies()
        self._timeline = Timeline()
        self._counts: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()
        self._behind_ns = 0
        self._last_handed_ns = 0
        self._in_window = 0
        self._stopped = False
        self._forgets = False
        self._committed: list[int] = []
        self._committed_at: list[tuple[int, int]] = []
        self._refused: list[int] = []
        self._failed: dict[int, str] = {}
        self._rejected: list[int] = []
        self._shed: dict[str, list[int]] = {}
        self._kinds: list[str] = []
        """Of ``_committed``, if the items have kinds."""
        self._by_kind: dict[str, Latencies] = {}
        self._drained_ns = 0
        self.in_flight = 0
        """Items that the system has accepted and not finished."""

    def expect(self, times: Nanoseconds) -> None:
        """Add the next chunk of scheduled arrivals."""
        self._in_flight_items.add(times)

    def accepted(self, items: int, refused: Iterable[int]) -> None:
        """Note that the system accepted ``items`` and turned the tags ``refused`` away."""
        self.in_flight += items
        self._refused += refused

    def finished(self, at: int, done: Finished) -> None:
        """Note that the system finished items at ``at``."""
        if done.committed:
            self._committed += done.committed
            self._kinds += done.kinds
            self._committed_at.append((at, len(done.committed)))
            self.in_flight -= len(done.committed)
        if done.failed:
            self._failed |= done.failed
            self.in_flight -= len(done.failed)
        if done.rejected:
            self._rejected += done.rejected
            self.in_flight -= len(done.rejected)
        if done.shed:
            for tag, reason in done.shed.items():
                self._shed.setdefault(reason, []).append(tag)
            self.in_flight -= len(done.shed)
        if len(self._committed) >= _BATCH:
            self._process_batch()

    def handed_over(self, scheduled: Nanoseconds, at: Nanoseconds, bursts: Nanoseconds) -> None:
        """Note that items ``scheduled`` were handed over ``at``, shape (n,) each, in ``bursts``.

        A burst, a row of shape (m, 3), is its number of items, when the generator began with it,
        and when the system had given the thread back before: the time between is the generator's
        own lag.
        """
        if not at.size:
            return
        sizes, started, step_ended = bursts.T
        ready = np.maximum(scheduled, np.repeat(step_ended, sizes))
        own_lag = np.maximum(np.repeat(started, sizes) - ready, 0)
        lag = at - scheduled
        measured = scheduled >= self._schedule.warmup_ns
        self._counts["offered"] += int(np.count_nonzero(measured))
        self._lags.record(lag[measured])
        self._own_lags.record(own_lag[measured])
        self._timeline.offered(at)
        self._behind_ns = int(lag[-1])
        self._last_handed_ns = int(at[-1])

    def so_far(self, at: int, lag_ns: int) -> LoadSoFar:
        """Return the progress at the moment ``at``, when the generator is ``lag_ns`` late."""
        self._process_batch()
        counts, schedule = self._counts, self._schedule
        measured_ns = min(at, schedule.end_ns) - schedule.warmup_ns
        return LoadSoFar(
            elapsed_s=at / 1e9,
            planned_s=schedule.end_ns / 1e9,
            achieved=self._in_window / (measured_ns / 1e9) if measured_ns > 0 else None,
            latency_p95_ms=self._latencies.percentile_ms(95),
            lag_ms=lag_ns / 1e6,
            errors=counts["refused"] + counts["failed"],
            in_flight=self.in_flight,
            least_p95_ms=self._latencies.least_percentile_ms(95, self._most_measured),
            least_p99_ms=self._latencies.least_percentile_ms(99, self._most_measured),
        )

    def stop(self, at: int) -> None:
        """End the schedule ``at``, if it has not ended before."""
        if at < self._schedule.end_ns:
            measured_ns = max(at - self._schedule.warmup_ns, 1)
            self._schedule = replace(self._schedule, seconds=measured_ns / 1e9)
            self._stopped = True

    def drained(self, at: int) -> None:
        """Note that the system was left ``at``, having finished all it would."""
        self._drained_ns = at

    def forget_in_flight(self) -> None:
        """Take back what is still in flight: nobody waits for it, so that it is not lost either."""
        self._forgets = self.in_flight > 0
        self._stopped = self._stopped or self._forgets

    def withdraw(self, tags: Nanoseconds) -> None:
        """Remove items that were expected and will not be offered after all."""
        self._in_flight_items.settle(tags)

    def result(self) -> LoadResult:
        """Return the whole run; what is still in flight is lost, unless it was forgotten."""
        self._process_batch()
        counts, schedule = self._counts, self._schedule
        lost = sum(
            int(np.count_nonzero(times >= schedule.warmup_ns))
            for times in self._in_flight_items.unsettled()
        )
        took_ns = max(self._last_handed_ns, schedule.end_ns) - schedule.warmup_ns
        return LoadResult(
            schedule=schedule,
            offered=counts["offered"] - (lost if self._forgets else 0),
            committed=counts["committed"],
            refused=counts["refused"],
            failed=counts["failed"],
            lost=0 if self._forgets else lost,
            rejected=counts["rejected"],
            reasons=dict(self._reasons),
            shed={reason: counts[_SHED + reason] for reason in self._shed},
            drain_s=max(0, self._drained_ns - schedule.end_ns) / 1e9,
            offering_s=took_ns / 1e9,
            achieved_rate=self._in_window / schedule.seconds,
            behind_s=self._behind_ns / 1e9,
            latency=self._latencies.percentiles(),
            lag=self._lags.percentiles(),
            own_lag=self._own_lags.percentiles(),
            latencies=self._latencies.encode(),
            latencies_by_kind={kind: own.encode() for kind, own in sorted(self._by_kind.items())},
            lags=self._lags.encode(),
            own_lags=self._own_lags.encode(),
            timeline=self._timeline.seconds(),
            stopped=self._stopped,
        )

    def _process_batch(self) -> None:
        self._commit()
        self._settle("refused", self._refused)
        self._settle("rejected", self._rejected)
        for reason, tags in self._shed.items():
            self._settle(_SHED + reason, tags)
            self._shed[reason] = []
        is_measured = self._settle("failed", list(self._failed))
        reasons = self._failed.values()
        self._reasons.update(r for r, counts in zip(reasons, is_measured, strict=True) if counts)
        self._refused, self._rejected, self._failed = [], [], {}

    def _commit(self) -> None:
        if not self._committed:
            return
        moments, sizes = np.array(self._committed_at, dtype=np.int64).T
        at = np.repeat(moments, sizes)
        scheduled = self._in_flight_items.settle(np.array(self._committed, dtype=np.int64))
        latency = at - scheduled
        if latency.min() < 0:
            raise MeasureError("the system finished an item before it arrived")
        measured = scheduled >= self._schedule.warmup_ns
        self._counts["committed"] += int(np.count_nonzero(measured))
        self._latencies.record(latency[measured])
        self._record_kinds(latency, measured)
        self._timeline.committed(at, latency)
        window = (at >= self._schedule.warmup_ns) & (at < self._schedule.end_ns)
        self._in_window += int(np.count_nonzero(window))
        self._committed, self._committed_at = [], []

    def _record_kinds(self, latency: Nanoseconds, measured: NDArray[np.bool_]) -> None:
        if not self._kinds:
            return
        if len(self._kinds) != latency.size:
            raise MeasureError("the system tells the kinds of some of its items and not of others")
        kinds, self._kinds = np.array(self._kinds), []
        for kind in np.unique(kinds).tolist():
            own = self._by_kind.setdefault(kind, Latencies())
            own.record(latency[measured & (kinds == kind)])

    def _settle(self, outcome: str, tags: list[int]) -> list[bool]:
        """Count ``tags`` as ``outcome``; return for each whether it is after the warm-up."""
        if not tags:
            return []
        scheduled = self._in_flight_items.settle(np.array(tags, dtype=np.int64))
        measured = scheduled >= self._schedule.warmup_ns
        self._counts[outcome] += int(np.count_nonzero(measured))
        return list(measured.tolist())
