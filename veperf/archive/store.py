"""The archive of runs: one folder per run, written once; old runs are packed together.

::

    <archive>/<run id>/
      run.json           the whole run; without its passes while it is being measured
      passes/0000.json   one file per finished pass, only while it is being measured
      samples.parquet    the samples again, as a table for queries
      complete.json      the manifest, written last: the run is whole, with checksums
      index.html, *.ipynb  the report, made afterwards
    <archive>/packs/     see ``veperf.archive.packs``
    <archive>/.summary/  see ``veperf.archive.summary``
"""

import contextlib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from veperf.archive.cli_hints import command_hint
from veperf.archive.completion_order import (
    LAST,
    in_order,
    last_of,
    next_stamp,
    read_stamps,
    run_stamps,
)
from veperf.archive.manifest import (
    COMPLETE,
    LEFT_OUT,
    NOT_A_RUN_ID,
    PACKS,
    RUN,
    SAMPLES,
    RunFiles,
    decode_run,
    is_run_id,
    read_complete_run,
    read_manifest,
    run_faults,
)
from veperf.archive.packs import Packs
from veperf.archive.query import SampleTable, query_samples
from veperf.archive.storage.base import Storage, read_stored_json, write_stored_json
from veperf.archive.storage.local import LocalStorage
from veperf.archive.storage.location import Location
from veperf.archive.storage.lock import Notify, ignore_notice
from veperf.archive.storage.open import local_folder, open_storage, path_or_url
from veperf.archive.storage.ordered_map import ordered_map
from veperf.archive.writer import PASSES, RunWriter
from veperf.core import paths
from veperf.core.errors import (
    CorruptFileError,
    DataError,
    IncompleteRunError,
    UnknownRunError,
    UsageError,
)
from veperf.core.run import Pass, Run
from veperf.progress.output import print_status

if TYPE_CHECKING:
    import pandas as pd


class Archive:
    """The runs in one folder, or under one URL; nothing is read until a method is called.

    Every method raises a StorageError where the place is inaccessible. ``notify`` is called when
    waiting for another process's lock takes long, and with what a table of runs leaves out.
    """

    def __init__(self, place: Location | Storage, notify: Notify = ignore_notice) -> None:
        self.storage = open_storage(place, notify) if isinstance(place, str | Path) else place
        self.packs = Packs(self.storage)
        self._notify = notify

    @property
    def location(self) -> str:
        """Its path or URL."""
        return self.storage.location

    @property
    def folder(self) -> Path:
        """Its local folder.

        Raises:
            UsageError: it is not on this machine.
        """
        return local_folder(self.storage)

    def completed_ns(self) -> dict[str, int]:
        """Return the complete runs, sorted by id, and when their manifests were written, in ns."""
        # In this order: a run that is packed in between is in both.
        unpacked = self.unpacked()
        completed = self.packs.runs() | unpacked
        return {run: completed[run] for run in sorted(completed)}

    def unpacked(self) -> dict[str, int]:
        """Return the complete runs in folders of their own, and when those were written, in ns."""
        folders = self.storage.folders(COMPLETE)
        return {run: written[COMPLETE] for run, written in folders.items() if is_run_id(run)}

    def is_complete(self, run_id: str) -> bool:
        """Return whether there is a complete run of exactly that id."""
        if not is_run_id(run_id):
            return False
        return self.storage.folder_has(run_id, COMPLETE) or self.packs.files(run_id) is not None

    def ids(self) -> list[str]:
        """Return the ids of the complete runs, sorted: they begin with the time of the clock."""
        return list(self.completed_ns())

    def completion_stamps(self, only: Collection[str] | None = None) -> dict[str, int]:
        """Return the completion stamps of the complete runs, by id: see ``completion_order``.

        ``only`` names the runs to look at; all when not given.
        """
        stamps = run_stamps(self.storage, self.packs, only)
        return {run: stamp for run, stamp in stamps.items() if is_run_id(run)}

    def links(self) -> dict[str, str]:
        """Return why each link that could be taken for a run is none, by its name."""
        if not isinstance(self.storage, LocalStorage):
            return {}
        entries = self.storage.foreign_entries()
        return {name: reason for name, reason in entries.items() if is_run_id(name)}

    def incomplete_ids(self, complete: Collection[str] | None = None) -> list[str]:
        """Return the ids of the unfinished runs, sorted; ``complete`` are all others, if known."""
        begun = self.storage.folders(RUN)
        others = self.ids() if complete is None else complete
        return sorted(run for run in begun.keys() - set(others) if is_run_id(run))

    def at(self, run_id: str) -> Storage:
        """Return the folder of ``run_id``, wherever the archive is.

        Raises:
            UsageError: it is not a valid run id.
        """
        if not is_run_id(run_id):
            raise UsageError(f"{run_id!r} is {NOT_A_RUN_ID}")
        return self.storage.at(run_id)

    def files(self, run_id: str) -> RunFiles:
        """Return the files of ``run_id``, in its folder (perhaps a restored copy) or in a pack.

        Raises:
            UsageError: as ``at``.
        """
        folder = self.at(run_id)
        if self.storage.folder_has(run_id, COMPLETE):
            return folder
        return self.packs.files(run_id) or folder

    def resolve(self, run: str) -> str:
        """Return the id of a run given by ``last``, its id, or an unambiguous prefix of the id.

        The last run is the one that was completed last, whatever the clock said; links, which could
        hide a later one, are notified of.

        Raises:
            UnknownRunError: no run matches, or more than one.
        """
        if run == LAST:
            for reason in self.links().values():
                self._notify(f"{LEFT_OUT}{reason}")
            if stamps := self.completion_stamps():
                return last_of(stamps)
            self.require_exists()
            how = command_hint("run", archive=self.storage)
            raise UnknownRunError(f"{self.location} has no complete run yet; make one with {how}")
        if self.is_complete(run):
            return run
        all_ids = self.ids() + self.incomplete_ids()
        if run in all_ids:
            return run
        matches = [id for id in all_ids if id.startswith(run)] if run else []
        if len(matches) == 1:
            return matches[0]
        if matches:
            raise UnknownRunError(
                f"{run!r} could be any of {', '.join(matches[:5])}; give more of the id"
            )
        for name, reason in self.links().items():
            if run and name.startswith(run):
                raise UnknownRunError(reason)
        self.require_exists()
        how = command_hint("list", "--runs", archive=self.storage)
        raise UnknownRunError(f"{self.location} has no run {run!r}; {how} lists the runs")

    def load(self, run: str = LAST) -> Run:
        """Load a complete run given as for ``resolve``.

        Raises:
            UnknownRunError: as ``resolve``.
            IncompleteRunError: it was never finished.
            CorruptFileError: its files are damaged.
            NewerFormatError: a later veperf wrote it.
        """
        run_id = self.resolve(run)
        if not self.is_complete(run_id):
            partial = self.load_partial(run_id)
            how = command_hint("run", "--resume", run_id, archive=self.storage)
            raise IncompleteRunError(
                f"run {run_id} was not finished ({len(partial.passes)} of "
                f"{partial.config.passes} passes); continue it with {how}"
            )
        return self.read(run_id)

    def read(self, run_id: str) -> Run:
        """Read the complete run of exactly that id.

        Raises:
            CorruptFileError, NewerFormatError: as ``load``.
        """
        try:
            return read_complete_run(run_id, self.files(run_id))
        except CorruptFileError:
            # It may have been packed in between.
            return read_complete_run(run_id, self.files(run_id))

    def faults(self) -> dict[str, list[str]]:
        """Return the faults by run id, one sentence per file; empty where every file is intact.

        Every file is read, also what was read before. Unfinished runs are not checked. Faults of
        packs are under the name of the packs' folder, and links, which are not runs, under their
        own names.
        """
        unpacked = self.unpacked()
        try:
            ids = self.ids()
        except DataError:  # a pack can't be read, which its own faults say
            ids = sorted(unpacked)

        def of_run(run: str) -> list[str]:
            return run_faults(run, self.files(run), skipped=() if run in unpacked else {SAMPLES})

        faults = dict(zip(ids, ordered_map(self.storage.concurrency, of_run, ids), strict=True))
        faults |= {name: [reason] for name, reason in self.storage.foreign_entries().items()}
        faults |= {
            name: [f"{self.storage.where(name)!r} is {NOT_A_RUN_ID}"]
            for name in self.storage.folders(RUN, COMPLETE)
            if not is_run_id(name)
        }
        faults[PACKS] = self.packs.faults()
        return {name: wrong for name, wrong in faults.items() if wrong}

    def load_partial(self, run: str) -> Run:
        """Load a run with the passes that it has so far; damaged pass files are ignored.

        Raises:
            UnknownRunError, CorruptFileError, NewerFormatError: as ``load``.
        """
        run_id = self.resolve(run)
        folder = self.at(run_id)
        plan = decode_run(run_id, folder.where(RUN), folder.read(RUN))
        passes: list[Pass] = []
        for name in folder.names():
            if name.startswith(f"{PASSES}/") and name.endswith(".json"):
                with contextlib.suppress(CorruptFileError):
                    passes.append(read_stored_json(folder, name, Pass))
        if not passes:
            return plan
        loops = {r.case: r.loops for p in passes for r in p.results if r.samples}
        return msgspec.structs.replace(plan, passes=tuple(passes), loops=plan.loops | loops)

    def begin(self, plan: Run) -> "RunWriter":
        """Create the folder of a new run, and return its writer.

        Raises:
            StorageError: the archive can't be written.
            UsageError: the run exists already.
        """
        writer = self._new(plan)
        try:
            write_stored_json(writer.files, RUN, plan, stamp_ns=next_stamp(self.storage))
        except BaseException:
            writer.close()
            raise
        return writer

    def save(self, run: Run, stamp: int | None = None) -> Location:
        """Write a finished run, such as one of another tool, and return its folder.

        ``stamp`` is its completion stamp, if it comes from another archive.

        Raises:
            StorageError, UsageError: as ``begin``.
        """
        with self._new(run) as writer:
            writer.complete(stamp)
            return path_or_url(writer.files)

    def _new(self, run: Run) -> RunWriter:
        """Return a writer for a run that does not exist in any form yet."""
        folder, message = self.at(run.id), f"{self.location} has a run {run.id} already"
        if self.packs.files(run.id) is not None:
            raise UsageError(message)
        lock = folder.try_lock()
        if lock is None:
            raise UsageError(message)
        try:
            if {RUN, COMPLETE} & set(folder.names()):
                raise UsageError(message)
        except BaseException:
            lock.release()
            raise
        return RunWriter(self.storage, run, lock)

    def resume(self, run: str) -> "RunWriter":
        """Continue a run that was not finished.

        Raises:
            UnknownRunError, CorruptFileError, NewerFormatError: as ``load``.
            UsageError: it is complete.
        """
        if run == LAST:
            unfinished = self.incomplete_ids()
            if not unfinished:
                raise UnknownRunError(f"{self.location} has no unfinished run to continue")
            run = last_of(read_stamps(self.storage, RUN, unfinished))
        run_id = self.resolve(run)
        if self.is_complete(run_id):
            raise UsageError(f"run {run_id} is complete; there is nothing to continue")
        lock = self.at(run_id).try_lock()
        if lock is None:
            raise UsageError(f"another process is measuring run {run_id} right now")
        try:
            if self.is_complete(run_id):
                raise UsageError(f"run {run_id} has just been completed")
            return RunWriter(self.storage, self.load_partial(run_id), lock)
        except BaseException:
            lock.release()
            raise

    def require_exists(self) -> None:
        """Check that there is an archive, so that nobody takes a wrong name for an empty one.

        Raises:
            UnknownRunError: there is nothing at its place.
        """
        if not self.storage.exists():
            how = command_hint("run", archive=self.storage)
            raise UnknownRunError(
                f"there is no archive {self.location}: check its name, or make its first run with "
                f"{how}"
            )

    def query(self, sql: str) -> "pd.DataFrame":
        """Run ``sql`` (DuckDB) over the table ``samples``: every sample of every complete run.

        Raises:
            UnknownRunError: there is no complete run.
            CorruptFileError: a file with samples is damaged.
            UsageError: DuckDB refuses the query.
        """
        try:
            return query_samples(self.storage, self._tables(), sql)
        except CorruptFileError:
            # Runs may have been packed in between.
            return query_samples(self.storage, self._tables(), sql)

    def _tables(self) -> list[SampleTable]:
        """Return the tables with the samples of all complete runs, each once.

        Raises:
            UnknownRunError: there is none.
        """
        unpacked = set(self.unpacked())
        tables, packed = self.packs.tables()
        loose = sorted(unpacked - packed)
        manifests = ordered_map(
            self.storage.concurrency, lambda run: read_manifest(self.storage.at(run)), loose
        )
        for run, manifest in zip(loose, manifests, strict=True):
            tables.append(SampleTable(f"{run}/{SAMPLES}", manifest.sha256.get(SAMPLES, "")))
        if not tables:
            self.resolve(LAST)
        return tables

    def readable_runs(self, notify: Notify = ignore_notice) -> Iterator[Run]:
        """Read the complete runs in the order of their completion, without unreadable ones.

        ``notify`` is called for each that is left out, and for each link.

        Raises:
            DataError: none of them can be read, as in an archive of a later veperf.
        """
        for reason in self.links().values():
            notify(f"{LEFT_OUT}{reason}")
        is_readable, fault = False, None
        for run in self.read_each(in_order(self.completion_stamps())):
            if isinstance(run, Run):
                is_readable = True
                yield run
            else:
                fault = run
                notify(f"{LEFT_OUT}{run}")
        if fault is not None and not is_readable:
            raise fault

    def read_each(self, ids: Iterable[str]) -> Iterator[Run | DataError]:
        """Read these complete runs in order; in place of an unreadable one, yield the error."""
        return ordered_map(self.storage.concurrency, self._read_or_error, ids)

    def _read_or_error(self, run_id: str) -> Run | DataError:
        try:
            return self.read(run_id)
        except DataError as error:
            return error


def open_archive(place: Location | None = None) -> Archive:
    """Return the archive at ``place``, or the default one; slow waits are shown on standard error.

    Raises:
        UsageError: it is not a valid location.
    """
    archive = Archive(place or paths.archive_location(), print_status)
    if isinstance(archive.storage, LocalStorage) and archive.folder.is_file():
        raise UsageError(
            f"{archive.location} is a file, and no folder of runs; name the archive by --archive, "
            "$VEPERF_ARCHIVE or `archive` in the project's settings"
        )
    return archive
