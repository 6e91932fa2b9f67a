"""Cost of watching a process: CPU time of the profiler's thread, by interval and heap.

    python -m benchmarks.memory_overhead

The process holds many small objects and tasks, as the number of both is what a snapshot's cost
grows with. The thread's own CPU clock is read from outside, so that nothing else counts; the cost
of being told of each garbage collection is measured apart, on a loop that does little else.
"""

import asyncio
import gc
import time
from pathlib import Path
from threading import Thread

from veperf.profiling.memory.background_profiler import MemoryProfiler
from veperf.profiling.memory.process_probes import GcPauses

SECONDS = 10.0
OBJECTS = (10_000, 1_000_000, 5_000_000)
TASKS = 1_000
INTERVALS = (1.0, 0.1)
COLLECTIONS = 20_000


def main() -> None:
    """Measure, and print a table."""
    loop = asyncio.new_event_loop()
    tasks = [loop.create_task(asyncio.sleep(60)) for _ in range(TASKS)]
    print(f"{'objects':>10}{'interval':>10}{'CPU of a core':>15}{'a snapshot':>12}")
    for objects in OBJECTS:
        held = [(i, i + 1) for i in range(objects // 3)]
        for interval in INTERVALS:
            share, each_us = _measure(interval)
            print(f"{objects:10,}{interval:8.1f} s{share:14.3%}{each_us:9.0f} µs")
        del held
    print(f"told of a collection: {_callback_ns():.0f} ns")
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()


def _measure(interval: float) -> tuple[float, float]:
    """The share of a core, and µs of a snapshot."""
    with MemoryProfiler(interval) as profiler:
        (thread,) = [t for t in _threads() if t.name == "veperf-memory"]
        before, taken = _cpu_s(thread), profiler.stats().snapshots
        time.sleep(SECONDS)
        used_s, taken = _cpu_s(thread) - before, profiler.stats().snapshots - taken
    return used_s / SECONDS, used_s / taken * 1e6


def _threads() -> list[Thread]:
    import threading

    return threading.enumerate()


def _cpu_s(thread: Thread) -> float:
    """CPU time of a thread, in s, by the scheduler's own accounting (ns)."""
    schedstat = Path(f"/proc/self/task/{thread.native_id}/schedstat")
    return int(schedstat.read_text().split()[0]) / 1e9


def _callback_ns() -> float:
    """Return the cost of a notification at each collection of the youngest generation."""
    bare = min(_collections_ns() for _ in range(5))
    pauses = GcPauses()
    pauses.start()
    notified = min(_collections_ns() for _ in range(5))
    pauses.stop()
    return notified - bare


def _collections_ns() -> float:
    started = time.thread_time_ns()
    for _ in range(COLLECTIONS):
        gc.collect(0)
    return (time.thread_time_ns() - started) / COLLECTIONS


if __name__ == "__main__":
    main()
