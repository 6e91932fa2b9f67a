"""What the site says of each run, kept so that no run is judged twice."""

import contextlib
import math
from collections.abc import Collection
from pathlib import Path

from msgspec import Struct

from veperf.archive.baselines import load_baselines, load_targets
from veperf.archive.storage.base import Storage
from veperf.archive.storage.json_files import read_document, write_document
from veperf.archive.store import Archive
from veperf.archive.summary import Summary
from veperf.core.errors import DataError, UnknownTargetError, UsageError
from veperf.core.run import Run
from veperf.core.verdict import Change, ChangeStatus, Outcome, Verdict
from veperf.verdicts.verdict import verdict

_DECIDED = {ChangeStatus.SLOWER, ChangeStatus.SUSPECT, ChangeStatus.FASTER}
_FORMAT = 1
KEPT = "verdicts.json"


class Judged(Struct, frozen=True):
    """The verdict on a run, in short."""

    completed_ns: int
    """Of the run: tells it from another one of that id."""
    outcome: Outcome
    sentence: str
    branch: str
    profile: str
    cases: int
    change: Change | None
    """The largest that was found against the baseline."""


class Verdicts(Struct, frozen=True):
    """The file that keeps them, by run."""

    known_misses: tuple[str, ...] = ()
    runs: dict[str, Judged] = {}
    format: int = _FORMAT


def judge_runs(
    archive: Archive,
    summary: Summary,
    site: Storage,
    targets: Path,
    baselines: Path,
    known_misses: Collection[str] = (),
) -> dict[str, Judged]:
    """The verdicts on the runs of ``summary``, from the file that ``site`` keeps where it has them.

    A verdict stays as it was when the run was judged first, whatever baselines are recorded later;
    other ``known_misses`` judge all runs anew. Runs that can't be judged are left out.

    Raises:
        CorruptFileError: targets or baselines are broken.
        UnknownTargetError: ``known_misses`` names one that does not exist.
        StorageError: that can't be written.
    """
    misses = tuple(sorted(known_misses))
    old = _read(site)
    runs = old.runs if old.known_misses == misses else {}
    published = load_targets(targets)
    if strange := set(misses) - {target.id for target in published.targets}:
        raise UnknownTargetError(f"there is no target {' or '.join(sorted(strange))}")
    suites = sorted(path.stem for path in baselines.glob("*/*.json"))
    recorded = load_baselines(baselines, list(dict.fromkeys(suites)))
    found: dict[str, Judged] = {}
    for facts in summary.runs:
        before = runs.get(facts.id)
        if before is not None and before.completed_ns == facts.completed_ns:
            found[facts.id] = before
            continue
        # A run from elsewhere may be broken, or answer targets that nobody published.
        with contextlib.suppress(DataError, UsageError):
            run = archive.read(facts.id)
            known = {case.suite for case in run.cases}
            earlier = [b for b in recorded if b.suite in known and b.recorded < run.created]
            judged = verdict(run, published, earlier, misses)
            found[facts.id] = _in_short(run, judged, facts.completed_ns)
    if found != runs or old.known_misses != misses:
        write_document(site, KEPT, Verdicts(misses, found))
    return found


def _read(site: Storage) -> Verdicts:
    """What is kept; nothing where there is no file, or a broken one."""
    try:
        return read_document(site, KEPT, Verdicts, newest_format=_FORMAT)
    except DataError:
        return Verdicts()


def _in_short(run: Run, found: Verdict, completed_ns: int) -> Judged:
    decided = [c for c in found.changes if c.status in _DECIDED and c.ratio]
    largest = max(decided, key=lambda c: abs(math.log(c.ratio or 1.0)), default=None)
    return Judged(
        completed_ns,
        found.outcome,
        found.sentence,
        run.revision.branch,
        run.config.profile,
        len(run.cases),
        largest,
    )
