"""Cost of an archive of many runs: lists, histories and the site, in CPU time and memory.

    python -m benchmarks.archive_scale [--runs 5000] [--cases 45] [--folder FOLDER]

Makes the archive in FOLDER (a temporary one when not given; what is there already is used again)
with `benchmarks.generated_archive`, then runs the commands, each in a fresh process: without a
summary, with one, and with one more run.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.generated_archive import demo_cases, generate, write_loose
from veperf.archive.summary_files import FOLDER as SUMMARY

_MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{used.ru_utime + used.ru_stime:10.2f}{used.ru_maxrss / 1024:10.0f}")
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
    print(f"{name:44}{done.stdout.rstrip()}", flush=True)


def main() -> None:
    """Make the archive and measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5_000)
    parser.add_argument("--cases", type=int, default=45)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        archive = arguments.folder or Path(temporary) / "archive"
        if not archive.exists():
            generate(archive, arguments.runs, arguments.cases)
        for derived in (SUMMARY, "site"):
            shutil.rmtree(archive / derived, ignore_errors=True)
        print(f"{arguments.runs:,} runs of {arguments.cases} cases{'CPU s':>32}{'MiB':>10}")
        case = demo_cases(1)[0].id
        measure("list --runs, no summary", "list", "--runs", archive=archive)
        measure("list --runs", "list", "--runs", archive=archive)
        measure("history of a case, change points unknown", "history", case, archive=archive)
        measure("history of a case", "history", case, archive=archive)
        measure("history of all, change points unknown", "history", archive=archive)
        measure("history of all", "history", archive=archive)
        measure("site, new", "site", archive=archive)
        measure("site, nothing changed", "site", archive=archive)
        index = arguments.runs
        while list(archive.glob(f"*-{index:07x}")):
            index += 1
        write_loose(archive, index, demo_cases(arguments.cases), index, 1)
        measure("list --runs, one run more", "list", "--runs", archive=archive)
        measure("history of a case, one run more", "history", case, archive=archive)
        measure("site, one run more", "site", archive=archive)


if __name__ == "__main__":
    main()
