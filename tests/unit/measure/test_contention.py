"""CPU time and run-queue wait of processes, from a /proc made by hand and from the real one."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from veperf.measure.contention import boot_id, watch_contention
from veperf.measure.cpus import usable_cpus

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
# user nice system idle iowait irq softirq steal guest guest_nice, in ticks
BEFORE = (100, 10, 50, 1000, 5, 0, 3, 7, 0, 0)


def write_cpus(proc: Path, columns: tuple[int, ...]) -> None:
    lines = [f"cpu{cpu} {' '.join(map(str, columns))}" for cpu in usable_cpus()]
    (proc / "stat").write_text("\n".join(["cpu  9 9 9 9 9 9 9 9", *lines, "intr 1 2"]))


def write_process(
    proc: Path, pid: int, parent: int, cpu_times: tuple[int, ...], waits: Mapping[int, int]
) -> None:
    """``cpu_times`` are utime, stime, cutime and cstime; ``waits`` are ns by thread."""
    folder = proc / str(pid)
    for thread, wait_ns in waits.items():
        (folder / "task" / str(thread)).mkdir(parents=True, exist_ok=True)
        (folder / "task" / str(thread) / "schedstat").write_text(f"12345 {wait_ns} 6\n")
    between = " ".join(["0"] * 9)
    (folder / "stat").write_text(
        f"{pid} (a) name) S {parent} {between} {' '.join(map(str, cpu_times))} 20 0 1"
    )


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    write_cpus(tmp_path, BEFORE)
    write_process(tmp_path, 10, 1, (5, 5, 0, 0), {10: 1_000, 14: 0})
    write_process(tmp_path, 11, 10, (50, 0, 0, 0), {11: 500})
    write_process(tmp_path, 12, 11, (0, 20, 0, 0), {12: 0})
    write_process(tmp_path, 13, 1, (900, 0, 0, 0), {13: 9_000_000_000})
    return tmp_path


def test_a_process_counts_with_all_that_it_started(proc: Path) -> None:
    """Grandchildren too, and children that have ended; the rest of what was busy is others'."""
    contention = watch_contention(10, proc=proc)
    write_process(proc, 10, 1, (15, 5, 8, 2), {10: 2_000_001_000, 15: 500_000_000})
    write_process(proc, 12, 11, (10, 20, 0, 0), {12: 250_000_000})
    write_process(proc, 13, 1, (1_000, 0, 0, 0), {13: 99_000_000_000})
    # 20 + 10 + 5 + 5 more are busy on each CPU, idle and iowait are not; 4 more are stolen.
    write_cpus(proc, (120, 20, 55, 1100, 15, 0, 8, 11, 0, 0))

    actual = contention()

    assert actual is not None
    cpus = len(usable_cpus())
    assert cpus == actual.cpus
    assert 30 * TICK_S == pytest.approx(actual.ran_s)
    assert 2.75 == pytest.approx(actual.waited_s)
    assert max(40 * cpus - 30, 0) * TICK_S == pytest.approx(actual.others_s)
    assert 4 * cpus * TICK_S == pytest.approx(actual.stolen_s)


def test_nothing_is_known_without_run_queue_waits(proc: Path, tmp_path: Path) -> None:
    """A kernel that keeps none, a system without /proc, a process that is gone: None, no guess."""
    for file in proc.glob("1*/task/*/schedstat"):
        file.unlink()

    assert watch_contention(10, proc=proc)() is None
    assert watch_contention(10, proc=tmp_path / "none")() is None
    assert watch_contention(99, proc=proc)() is None


@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="no run-queue waits here")
def test_it_agrees_with_what_the_system_says_of_this_process() -> None:
    """CPU time is that of os.times(), a child's included, to some ticks."""
    contention, before = watch_contention(), os.times()
    until = time.process_time() + 0.1
    while time.process_time() < until:
        pass
    burn = "import time\nwhile time.process_time() < 0.1: pass"
    subprocess.run([sys.executable, "-c", burn], check=True)

    actual, after = contention(), os.times()

    assert actual is not None
    assert sum(after[:4]) - sum(before[:4]) == pytest.approx(actual.ran_s, abs=0.05)
    assert actual.waited_s >= 0


def test_the_kernel_has_one_name_while_it_runs() -> None:
    """Read twice, it is the same."""
    assert boot_id() == boot_id()
