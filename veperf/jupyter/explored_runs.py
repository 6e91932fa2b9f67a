"""The runs and comparisons that an explorer looks at: read when they are asked for, few kept."""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from threading import RLock
from typing import TypeVar

from msgspec import Struct

from veperf.api.reports import investigate
from veperf.api.results import (
    Folder,
    PolicyLike,
    RunLike,
    RunResult,
    baselines_folder,
    judge_against,
    load_recorded_baselines,
)
from veperf.api.runs import resolve_run
from veperf.archive.comparisons import ab_ids, read_ab
from veperf.archive.store import Archive, open_archive
from veperf.archive.summary import ArchiveSummary, load_summary
from veperf.archive.writer import PASSES
from veperf.core.ab_records import ABRun
from veperf.core.errors import UnknownRunError
from veperf.core.run import Run
from veperf.core.verdict import Verdict
from veperf.report.investigation.focus import Focus, rank_focuses
from veperf.report.investigation.view import Investigation

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
_KEPT = 6
"""Runs, and comparisons, that are kept in memory, the latest used ones."""


class RunRow(Struct, frozen=True):
    """A run in the list of runs."""

    id: str
    created: str
    commit: str = ""
    branch: str = ""
    machine: str = ""
    cases: int = 0
    unfinished: bool = False


class ExploredRuns:
    """Runs of an archive, and others that were given as values. May be used by several threads."""

    def __init__(
        self,
        archive: Folder = None,
        baselines: Folder = None,
        known_misses: Collection[str] = (),
        policy: PolicyLike = None,
    ) -> None:
        self.archive: Archive = open_archive(archive)
        self._place = archive
        self._baselines = baselines
        self._known_misses = known_misses
        self._policy = policy
        self._added: dict[str, Run] = {}
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._comparisons: OrderedDict[str, ABRun] = OrderedDict()
        self._rankings: OrderedDict[tuple[str, int], tuple[Focus, ...]] = OrderedDict()
        self._lock = RLock()

    def add(self, source: RunLike) -> str:
        """Return the id of a run, its result, its name or its file, for ``run``.

        Raises:
            VeperfError: as ``veperf.load`` and ``veperf.read``.
        """
        if isinstance(source, str):
            try:
                id = self.archive.resolve(source)
            except UnknownRunError:
                pass  # it may be a file
            else:
                self.run(id)
                return id
        run = source.run if isinstance(source, RunResult) else resolve_run(source, self._place)
        self._added[run.id] = run
        return run.id

    def run(self, id: str) -> Run:
        """Return the run of that id: whole, or what there is of one that is being measured.

        Raises:
            UnknownRunError: there is none.
            DataError: its files are damaged, or of a later veperf.
        """
        with self._lock:
            if id in self._added:
                return self._added[id]
            if id in self._runs:
                self._runs.move_to_end(id)
                return self._runs[id]
            if not self.archive.is_complete(id):
                return self.archive.load_partial(id)  # which grows
            return _keep(self._runs, id, self.archive.read(id))

    def passes_done(self, id: str) -> int:
        """Return how many passes of an unfinished run are written, without reading them."""
        names = self.archive.at(id).names()
        return sum(name.startswith(f"{PASSES}/") and name.endswith(".json") for name in names)

    def unfinished(self) -> list[str]:
        """Return the ids of the unfinished runs, the latest last; none where nothing is."""
        return self.archive.incomplete_ids() if self.archive.storage.exists() else []

    def describe_absence(self) -> str:
        """Return what to do where there is no run."""
        return (
            f"{self.archive.location} has no run yet: veperf.run() makes one; "
            "with follow it is shown while it goes on"
        )

    def rows(self, query: str, offset: int, count: int) -> tuple[list[RunRow], int]:
        """Return ``count`` runs from ``offset`` on, the latest first, and how many there are.

        ``query`` is words that id, commit, branch or machine class contain, all of them.
        """
        words = query.lower().split()
        added = [_row_of(run) for run in reversed(self._added.values())]
        begun, summary = [], None
        if self.archive.storage.exists():
            summary = load_summary(self.archive)
            known = {*summary.ids, *summary.left_out}
            unfinished = reversed(self.archive.incomplete_ids(known))
            begun = [RunRow(id, "", unfinished=True) for id in unfinished]
        first = [row for row in (*added, *begun) if _fits(words, row.id, row.commit, row.machine)]
        places = _matching(summary, words) if summary is not None else []
        total = len(first) + len(places)
        rows = first[offset : offset + count]
        start = max(0, offset - len(first))
        chosen = places[start : start + count - len(rows)]
        if summary is not None and chosen:
            rows += [
                RunRow(r.id, r.created, r.commit[:7], r.branch, r.machine, r.cases)
                for r in summary.at(chosen).runs
            ]
        return rows, total

    def verdict(self, run: Run) -> Verdict:
        """Judge ``run`` against targets and baselines.

        Raises:
            DataError: a file of targets or baselines is broken.
        """
        folder = baselines_folder(self._baselines)
        recorded = load_recorded_baselines(run, folder)
        return judge_against(run, folder, recorded, self._known_misses, self._policy)

    def ranking(self, run: Run) -> tuple[Focus, ...]:
        """Return each metric of each case of ``run``, the worst verdict first."""
        key = run.id, len(run.passes)
        with self._lock:
            if key not in self._rankings:
                _keep(self._rankings, key, rank_focuses(run, self.verdict(run)))
            return self._rankings[key]

    def investigation(self, run: Run, benchmark: str, metric: str) -> Investigation:
        """Return the parts that tell about a benchmark of ``run`` where nothing can be touched.

        Raises:
            VeperfError: as ``veperf.investigate``.
        """
        return investigate(
            benchmark,
            run,
            metric=metric,
            baselines=self._baselines,
            known_misses=self._known_misses,
            policy=self._policy,
        )

    def comparison_ids(self) -> list[str]:
        """Return the ids of the archive's A/B comparisons, the latest first."""
        return ab_ids(self.archive.storage)[::-1] if self.archive.storage.exists() else []

    def comparison(self, id: str) -> ABRun:
        """Return an A/B comparison.

        Raises:
            UnknownRunError: there is none of that name.
            DataError: its file is damaged, or of a later veperf.
        """
        with self._lock:
            if id not in self._comparisons:
                _keep(self._comparisons, id, read_ab(self.archive.storage, id))
            return self._comparisons[id]


def _keep(kept: OrderedDict[_Key, _Value], key: _Key, value: _Value) -> _Value:
    kept[key] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)
    return value


def _row_of(run: Run) -> RunRow:
    commit, branch = run.revision.commit[:7], run.revision.branch
    return RunRow(run.id, run.created, commit, branch, run.machine.name, len(run.cases))


def _fits(words: Sequence[str], *texts: str) -> bool:
    text = " ".join(texts).lower()
    return all(word in text for word in words)


def _matching(summary: ArchiveSummary, words: Sequence[str]) -> list[int]:
    """Return the indices of the runs that have all ``words``, the latest first."""
    places = range(summary.facts.num_rows - 1, -1, -1)
    if not words:
        return list(places)
    names = ("id", "commit", "branch", "machine")
    columns: Mapping[str, list[str]] = {n: summary.facts[n].to_pylist() for n in names}
    return [i for i in places if _fits(words, *(columns[name][i] for name in names))]
