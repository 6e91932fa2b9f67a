"""Kill `veperf archive migrate` again and again, and compare what it leaves in the end.

    python -m benchmarks.archive_migration [--runs 5000] [--cases 45] [--kills 8] [--folder FOLDER]

An archive of `generated_archive` is taken back to what the first version wrote, and migrated twice:
undisturbed, and killed (SIGKILL) at random moments until it has been killed so many times. Both
must end the same, byte for byte.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.generated_archive import generate
from veperf.archive.files import CHECKSUM
from veperf.archive.manifest import COMPLETE
from veperf.archive.packs import FIGURES, MANIFEST
from veperf.archive.store import Archive


def age_archive(folder: Path) -> None:
    """Take from an archive what earlier versions did not write: stamps, figures, checksums."""
    for path in [*folder.glob(f"*/{COMPLETE}"), *folder.glob(f"packs/*/{MANIFEST}")]:
        document = json.loads(path.read_bytes())
        for name in (CHECKSUM, "stamp_ns", "order"):
            document.pop(name, None)
        document["sha256"].pop(FIGURES, None)
        path.write_text(json.dumps(document, indent=1))
    for path in folder.glob(f"packs/*/{FIGURES}"):
        path.unlink()


def migrate(archive: Path, kill_after_s: float | None = None) -> tuple[bool, float]:
    """Migrate; return whether it came to its end, and the CPU time of the process in s."""
    words = [sys.executable, "-m", "veperf", "archive", "migrate", "--archive", str(archive)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        killer = threading.Timer(kill_after_s or threading.TIMEOUT_MAX, process.kill)
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        killer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, -9):
        raise AssertionError(f"migrate ended with {process.returncode}")
    return process.returncode == 0, usage.ru_utime + usage.ru_stime


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of an archive, by its name below, but hidden ones.

    A process that is killed while it writes leaves the file's temporary name, which no reader sees.
    """
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


def killed_and_compared(folder: Path, kills: int, seed: int = 0) -> list[str]:
    """Migrate `folder/older` twice, once with kills; return lines about it.

    Raises:
        AssertionError: a migration failed, or both did not end the same.
    """
    older, undisturbed, killed = (folder / name for name in ("older", "undisturbed", "killed"))
    for copy in (undisturbed, killed):
        shutil.copytree(older, copy)
    begin = time.monotonic()
    is_whole, cpu_s = migrate(undisturbed)
    took_s = time.monotonic() - begin
    assert is_whole
    lines = [f"undisturbed: {cpu_s:.1f} s of CPU time, {took_s:.1f} s in all"]
    dice, longest_s = random.Random(seed), took_s / 3
    moments: list[float] = []
    spent_s = 0.0
    while len(moments) < kills:
        moment = dice.uniform(0, longest_s)
        is_whole, cpu_s = migrate(killed, moment)
        if is_whole:  # before it was killed so many times: from the beginning, with shorter waits
            shutil.rmtree(killed)
            shutil.copytree(older, killed)
            moments, spent_s, longest_s = [], 0.0, longest_s * 0.8
        else:
            moments.append(moment)
            spent_s += cpu_s
    is_whole, cpu_s = migrate(killed)
    assert is_whole
    after = ", ".join(f"{moment:.1f}" for moment in moments)
    lines.append(f"killed {kills} times, after {after} s; {spent_s + cpu_s:.1f} s of CPU time")
    files, other = contents(undisturbed), contents(killed)
    different = [n for n in sorted({*files, *other}) if files.get(n) != other.get(n)]
    assert not different, f"they did not end the same: {', '.join(different)}"
    assert not Archive(killed).faults()
    return [*lines, f"the same: {len(files):,} files, {len(Archive(killed).ids()):,} runs"]


def main() -> None:
    """Generate, age, migrate, kill and compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5_000)
    parser.add_argument("--cases", type=int, default=45)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        generate(Path(name) / "older", arguments.runs, arguments.cases)
        age_archive(Path(name) / "older")
        print("\n".join(killed_and_compared(Path(name), arguments.kills)))


if __name__ == "__main__":
    main()
