"""The verdicts of the site, stored so that no run is judged twice."""

import contextlib
import math
from collections.abc import Collection
from pathlib import Path

from msgspec import Struct, json

from veperf.archive.baselines import load_baselines, load_targets
from veperf.archive.storage.base import Storage, read_stored_json, write_stored_json
from veperf.archive.store import Archive
from veperf.archive.summary import ArchiveSummary
from veperf.core.errors import DataError, UnknownTargetError, UsageError
from veperf.core.gate import Outcome
from veperf.core.policy import GatePolicy, find_policy
from veperf.core.run import Run
from veperf.core.verdict import Change, ChangeStatus, Verdict
from veperf.verdicts.verdict import run_verdict

_DECIDED = {
    ChangeStatus.SLOWER,
    ChangeStatus.SUSPECT,
    ChangeStatus.CHANGED,
    ChangeStatus.FASTER,
}
_FORMAT = 1
FILE = "verdicts.json"


class RunVerdict(Struct, frozen=True):
    """The verdict on a run, shortened."""

    completed_ns: int
    """The completion time of the run, in ns: identifies it beside its id."""
    outcome: Outcome
    sentence: str
    branch: str
    profile: str
    cases: int
    change: Change | None
    """The largest change from the baseline."""


class VerdictsFile(Struct, frozen=True):
    """The stored verdicts, by run."""

    known_misses: tuple[str, ...] = ()
    policy: str = ""
    """Policy of the gate, by which they were judged."""
    runs: dict[str, RunVerdict] = {}
    format: int = _FORMAT


def judge_runs(
    archive: Archive,
    summary: ArchiveSummary,
    site: Storage,
    targets: Path,
    baselines: Path,
    known_misses: Collection[str] = (),
    policy: GatePolicy | None = None,
) -> dict[str, RunVerdict]:
    """Return the verdicts on the runs of ``summary``, stored ones where ``site`` has them.

    A stored verdict stays, whatever baselines are recorded later; after a change of
    ``known_misses`` or ``policy`` all runs are judged again. Runs that can't be judged are left
    out.

    Raises:
        CorruptFileError: targets or baselines are broken.
        UnknownTargetError: ``known_misses`` names one that does not exist.
        StorageError: the verdicts can't be written.
    """
    misses = tuple(sorted(known_misses))
    old = _read(site)
    gate = find_policy() if policy is None else policy
    rules = json.encode(gate.table(), order="deterministic").decode()
    is_same = (old.known_misses, old.policy) == (misses, rules)
    runs = old.runs if is_same else {}
    published = load_targets(targets)
    if unknown := {*misses, *gate.known_misses} - {target.id for target in published.targets}:
        raise UnknownTargetError(f"there is no target {' or '.join(sorted(unknown))}")
    suites = sorted(path.stem for path in baselines.glob("*/*.json"))
    recorded = load_baselines(baselines, list(dict.fromkeys(suites)))
    verdicts: dict[str, RunVerdict] = {}
    for facts in summary.runs:
        before = runs.get(facts.id)
        if before is not None and before.completed_ns == facts.completed_ns:
            verdicts[facts.id] = before
            continue
        # A run from elsewhere may be broken, or refer to targets that are not published.
        with contextlib.suppress(DataError, UsageError):
            run = archive.read(facts.id)
            known = {case.suite for case in run.cases}
            earlier = [b for b in recorded if b.suite in known and b.recorded < run.created]
            verdict = run_verdict(run, published, earlier, misses, gate)
            verdicts[facts.id] = _run_verdict(run, verdict, facts.completed_ns)
    if verdicts != runs or not is_same:
        write_stored_json(site, FILE, VerdictsFile(misses, rules, verdicts))
    return verdicts


def _read(site: Storage) -> VerdictsFile:
    """Return the stored verdicts; none where there is no file, or a broken one."""
    try:
        return read_stored_json(site, FILE, VerdictsFile, newest_format=_FORMAT)
    except DataError:
        return VerdictsFile()


def _run_verdict(run: Run, verdict: Verdict, completed_ns: int) -> RunVerdict:
    decided = [c for c in verdict.changes if c.status in _DECIDED and c.ratio]
    largest = max(decided, key=lambda c: abs(math.log(c.ratio or 1.0)), default=None)
    return RunVerdict(
        completed_ns,
        verdict.decision.outcome,
        verdict.decision.headline,
        run.revision.branch,
        run.config.profile,
        len(run.cases),
        largest,
    )
