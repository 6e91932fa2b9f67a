"""Drive a system in open loop, in one thread that generator and system share."""

import gc
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from msgspec.structs import replace

from veperf.core.load import GENERATOR, LoadSoFar
from veperf.core.registry import System
from veperf.loadtest.recorder import Recorder
from veperf.loadtest.result import LoadResult
from veperf.loadtest.schedule import CHUNK, Nanoseconds, Schedule, arrival_times, count_arrivals
from veperf.measure.contention import EndOfWatch, watch_contention

DRAIN_S = 5.0
# After a load is stopped by hand: far more than an item takes in a system that keeps up.
_STOPPED_DRAIN_NS = 250_000_000
_PROGRESS_INTERVAL_NS = 1_000_000_000

NsClock = Callable[[], int]
Sleep = Callable[[float], object]
ProgressCallback = Callable[[LoadSoFar], bool]
"""Called about once a second with the progress; returns False to stop the load."""


def keep_going(_: LoadSoFar) -> bool:
    """Never stop the load."""
    return True


def never() -> bool:
    """Never stop the load."""
    return False


def run_open_loop(
    system: Callable[[int], System],
    schedule: Schedule,
    *,
    drain_s: float = DRAIN_S,
    on_progress: ProgressCallback = keep_going,
    is_stopped: Callable[[], bool] = never,
    start: NsClock | None = None,
    clock: NsClock = time.perf_counter_ns,
    sleep: Sleep = time.sleep,
    cpu_clock: NsClock = time.thread_time_ns,
    watch: Callable[[], EndOfWatch] = watch_contention,
) -> LoadResult:
    """Drive a fresh system by ``schedule``, in constant memory however long that is.

    Args:
        system: makes the system; its argument is how many items it will be offered at most.
        schedule: when they arrive. Latency is measured from there, so that whatever is late, the
            generator included, shows in it (no coordinated omission).
        drain_s: how long to wait after the schedule for what is in flight; the rest is lost.
        on_progress: called in the middle of the load, so it must be quick. Where it returns False,
            the schedule ends there, and what is in flight gets ``drain_s``.
        is_stopped: called all the time, so it must be quicker still. Once it returns True, the
            schedule ends, and what is in flight a quarter of a second later counts for nothing.
        start: called when all is ready, returns when to start by ``clock``; None starts at once.
            Where that is past already, the first items are late.
        clock: ns since any moment, never going back.
        sleep: waits for so many seconds.
        cpu_clock: CPU time of this thread, in ns.
        watch: reads what this process and others have had of the CPUs, as ``watch_contention``.

    Raises:
        MeasureError: the system finishes items that it does not have.
    """
    with running_system(system, count_arrivals(schedule)) as running:
        agreed_ns = start() if start else None
        # Takes some ms: an agreed start leaves time for it.
        contention = watch()
        start_ns = clock() if agreed_ns is None else agreed_ns
        drain_ns = round(drain_s * 1e9)
        result = _OpenLoopRun(
            running, schedule, drain_ns, on_progress, is_stopped, start_ns, clock, sleep, cpu_clock
        ).run()
        return replace(result, contention=contention())


@contextmanager
def running_system(system: Callable[[int], System], items: int) -> Iterator[System]:
    """Make a system for so many ``items``, and close it after the block.

    The garbage collector stays on, as in production, and nothing is frozen: a collection of the
    oldest generation in the middle of the load looks at all that the set-up made.
    """
    running = system(items)
    try:
        # What earlier work left in a process that serves several cases is no garbage of the load.
        gc.unfreeze()
        gc.collect()
        yield running
    finally:
        running.close()


def with_generator(costs: Mapping[str, float], own_ns: int, committed: int) -> dict[str, float]:
    """Return the system's ``costs`` with the generator's CPU time for a committed item.

    ``own_ns`` is what it took beside the making of the items, which the system's costs may have.
    """
    if not committed:
        return dict(costs)
    return {GENERATOR: costs.get(GENERATOR, 0.0) + own_ns / committed} | {
        stage: ns for stage, ns in costs.items() if stage != GENERATOR
    }


class _OpenLoopRun:
    """A loop that offers what is due, lets the system work, and repeats."""

    def __init__(
        self,
        system: System,
        schedule: Schedule,
        drain_ns: int,
        on_progress: ProgressCallback,
        is_stopped: Callable[[], bool],
        start: int,
        clock: NsClock,
        sleep: Sleep,
        cpu_clock: NsClock,
    ) -> None:
        self._system = system
        self._schedule = schedule
        self._drain_ns = drain_ns
        # A system that takes twice its time to be offered the load has shown what there is to see.
        self._give_up_ns = 2 * schedule.end_ns + drain_ns
        self._recorder = Recorder(schedule)
        self._on_progress = on_progress
        self._is_stopped = is_stopped
        self._next_progress_ns = _PROGRESS_INTERVAL_NS
        self._start = start
        self._clock = clock
        self._sleep = sleep
        self._cpu_clock = cpu_clock
        self._step_ended_ns = 0
        """Time at which the system last gave the thread back, from the start."""
        self._system_ns = 0
        """CPU time of this thread in the system's calls."""
        self._committed = 0

    def run(self) -> LoadResult:
        began = self._cpu_clock()
        for number, times in enumerate(arrival_times(self._schedule)):
            if not self._offer(number * CHUNK, times):
                break
        self._drain()
        own_ns = self._cpu_clock() - began - self._system_ns
        costs = with_generator(self._system.costs(), own_ns, self._committed)
        return replace(self._recorder.result(), costs=costs)

    def _drain(self) -> None:
        """Wait for what is in flight."""
        until = self._now() + self._drain_ns
        is_cut = False
        while self._recorder.in_flight > 0 and self._now() < until:
            if not is_cut and self._is_stopped():
                is_cut, until = True, min(until, self._now() + _STOPPED_DRAIN_NS)
            self._report_progress(lag_ns=0)
            self._step()
        self._recorder.drained(self._step_ended_ns)
        if is_cut:
            self._recorder.forget_in_flight()

    def _offer(self, first_tag: int, times: Nanoseconds) -> bool:
        """Offer a chunk as it falls due; return False if the run must end before its last item."""
        self._recorder.expect(times)
        due: list[int] = times.tolist()
        # Not lists: objects that pile up until the end of a chunk would be a sawtooth in the
        # memory of the process that is watched.
        handed, bursts = array("q"), array("q")
        while len(handed) < len(due):
            now = self._now()
            if now > self._give_up_ns:
                break
            if self._is_stopped():
                self._recorder.stop(now)
                break
            until = due[len(handed)] - now
            if now >= self._next_progress_ns:
                if self._report_progress(lag_ns=max(-until, 0)):
                    continue
                self._recorder.stop(now)
                break
            if until <= 0:
                size = self._offer_burst(first_tag, due, handed, now)
                bursts.extend((size, now, self._step_ended_ns))
            elif not self._recorder.in_flight:
                self._sleep(min(until, self._next_progress_ns - now) / 1e9)
                continue
            self._step()
        self._recorder.handed_over(
            times[: len(handed)],
            np.array(handed, dtype=np.int64),
            np.array(bursts, dtype=np.int64).reshape(-1, 3),
        )
        if len(handed) == len(due):
            return True
        self._recorder.withdraw(first_tag + np.arange(len(handed), len(due)))
        return False

    def _offer_burst(self, first_tag: int, due: list[int], handed: "array[int]", now: int) -> int:
        """Offer all items that were due at ``now``; return their number."""
        # Attributes as locals: this loop runs once an item.
        offer, clock, start = self._system.offer, self._clock, self._start
        give_up_ns = self._give_up_ns
        began = self._cpu_clock()
        refused: list[int] = []
        first = len(handed)
        for index in range(first, bisect_right(due, now, lo=first)):
            at = clock() - start
            if at > give_up_ns:
                break
            handed.append(at)
            if not offer(first_tag + index):
                refused.append(first_tag + index)
        self._system_ns += self._cpu_clock() - began
        offered = len(handed) - first
        self._recorder.accepted(offered - len(refused), refused)
        return offered

    def _report_progress(self, *, lag_ns: int) -> bool:
        """Report progress if it is time to; return whether to go on."""
        now = self._now()
        if now < self._next_progress_ns:
            return True
        self._next_progress_ns = now + _PROGRESS_INTERVAL_NS
        return self._on_progress(self._recorder.so_far(now, lag_ns))

    def _step(self) -> None:
        began = self._cpu_clock()
        done = self._system.step()
        self._system_ns += self._cpu_clock() - began
        self._committed += len(done.committed)
        self._step_ended_ns = self._now()
        self._recorder.finished(self._step_ended_ns, done)

    def _now(self) -> int:
        return self._clock() - self._start
