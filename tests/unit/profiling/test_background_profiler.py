"""The profiler in the background, against what the process is made to do."""

import asyncio
import gc
import json
import os
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.core.errors import MeasureError, UsageError
from veperf.ipc.isolated_process import run_in_fork
from veperf.profiling.memory import background_profiler
from veperf.profiling.memory.background_profiler import MemoryProfiler
from veperf.profiling.memory.budget import MemoryBudget
from veperf.profiling.memory.operation_memory import OperationMemory, measure_operation_memory
from veperf.profiling.memory.process_probes import (
    RationedCount,
    RssReader,
    count_processes,
    count_tasks,
)
from veperf.runner.soak_readings import ThinnedSeries

MIB = 2**20


def until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_it_sees_memory_come_and_go():
    """Resident memory rises by what is filled, and the peak stays when it is gone."""
    with MemoryProfiler(interval=0.01) as profiler:
        before = profiler.take_snapshot().rss_bytes
        block = b"x" * (64 * MIB)
        seen = len(profiler.snapshots)
        until(lambda: len(profiler.snapshots) > seen + 2)
        held = profiler.take_snapshot().rss_bytes
        del block
        after = profiler.take_snapshot().rss_bytes

    assert 60 * MIB <= held - before <= 80 * MIB
    assert after <= held - 60 * MIB
    stats = profiler.stats()
    assert held <= stats.peak_rss_bytes
    assert stats.rss.min <= stats.rss.mean <= stats.rss.max <= stats.peak_rss_bytes
    assert stats.snapshots == len(profiler.snapshots)


def test_a_peak_between_two_snapshots_is_seen():
    """The system remembers it, if it was the highest ever."""
    with MemoryProfiler(interval=3_600) as profiler:
        high = profiler.stats().peak_rss_bytes
        size = max(0, peak_ever() - profiler.snapshots[-1].rss_bytes) + 64 * MIB
        block = b"x" * size
        del block

    assert profiler.stats().rss.max < high + 32 * MIB
    assert profiler.stats().peak_rss_bytes >= profiler.snapshots[0].rss_bytes + size - 16 * MIB


def peak_ever() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def make_many() -> list[list[None]]:
    """Make so many objects that Python collects the youngest ones."""
    return [[] for _ in range(3 * gc.get_threshold()[0])]


def test_collections_are_counted_and_timed():
    """As gc counts them: those of Python by generation, and those that are forced; none later."""

    def counted() -> list[int]:
        return [generation["collections"] for generation in gc.get_stats()]

    before = counted()
    with MemoryProfiler(interval=3_600) as profiler:
        for generation in (0, 1, 2, 2):
            make_many()
            gc.collect(generation)
        gc.disable()
        try:
            many = make_many()
            gc.collect(0)
            del many
        finally:
            gc.enable()
    during = sum(counted()) - sum(before)
    gc.collect()

    stats = profiler.stats()
    assert 5 == stats.gc_forced_cycles
    assert "forced by gc.collect(): 5, longest" in repr(profiler)
    # Python may have collected just before and just after.
    assert during - 5 == pytest.approx(sum(stats.gc_cycles), abs=2)
    assert stats.gc_cycles[0] >= 4
    assert 0 < max(stats.gc_longest_ns) <= stats.gc_total_ns
    longest = zip(stats.gc_longest_cpu_ns, stats.gc_longest_ns, strict=True)
    assert all(0 <= cpu <= wall for cpu, wall in longest)
    assert 0 < stats.gc_forced_longest_cpu_ns <= stats.gc_forced_longest_ns
    assert sum(stats.gc_cycles) == profiler.snapshots[-1].gc_cycles


@pytest.mark.usefixtures("quiet_heap")
def test_a_forced_collection_is_no_pause_that_is_judged():
    """However large the heap is that it goes through; the profiler's own are not even counted."""
    heap: list[list[int]] = [[] for _ in range(200_000)]
    with MemoryProfiler(interval=3_600) as profiler:
        profiler.force_gc()
        unforced = profiler.stats()
        gc.collect()
        stats = profiler.stats()

    assert 0 == sum(stats.gc_cycles) == max(stats.gc_longest_ns)
    assert (0, 1) == (unforced.gc_forced_cycles, stats.gc_forced_cycles)
    assert 0 < unforced.gc_own_longest_cpu_ns == stats.gc_own_longest_cpu_ns
    no_pause = MemoryBudget(gc_pause_ns=0, leak_growth=float("inf"))
    assert () == profiler.check_budget(no_pause)
    assert 200_000 == len(heap)


@pytest.mark.usefixtures("quiet_heap")
@pytest.mark.parametrize("ask", ["check_budget", "force_gc", "stats", "stop", "take_snapshot"])
def test_what_is_asked_for_counts_objects_anew(ask: str):
    """A peak of objects between two rationed counts is seen where somebody looks."""
    # A count that took so long would be repeated in 50 minutes.
    profiler = MemoryProfiler(interval=3_600)
    with profiler:
        before = profiler.stats().objects.max
        kept: list[list[None]] = [[] for _ in range(50_000)]
        getattr(profiler, ask)()
        del kept
        limit = MemoryBudget(objects=before + 40_000, leak_growth=float("inf"))
        over = profiler.check_budget(limit)

    assert ["objects"] == [use.limit_name for use in over]


class SlowReader(RssReader):
    """Takes so long that the profiler is nearly always in the middle of a snapshot."""

    def read_bytes(self) -> int:
        time.sleep(0.03)
        return super().read_bytes()


def test_a_fork_in_the_middle_of_a_snapshot_can_be_asked(monkeypatch: pytest.MonkeyPatch):
    """Though the thread that took it doesn't exist there; here, it goes on."""
    monkeypatch.setattr(background_profiler, "RssReader", SlowReader)
    profiler = MemoryProfiler(interval=0.001)

    def in_child() -> tuple[bool, bool]:
        before = len(profiler.snapshots)
        profiler.take_snapshot()
        was_running = profiler.running
        profiler.stop()
        return was_running, len(profiler.snapshots) > before

    with profiler:
        for _ in range(3):
            actual = run_in_fork(in_child, tuple[bool, bool], timeout_s=60)
            assert (False, True) == actual
        seen = len(profiler.snapshots)
        until(lambda: len(profiler.snapshots) > seen + 1)
        assert profiler.running


@pytest.mark.slow
def test_work_that_forks_allocates_nothing_of_the_profiler_s():
    """Whether the process that the work was forked from has a profiler, or none."""

    def fork() -> None:
        if (pid := os.fork()) == 0:
            os._exit(0)
        os.waitpid(pid, 0)

    def measure() -> OperationMemory:
        gc.disable()
        return measure_operation_memory(fork)

    MemoryProfiler().take_snapshot()
    alone = run_in_fork(measure, OperationMemory, timeout_s=60)
    with MemoryProfiler(interval=3_600):
        watched = run_in_fork(measure, OperationMemory, timeout_s=60)

    assert alone == watched


@pytest.mark.slow
def test_a_fork_s_own_profiler_can_be_forked_too(monkeypatch: pytest.MonkeyPatch):
    """In the middle of a snapshot, which the fork waits for."""
    monkeypatch.setattr(background_profiler, "RssReader", SlowReader)
    profiler = MemoryProfiler(interval=0.001)

    def in_grandchild() -> bool:
        return profiler.take_snapshot() in profiler.snapshots

    def in_child() -> bool:
        with profiler:
            return all(run_in_fork(in_grandchild, bool, timeout_s=20) for _ in range(3))

    with profiler:
        assert run_in_fork(in_child, bool, timeout_s=60)


def test_a_process_that_has_ended_does_not_count():
    """Nobody has waited for it yet: a zombie."""
    before = count_processes()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        running = count_processes()
        assert process.stdin is not None
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        ended = count_processes()

    assert (1, 0) == (running - before, ended - before)


def test_a_pause_s_cpu_time_leaves_out_the_waiting_for_a_cpu():
    """A collection that other threads hold up takes no more CPU time for that."""

    class Slow:
        """Garbage that waits while it is collected."""

        def __del__(self) -> None:
            time.sleep(0.2)

    with MemoryProfiler(interval=3_600) as profiler:
        garbage = Slow()
        garbage.itself = garbage  # type: ignore[attr-defined]
        del garbage
        make_many()
        stats = profiler.stats()

    longest = zip(stats.gc_longest_ns, stats.gc_longest_cpu_ns, strict=True)
    assert max(wall - cpu for wall, cpu in longest) >= 150_000_000


def test_force_gc_tells_before_from_after():
    """Cyclic garbage is gone in between."""
    profiler = MemoryProfiler()
    gc.disable()
    try:
        for _ in range(20_000):
            ring: list[object] = []
            ring.append(ring)
        before, after = profiler.force_gc()
    finally:
        gc.enable()

    assert before.blocks - after.blocks >= 20_000


def test_threads_and_tasks_of_every_loop_count():
    """Loops in other threads, too; tasks that are done don't."""
    gc.collect()
    base = count_tasks()
    stop = asyncio.Event()
    ready = threading.Barrier(3)

    def run() -> None:
        async def main() -> None:
            tasks = [asyncio.ensure_future(asyncio.sleep(60)) for _ in range(5)]
            done = asyncio.ensure_future(asyncio.sleep(0))
            await done
            await asyncio.to_thread(ready.wait)
            await asyncio.to_thread(ready.wait)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run(main())

    threads = [threading.Thread(target=run) for _ in range(2)]
    profiler = MemoryProfiler()
    quiet = profiler.take_snapshot()
    for thread in threads:
        thread.start()
    ready.wait()
    busy = profiler.take_snapshot()
    ready.wait()
    for thread in threads:
        thread.join()

    assert not stop.is_set()
    assert 2 * (5 + 1) == busy.tasks - base
    assert busy.threads - quiet.threads >= 2
    assert base == profiler.take_snapshot().tasks
    assert profiler.stats().concurrent.max >= busy.tasks + busy.threads


def test_the_ring_keeps_the_last_and_statistics_know_all():
    """In constant memory."""
    profiler = MemoryProfiler(max_snapshots=3)
    made = [profiler.take_snapshot() for _ in range(10)]

    assert tuple(made[-3:]) == profiler.snapshots
    assert made[-1] == profiler.latest
    assert 10 == profiler.stats().snapshots
    assert made[0].rss_bytes == profiler.stats().rss.first
    profiler.clear()
    assert () == profiler.snapshots
    assert profiler.latest is None


def test_starting_twice_is_an_error_and_stopping_twice_is_not():
    """And it can go on after a stop."""
    profiler = MemoryProfiler(interval=0.01)
    profiler.start()
    with pytest.raises(MeasureError, match="is running"):
        profiler.start()
    profiler.stop()
    profiler.stop()
    taken = profiler.stats().snapshots
    with profiler:
        pass
    assert taken + 2 <= profiler.stats().snapshots


def test_an_exception_stops_it():
    """No thread and no callback stays behind."""
    callbacks, threads = list(gc.callbacks), threading.active_count()
    with pytest.raises(KeyError), MemoryProfiler(interval=0.01):
        raise KeyError

    assert callbacks == gc.callbacks
    assert threads == threading.active_count()


@pytest.mark.parametrize("interval", [0, -1, float("nan"), float("inf"), 1e300, "1", None, True])
def test_an_interval_that_is_none_is_refused(interval):
    """In words."""
    with pytest.raises(UsageError, match="interval"):
        MemoryProfiler(interval)


@pytest.mark.parametrize("number", [0, 2.5, "1", None, True, 2**63])
def test_a_number_of_snapshots_that_is_none_is_refused(number):
    """In words."""
    with pytest.raises(UsageError, match="one snapshot"):
        MemoryProfiler(1, number)


def test_no_snapshots_no_statistics():
    """Neither kept nor made up."""
    profiler = MemoryProfiler()
    with pytest.raises(MeasureError, match="no snapshot"):
        profiler.stats()
    assert "no snapshots" in repr(profiler)
    assert "no snapshots" in profiler._repr_html_()
    assert profiler.frame().empty


def test_exports_say_the_same():
    """JSON, table and picture."""
    profiler = MemoryProfiler()
    for _ in range(3):
        profiler.take_snapshot()

    exported = json.loads(profiler.to_json())
    frame = profiler.frame()
    assert [s.rss_bytes for s in profiler.snapshots] == frame["rss_bytes"].tolist()
    assert frame["blocks"].tolist() == [s["blocks"] for s in exported["snapshots"]]
    assert 3 == exported["stats"]["snapshots"]
    html = profiler._repr_html_()
    assert "<svg" in html
    assert "http" not in html
    assert "currentColor" in html


def test_a_count_that_takes_long_is_rationed():
    """It is repeated, until counting anew is a small share of the time."""
    calls: list[None] = []

    def count() -> int:
        calls.append(None)
        began = time.thread_time()
        # Not again within a minute, however busy the machine is.
        while time.thread_time() - began < 0.02:
            pass
        return len(calls)

    rationed = RationedCount(count)
    assert [1, 1, 1] == [rationed.recent() for _ in range(3)]
    assert 2 == rationed.fresh()
    assert 2 == rationed.recent()


@given(st.lists(st.integers(0, 100), max_size=200), st.sampled_from([2, 4, 8]))
def test_a_thinned_series_keeps_the_troughs(values, capacity):
    """Never more points than it may have, in order, and the lowest of all among them."""
    series = ThinnedSeries(capacity)
    for time_s, value in enumerate(values):
        series.add(time_s, value)

    points = series.points()
    assert len(points) <= capacity
    assert list(points) == sorted(points)
    assert all(values[int(at)] == value for at, value in points)
    assert not values or min(values) == min(value for _, value in points)
