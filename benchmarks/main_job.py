"""The main job, measured: seconds by phase, and how many of the published targets it answers.

    python -m benchmarks.main_job [PROFILE [NEIGHBOURS]]

Runs ``veperf run`` and ``veperf report`` on an archive of its own, twice: the second run finds the
set-ups that the first one kept. NEIGHBOURS processes keep CPUs busy meanwhile.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from benchmarks.busy_machine import busy_neighbours
from veperf.archive.baselines import load_targets
from veperf.archive.store import Archive
from veperf.core import paths
from veperf.core.case import Level
from veperf.core.run import Run
from veperf.runner.run_lifecycle import memory_at_once
from veperf.verdicts.targets import judge_targets

RUNS = 2


def main(profile: str = "quick", neighbours: str = "0") -> None:
    """Print a table of seconds, and what the targets' answers are."""
    targets = load_targets(paths.default_baselines_folder())
    with tempfile.TemporaryDirectory() as folder, busy_neighbours(int(neighbours)):
        for number in range(1, RUNS + 1):
            print(f"run {number}, {profile}, load average {os.getloadavg()[0]:.1f}")
            elapsed = {
                "veperf run": call("run", "--profile", profile, archive=folder),
                "veperf report": call("report", "last", archive=folder),
            }
            archive = Archive(Path(folder))
            run = archive.read(archive.ids()[-1])
            for name, (wall_s, cpu_s) in elapsed.items():
                print(f"  {name:<24} {wall_s:6.1f} s, {cpu_s:6.1f} s of CPU time")
            for name, seconds in phases(run).items():
                print(f"    {name:<22} {seconds:6.1f} s")
            answers = Counter(str(v.status) for v in judge_targets(run, targets))
            print(f"  {len(targets.targets)} targets: {dict(answers)}")


def call(*arguments: str, archive: str) -> tuple[float, float]:
    """Call ``veperf``; return its wall time, and the CPU time of all its processes."""
    before, began = os.times(), time.monotonic()
    command = [sys.executable, "-m", "veperf", *arguments, "--archive", archive]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    cpu_s = sum(after[2:4]) - sum(before[2:4])
    return time.monotonic() - began, cpu_s


def phases(run: Run) -> dict[str, float]:
    """Return the seconds of the run's passes by what they measured.

    Those that count memory run side by side, so that their seconds are shared.
    """
    at_once = memory_at_once(run.config)
    levels = {case.id: case.level for case in run.cases}
    seconds: dict[str, float] = defaultdict(float)
    for pass_ in run.passes:
        is_timed = pass_.index < run.config.timed_passes
        share = 1.0 if is_timed else 1 / at_once
        for result in pass_.results:
            is_load = levels[result.case] is Level.LOAD
            phase = "loads" if is_load else "times" if is_timed else "memory"
            seconds[phase] += share * (result.seconds or 0)
        seconds["starts, calibration"] += share * (
            pass_.seconds - sum(result.seconds or 0 for result in pass_.results)
        )
    return dict(seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
