"""Systems under load and a clock of their own, so that tests of load take no time."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from veperf.core.load import CpuContention, Finished
from veperf.core.registry import System
from veperf.loadtest.generator import ProgressCallback, keep_going, run_open_loop
from veperf.loadtest.result import LoadResult
from veperf.loadtest.schedule import Schedule

MS = 1_000_000


@dataclass
class Clock:
    """Time that passes only when somebody takes it."""

    ns: int = 0
    oversleeps_ns: int = 0
    slept_ns: int = 0

    def __call__(self) -> int:
        return self.ns

    def sleep(self, seconds: float) -> None:
        slept_ns = round(seconds * 1e9) + self.oversleeps_ns
        self.ns += slept_ns
        self.slept_ns += slept_ns

    def cpu(self) -> int:
        return self.ns - self.slept_ns


@dataclass
class Server:
    """Serves one item after the other, each for ``service_ns``; takes ``capacity`` at most."""

    clock: Clock
    service_ns: int = 0
    capacity: int = 1 << 60
    offer_ns: int = 0
    freeze_at_ns: int = 1 << 60
    freeze_ns: int = 0
    closed: bool = False
    queue: deque[int] = field(default_factory=deque)

    def offer(self, tag: int) -> bool:
        self.clock.ns += self.offer_ns
        if len(self.queue) >= self.capacity:
            return False
        self.queue.append(tag)
        return True

    def step(self) -> Finished:
        if self.clock.ns >= self.freeze_at_ns:
            self.clock.ns += self.freeze_ns
            self.freeze_at_ns = 1 << 60
        if not self.queue:
            self.clock.ns += MS
            return Finished()
        together = min(len(self.queue), max(1, MS // max(self.service_ns, 1)))
        self.clock.ns += together * self.service_ns
        return Finished([self.queue.popleft() for _ in range(together)])

    def costs(self) -> dict[str, float]:
        return {"serve": 1_500.0}

    def close(self) -> None:
        self.closed = True


def simulate(
    system: Callable[[Clock], System],
    schedule: Schedule,
    *,
    oversleeps_ns: int = 0,
    on_progress: ProgressCallback = keep_going,
    contention: CpuContention | None = None,
) -> LoadResult:
    """A load run in no time, on a machine as ``contention`` says."""
    clock = Clock(oversleeps_ns=oversleeps_ns)
    return run_open_loop(
        lambda _: system(clock),
        schedule,
        on_progress=on_progress,
        clock=clock,
        sleep=clock.sleep,
        cpu_clock=clock.cpu,
        watch=lambda: lambda: contention,
    )
