"""Writing one run: passes as they come, then the whole, and that it is whole last of all."""

import fcntl
import os
import shutil
from pathlib import Path

import msgspec

from veperf.archive.completion import COMPLETE, RUN, SAMPLES, completion_of
from veperf.archive.files import read, write, write_json
from veperf.archive.tables import samples_parquet
from veperf.errors import UsageError
from veperf.model import Pass, Run


class RunWriter:
    """Writes the files of one run. One process at a time."""

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
        write(self.folder / SAMPLES, samples_parquet(self.run))
        write_json(self.folder / RUN, self.run)
        files = {name: read(self.folder / name) for name in (RUN, SAMPLES)}
        write_json(self.folder / COMPLETE, completion_of(self.run.id, files))
        self.close()
        shutil.rmtree(self.folder / "passes", ignore_errors=True)
        return self.run

    def close(self) -> None:
        """Let others write."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
