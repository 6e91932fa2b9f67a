"""A comparison of the four suites, by what was changed: seconds, pairs, and what was compared.

    python -m benchmarks.ab_suite [SCENARIO ...]

Every scenario edits a fresh clone of this checkout's last commit and calls ``veperf ab HEAD``
there, with an archive of its own. What the benchmarks execute is recorded once, in the first
scenario; ``cold`` is that comparison.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from veperf.archive.comparisons import read_ab
from veperf.archive.storage.local import LocalStorage
from veperf.core.paths import project_folder

LEAF = "veperf/workloads/transaction/codec.py"
HELPER = "veperf/workloads/zk/field.py"


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
SCENARIOS: dict[str, Callable[[Path], None]] = {
    "cold": append("README.md", "\nMore.\n"),
    "nothing": append("README.md", "\nMore.\n"),
    "comment": append(LEAF, "# A comment.\n"),
    "leaf function": replace(LEAF, _HASH, "digest = sha256(raw).digest()\n    return digest"),
    "leaf function, slower": replace(
        LEAF, _HASH, "for _ in range(3):\n        raw[:1]\n    return sha256(raw).digest()"
    ),
    "shared helper": append(HELPER, "\n\ndef not_called() -> None:\n    pass\n"),
    "measuring code": append(
        "veperf/measure/clock.py", "\n\ndef not_called() -> None:\n    pass\n"
    ),
    "data file": append("data/baselines/targets.json", "\n"),
}


def main(*names: str) -> None:
    """Print a line for each scenario, all of them if none is named."""
    top = project_folder()
    with tempfile.TemporaryDirectory() as folder:
        clone, archive = Path(folder, "clone"), Path(folder, "archive")
        git("clone", "-q", str(top), str(clone))
        environment = os.environ | {"PYTHONPATH": str(clone), "XDG_CACHE_HOME": folder}
        for name in names or SCENARIOS:
            SCENARIOS[name](clone)
            began = time.monotonic()
            command = [sys.executable, "-m", "veperf", "ab", "HEAD", "--archive", str(archive)]
            called = subprocess.run(
                command, cwd=clone, env=environment, capture_output=True, check=False
            )
            seconds = time.monotonic() - began
            run = read_ab(LocalStorage(archive), "last")
            statuses = Counter(change.status.value for change in run.changes)
            compared = f"{len(run.unaffected):3} unaffected, {len(run.changes):3} compared"
            print(f"{name:<22} {seconds:6.1f} s, {len(run.rounds):3} pairs, {compared}:", end=" ")
            print(f"{dict(statuses)}, exit {called.returncode}", flush=True)
            git("-C", str(clone), "checkout", "-q", "--", ".")


def git(*words: str) -> None:
    """Run git."""
    subprocess.run(["git", *words], check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
