"""Work that is concurrent: a system with processes of its own, threads, and asyncio tasks."""

import asyncio
from collections.abc import Callable

from veperf.core.load import finished_count
from veperf.core.registry import System
from veperf.profiling.memory.background_profiler import MemoryProfiler
from veperf.profiling.memory.snapshot_stats import MemoryStats

_SAMPLING_S = 0.02


def watch_concurrent_work(
    system: System,
    items: int,
    in_threads: Callable[[], object],
    in_task: Callable[[], object],
    tasks: int,
) -> MemoryStats:
    """Put ``items`` on ``system`` while ``tasks`` tasks call ``in_task``, and watch the process.

    ``in_threads`` is called again and again in a thread of asyncio's pool meanwhile. Every task
    lets all others begin before it works, as one that waits for its order does; a snapshot is
    taken when they all wait.
    """

    async def work() -> None:
        begin = asyncio.Event()

        async def call_in_task() -> None:
            await begin.wait()
            in_task()

        waiting = [asyncio.create_task(call_in_task()) for _ in range(tasks)]
        loading = asyncio.create_task(_load(system, items))
        await asyncio.to_thread(in_threads)
        profiler.take_snapshot()
        begin.set()
        await asyncio.gather(loading, *waiting)

    with MemoryProfiler(_SAMPLING_S) as profiler:
        asyncio.run(work())
    return profiler.stats()


async def _load(system: System, items: int) -> None:
    """Offer all items, and let the system work until they are finished."""
    accepted = 0
    for tag in range(items):
        accepted += system.offer(tag)
    finished = 0
    while finished < accepted:
        await asyncio.sleep(0)
        finished += finished_count(system.step())
