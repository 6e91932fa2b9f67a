"""Benchmarks of level load, good and bad, for the tests of what measures them."""

import time

from veperf.core.case import LATENCY_METRICS, Level, Metric
from veperf.core.load import Finished, Search
from veperf.core.registry import LoadTask, Task, benchmark

RATES = (Metric("achieved", "1/s", "higher"), *LATENCY_METRICS)
THROUGHPUT = (Metric("throughput", "1/s", "higher"),)


class Desk:
    """Serves whatever is offered, an item for ``service_s``."""

    def __init__(self, service_s: float, door_s: float = 0.0) -> None:
        self._service_s = service_s
        self._door_s = door_s
        self._queue: list[int] = []

    def offer(self, tag: int) -> bool:
        time.sleep(self._door_s)
        self._queue.append(tag)
        return True

    def step(self) -> Finished:
        if not self._queue:
            time.sleep(0.001)
            return Finished()
        time.sleep(self._service_s)
        return Finished([self._queue.pop(0)])

    def costs(self) -> dict[str, float]:
        return {}

    def close(self) -> None:
        self._queue.clear()


@benchmark("loads/desk", level=Level.LOAD, params={"rate": (200, 100)}, metrics=RATES)
def desk(rate: int) -> LoadTask:
    """Serves at a given rate."""
    return LoadTask(lambda _: Desk(0.0001), rate)


@benchmark("loads/busiest", level=Level.LOAD, metrics=THROUGHPUT)
def busiest() -> LoadTask:
    """Is searched for the rate that it sustains, which is below 500 a second."""
    search = Search(100, 250, 0.1, start=200, highest=2_000)
    return LoadTask(lambda _: Desk(0.002), search)


@benchmark("loads/behind", level=Level.LOAD, metrics=RATES)
def behind() -> LoadTask:
    """Can't even be offered what is scheduled."""
    return LoadTask(lambda _: Desk(0, door_s=0.004), 500.0)


@benchmark("loads/raises", level=Level.LOAD, metrics=RATES)
def raises() -> LoadTask:
    """Breaks under load."""

    class Broken(Desk):
        def step(self) -> Finished:
            raise ValueError("planted error")

    return LoadTask(lambda _: Broken(0), 100.0)


@benchmark("loads/hangs", level=Level.LOAD, metrics=RATES)
def hangs() -> LoadTask:
    """Stops to answer under load."""
    return LoadTask(lambda _: Desk(3_600), 100.0)


@benchmark("loads/no_load", level=Level.LOAD, metrics=RATES)
def no_load() -> Task:
    """Says that it is a load and is none."""
    return Task(lambda: None)


@benchmark("loads/no_task", level=Level.MICRO)
def no_task() -> LoadTask:
    """Is a load and does not say so."""
    return LoadTask(lambda _: Desk(0), 100.0)
