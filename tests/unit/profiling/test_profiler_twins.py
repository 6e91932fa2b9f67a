"""The calls that VirtEngine's memory profiler has too, and what is counted of the process."""

import gc
import math
import os
import subprocess
import sys
import threading
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.allocating import soaked
from veperf.core.errors import MeasureError, UsageError
from veperf.ipc.isolated_process import run_in_fork
from veperf.profiling.memory import background_profiler
from veperf.profiling.memory.background_profiler import MemoryProfiler
from veperf.profiling.memory.budget import MemoryBudget
from veperf.profiling.memory.concurrent_work import watch_concurrent_work
from veperf.profiling.memory.leak_rule import LeakStatus
from veperf.profiling.memory.process_probes import (
    children_rss_bytes,
    count_objects,
    count_tasks,
    read_resident,
)

MIB = 2**20


def test_heap_budget_and_leak_by_the_names_of_virtengine() -> None:
    """A profile of a process that fills 64 MiB and gives them back."""
    profiler = MemoryProfiler(interval=60.0, max_snapshots=100)
    profiler.start()
    least = profiler.take_snapshot().rss_bytes
    filled = b"x" * (64 * MIB)
    most = profiler.take_snapshot().rss_bytes
    del filled
    profiler.stop()

    stats = profiler.stats()
    assert least < stats.average_heap_bytes < most <= stats.max_heap_bytes
    assert LeakStatus.INCONCLUSIVE is profiler.detect_leaks(10.0).status
    (unknown,) = profiler.check_budget(MemoryBudget(heap_bytes=most + 512 * MIB))
    assert ("leak_growth", None) == (unknown.limit_name, unknown.value)
    over = MemoryBudget(heap_bytes=most - 1, leak_growth=math.inf)
    assert ["heap_bytes"] == [use.limit_name for use in profiler.check_budget(over)]
    no_percent: list[Any] = [0.0, -1.0, math.nan, math.inf, "10", None, True]
    for percent in no_percent:
        with pytest.raises(UsageError, match="more than 0 %"):
            profiler.detect_leaks(percent)


@pytest.mark.slow
@pytest.mark.usefixtures("quiet_heap")
def test_a_leak_is_detected_by_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of half of what there is; the budget's growth is exceeded as well."""
    monkeypatch.setattr(background_profiler, "time", SimpleNamespace(monotonic=count().__next__))
    profiler = MemoryProfiler(interval=60.0, max_snapshots=200)
    kept: list[bytes] = []
    rss_bytes = profiler.take_snapshot().rss_bytes
    for _ in range(60):
        kept.append(b"x" * (rss_bytes // 120))
        profiler.take_snapshot()

    assert LeakStatus.SUSPECTED is profiler.detect_leaks(10.0).status
    assert ["leak_growth"] == [use.limit_name for use in profiler.check_budget()]


def test_the_profiler_does_not_count_itself() -> None:
    """Nor another one: their threads are none of the program's; a process of its own is one."""
    threads = threading.active_count()
    with MemoryProfiler(interval=60.0) as profiler:
        quiet = profiler.take_snapshot()
        sleeper = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        busy = profiler.take_snapshot()
        resident = children_rss_bytes()
        sleeper.communicate(b"\n")

        with MemoryProfiler(interval=60.0) as other:
            both = profiler.take_snapshot(), other.take_snapshot()

    assert threads == quiet.threads == busy.threads
    assert {threads} == {snapshot.threads for snapshot in both}
    assert 1 == busy.processes - quiet.processes
    assert resident > 0
    assert threads == profiler.take_snapshot().threads


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("VmRSS:\t 9 kB\nRssAnon:\t 5 kB\nRssFile:\t 3 kB\nRssShmem:\t 1 kB\n", (5, 4)),
        ("Name:\tx\nVmRSS:\t 9 kB\nThreads:\t1\n", (9, 0)),
    ],
    ids=["by kind", "an old kernel"],
)
def test_resident_memory_is_told_by_its_kind(
    status: str, expected: tuple[float, float], tmp_path: Path
) -> None:
    """As the file of proc(5) has it, in kB of 1,024 bytes."""
    (tmp_path / "status").write_text(status)
    actual = read_resident(str(tmp_path / "status"))

    assert expected == (actual.own_bytes / 1024, actual.mapped_bytes / 1024)
    with pytest.raises(MeasureError, match="resident memory can't be read"):
        read_resident(str(tmp_path / "none"))


def test_objects_are_those_that_are_tracked() -> None:
    """Lists are, numbers are not; frozen ones still are."""
    gc.collect()
    before = count_objects()
    kept = [[i] for i in range(10_000)]
    numbers = [float(i) for i in range(10_000)]
    after = count_objects()
    gc.freeze()
    frozen = count_objects()
    gc.unfreeze()

    assert 10_000 == len(kept) == len(numbers)
    assert 10_000 == pytest.approx(after - before, abs=1_000)
    assert after == pytest.approx(frozen, abs=1_000)


def test_a_fork_says_that_it_is_not_watched() -> None:
    """And reads its own memory, not its parent's; it can be watched anew."""

    def in_child() -> tuple[bool, str, int, bool]:
        running, words = profiler.running, repr(profiler)
        before = profiler.take_snapshot().rss_bytes
        filled = b"x" * (64 * MIB)
        grown = profiler.take_snapshot().rss_bytes - before
        del filled
        profiler.stop()
        with profiler:
            return running, words, grown, profiler.running

    with MemoryProfiler(interval=60.0) as profiler:
        running, words, grown, again = run_in_fork(
            in_child, tuple[bool, str, int, bool], timeout_s=30
        )
        assert profiler.running

    assert not running
    assert "not running in this fork" in words
    assert 60 * MIB < grown < 80 * MIB
    assert again


def test_concurrent_work_counts_all_that_is_alive_at_once() -> None:
    """Tasks that wait, the main one, and the one that loads unless it has finished; threads."""
    gc.collect()
    tasks = count_tasks()
    called: list[int] = []
    barrier = threading.Barrier(3)

    def in_threads() -> None:
        helpers = [threading.Thread(target=barrier.wait) for _ in range(2)]
        for helper in helpers:
            helper.start()
        barrier.wait()
        for helper in helpers:
            helper.join()

    system = soaked(rate=1, kept=0).system(20)
    actual = watch_concurrent_work(system, 20, in_threads, lambda: called.append(os.getpid()), 50)

    assert 50 == len(called)
    # A loop that an earlier test left behind may end a task meanwhile, or begin one.
    assert 51 <= actual.tasks.max <= 52 + tasks
    assert actual.tasks.last <= tasks + 1
    assert actual.threads.max >= threading.active_count()
