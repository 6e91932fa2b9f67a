"""A comparison of the four suites, by what was changed: seconds, pairs, and what was compared.

    python -m benchmarks.ab_suite [SCENARIO ...] [--budget SECONDS] [--cache FOLDER]

Every scenario edits a fresh clone of this checkout's last commit and calls ``veperf ab HEAD``
there, with an archive of its own. What the benchmarks execute is recorded in the first scenario,
which is ``cold`` where all are run, unless ``--cache`` names a folder where it is kept. One that
slows a function down says whether that was found. ``python -m benchmarks.asv_continuous`` does the
same by another tool.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from veperf.archive.comparisons import read_ab
from veperf.archive.storage.local import LocalStorage
from veperf.core.ab_records import ABRun
from veperf.core.paths import project_folder

LEAF = "veperf/workloads/transaction/codec.py"
HELPER = "veperf/workloads/transaction/iavl/tree.py"
SLOWED = "transaction/hash_compute"


@dataclass(frozen=True)
class Scenario:
    """A change of the code, and the benchmark that it slows down."""

    edit: Callable[[Path], None]
    slowed: str = ""


def replace(file: str, before: str, after: str) -> Callable[[Path], None]:
    """Return an edit that replaces text in a file of the clone."""

    def edit(clone: Path) -> None:
        path = clone / file
        text = path.read_text()
        if before not in text:
            raise SystemExit(f"{file} has no {before!r} any more")
        path.write_text(text.replace(before, after, 1))

    return edit


def append(file: str, text: str) -> Callable[[Path], None]:
    """Return an edit that adds text at the end of a file of the clone."""

    def edit(clone: Path) -> None:
        path = clone / file
        path.write_text(path.read_text() + text)

    return edit


_HASH = "return sha256(raw).digest()"
_NOT_CALLED = "\n\ndef not_called() -> None:\n    pass\n"
SCENARIOS = {
    "cold": Scenario(append("README.md", "\nMore.\n")),
    "nothing": Scenario(append("README.md", "\nMore.\n")),
    "comment": Scenario(append(LEAF, "# A comment.\n")),
    # Of half a microsecond, this is about 5 %; the line says how much.
    "leaf": Scenario(replace(LEAF, _HASH, f"len(raw)\n    {_HASH}"), SLOWED),
    "equal-leaf": Scenario(
        replace(LEAF, _HASH, "digest = sha256(raw).digest()\n    return digest")
    ),
    "helper": Scenario(
        replace(HELPER, "self._root = root\n", "self._root = root\n        root is None\n")
    ),
    "measuring": Scenario(append("veperf/measure/clock.py", _NOT_CALLED)),
    # The other side gets an environment of its own, which is made once.
    "dependency": Scenario(replace("pyproject.toml", '"pandas>=', '"pandas!=2.2.0,>=')),
    "data": Scenario(append("data/baselines/targets.json", "\n")),
}


@contextlib.contextmanager
def cloned() -> Iterator[Path]:
    """Clone the last commit of this checkout, for the time of the block."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder, "clone")
        git("clone", "-q", str(project_folder()), str(clone))
        yield clone


def git(*words: str) -> None:
    """Run git."""
    subprocess.run(["git", *words], check=True)


def compare(clone: Path, budget: float | None, cache: Path) -> tuple[float, int, ABRun]:
    """Return the seconds that a comparison of ``clone`` took, its exit code and its result."""
    archive = clone.parent / "archive"
    environment = os.environ | {"PYTHONPATH": str(clone), "XDG_CACHE_HOME": str(cache)}
    command = [sys.executable, "-m", "veperf", "ab", "HEAD", "--archive", str(archive)]
    command += [] if budget is None else ["--budget", f"{budget:g}s"]
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=clone, env=environment, capture_output=True, text=True, check=False
    )
    seconds = time.monotonic() - began
    if not archive.is_dir():
        raise SystemExit(done.stderr)
    return seconds, done.returncode, read_ab(LocalStorage(archive), "last")


def describe(name: str, seconds: float, code: int, run: ABRun) -> str:
    """Return the line of a scenario."""
    statuses = dict(Counter(change.status.value for change in run.changes))
    pairs = sum(len(change.pairs) for change in run.changes)
    line = f"{name:<11} {seconds:6.1f} s, {sum(r.seconds for r in run.rounds):6.1f} of them pairs; "
    line += f"{len(run.unaffected):3} unaffected, {len(run.changes):3} compared by {pairs} pairs: "
    line += f"{statuses}, exit {code}"
    for change in run.changes:
        if change.case == SCENARIOS[name].slowed:
            size = f"{change.ratio - 1:+.1%}" if change.ratio else "size not known"
            line += f"; {change.case} {change.status.value}, {size}, {len(change.pairs)} pairs"
    return line


def main() -> None:
    """Print a line for each scenario, all of them if none is named."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("scenarios", nargs="*", choices=[[], *SCENARIOS], metavar="SCENARIO")
    parser.add_argument("--budget", type=float, metavar="SECONDS")
    parser.add_argument("--cache", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    with cloned() as clone:
        for name in options.scenarios or SCENARIOS:
            SCENARIOS[name].edit(clone)
            cache = options.cache or clone.parent
            seconds, code, run = compare(clone, options.budget, cache.resolve())
            print(describe(name, seconds, code, run), flush=True)
            git("-C", str(clone), "checkout", "-q", "--", ".")


if __name__ == "__main__":
    main()
