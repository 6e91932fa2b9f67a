"""Cost of a sweep beside the measurements themselves.

    python -m benchmarks.sweep_overhead [--tasks 1000] [--rounds 3] [--skip-runs]

Prints the tables of docs/scale.md:

- many tasks that do nothing, with 1, 2, 4 and 8 workers: time, CPU time of scheduler, client and
  workers a task, memory of the scheduler a task;
- a sweep of one task that does nothing, from the connection to the run in the archive: what a task
  of ten seconds is longer by, but for what the dask worker takes from the measurement;
- a task that measures for some ten seconds by the same `veperf run` without a cluster, one after
  the other, and the CPU time of the dask worker beside the measurement. On a busy machine compare
  the fastest.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.support.clusters import Cluster, instant
from veperf.archive.store import Archive
from veperf.cluster.progress import SweepLines
from veperf.cluster.spec import SweepSpec
from veperf.cluster.sweep import run_tasks
from veperf.cluster.sweep_journal import SweepJournal
from veperf.cluster.sweep_plan import plan_sweep

_TEN_SECONDS = "bidding/serialization"
_WORKERS = (1, 2, 4, 8)
# The settings of docs/scale.md, as dask reads them from the environment.
_QUIET = {
    "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
    "DASK_DISTRIBUTED__WORKER__MEMORY__MONITOR_INTERVAL": "1s",
    "DASK_DISTRIBUTED__ADMIN__SYSTEM_MONITOR__INTERVAL": "5s",
    "DASK_DISTRIBUTED__ADMIN__TICK__INTERVAL": "1s",
}


class _Quiet(SweepLines):
    def say(self, message: str) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Used:
    """What a process has used so far."""

    cpu_s: float
    memory_bytes: int


def used(pid: int) -> Used:
    """By the process itself, without its children."""
    # proc(5): after the name, which may hold spaces, come the 3rd field and those that follow.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Used(ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE"))


def main() -> None:
    """Measure and print."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("--tasks", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--skip-runs", action="store_true", help="only tasks that do nothing")
    options = arguments.parse_args()
    load = ", ".join(f"{n:.1f}" for n in os.getloadavg())
    print(f"{os.cpu_count()} CPUs, load {load}, Python {platform.python_version()}\n")
    print(f"{options.tasks} tasks that do nothing; CPU time and memory are a task's\n")
    print("| workers | took | tasks/s | scheduler CPU | client CPU | worker CPU | memory |")
    print("|--:|--:|--:|--:|--:|--:|--:|")
    for workers in _WORKERS:
        with tempfile.TemporaryDirectory() as name:
            small(Path(name), workers, options.tasks)
    if not options.skip_runs:
        with tempfile.TemporaryDirectory() as name:
            long(Path(name), options.rounds)


def small(folder: Path, workers: int, tasks: int) -> None:
    """A line of the table: tasks that do nothing."""
    spec = SweepSpec("small", benchmarks=("x",), repeats=tasks)
    with Cluster(folder) as cluster:
        pids = [cluster.start_worker(f"w{n}", "any").pid for n in range(workers)]
        with cluster.client() as client:
            client.wait_for_workers(workers)
        processes = (cluster.scheduler.pid, os.getpid(), *pids)
        with SweepJournal.create(Archive(folder / "archive"), plan_sweep(spec, str)) as journal:
            before = [used(pid) for pid in processes]
            started = time.perf_counter()
            run_tasks(journal, cluster.client, _Quiet(journal), work=instant)
            took_s = time.perf_counter() - started
            after = [used(pid) for pid in processes]
    cpu_ms = [(b.cpu_s - a.cpu_s) / tasks * 1e3 for a, b in zip(before, after, strict=True)]
    memory_kib = (after[0].memory_bytes - before[0].memory_bytes) / tasks / 1024
    print(
        f"| {workers} | {took_s:.1f} s | {tasks / took_s:.0f} | {cpu_ms[0]:.2f} ms "
        f"| {cpu_ms[1]:.2f} ms | {sum(cpu_ms[2:]):.2f} ms | {memory_kib:.1f} KiB |",
        flush=True,
    )


def long(folder: Path, rounds: int) -> None:
    """Measure a task in a sweep, beside the same without a cluster."""
    with Cluster(folder) as cluster:
        worker = cluster.start_worker("only", "any", environment=_QUIET)
        with cluster.client() as client:
            client.wait_for_workers(1)
        plain, swept, beside, nothing = [], [], [], []
        for n in range(rounds):
            plan = plan_sweep(SweepSpec("none", benchmarks=("x",)), str)
            with SweepJournal.create(Archive(folder / f"none-{n}"), plan) as journal:
                started = time.perf_counter()
                run_tasks(journal, cluster.client, _Quiet(journal), work=instant)
                nothing.append(time.perf_counter() - started)
            plan = plan_sweep(SweepSpec("one", benchmarks=(_TEN_SECONDS,), profile="standard"), str)
            started = time.perf_counter()
            plainly(folder / "plain")
            plain.append(time.perf_counter() - started)
            with SweepJournal.create(Archive(folder / str(n)), plan) as journal:
                cpu_s = used(worker.pid).cpu_s
                started = time.perf_counter()
                run_tasks(journal, cluster.client, _Quiet(journal))
                swept.append(time.perf_counter() - started)
                beside.append((used(worker.pid).cpu_s - cpu_s) / swept[-1])
    print(
        f"\na sweep of one task that does nothing: {statistics.median(nothing) * 1e3:.0f} ms "
        f"({min(nothing) * 1e3:.0f} to {max(nothing) * 1e3:.0f})"
    )
    print(f"\n{_TEN_SECONDS}, {rounds} times each, one after the other\n")
    print("| | fastest | median | slowest |")
    print("|---|--:|--:|--:|")
    for name, took_s in (("plain", plain), ("in a sweep", swept)):
        middle_s = statistics.median(took_s)
        print(f"| {name} | {min(took_s):.2f} s | {middle_s:.2f} s | {max(took_s):.2f} s |")
    print(f"\nthe dask worker beside it: {statistics.median(beside):.2%} of a CPU")


def plainly(archive: Path) -> None:
    """The same as people type it."""
    words = ("run", _TEN_SECONDS, "--profile", "standard", "--archive", str(archive))
    subprocess.run([sys.executable, "-m", "veperf", *words], check=True, capture_output=True)


if __name__ == "__main__":
    main()
