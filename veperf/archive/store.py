"""Runs on disk: a folder a run, written once, read many times; old ones packed together.

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
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from veperf.archive.completion import (
    COMPLETE,
    RUN,
    SAMPLES,
    RunFiles,
    decode_run,
    faults,
    read_complete,
)
from veperf.archive.files import read, read_json, storage_error, write_json
from veperf.archive.folder import FolderFiles
from veperf.archive.packs import Packs, is_name
from veperf.archive.writer import RunWriter
from veperf.errors import (
    CorruptFileError,
    IncompleteRunError,
    UnknownRunError,
    UsageError,
    VeperfError,
)
from veperf.model import Pass, Run

if TYPE_CHECKING:
    import pandas as pd

LAST = "last"


class Archive:
    """The runs in one folder. Cheap to make; reads nothing until asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packs = Packs(folder)

    def completed_ns(self) -> dict[str, int]:
        """The complete runs by id, oldest first, with when they were completed (ns since 1970)."""
        found = self.packs.runs() | self.loose()
        return {run: found[run] for run in sorted(found)}

    def loose(self) -> dict[str, int]:
        """The same of those in folders of their own, in any order. Links are no such folders."""
        found: dict[str, int] = {}
        with contextlib.suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if is_name(entry.name) and entry.is_dir(follow_symlinks=False):
                    with contextlib.suppress(OSError):
                        found[entry.name] = os.lstat(f"{entry.path}/{COMPLETE}").st_mtime_ns
        return found

    def is_complete(self, run_id: str) -> bool:
        """Whether there is a complete run of exactly that id."""
        if not is_name(run_id):
            return False
        return self._is_loose(run_id) or self.packs.files(run_id) is not None

    def ids(self) -> list[str]:
        """Ids of the complete runs, oldest first."""
        return list(self.completed_ns())

    def incomplete_ids(self) -> list[str]:
        """Ids of the runs that were begun but not finished, oldest first."""
        begun = {path.parent.name for path in self.folder.glob("*/run.json")}
        return sorted(run for run in begun - set(self.ids()) if is_name(run))

    def path(self, run_id: str) -> Path:
        """The folder of ``run_id``; that of a packed run holds its report at most.

        Raises:
            UsageError: that is no name of a run but a path elsewhere.
        """
        if not is_name(run_id):
            raise UsageError(f"{run_id!r} is no run id; `veperf report --help` shows the forms")
        return self.folder / run_id

    def files(self, run_id: str) -> RunFiles:
        """The files of ``run_id``, in its folder (where one may have put a copy back) or packed.

        Raises:
            UsageError: as ``path``.
        """
        folder = FolderFiles(self.path(run_id))
        return folder if self._is_loose(run_id) else self.packs.files(run_id) or folder

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
                raise UnknownRunError(
                    f"{self.folder} holds no complete run yet; make one with `veperf run`"
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
        raise UnknownRunError(
            f"{self.folder} holds no run {run!r}; `veperf list --runs` shows what is there"
        )

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
            raise IncompleteRunError(
                f"run {run_id} was not finished ({len(partial.passes)} of "
                f"{partial.config.passes} passes); go on with `veperf run --resume {run_id}`"
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
        loose = self.loose()
        found = {
            run: faults(run, self.files(run), elsewhere=() if run in loose else {SAMPLES})
            for run in self.ids()
        }
        for entry in self.folder.iterdir() if self.folder.is_dir() else ():
            if entry.is_symlink():
                found[entry.name] = [f"{entry} is a symbolic link, which no run is"]
        found[self.packs.folder.name] = self.packs.faults()
        return {name: wrong for name, wrong in found.items() if wrong}

    def load_partial(self, run: str) -> Run:
        """The run with the passes that it has so far. A pass file that is broken does not count.

        Raises:
            UnknownRunError, CorruptFileError, NewerFormatError: as ``load``.
        """
        folder = self.path(self.resolve(run))
        plan = decode_run(folder.name, str(folder / RUN), read(folder / RUN))
        passes: list[Pass] = []
        for path in sorted((folder / "passes").glob("*.json")):
            with contextlib.suppress(CorruptFileError):
                passes.append(read_json(path, Pass))
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
        folder = self.path(plan.id)
        if self.is_complete(plan.id):
            raise UsageError(f"there is a run {plan.id} in {self.folder} already")
        try:
            folder.mkdir(parents=True)
        except FileExistsError as error:
            if folder.is_dir():
                raise UsageError(f"there is a run {plan.id} in {self.folder} already") from error
            raise storage_error(folder, error) from error
        except OSError as error:
            raise storage_error(folder, error) from error
        write_json(folder / RUN, plan)
        return RunWriter(folder, plan)

    def keep(self, run: Run) -> Path:
        """Write a run that is whole already, such as one of another tool; return its folder.

        Raises:
            StorageError, UsageError: as ``begin``.
        """
        writer = self.begin(run)
        writer.complete()
        return writer.folder

    def resume(self, run: str) -> "RunWriter":
        """Go on with a run that was not finished.

        Raises:
            UnknownRunError, CorruptFileError, NewerFormatError: as ``load``.
            UsageError: it is complete.
        """
        if run == LAST:
            unfinished = self.incomplete_ids()
            if not unfinished:
                raise UnknownRunError(f"{self.folder} holds no unfinished run to go on with")
            run = unfinished[-1]
        run_id = self.resolve(run)
        if self.is_complete(run_id):
            raise UsageError(f"run {run_id} is complete; there is nothing to go on with")
        return RunWriter(self.path(run_id), self.load_partial(run_id))

    def frame(self) -> "pd.DataFrame":
        """One row a complete run, oldest first; runs that can't be read are left out.

        Columns: id, created, commit, branch, machine, python, profile, passes, cases.
        """
        import pandas as pd

        columns = ["id", "created", "commit", "branch", "machine", "python", "profile"]
        columns += ["passes", "cases"]
        return pd.DataFrame([_summary(run) for run in self.readable()], columns=columns)

    def query(self, sql: str) -> "pd.DataFrame":
        """Run ``sql`` (DuckDB) over the table ``samples``: every sample of every complete run.

        Raises:
            UnknownRunError: there is no complete run.
            CorruptFileError: a file with samples is damaged.
            UsageError: DuckDB refuses the query.
        """
        import duckdb

        loose = sorted(self.loose().keys() - self.packs.runs().keys())
        files = [str(path) for path in self.packs.tables()]
        files += [str(self.path(run) / SAMPLES) for run in loose]
        if not files:
            self.resolve(LAST)
        with duckdb.connect() as connection:
            try:
                samples = connection.read_parquet(files, union_by_name=True)  # noqa: F841 - named in sql
            except duckdb.Error as error:
                raise CorruptFileError(
                    f"a table of samples can't be read, `veperf archive verify` says which: {error}"
                ) from error
            try:
                found: pd.DataFrame = connection.sql(sql).df()
            except duckdb.Error as error:
                raise UsageError(f"the query failed: {error}") from error
        return found

    def _is_loose(self, run_id: str) -> bool:
        folder = self.folder / run_id
        return (folder / COMPLETE).exists() and not folder.is_symlink()

    def readable(self) -> Iterator[Run]:
        """The complete runs, oldest first; those that can't be read are left out."""
        for run_id in self.ids():
            with contextlib.suppress(VeperfError):
                yield self.read(run_id)


def _summary(run: Run) -> dict[str, object]:
    return {
        "id": run.id,
        "created": run.created,
        "commit": run.revision.commit[:12],
        "branch": run.revision.branch,
        "machine": run.machine.name,
        "python": run.machine.python,
        "profile": run.config.profile,
        "passes": len(run.passes),
        "cases": len(run.cases),
    }
