"""Drives a system in open loop, in one thread that the two share."""

import gc
import time
from bisect import bisect_right
from collections.abc import Callable

import numpy as np
from msgspec.structs import replace

from veperf.core.load import LoadSoFar
from veperf.core.registry import System
from veperf.loadtest.recorder import Recorder
from veperf.loadtest.result import LoadResult
from veperf.loadtest.schedule import CHUNK, Nanoseconds, Schedule, arrivals, count

DRAIN_S = 5.0
_LOOK_NS = 1_000_000_000

NsClock = Callable[[], int]
Sleep = Callable[[float], object]
Watch = Callable[[LoadSoFar], bool]
"""Told about once a second how it goes; whether to go on."""


def look_away(_: LoadSoFar) -> bool:
    """Let it go on, whatever it does."""
    return True


def run_load(
    system: Callable[[int], System],
    schedule: Schedule,
    *,
    drain_s: float = DRAIN_S,
    watch: Watch = look_away,
    start: NsClock | None = None,
    clock: NsClock = time.perf_counter_ns,
    sleep: Sleep = time.sleep,
) -> LoadResult:
    """Drive a fresh system by ``schedule``; in constant memory, however long that is.

    Args:
        system: makes the system, and is told how many items it will be offered at most.
        schedule: when they arrive. Latency is measured from there, so that whatever is late, the
            generator included, shows in it (no coordinated omission).
        drain_s: how long to wait after the schedule for what is in flight; the rest is lost.
        watch: is told how it goes, in the middle of it, so it must be quick. Where it says no,
            the schedule ends there, and what is in flight gets ``drain_s``.
        start: is called when all is ready, and tells when to start by ``clock``; at once where it
            is None. Where that is past already, the first items are late.
        clock: ns since any moment, never going back.
        sleep: waits for so many seconds.

    The garbage collector stays on, as it does in production; what the set-up made is frozen, so
    that it is not gone through again and again.

    Raises:
        MeasureError: the system finishes items that it does not have.
    """
    made = system(count(schedule))
    try:
        gc.collect()
        gc.freeze()
        try:
            began = (start or clock)()
            return _Drive(made, schedule, round(drain_s * 1e9), watch, began, clock, sleep).run()
        finally:
            gc.unfreeze()
    finally:
        made.close()


class _Drive:
    """One run: offers what is due, lets the system work, and again."""

    def __init__(
        self,
        system: System,
        schedule: Schedule,
        drain_ns: int,
        watch: Watch,
        start: int,
        clock: NsClock,
        sleep: Sleep,
    ) -> None:
        self._system = system
        self._schedule = schedule
        self._drain_ns = drain_ns
        # A system that takes twice its time to be offered the load has shown what there is to see.
        self._give_up = 2 * schedule.end_ns + drain_ns
        self._recorder = Recorder(schedule)
        self._watch = watch
        self._next_look = _LOOK_NS
        self._start = start
        self._clock = clock
        self._sleep = sleep
        self._given_back = 0
        """When the system last gave the thread back, ns from the start."""

    def run(self) -> LoadResult:
        for number, times in enumerate(arrivals(self._schedule)):
            if not self._offer(number * CHUNK, times):
                break
        deadline = self._now() + self._drain_ns
        while self._recorder.in_flight > 0 and self._now() < deadline:
            self._look(lag_ns=0)
            self._step()
        return replace(self._recorder.result(), costs=dict(self._system.costs()))

    def _offer(self, first_tag: int, times: Nanoseconds) -> bool:
        """Offer a chunk as it falls due; False where that took too long, and the rest is left."""
        self._recorder.expect(times)
        due: list[int] = times.tolist()
        handed: list[int] = []
        bursts: list[tuple[int, int, int]] = []
        while len(handed) < len(due):
            now = self._now()
            if now > self._give_up:
                break
            until = due[len(handed)] - now
            if now >= self._next_look:
                if self._look(lag_ns=max(-until, 0)):
                    continue
                self._recorder.stop(now)
                break
            if until <= 0:
                bursts.append((self._burst(first_tag, due, handed, now), now, self._given_back))
            elif not self._recorder.in_flight:
                self._sleep(min(until, self._next_look - now) / 1e9)
                continue
            self._step()
        self._recorder.handed_over(times[: len(handed)], np.array(handed, dtype=np.int64), bursts)
        if len(handed) == len(due):
            return True
        self._recorder.withdraw(first_tag + np.arange(len(handed), len(due)))
        return False

    def _burst(self, first_tag: int, due: list[int], handed: list[int], now: int) -> int:
        """Offer all that was due at ``now``; how many that were."""
        offer, clock, start, give_up = self._system.offer, self._clock, self._start, self._give_up
        refused: list[int] = []
        first = len(handed)
        for place in range(first, bisect_right(due, now, lo=first)):
            at = clock() - start
            if at > give_up:
                break
            handed.append(at)
            if not offer(first_tag + place):
                refused.append(first_tag + place)
        offered = len(handed) - first
        self._recorder.taken(offered - len(refused), refused)
        return offered

    def _look(self, *, lag_ns: int) -> bool:
        """Have somebody look, if it is time to; whether they want it to go on."""
        now = self._now()
        if now < self._next_look:
            return True
        self._next_look = now + _LOOK_NS
        return self._watch(self._recorder.so_far(now, lag_ns))

    def _step(self) -> None:
        done = self._system.step()
        self._given_back = self._now()
        self._recorder.finished(self._given_back, done)

    def _now(self) -> int:
        return self._clock() - self._start
