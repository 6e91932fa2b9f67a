"""Arrival schedules: each item's arrival is fixed before the run, whatever the system does."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from veperf.core.errors import UsageError
from veperf.core.load import Arrivals, Shape

Nanoseconds: TypeAlias = NDArray[np.int64]

CHUNK = 4_096
MAX_RATE = 1e6
_NS_A_SECOND = 1e9

RAMP = (0.2, 1.8)
"""Rate of a ramp at its begin and at its end / mean rate."""
BURST = (4.0, 0.25)
"""Rate in a burst and between two / mean rate."""
BURST_RATIO = 0.2
"""Share of a period that is the burst, with which it begins."""
_BURST_PERIOD_S = 5.0


class SchedulePart(Struct, frozen=True):
    """The arrivals of a shard among n: arrival i of the schedule belongs to shard i mod n.

    Raises:
        UsageError: there is no such shard.
    """

    shard: int = 0
    """Number from 0."""
    shards: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.shard < self.shards:
            raise UsageError(f"there is no shard {self.shard} of {self.shards}, counted from 0")


WHOLE_SCHEDULE = SchedulePart()


class Schedule(Struct, frozen=True):
    """Arrivals at ``rate`` a second for ``warmup_s + seconds``; the warm-up is not measured.

    ``poisson`` draws independent exponential gaps with ``seed``, as from many clients that know
    nothing of each other; ``constant`` spaces arrivals evenly. Equal schedules have equal arrivals.

    ``rate`` is that of all shards together. All arrivals together are a Poisson process, those of
    one shard alone are not; each shard draws all of them and keeps its own.

    ``rate`` is the mean of a ``shape`` whose rate changes, after the warm-up. Arrivals are then a
    Poisson process of changing rate, by inversion: the arrivals s of a process of constant rate are
    moved to t with r t' = L(t'), where L is the integral of the rate (Cinlar, Introduction to
    Stochastic Processes, 1975, section 4.7). So there are as many, in the same order.

    Raises:
        UsageError: the rate is not in (0, 1e6], or a duration makes no sense.
    """

    rate: float
    seconds: float
    warmup_s: float = 0.0
    arrivals: Arrivals = "poisson"
    seed: int = 0
    part: SchedulePart = WHOLE_SCHEDULE
    shape: Shape = "soak"

    def __post_init__(self) -> None:
        if not 0 < self.rate <= MAX_RATE:
            raise UsageError(f"the rate must be in (0, {MAX_RATE:g}] a second, not {self.rate}")
        if not (0 < self.seconds < np.inf and 0 <= self.warmup_s < np.inf):
            raise UsageError(
                f"a load of {self.seconds} s after {self.warmup_s} s of warm-up makes no sense"
            )

    @property
    def own_rate(self) -> float:
        """Arrivals a second of ``part``."""
        return self.rate / self.part.shards

    @property
    def warmup_ns(self) -> int:
        """Begin of the measured part, in ns from the start."""
        return round(self.warmup_s * _NS_A_SECOND)

    @property
    def end_ns(self) -> int:
        """End of the schedule, in ns from the start."""
        return self.warmup_ns + round(self.seconds * _NS_A_SECOND)


def arrival_times(schedule: Schedule) -> Iterator[Nanoseconds]:
    """Yield arrival times in ns from the start, ascending, in chunks of 4,096 (the last shorter).

    They are those of the schedule's ``part``. Memory does not grow with the schedule's length.
    """
    if schedule.part.shards == 1:
        yield from _all_arrivals(schedule)
        return
    pending = np.empty(0, dtype=np.int64)
    for times in _part_arrivals(schedule):
        pending = np.concatenate((pending, times))
        if pending.size >= CHUNK:
            yield pending[:CHUNK]
            pending = pending[CHUNK:]
    yield pending


def count_arrivals(schedule: Schedule) -> int:
    """Return the number of arrivals."""
    return sum(times.size for times in arrival_times(schedule))


def is_empty_schedule(schedule: Schedule) -> bool:
    """Return True if there is no arrival after the warm-up."""
    return not any(np.any(times >= schedule.warmup_ns) for times in arrival_times(schedule))


def _part_arrivals(schedule: Schedule) -> Iterator[Nanoseconds]:
    """Yield the arrivals of the part, in pieces of any size up to 4,096."""
    shard, shards = schedule.part.shard, schedule.part.shards
    count = 0
    for times in _all_arrivals(schedule):
        yield times[(shard - count) % shards :: shards]
        count += times.size


def _all_arrivals(schedule: Schedule) -> Iterator[Nanoseconds]:
    for times in _endless_arrivals(schedule):
        if times[-1] >= schedule.end_ns:
            yield _shaped(times[: np.searchsorted(times, schedule.end_ns)], schedule)
            return
        yield _shaped(times, schedule)


def _shaped(times: Nanoseconds, schedule: Schedule) -> Nanoseconds:
    """Return where the arrivals of a constant rate come in the schedule's shape; shape (n,)."""
    if schedule.shape == "soak":
        return times
    invert = _invert_ramp if schedule.shape == "ramp" else _invert_bursts
    start, seconds = schedule.warmup_ns, schedule.end_ns - schedule.warmup_ns
    share = (times - start) / seconds
    moved = start + np.rint(invert(np.maximum(share, 0.0), schedule) * seconds).astype(np.int64)
    # Rounding must not move the last one behind the end.
    return np.where(share < 0, times, np.minimum(moved, schedule.end_ns - 1))


def _invert_ramp(share: NDArray[np.float64], _: Schedule) -> NDArray[np.float64]:
    """Solve a t + (b - a) t^2 / 2 = share for t, for rates from a to b with the mean 1."""
    first, last = RAMP
    return (np.sqrt(first**2 + 2 * (last - first) * share) - first) / (last - first)


def _invert_bursts(share: NDArray[np.float64], schedule: Schedule) -> NDArray[np.float64]:
    """Return t for the share of all arrivals until t; there is a whole number of periods."""
    periods = max(1, round(schedule.seconds / _BURST_PERIOD_S))
    period, within = np.divmod(share * periods, 1.0)
    in_burst = BURST[0] * BURST_RATIO
    return (period + np.interp(within, [0.0, in_burst, 1.0], [0.0, BURST_RATIO, 1.0])) / periods


def _endless_arrivals(schedule: Schedule) -> Iterator[Nanoseconds]:
    gap_ns = _NS_A_SECOND / schedule.rate
    if schedule.arrivals == "constant":
        first = 0
        while True:
            yield np.rint(np.arange(first, first + CHUNK) * gap_ns).astype(np.int64)
            first += CHUNK
    random, last = np.random.default_rng(schedule.seed), 0
    while True:
        gaps = np.rint(random.exponential(gap_ns, CHUNK)).astype(np.int64)
        times = last + np.cumsum(gaps)
        last = int(times[-1])
        yield times
