"""The capacity of a system: how fast it drains a backlog that is offered as fast as it takes it.

A closed loop, so that latency says nothing: what arrives waits behind what is there. It estimates
the rate that loads then confirm, and tells what gives out first.
"""

import time
from collections import deque
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from veperf.core.load import CpuContention, Finished, finished_count
from veperf.core.registry import System
from veperf.loadtest.generator import NsClock, never, running_system, with_generator
from veperf.measure.contention import EndOfWatch, watch_contention

# Half a second of work waits at least: more than any of the latencies that are allowed, so that
# every stage has work all the time, and little enough that draining it takes no longer.
_RECENT_NS = 250_000_000
_WAITING_RATIO = 2
_LEAST_WAITING = 32
_WARMUP_RATIO = 0.25
_DRAIN_RATIO = 1.0


class Backlog(Struct, frozen=True):
    """A drained backlog; counts are of the stretch from the warm-up to the last commit."""

    seconds: float
    committed: int
    errors: int
    """Valid items that failed, or were still in flight at the end."""
    costs: dict[str, float] = {}
    """CPU time in ns by stage for each item committed, warm-up included."""
    contention: CpuContention | None = None

    @property
    def capacity(self) -> float:
        """Commits a second; 0 where too little was committed to tell."""
        return self.committed / self.seconds if self.seconds > 0 else 0.0


def drain_backlog(
    system: Callable[[int], System],
    items: int,
    seconds: float,
    *,
    is_stopped: Callable[[], bool] = never,
    clock: NsClock = time.perf_counter_ns,
    cpu_clock: NsClock = time.thread_time_ns,
    watch: Callable[[], EndOfWatch] = watch_contention,
) -> Backlog:
    """Keep a backlog before a fresh system for ``seconds``, and let it drain as long at most.

    The first quarter is the warm-up. From its first commit afterwards to the last one, commits are
    counted: whole blocks, however large they are.

    Args:
        system: makes the system, as for ``run_open_loop``.
        items: the most to offer.
        seconds: how long to offer them.
        is_stopped: called all the time; it ends there once that returns True.
        clock: ns since any moment, never going back.
        cpu_clock: CPU time of this thread, in ns.
        watch: reads what this process and others have had of the CPUs.
    """
    with running_system(system, items) as running:
        contention = watch()
        backlog = _Draining(
            running, items, round(seconds * 1e9), is_stopped, clock, cpu_clock
        ).run()
        return replace(backlog, contention=contention())


class _Draining:
    """A loop that fills the system up, lets it work, and repeats."""

    def __init__(
        self,
        system: System,
        items: int,
        offering_ns: int,
        is_stopped: Callable[[], bool],
        clock: NsClock,
        cpu_clock: NsClock,
    ) -> None:
        self._system = system
        self._items = items
        self._offering_ns = offering_ns
        self._is_stopped = is_stopped
        self._clock = clock
        self._cpu_clock = cpu_clock
        self._in_flight = 0
        self._recent: deque[tuple[int, int]] = deque()
        self._recent_commits = 0
        self._system_ns = 0

    def run(self) -> Backlog:
        began, start = self._cpu_clock(), self._clock()
        warm_ns = round(_WARMUP_RATIO * self._offering_ns)
        end_ns = round((1 + _DRAIN_RATIO) * self._offering_ns)
        offered = total = counted = errors = 0
        first_ns: int | None = None
        last_ns = now = 0
        while now < end_ns and (self._in_flight or offered < self._items):
            if self._is_stopped():
                break
            if now < self._offering_ns:
                offered += self._fill(offered)
            elif not self._in_flight:
                break
            done = self._step()
            now = self._clock() - start
            committed = len(done.committed)
            total += committed
            errors += len(done.failed)
            if not committed:
                continue
            self._note(now, committed)
            if first_ns is not None:
                counted += committed
                last_ns = now
            elif now >= warm_ns:
                first_ns = last_ns = now
        own_ns = self._cpu_clock() - began - self._system_ns
        return Backlog(
            seconds=(last_ns - first_ns) / 1e9 if first_ns is not None else 0.0,
            committed=counted,
            errors=errors + self._in_flight,
            costs=with_generator(self._system.costs(), own_ns, total),
        )

    def _fill(self, offered: int) -> int:
        """Offer items until enough wait or the system is full; return their number."""
        most = max(_LEAST_WAITING, _WAITING_RATIO * self._recent_commits) - self._in_flight
        most = min(most, self._items - offered)
        began, accepted = self._cpu_clock(), 0
        while accepted < most and self._system.offer(offered + accepted):
            accepted += 1
        self._system_ns += self._cpu_clock() - began
        self._in_flight += accepted
        return accepted

    def _step(self) -> Finished:
        began = self._cpu_clock()
        done = self._system.step()
        self._system_ns += self._cpu_clock() - began
        self._in_flight -= finished_count(done)
        return done

    def _note(self, now: int, committed: int) -> None:
        """Count a commit among the recent ones, by which the backlog is sized."""
        self._recent.append((now, committed))
        self._recent_commits += committed
        while self._recent[0][0] < now - _RECENT_NS:
            self._recent_commits -= self._recent.popleft()[1]
