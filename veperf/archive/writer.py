"""Writing one run: passes as they finish, then the whole run, then its manifest."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Self

import msgspec

from veperf.archive.cli_hints import command_hint
from veperf.archive.completion_order import next_stamp, note_stamp
from veperf.archive.files import encode_json
from veperf.archive.manifest import COMPLETE, RUN, SAMPLES, run_manifest
from veperf.archive.query import samples_parquet
from veperf.archive.storage.base import Lock, Storage, write_stored_json
from veperf.archive.storage.local import LocalStorage
from veperf.archive.storage.open import local_folder
from veperf.core.errors import StorageError
from veperf.core.run import Pass, Run


def fallback_folder() -> Path:
    """Return a local folder for runs that can't be written to a remote archive.

    In $XDG_STATE_HOME (``~/.local/state``); where that can't be written, a new temporary folder.
    """
    try:
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        folder = Path(state) / "veperf" / "kept"
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        pass
    return Path(tempfile.mkdtemp(prefix="veperf-kept-"))


def needs_fallback(storage: Storage) -> bool:
    """Return whether ``storage`` is remote, so that the connection may break during a run."""
    return not isinstance(storage, LocalStorage)


def import_hint(folder: Path, archive: Storage) -> str:
    """Return the advice how to import the runs in ``folder`` into ``archive``."""
    return f"{command_hint('archive', 'import', str(folder), archive=archive)} imports it"


PASSES = "passes"


def pass_file(index: int) -> str:
    """Return the file name of a pass, in the folder of its run."""
    return f"{PASSES}/{index:04}.json"


class RunWriter:
    """Writes the files of one run, whose folder this process has locked.

    If a remote archive can no longer be written, the run continues in a local fallback folder;
    when it is complete there, an error says so.
    """

    def __init__(self, archive: Storage, run: Run, lock: Lock) -> None:
        self.archive = archive
        self.run = run
        self._files = archive.at(run.id)
        self._lock = lock
        self._error: StorageError | None = None

    @property
    def files(self) -> Storage:
        """The folder of the run."""
        return self._files

    def missing(self) -> list[int]:
        """Return the indices of the passes that are still to be measured."""
        done = {p.index for p in self.run.passes}
        return [i for i in range(self.run.config.passes) if i not in done]

    def add(self, pass_: Pass, loops: dict[str, int]) -> None:
        """Write a finished pass and the calibrated ``loops``.

        Raises:
            StorageError: it can't be written; earlier passes are untouched.
        """
        passes = sorted((*self.run.passes, pass_), key=lambda p: p.index)
        run = msgspec.structs.replace(self.run, passes=tuple(passes), loops=dict(loops))
        try:
            self._lock.check()
            write_stored_json(self._files, pass_file(pass_.index), pass_)
        except StorageError as error:
            self._continue_in_fallback(run, error)
        self.run = run

    def complete(self, stamp: int | None = None) -> Run:
        """Write the whole run, and its manifest last.

        ``stamp`` is its completion stamp in the archive that it comes from, if it comes from one.

        Raises:
            StorageError: the disk is full; the passes are kept, and ``resume`` can finish the run.
                Or the run is complete, but in a local fallback folder, which the error names.
        """
        try:
            self._complete(stamp)
        except StorageError as error:
            self._continue_in_fallback(self.run, error)
            self._complete(stamp)
        if self._error is not None:
            raise self._error
        return self.run

    def resume_hint(self) -> str:
        """Return the hint for an interrupted run; empty where ``complete`` has raised it."""
        planned, left = self.run.config.passes, len(self.missing())
        if self._error is None:
            trouble = ""
        elif left:
            trouble = f"\n{self._error.strerror}"
        else:
            return ""
        resume = command_hint("run", "--resume", self.run.id, archive=self.archive)
        return f"{planned - left} of {planned} passes are kept; {resume} continues{trouble}"

    def close(self) -> None:
        """Release the lock."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _complete(self, stamp: int | None) -> None:
        files = {SAMPLES: samples_parquet(self.run), RUN: encode_json(self.run)}
        for name, data in files.items():
            self._lock.check()
            self._files.write(name, data)
        if stamp is None:
            stamp = next_stamp(self.archive)
        else:
            note_stamp(self.archive, stamp)
        self._lock.check()
        write_stored_json(self._files, COMPLETE, run_manifest(self.run.id, files, stamp))
        with contextlib.suppress(StorageError):
            self._files.remove(PASSES)
        self.close()

    def _continue_in_fallback(self, run: Run, error: StorageError) -> None:
        """Continue in a local fallback folder with what ``run`` has so far.

        Raises:
            StorageError: ``error``, if that was of a local folder itself.
        """
        if not needs_fallback(self._files):
            raise error
        self.close()
        archive = LocalStorage(fallback_folder())
        lock = archive.at(run.id).try_lock()
        if lock is None:
            raise error
        remote, self.archive, self._lock = self.archive, archive, lock
        self._files = archive.at(run.id)
        write_stored_json(self._files, RUN, msgspec.structs.replace(run, passes=()))
        for pass_ in run.passes:
            write_stored_json(self._files, pass_file(pass_.index), pass_)
        folder = local_folder(archive)
        self._error = StorageError(
            error.errno,
            f"{error.strerror}; the run is kept in {folder / run.id} instead, "
            f"{import_hint(folder, remote)}",
        )
