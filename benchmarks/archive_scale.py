"""Cost of trends in an archive of many runs, which is generated.

    python -m benchmarks.archive_scale [--runs 10000] [--cases 45] [--folder FOLDER]

Makes the archive in FOLDER (a temporary one when not given; what is there already is used again),
then measures, in seconds of wall and of CPU time: the summary made from scratch, read again, and
brought up to date with one more run; the trend of one benchmark with its change points; those of
all; and the command `veperf history` as a whole, in a fresh process.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from veperf.archive.manifest import COMPLETE, RUN, run_manifest
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.archive.trend import Trend, case_trend, machine_trends
from veperf.core.case import Case, Level
from veperf.core.run import CaseResult, Config, Machine, Pass, Revision, Run, Sample

PASSES, SAMPLES, LOOPS = 6, 5, 1_000
NOISE = 0.01
STEP = 0.05
T = TypeVar("T")


def generated_run(index: int, cases: tuple[Case, ...], runs: int) -> Run:
    """One run of the archive. Half of the cases get 5 % slower, each at a place of its own."""
    dice = np.random.default_rng(index)
    levels = np.array(
        [
            100.0
            * (1 + n)
            * (1 + STEP * (n % 2 == 0 and index >= runs * (n + 1) / (len(cases) + 1)))
            for n in range(len(cases))
        ]
    )
    process = levels * dice.normal(1, NOISE, (PASSES, len(cases)))
    times_ns = process[..., None] * (1 + dice.exponential(NOISE, (PASSES, len(cases), SAMPLES)))
    whole_ns = np.round(times_ns * LOOPS).astype(np.int64).tolist()
    created = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=index)
    return Run(
        id=f"{created:%Y%m%d-%H%M%S}-{index:07x}",
        created=created.isoformat(),
        config=Config("quick", PASSES, SAMPLES, 1, 5_000_000, index, 60.0),
        machine=Machine("box-4c", "Box 9000", 4, None, "Linux", "CPython 3.11.7"),
        revision=Revision(f"{index:040x}", "main"),
        cases=cases,
        passes=tuple(
            Pass(
                p,
                created.isoformat(),
                1.0,
                0.5,
                0.5,
                None,
                0.0,
                1e6,
                tuple(
                    CaseResult(
                        case.id,
                        loops=LOOPS,
                        samples=tuple(Sample(wall, wall - 7, 0) for wall in whole_ns[p][c]),
                    )
                    for c, case in enumerate(cases)
                ),
            )
            for p in range(PASSES)
        ),
    )


def generate(folder: Path, runs: int, cases: tuple[Case, ...], first: int = 0) -> None:
    """Write complete runs, less their tables of samples, which no trend needs."""
    for index in range(first, first + runs):
        run = generated_run(index, cases, first + runs)
        place = folder / run.id
        if not (place / COMPLETE).exists():
            place.mkdir(parents=True, exist_ok=True)
            data = msgspec.json.encode(run)
            (place / RUN).write_bytes(data)
            complete = run_manifest(run.id, {RUN: data}, stamp_ns=index)
            (place / COMPLETE).write_bytes(msgspec.json.encode(complete))


def timed(name: str, call: Callable[[], T]) -> T:
    """Call, and print the time."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = call()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:52}{wall:10.3f}{cpu:10.3f}", flush=True)
    return result


def main() -> None:
    """Make the archive and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--cases", type=int, default=45)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        ids = [f"demo/case_{n:02}" for n in range(arguments.cases)]
        cases = tuple(Case(i, i, "demo", Level.MICRO, "Works.") for i in ids)
        print(f"{arguments.runs} runs of {arguments.cases} benchmarks{'wall s':>34}{'CPU s':>10}")
        timed("write the runs", lambda: generate(folder, arguments.runs, cases))
        measure(folder, arguments.runs, cases)


def measure(folder: Path, runs: int, cases: tuple[Case, ...]) -> None:
    """Print the cost of the archive in ``folder``."""
    import ruptures  # noqa: F401 - what change points need, so that no figure has its import

    archive = Archive(folder)
    timed("summary, what is missing of it made from the runs", lambda: load_summary(archive))
    summary = timed("summary, read", lambda: load_summary(archive))
    generate(folder, 1, cases, first=runs)
    timed("summary, one run more", lambda: load_summary(archive))
    trend = timed("trend of one benchmark, summary included", lambda: _trend(archive, cases[0].id))
    everything = timed("change points of all", lambda: machine_trends(summary))
    steps = sum(len(trend_of_case.change_points) for trend_of_case in everything)
    print(f"({len(trend.values)} values; {steps} change points in all)")
    words = [sys.executable, "-m", "veperf", "history"]
    for more in ([cases[0].id], []):
        command = [*words, *more, "--archive", str(folder)]
        timed(f"veperf history {' '.join(more)}", partial(_run, command))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"at most {peak:.0f} MiB resident, generating included")


def _trend(archive: Archive, case: str) -> Trend:
    return case_trend(load_summary(archive), case)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")


if __name__ == "__main__":
    main()
