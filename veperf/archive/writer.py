"""Writing one run: passes as they come, then the whole, and that it is whole last of all."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Self

import msgspec

from veperf.archive.cli_hints import command
from veperf.archive.files import encode_json
from veperf.archive.manifest import COMPLETE, RUN, SAMPLES, completion_of
from veperf.archive.query import samples_parquet
from veperf.archive.storage.base import Lock, Storage
from veperf.archive.storage.json_files import write_document
from veperf.archive.storage.local import LocalStorage
from veperf.archive.storage.open import local_folder
from veperf.core.errors import StorageError
from veperf.core.run import Pass, Run


def spare_folder() -> Path:
    """A folder of this machine, an archive like any other.

    In $XDG_STATE_HOME (``~/.local/state``), else, where that can't be written, a new temporary one.
    """
    try:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        folder = Path(state) / "veperf" / "kept"
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except (OSError, RuntimeError):  # the latter: there is no home
        pass
    return Path(tempfile.mkdtemp(prefix="veperf-kept-"))


def needs_spare(storage: Storage) -> bool:
    """Whether the way to ``storage`` may break while something is measured."""
    return not isinstance(storage, LocalStorage)


def advice(folder: Path, archive: Storage) -> str:
    """What to do with what lies in ``folder`` and is to be in ``archive``."""
    return f"{command('archive', 'import', str(folder), archive=archive)} takes it over"


PASSES = "passes"


def pass_file(index: int) -> str:
    """The file of a pass, in the folder of its run."""
    return f"{PASSES}/{index:04}.json"


class RunWriter:
    """Writes the files of one run, whose folder nobody else has the lock of.

    Where an archive elsewhere can't be written any more, the run goes on in a folder of this
    machine; when it is complete there, an error says so.
    """

    def __init__(self, archive: Storage, run: Run, lock: Lock) -> None:
        self.archive = archive
        self.run = run
        self._files = archive.at(run.id)
        self._lock = lock
        self._trouble: StorageError | None = None

    @property
    def files(self) -> Storage:
        """The folder of the run."""
        return self._files

    @property
    def folder(self) -> Path:
        """The same of an archive on this machine.

        Raises:
            UsageError: it is elsewhere.
        """
        return local_folder(self._files)

    def missing(self) -> list[int]:
        """Indices of the passes that are still to be made."""
        done = {p.index for p in self.run.passes}
        return [i for i in range(self.run.config.passes) if i not in done]

    def add(self, new: Pass, loops: dict[str, int]) -> None:
        """Keep a finished pass and what is known of ``loops`` by now.

        Raises:
            StorageError: it can't be written; earlier passes are untouched.
        """
        passes = sorted((*self.run.passes, new), key=lambda p: p.index)
        run = msgspec.structs.replace(self.run, passes=tuple(passes), loops=dict(loops))
        try:
            self._lock.check()
            write_document(self._files, pass_file(new.index), new)
        except StorageError as error:
            self._go_on_here(run, error)
        self.run = run

    def complete(self) -> Run:
        """Write the whole run, and the completion file last.

        Raises:
            StorageError: the disk is full; the passes are kept, and ``resume`` ends the job. Or
                the run is complete, but in a folder of this machine, which the error names.
        """
        try:
            self._complete()
        except StorageError as error:
            self._go_on_here(self.run, error)
            self._complete()
        if self._trouble is not None:
            raise self._trouble
        return self.run

    def how_to_go_on(self) -> str:
        """What to do when it is stopped; nothing where an error of ``complete`` says it all."""
        planned, left = self.run.config.passes, len(self.missing())
        if self._trouble is None:
            trouble = ""
        elif left:
            trouble = f"\n{self._trouble.strerror}"
        else:
            return ""
        resume = command("run", "--resume", self.run.id, archive=self.archive)
        return f"{planned - left} of {planned} passes are kept; {resume} goes on{trouble}"

    def close(self) -> None:
        """Let others write."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _complete(self) -> None:
        files = {SAMPLES: samples_parquet(self.run), RUN: encode_json(self.run)}
        for name, data in files.items():
            self._lock.check()
            self._files.write(name, data)
        self._lock.check()
        write_document(self._files, COMPLETE, completion_of(self.run.id, files))
        with contextlib.suppress(StorageError):
            self._files.remove(PASSES)
        self.close()

    def _go_on_here(self, run: Run, error: StorageError) -> None:
        """Go on in a folder of this machine with what ``run`` has by now.

        Raises:
            StorageError: ``error``, where it is such a folder that can't be written.
        """
        if not needs_spare(self._files):
            raise error
        self.close()
        archive = LocalStorage(spare_folder())
        lock = archive.at(run.id).try_lock()
        if lock is None:
            raise error
        elsewhere, self.archive, self._lock = self.archive, archive, lock
        self._files = archive.at(run.id)
        write_document(self._files, RUN, msgspec.structs.replace(run, passes=()))
        for one in run.passes:
            write_document(self._files, pass_file(one.index), one)
        folder = local_folder(archive)
        self._trouble = StorageError(
            error.errno,
            f"{error.strerror}; the run is kept in {folder / run.id} instead, "
            f"{advice(folder, elsewhere)}",
        )
