"""The summary of an archive: the facts and figures of all its runs, quick to read.

It is a cache in ``<archive>/.summary`` that readers bring up to date: what is missing, broken or
outdated is made anew from packs and runs. Writers of runs don't touch it.
"""

import contextlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from veperf.archive.change_point_memo import ChangePointMemo
from veperf.archive.missing_runs import CompleteRuns, Progress, no_progress, read_missing
from veperf.archive.pack_figures import RunFigures
from veperf.archive.run_filter import EVERY_RUN, RunFilter
from veperf.archive.run_summary import RunFacts
from veperf.archive.storage.base import Storage
from veperf.archive.store import Archive
from veperf.archive.summary_files import (
    FOLDER,
    PartitionKey,
    StoredSummary,
    read_partition,
    read_summary,
    write_partition,
    write_summary,
)
from veperf.archive.summary_tables import (
    FigureColumns,
    column_values,
    facts_of,
    facts_table,
    figure_columns,
    ids_by_partition,
    join_facts,
    join_figures,
    of_cases,
    of_runs,
    take_rows,
    text_column,
)
from veperf.core.errors import CorruptFileError, StorageError
from veperf.stats.change_points import ChangePoint

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_MIN_RUNS_TO_WRITE = 5
"""Fewer new runs than these are not written, but read each time."""


class ArchiveSummary:
    """The facts and figures of an archive's complete runs, or of some of them."""

    def __init__(
        self, facts: "pa.Table", left_out: Mapping[str, str], figures: "_Figures | None" = None
    ) -> None:
        self.facts = facts
        """In the order of completion; see ``summary_tables.facts_schema``."""
        self.left_out = dict(left_out)
        """Reasons why complete runs, and links in their place, can't be read, by run id."""
        self._figures = figures

    @cached_property
    def runs(self) -> tuple[RunFacts, ...]:
        """In the order in which they were completed, see ``completion_order``."""
        return facts_of(self.facts)

    @property
    def ids(self) -> list[str]:
        """The ids of ``runs``."""
        return column_values(self.facts, "id")

    def by_month(self) -> dict[str, list[RunFacts]]:
        """Return ``runs`` by the month in which they were begun."""
        months: dict[str, list[RunFacts]] = {}
        for month, run in zip(column_values(self.facts, "month"), self.runs, strict=True):
            months.setdefault(month, []).append(run)
        return months

    def frame(self) -> "pd.DataFrame":
        """Return a row a run.

        Columns: id, created, commit, branch, machine, python, profile, passes, cases.
        """
        import pandas as pd

        names = ["id", "created", "commit", "branch", "machine", "python", "profile"]
        names += ["passes", "cases"]
        columns = {name: column_values(self.facts, name) for name in names}
        columns["commit"] = [commit[:12] for commit in columns["commit"]]
        return pd.DataFrame(columns)

    def change_points(self, machine: str) -> MutableMapping[str, tuple[ChangePoint, ...]]:
        """Return what is remembered of the change points of a machine class's long trends."""
        return {} if self._figures is None else self._figures.change_points(machine)

    def save_change_points(self) -> None:
        """Remember what was found by ``change_points``, where the archive can be written."""
        if self._figures is not None:
            self._figures.save_change_points()

    def select(self, run_filter: RunFilter) -> "ArchiveSummary":
        """Return the summary of the runs that pass ``run_filter``.

        Raises:
            UnknownRunError: as ``RunFilter.apply``.
        """
        if run_filter == EVERY_RUN:
            return self
        return ArchiveSummary(run_filter.apply(self.facts), self.left_out, self._figures)

    def at(self, places: Sequence[int]) -> "ArchiveSummary":
        """Return the summary of the runs at these indices of ``runs``."""
        return ArchiveSummary(take_rows(self.facts, places), self.left_out, self._figures)

    @property
    def machines(self) -> list[str]:
        """The machine classes, in the order of their first runs."""
        return list(dict.fromkeys(column_values(self.facts, "machine")))

    def cases(self, machines: Collection[str] | None = None) -> dict[str, int]:
        """Return the cases of these machine classes, sorted, and how many figures each has."""
        counts: Counter[str] = Counter()
        for table in self._tables(machines, columns=("run", "case")):
            column = text_column(table, "case")
            counts.update(dict(zip(column.names, column.counts(), strict=True)))
        return {name: counts[name] for name in sorted(counts) if counts[name]}

    def figures(
        self, machines: Collection[str] | None = None, cases: Collection[str] = ()
    ) -> FigureColumns:
        """Return the figures; ``run`` is an index into ``runs``.

        Args:
            machines: only runs of these machine classes; all when None.
            cases: only these cases; all when empty.
        """
        return figure_columns(join_figures(self._tables(machines, cases)), self._places)

    def figures_in_parts(
        self, machine: str, cases: Collection[str] = ()
    ) -> Iterator[FigureColumns]:
        """Yield the same of one machine class, month by month, so that few are in memory."""
        for table in self._tables([machine], cases):
            yield figure_columns(table, self._places)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {run: place for place, run in enumerate(self.ids)}

    def _tables(
        self,
        machines: Collection[str] | None,
        cases: Collection[str] = (),
        columns: Sequence[str] | None = None,
    ) -> Iterator["pa.Table"]:
        """Yield the figures of each month and machine class."""
        if self._figures is not None:
            for key, ids in ids_by_partition(self.facts).items():
                if machines is None or key[1] in machines:
                    yield from self._figures.read(key, ids, cases, columns)


@dataclass(frozen=True)
class _Loaded:
    """The content of a summary's files, and the runs that they lack."""

    stored: StoredSummary
    """Without runs that are no longer as they were."""
    new: RunFigures
    left_out: dict[str, str]

    @cached_property
    def facts(self) -> "pa.Table":
        """Facts of all runs, in the order of completion."""
        if not self.new.runs:
            return self.stored.facts
        return join_facts(self.stored.facts, facts_table(self.new.runs))

    @cached_property
    def ids(self) -> "dict[PartitionKey, pa.ChunkedArray]":
        """Runs whose figures a file has, by month and machine class.

        It may have those of other runs, too, which were removed or replaced since.
        """
        return ids_by_partition(self.stored.facts)


class _Figures:
    """The figures of one archive: those in its summary's files, and of runs that are in none."""

    def __init__(self, archive: Archive, loaded: _Loaded) -> None:
        self._archive = archive
        self._loaded = loaded
        self._memos: dict[str, ChangePointMemo] = {}

    def change_points(self, machine: str) -> ChangePointMemo:
        """Return the memo of a machine class."""
        if machine not in self._memos:
            folder = self._archive.storage.at(FOLDER)
            self._memos[machine] = ChangePointMemo(folder, machine)
        return self._memos[machine]

    def save_change_points(self) -> None:
        """Write what memos have learnt."""
        for memo in self._memos.values():
            memo.save()

    def read(
        self,
        key: PartitionKey,
        ids: "pa.ChunkedArray",
        cases: Collection[str],
        columns: Sequence[str] | None,
    ) -> Iterator["pa.Table"]:
        """Yield the figures of the runs ``ids`` of a month and machine class.

        A file that another process has replaced, or that is broken, is made anew.
        """
        folder = self._archive.storage.at(FOLDER)
        if key in self._loaded.ids:
            file = self._loaded.stored.partitions.get(key, "")
            try:
                stored = read_partition(folder, file, cases, columns)
            except CorruptFileError:
                self._loaded = _load(self._archive, no_progress, {file})
                again = self._loaded.stored.partitions.get(key)
                stored = read_partition(folder, again, cases, columns) if again else None
            if stored is not None and key in self._loaded.ids:
                own = of_runs(stored, self._loaded.ids[key])
                if not ids.equals(self._loaded.ids[key]):
                    own = of_runs(own, ids)
                if own.num_rows:
                    yield own
        for table in self._loaded.new.tables:
            if (own := of_runs(table, ids)).num_rows:
                yield of_cases(own.select(columns) if columns else own, cases)


def load_summary(archive: Archive, progress: Progress | None = None) -> ArchiveSummary:
    """Load the summary of ``archive``, and bring it up to date.

    New runs are read; they are added to the summary if they are many and the archive is writable.

    Raises:
        UnknownRunError: there is no archive.
        DataError: none of its runs can be read.
    """
    archive.require_exists()
    loaded = _load(archive, progress or no_progress)
    if loaded.left_out and not loaded.facts.num_rows:
        archive.read(next(iter(loaded.left_out)))
    left_out = archive.links() | loaded.left_out
    return ArchiveSummary(loaded.facts, left_out, _Figures(archive, loaded))


def _load(archive: Archive, progress: Progress, broken: Collection[str] = ()) -> _Loaded:
    """Load what is stored, but for ``broken`` files, bring it up to date, read what it lacks."""
    folder = archive.storage.at(FOLDER)
    stored = read_summary(folder).without(broken)
    complete = _complete_runs(archive, stored)
    confirmed = stored.confirmed(complete.all)
    missing = _missing(confirmed, complete.all)
    is_packed_news = complete.packs != stored.packs and not missing.keys() & complete.packed.keys()
    if broken or len(missing) >= _MIN_RUNS_TO_WRITE or is_packed_news:
        with contextlib.suppress(StorageError, CorruptFileError):  # it may be read-only
            folder.require_writable()
            with folder.lock():
                stored = read_summary(folder).without(broken)
                complete = _complete_runs(archive, stored)
                confirmed = _write_missing(archive, folder, stored, complete, progress)
        missing = _missing(confirmed, complete.all)
    new, left_out = RunFigures(), dict[str, str]()
    for figures in read_missing(archive, missing, complete, left_out, progress):
        new.extend(figures)
    return _Loaded(confirmed, new, left_out)


def _complete_runs(archive: Archive, stored: StoredSummary) -> CompleteRuns:
    """List the complete runs; packs that are those that the summary knows are not read again."""
    # In this order: a run that is packed in between is in both.
    unpacked = archive.unpacked()
    packs = archive.packs.listed()
    packed = stored.packed if packs == stored.packs else archive.packs.runs()
    return CompleteRuns(unpacked, packed, packs)


def _missing(stored: StoredSummary, complete: Mapping[str, int]) -> dict[str, int]:
    known = stored.completed_ns
    return {run: time_ns for run, time_ns in complete.items() if run not in known}


def _write_missing(
    archive: Archive,
    folder: Storage,
    stored: StoredSummary,
    complete: CompleteRuns,
    progress: Progress,
) -> StoredSummary:
    """Add the missing runs to the files of the summary, of which this process has the lock."""
    summary = stored.confirmed(complete.all)
    missing = _missing(summary, complete.all)
    for figures in read_missing(archive, missing, complete, {}, progress):
        summary = _extended(folder, summary, figures)
        summary = write_summary(folder, summary.with_packs(complete.packed, complete.packs))
    if summary.packs != complete.packs:
        summary = summary.with_packs(complete.packed, complete.packs)
        if summary.packs == complete.packs:
            summary = write_summary(folder, summary)
    return summary


def _extended(folder: Storage, summary: StoredSummary, new: RunFigures) -> StoredSummary:
    """Write the files of the months and machine classes of ``new`` with these runs as well."""
    added = facts_table(new.runs)
    figures = join_figures(new.tables)
    partitions = dict(summary.partitions)
    own = ids_by_partition(summary.facts)
    for key, ids in ids_by_partition(added).items():
        parts = [of_runs(figures, ids)]
        if key in partitions and key in own:
            try:
                parts.insert(0, of_runs(read_partition(folder, partitions[key]), own[key]))
            except CorruptFileError:
                summary = summary.without({partitions[key]})
        partitions[key] = write_partition(folder, key[0], join_figures(parts))
    facts = join_facts(summary.facts, added)
    present = ids_by_partition(facts)
    kept = {key: file for key, file in partitions.items() if key in present}
    return StoredSummary(facts, kept, {}, summary.file)
