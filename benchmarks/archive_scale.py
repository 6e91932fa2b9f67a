"""Cost of an archive of many runs: lists, histories and the site, in CPU time and memory.

    python -m benchmarks.archive_scale [--runs 50000] [--cases 45] [--folder FOLDER]

Makes the archive in FOLDER (a temporary one when not given; what is there already is used again)
with `benchmarks.generated_archive`, then runs the commands, each in a fresh process: without a
summary, with one, and with one more run. Prints the table of docs/scale.md.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.generated_archive import demo_cases, generate, write_loose
from veperf.archive.summary_files import FOLDER as SUMMARY

_LIST = ("list", "--runs")
_MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds = used.ru_utime + used.ru_stime
print(f"{seconds:.{1 if seconds >= 5 else 2}f} s | {used.ru_maxrss / 1024:.0f} MiB |")
sys.exit(done.stderr if done.returncode else 0)
"""


def measure(name: str, *words: str, archive: Path) -> None:
    """Run a command, and print its CPU time and the most memory that it had."""
    command = [sys.executable, "-m", "veperf", *words, "--archive", str(archive)]
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *command], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    print(f"| {name} | {done.stdout.rstrip()}", flush=True)


def main() -> None:
    """Make the archive and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=50_000)
    parser.add_argument("--cases", type=int, default=45)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        archive = arguments.folder or Path(temporary) / "archive"
        if not archive.exists():
            generate(archive, arguments.runs, arguments.cases)
        for derived in (SUMMARY, "site"):
            shutil.rmtree(archive / derived, ignore_errors=True)
        print("| | CPU time | memory |\n|---|--:|--:|")
        case = demo_cases(1)[0].id
        measure("`list --runs` without a summary, which it makes", *_LIST, archive=archive)
        measure("`list --runs`", *_LIST, archive=archive)
        measure("`history` of one case, the first time", "history", case, archive=archive)
        measure("`history` of one case", "history", case, archive=archive)
        measure("`history` of all, the first time", "history", archive=archive)
        measure("`history` of all", "history", archive=archive)
        measure("`site`, the first time", "site", archive=archive)
        measure("`site`, nothing changed", "site", archive=archive)
        for name, words in (
            ("`list --runs`", _LIST),
            ("`history` of one case", ("history", case)),
            ("`site`", ("site",)),
        ):
            add_run(archive, arguments.runs, arguments.cases)
            measure(f"{name}, one run more", *words, archive=archive)


def add_run(archive: Path, index: int, cases: int) -> None:
    """Write run ``index``, or the next one that the archive lacks."""
    while list(archive.glob(f"*-{index:07x}")):
        index += 1
    write_loose(archive, index, demo_cases(cases), index, 1)


if __name__ == "__main__":
    main()
