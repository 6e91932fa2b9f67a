"""Runs on disk: a folder a run, written once, read many times.

::

    <archive>/<run id>/
      run.json           the whole run; without its passes while it is being measured
      passes/0000.json   one file a finished pass, only while it is being measured
      samples.parquet    the samples again, as a table for queries
      complete.json      written last: the run is whole, and these are its checksums
      index.html, *.ipynb  the report, made afterwards
"""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from veperf.archive.files import checksum, read_json, storage_error, write, write_json
from veperf.archive.tables import samples_parquet
from veperf.errors import (
    CorruptFileError,
    IncompleteRunError,
    UnknownRunError,
    UsageError,
    VeperfError,
)
from veperf.model import RUN_FORMAT, Pass, Run

if TYPE_CHECKING:
    import pandas as pd

LAST = "last"
_COMPLETE_FORMAT = 1


class Completion(Struct, frozen=True):
    """complete.json: its presence says that a run is whole."""

    run: str
    completed: str
    sha256: dict[str, str]
    format: int = _COMPLETE_FORMAT


class Archive:
    """The runs in one folder. Cheap to make; reads nothing until asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ids(self) -> list[str]:
        """Ids of the complete runs, oldest first."""
        return sorted(path.parent.name for path in self.folder.glob("*/complete.json"))

    def incomplete_ids(self) -> list[str]:
        """Ids of the runs that were begun but not finished, oldest first."""
        begun = {path.parent.name for path in self.folder.glob("*/run.json")}
        return sorted(begun - set(self.ids()))

    def path(self, run_id: str) -> Path:
        """The folder of ``run_id``.

        Raises:
            UsageError: that is no name of a run but a path elsewhere.
        """
        if not run_id or run_id.startswith(".") or Path(run_id).name != run_id:
            raise UsageError(f"{run_id!r} is no run id; `veperf report --help` shows the forms")
        return self.folder / run_id

    def resolve(self, run: str) -> str:
        """The id that ``run`` means: ``last``, an id, or the unambiguous beginning of one.

        Raises:
            UnknownRunError: there is no such run, or more than one.
        """
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
        folder = self.path(run_id)
        if not (folder / "complete.json").exists():
            partial = self.load_partial(run_id)
            raise IncompleteRunError(
                f"run {run_id} was not finished ({len(partial.passes)} of "
                f"{partial.config.passes} passes); go on with `veperf run --resume {run_id}`"
            )
        completion = read_json(folder / "complete.json", Completion, newest_format=_COMPLETE_FORMAT)
        if completion.sha256.get("run.json") != checksum(folder / "run.json"):
            raise CorruptFileError(
                f"{folder / 'run.json'} is not what was written when the run was completed "
                "(checksum differs); restore it from a copy"
            )
        return _checked(read_json(folder / "run.json", Run, newest_format=RUN_FORMAT), folder)

    def load_partial(self, run: str) -> Run:
        """The run with the passes that it has so far. A pass file that is broken does not count.

        Raises:
            UnknownRunError, CorruptFileError, NewerFormatError: as ``load``.
        """
        folder = self.path(self.resolve(run))
        plan = _checked(read_json(folder / "run.json", Run, newest_format=RUN_FORMAT), folder)
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
        try:
            folder.mkdir(parents=True)
        except FileExistsError as error:
            if folder.is_dir():
                raise UsageError(f"there is a run {plan.id} in {self.folder} already") from error
            raise storage_error(folder, error) from error
        except OSError as error:
            raise storage_error(folder, error) from error
        write_json(folder / "run.json", plan)
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
        if run_id in self.ids():
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
            UsageError: DuckDB refuses the query.
        """
        import duckdb

        files = [str(self.path(i) / "samples.parquet") for i in self.ids()]
        if not files:
            self.resolve(LAST)
        with duckdb.connect() as connection:
            samples = connection.read_parquet(files, union_by_name=True)  # noqa: F841 - named in sql
            try:
                found: pd.DataFrame = connection.sql(sql).df()
            except duckdb.Error as error:
                raise UsageError(f"the query failed: {error}") from error
        return found

    def readable(self) -> Iterator[Run]:
        """The complete runs, oldest first; those that can't be read are left out."""
        for run_id in self.ids():
            with contextlib.suppress(VeperfError):
                yield self.load(run_id)


class RunWriter:
    """Writes one run: passes as they come, then the whole. One process at a time."""

    def __init__(self, folder: Path, run: Run) -> None:
        self.folder = folder
        self.run = run
        self._lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise UsageError(f"another process is measuring run {run.id} right now") from error

    def missing(self) -> list[int]:
        """Indices of the passes that are still to be made."""
        done = {p.index for p in self.run.passes}
        return [i for i in range(self.run.config.passes) if i not in done]

    def add(self, new: Pass, loops: dict[str, int]) -> None:
        """Keep a finished pass and what is known of ``loops`` by now.

        Raises:
            StorageError: it can't be written; earlier passes are untouched.
        """
        write_json(self.folder / "passes" / f"{new.index:04}.json", new)
        passes = sorted((*self.run.passes, new), key=lambda p: p.index)
        self.run = msgspec.structs.replace(self.run, passes=tuple(passes), loops=dict(loops))

    def complete(self) -> Run:
        """Write the whole run, and the completion file last.

        Raises:
            StorageError: the disk is full; the passes are kept, and ``resume`` ends the job.
        """
        write(self.folder / "samples.parquet", samples_parquet(self.run))
        write_json(self.folder / "run.json", self.run)
        names = ("run.json", "samples.parquet")
        write_json(
            self.folder / "complete.json",
            Completion(
                run=self.run.id,
                completed=datetime.now(UTC).isoformat(timespec="seconds"),
                sha256={name: checksum(self.folder / name) for name in names},
            ),
        )
        self.close()
        shutil.rmtree(self.folder / "passes", ignore_errors=True)
        return self.run

    def close(self) -> None:
        """Let others write."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def _checked(run: Run, folder: Path) -> Run:
    if run.id != folder.name:
        raise CorruptFileError(f"{folder / 'run.json'} holds run {run.id!r}, not {folder.name!r}")
    known = {case.id for case in run.cases}
    if strange := {r.case for p in run.passes for r in p.results} - known:
        raise CorruptFileError(f"{folder / 'run.json'} has results of unknown cases: {strange}")
    return run


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
