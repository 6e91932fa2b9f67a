"""The archive: a folder a run, written once, read many times; old ones packed together.

::

    <archive>/<run id>/
      run.json           the whole run; without its passes while it is being measured
      passes/0000.json   one file a finished pass, only while it is being measured
      samples.parquet    the samples again, as a table for queries
      complete.json      written last: the run is whole, and these are its checksums
      index.html, *.ipynb  the report, made afterwards
    <archive>/packs/     see ``veperf.archive.packs``
    <archive>/.summary/  see ``veperf.archive.summary``
"""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from veperf.archive.cli_hints import command
from veperf.archive.manifest import (
    COMPLETE,
    NO_NAME,
    PACKS,
    RUN,
    SAMPLES,
    RunFiles,
    decode_run,
    faults,
    is_name,
    read_complete,
)
from veperf.archive.packs import Packs
from veperf.archive.query import Table, frame_of, query
from veperf.archive.storage.base import Storage
from veperf.archive.storage.json_files import read_document, write_document
from veperf.archive.storage.location import Location
from veperf.archive.storage.notify import Tell, silent
from veperf.archive.storage.open import local_folder, open_storage, place_of
from veperf.archive.storage.ordered_map import in_order
from veperf.archive.writer import PASSES, RunWriter
from veperf.core.errors import (
    CorruptFileError,
    DataError,
    IncompleteRunError,
    UnknownRunError,
    UsageError,
)
from veperf.core.run import Pass, Run

if TYPE_CHECKING:
    import pandas as pd

LAST = "last"


class Archive:
    """The runs in one folder, or under one URL. Cheap to make; reads nothing until asked.

    Whatever asks the place raises a StorageError where there is no way to it. What takes long
    because another process has a lock is told to ``tell``.
    """

    def __init__(self, place: Location | Storage, tell: Tell = silent) -> None:
        self.storage = open_storage(place, tell) if isinstance(place, str | Path) else place
        self.packs = Packs(self.storage)

    @property
    def location(self) -> str:
        """Its path or URL."""
        return self.storage.location

    @property
    def folder(self) -> Path:
        """Its folder.

        Raises:
            UsageError: it is not on this machine.
        """
        return local_folder(self.storage)

    def completed_ns(self) -> dict[str, int]:
        """The complete runs by id, oldest first, with when they were completed (ns since 1970)."""
        # In this order: a run that is packed in between is in both.
        loose = self.loose()
        found = self.packs.runs() | loose
        return {run: found[run] for run in sorted(found)}

    def loose(self) -> dict[str, int]:
        """The same of those in folders of their own, in any order."""
        found = self.storage.folders(COMPLETE)
        return {run: written[COMPLETE] for run, written in found.items() if is_name(run)}

    def is_complete(self, run_id: str) -> bool:
        """Whether there is a complete run of exactly that id."""
        if not is_name(run_id):
            return False
        return self.storage.holds(run_id, COMPLETE) or self.packs.files(run_id) is not None

    def ids(self) -> list[str]:
        """Ids of the complete runs, oldest first."""
        return list(self.completed_ns())

    def incomplete_ids(self) -> list[str]:
        """Ids of the runs that were begun but not finished, oldest first."""
        begun = self.storage.folders(RUN)
        return sorted(run for run in begun.keys() - set(self.ids()) if is_name(run))

    def path(self, run_id: str) -> Path:
        """The folder of ``run_id``; that of a packed run holds its report at most.

        Raises:
            UsageError: that is no name of a run but a path elsewhere, or the archive is not on this
                machine.
        """
        return local_folder(self.at(run_id))

    def at(self, run_id: str) -> Storage:
        """The same, wherever the archive is.

        Raises:
            UsageError: that is no name of a run.
        """
        if not is_name(run_id):
            raise UsageError(f"{run_id!r} is {NO_NAME}")
        return self.storage.at(run_id)

    def files(self, run_id: str) -> RunFiles:
        """The files of ``run_id``, in its folder (where one may have put a copy back) or packed.

        Raises:
            UsageError: as ``at``.
        """
        folder = self.at(run_id)
        if self.storage.holds(run_id, COMPLETE):
            return folder
        return self.packs.files(run_id) or folder

    def resolve(self, run: str) -> str:
        """The id that ``run`` means: ``last``, an id, or the unambiguous beginning of one.

        Raises:
            UnknownRunError: there is no such run, or more than one.
        """
        if run != LAST and self.is_complete(run):
            return run
        ids = self.ids()
        if run == LAST:
            if not ids:
                how = command("run", archive=self.storage)
                raise UnknownRunError(
                    f"{self.location} holds no complete run yet; make one with {how}"
                )
            return ids[-1]
        known = ids + self.incomplete_ids()
        if run in known:
            return run
        hits = [i for i in known if i.startswith(run)] if run else []
        if len(hits) == 1:
            return hits[0]
        if hits:
            raise UnknownRunError(f"{run!r} could be any of {', '.join(hits[:5])}; give more of it")
        how = command("list", "--runs", archive=self.storage)
        raise UnknownRunError(f"{self.location} holds no run {run!r}; {how} shows what is there")

    def load(self, run: str = LAST) -> Run:
        """The complete run that ``run`` means.

        Raises:
            UnknownRunError: as ``resolve``.
            IncompleteRunError: it was never finished.
            CorruptFileError: its files are not what was written.
            NewerFormatError: a later veperf wrote it.
        """
        run_id = self.resolve(run)
        if not self.is_complete(run_id):
            partial = self.load_partial(run_id)
            how = command("run", "--resume", run_id, archive=self.storage)
            raise IncompleteRunError(
                f"run {run_id} was not finished ({len(partial.passes)} of "
                f"{partial.config.passes} passes); go on with {how}"
            )
        return self.read(run_id)

    def read(self, run_id: str) -> Run:
        """The complete run of exactly that id.

        Raises:
            CorruptFileError, NewerFormatError: as ``load``.
        """
        try:
            return read_complete(run_id, self.files(run_id))
        except CorruptFileError:
            # It may have been packed meanwhile.
            return read_complete(run_id, self.files(run_id))

    def faults(self) -> dict[str, list[str]]:
        """What is wrong, a sentence a file, by run id; empty where every file is as it was written.

        Unfinished runs are not looked at. What is wrong with packs is under the packs' folder, and
        links, which are no runs, are under their names.
        """
        loose, ids = self.loose(), self.ids()

        def of_run(run: str) -> list[str]:
            return faults(run, self.files(run), elsewhere=() if run in loose else {SAMPLES})

        found = dict(zip(ids, in_order(self.storage.at_once, of_run, ids), strict=True))
        found |= {name: [why] for name, why in self.storage.strangers().items()}
        found |= {
            name: [f"{self.storage.where(name)!r} is {NO_NAME}"]
            for name in self.storage.folders(RUN, COMPLETE)
            if not is_name(name)
        }
        found[PACKS] = self.packs.faults()
        return {name: wrong for name, wrong in found.items() if wrong}

    def load_partial(self, run: str) -> Run:
        """The run with the passes that it has so far. A pass file that is broken does not count.

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
                    passes.append(read_document(folder, name, Pass))
        if not passes:
            return plan
        loops = {r.case: r.loops for p in passes for r in p.results if r.samples}
        return msgspec.structs.replace(plan, passes=tuple(passes), loops=plan.loops | loops)

    def begin(self, plan: Run) -> "RunWriter":
        """Make the folder of a new run.

        Raises:
            StorageError: the archive can't be written.
            UsageError: there is such a run already.
        """
        writer = self._new(plan)
        try:
            write_document(writer.files, RUN, plan)
        except BaseException:
            writer.close()
            raise
        return writer

    def keep(self, run: Run) -> Location:
        """Write a run that is whole already, such as one of another tool; return its folder.

        Raises:
            StorageError, UsageError: as ``begin``.
        """
        with self._new(run) as writer:
            writer.complete()
            return place_of(writer.files)

    def _new(self, run: Run) -> RunWriter:
        """A writer of a run that is not there in any form."""
        folder, taken = self.at(run.id), f"there is a run {run.id} in {self.location} already"
        if self.packs.files(run.id) is not None:
            raise UsageError(taken)
        lock = folder.try_lock()
        if lock is None:
            raise UsageError(taken)
        try:
            if {RUN, COMPLETE} & set(folder.names()):
                raise UsageError(taken)
        except BaseException:
            lock.release()
            raise
        return RunWriter(self.storage, run, lock)

    def resume(self, run: str) -> "RunWriter":
        """Go on with a run that was not finished.

        Raises:
            UnknownRunError, CorruptFileError, NewerFormatError: as ``load``.
            UsageError: it is complete.
        """
        if run == LAST:
            unfinished = self.incomplete_ids()
            if not unfinished:
                raise UnknownRunError(f"{self.location} holds no unfinished run to go on with")
            run = unfinished[-1]
        run_id = self.resolve(run)
        if self.is_complete(run_id):
            raise UsageError(f"run {run_id} is complete; there is nothing to go on with")
        lock = self.at(run_id).try_lock()
        if lock is None:
            raise UsageError(f"another process is measuring run {run_id} right now")
        try:
            if self.is_complete(run_id):
                raise UsageError(f"run {run_id} is complete by now")
            return RunWriter(self.storage, self.load_partial(run_id), lock)
        except BaseException:
            lock.release()
            raise

    def frame(self) -> "pd.DataFrame":
        """One row a complete run, oldest first; runs that can't be read are left out.

        Columns: id, created, commit, branch, machine, python, profile, passes, cases.
        """
        return frame_of(self.readable())

    def query(self, sql: str) -> "pd.DataFrame":
        """Run ``sql`` (DuckDB) over the table ``samples``: every sample of every complete run.

        Raises:
            UnknownRunError: there is no complete run.
            CorruptFileError: a file with samples is damaged.
            UsageError: DuckDB refuses the query.
        """
        try:
            return query(self.storage, self._tables(), sql)
        except CorruptFileError:
            # Runs may have been packed meanwhile.
            return query(self.storage, self._tables(), sql)

    def _tables(self) -> list[Table]:
        """The tables that have the samples of all complete runs, each once.

        Raises:
            UnknownRunError: there is none.
        """
        loose = set(self.loose())
        tables, packed = self.packs.tables()
        tables += [Table(f"{run}/{SAMPLES}") for run in sorted(loose - packed)]
        if not tables:
            self.resolve(LAST)
        return tables

    def readable(self) -> Iterator[Run]:
        """The complete runs, oldest first; those that can't be read are left out."""
        for found in self.attempts(self.ids()):
            if isinstance(found, Run):
                yield found

    def attempts(self, ids: Iterable[str]) -> Iterator[Run | DataError]:
        """These complete runs, in this order; in place of one that can't be read, why not."""
        return in_order(self.storage.at_once, self._attempt, ids)

    def _attempt(self, run_id: str) -> Run | DataError:
        try:
            return self.read(run_id)
        except DataError as error:
            return error
