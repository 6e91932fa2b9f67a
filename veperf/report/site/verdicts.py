"""The verdicts of the site, stored so that no run is judged twice."""

import contextlib
import math
from collections.abc import Collection, Sequence
from pathlib import Path

from msgspec import Struct, json

from veperf.archive.baselines import load_baselines
from veperf.archive.missing_runs import Progress
from veperf.archive.run_summary import RunFacts
from veperf.archive.storage.base import Storage, read_stored_json, write_stored_json
from veperf.archive.store import Archive
from veperf.archive.summary import ArchiveSummary
from veperf.core.errors import DataError, UnknownTargetError, UsageError
from veperf.core.gate import Outcome
from veperf.core.policy import GatePolicy
from veperf.core.run import Run
from veperf.core.target import TargetSet
from veperf.core.verdict import Change, ChangeStatus, Verdict
from veperf.verdicts.verdict import run_verdict

_DECIDED = {
    ChangeStatus.SLOWER,
    ChangeStatus.SUSPECT,
    ChangeStatus.CHANGED,
    ChangeStatus.FASTER,
}
# Format history of verdicts/<year>.json:
#   1  the first
_FORMAT = 1
FOLDER = "verdicts"
JUDGED = 1_000
"""Newest runs that are judged; of those before them verdicts are shown that were stored earlier."""
WHO_IS_JUDGED = (
    f"the site judges the newest {JUDGED:,} and keeps the verdicts; `veperf ci --run ID` judges one"
)


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


class VerdictRules(Struct, frozen=True):
    """The rules by which runs are judged, beside targets and baselines."""

    known_misses: tuple[str, ...]
    policy: str


def verdict_rules(
    targets: TargetSet, known_misses: Collection[str], policy: GatePolicy
) -> VerdictRules:
    """Return the rules of these known misses and that policy.

    Raises:
        UnknownTargetError: there is no such target.
    """
    misses = {*known_misses, *policy.known_misses}
    if unknown := misses - {target.id for target in targets.targets}:
        raise UnknownTargetError(f"there is no target {' or '.join(sorted(unknown))}")
    rules = json.encode(policy.table(), order="deterministic").decode()
    return VerdictRules(tuple(sorted(known_misses)), rules)


def judge_runs(
    archive: Archive,
    summary: ArchiveSummary,
    chosen: ArchiveSummary,
    site: Storage,
    files: Collection[str],
    baselines: Path,
    targets: TargetSet,
    rules: VerdictRules,
    policy: GatePolicy,
    progress: Progress,
) -> dict[str, RunVerdict]:
    """Return the verdicts on the runs of ``chosen``: on the newest, and stored ones on others.

    A stored verdict on a run of ``summary``, the whole archive, stays, whatever baselines are
    recorded later; after a change of ``rules`` none is left. Runs that can't be judged are left
    out. ``files`` are the names of what is in the folder ``site``; ``progress`` is of the runs that
    are judged now.

    Raises:
        CorruptFileError: baselines are broken.
        StorageError: the verdicts can't be written.
    """
    recorded = load_baselines(baselines, sorted({path.stem for path in baselines.glob("*/*.json")}))
    years: dict[str, list[RunFacts]] = {}
    for month, runs in summary.by_month().items():
        years.setdefault(month.partition("-")[0], []).extend(runs)
    chosen_ids = chosen.ids
    of_site = set(chosen_ids)
    newest = set(chosen_ids[-JUDGED:])
    existing = {name for name in files if name.startswith(f"{FOLDER}/")}
    verdicts: dict[str, RunVerdict] = {}
    done = 0
    for year, runs in years.items():
        file = f"{FOLDER}/{year}.json"
        stored = _read(site, file, rules) if file in existing else {}
        known: dict[str, RunVerdict] = {}
        for facts in runs:
            before = stored.get(facts.id)
            if before is not None and before.completed_ns == facts.completed_ns:
                known[facts.id] = before
            elif facts.id in newest:
                # A run from elsewhere may be broken, or refer to targets that are not published.
                with contextlib.suppress(DataError, UsageError):
                    run = archive.read(facts.id)
                    own = [b for b in recorded if b.suite in {case.suite for case in run.cases}]
                    earlier = [b for b in own if b.recorded < run.created]
                    verdict = run_verdict(run, targets, earlier, rules.known_misses, policy)
                    known[facts.id] = _run_verdict(run, verdict, facts.completed_ns)
                progress(done := done + 1, len(newest))
        if known != stored:
            write_stored_json(site, file, VerdictsFile(rules.known_misses, rules.policy, known))
        verdicts |= {run: verdict for run, verdict in known.items() if run in of_site}
    site.delete(sorted(existing - {f"{FOLDER}/{year}.json" for year in years}))
    return verdicts


def earlier_unjudged(ids: Sequence[str], verdicts: Collection[str]) -> int:
    """Return how many runs before the newest have no verdict; ``ids`` in order of completion."""
    return sum(run not in verdicts for run in ids[:-JUDGED])


def _read(site: Storage, file: str, rules: VerdictRules) -> dict[str, RunVerdict]:
    """Return the stored verdicts by these rules; none where there is no file, or a broken one."""
    try:
        stored = read_stored_json(site, file, VerdictsFile, newest_format=_FORMAT)
    except DataError:
        return {}
    is_same = (stored.known_misses, stored.policy) == (rules.known_misses, rules.policy)
    return stored.runs if is_same else {}


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
