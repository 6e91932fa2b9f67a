"""An archive that has every kind of file, and what must hold of it after any fault."""

import json
import shutil
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from msgspec.structs import replace

from tests.support.ab_runs import ab_run, change
from tests.support.archives import archive_of, dated_run
from veperf.archive.baselines import save_baseline
from veperf.archive.compaction import compact_archive
from veperf.archive.comparisons import save_ab
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.archive.version_noise import save_version_noise
from veperf.core.baseline import Baseline
from veperf.core.run import Run
from veperf.core.verdict import ChangeStatus
from veperf.core.version_noise import KindNoise, VersionNoise
from veperf.verdicts.baseline import baselines_of

RUNS, PACKED = 7, 4
COMPARISON = ab_run(change("demo/a", ChangeStatus.OK))
BASELINES = "baselines"
OLDER = ("*/complete.json", "packs/*/pack.json", "ab-*/ab.json")
ELSEWHERE = range(100, 104)
"""The days of the runs of another archive, which is beside."""


@dataclass(slots=True)
class Tally:
    """The outcomes of a campaign's trials."""

    name: str
    outcomes: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        counts = ", ".join(f"{count:,} {name}" for name, count in sorted(self.outcomes.items()))
        return f"{self.name}: {self.outcomes.total():,} trials: {counts}"


@cache
def known_run(day: int) -> Run:
    """The run of a day, whose id and content follow from the day alone."""
    return dated_run(day)


def known_baseline(day: int) -> Baseline:
    """The baseline that the run of a day gives; two of the same day are equal."""
    (baseline,) = baselines_of(known_run(day))
    return replace(baseline, recorded="2026-01-01T00:00:00+00:00")


def build(folder: Path) -> Archive:
    """Make an archive with a pack, loose runs, a summary, a comparison, noise and baselines."""
    archive = archive_of(folder, [known_run(day) for day in range(PACKED)])
    compact_archive(archive, keep=0)
    archive_of(folder, [known_run(day) for day in range(PACKED, RUNS)])
    save_ab(folder, COMPARISON)
    noise = KindNoise("", 0.004, 0.001, 0.009, 0.95, 12)
    machine = known_run(0).machine
    save_version_noise(archive.storage, VersionNoise("2026-01-01", machine, noise, ()))
    for day in range(2):
        save_baseline(folder / BASELINES, known_baseline(day), reason="first")
    load_summary(Archive(folder))
    return Archive(folder)


@cache
def _pattern(parent: Path) -> Path:
    build(parent / "pattern")
    archive_of(parent / "elsewhere", [known_run(day) for day in ELSEWHERE])
    return parent / "pattern"


def fresh_copy(parent: Path, name: str, *, older: bool = False) -> Path:
    """Return a copy of the archive that ``build`` makes, in a folder of its own.

    ``older`` is one of a version whose files had no stamps and no checksums of their own.
    """
    folder = parent / name
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(_pattern(parent), folder, symlinks=True)
    if older:
        make_older(folder)
    return folder


def make_older(folder: Path) -> None:
    """Take from an archive what files of format 1 lacked in earlier versions."""
    for path in [p for kind in OLDER for p in folder.glob(kind)]:
        document = json.loads(path.read_bytes())
        for field_ in ("stamp_ns", "order", "checksum"):
            document.pop(field_, None)
        path.write_text(json.dumps(document, indent=1))
    (folder / ".last-stamp.json").unlink(missing_ok=True)


def require_sound(folder: Path, days: set[int]) -> set[int]:
    """Check that the runs of ``days`` are there as they were made, and nothing is half written.

    Returns the days of all complete runs.

    Raises:
        AssertionError: something is lost, changed, or half written.
    """
    archive = Archive(folder)
    assert archive.faults() == {}, archive.faults()
    by_id = {run.id: run for run in archive.readable_runs()}
    there = {int(run.revision.commit, 16) for run in by_id.values()}
    assert there >= days, f"lost: {sorted(days - there)}"
    for run in by_id.values():
        assert run == known_run(int(run.revision.commit, 16)), f"{run.id} has changed"
    for path in folder.rglob("[!.]*"):
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            continue
        if path.suffix == ".html":
            assert path.read_text(encoding="utf-8").endswith(("</html>\n", "</html>")), path
        elif path.suffix in (".json", ".ipynb"):
            try:
                json.loads(path.read_bytes())
            except ValueError as error:
                raise AssertionError(f"{path} is half written: {error}") from error
    return there


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file with its bytes, by path."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
