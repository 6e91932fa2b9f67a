"""What has become of a sweep's tasks, on disk, so that it goes on where it was stopped.

::

    <archive>/sweeps/<sweep id>/
      plan.json      the specification and its tasks
      ledger.jsonl   a line for each run that came back, before it is written to the archive, and
                     for each task that failed; whole lines only

A task is done when the archive holds the complete run of its line: a process that is killed between
the two leaves nothing that is counted twice.
"""

import fcntl
import os
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import msgspec
from msgspec import Struct

from veperf.archive import Archive
from veperf.archive.files import read_json, storage_error, write_json
from veperf.cluster.plan import Plan, Task
from veperf.errors import CorruptFileError, UnknownRunError, UsageError
from veperf.model import Run

FOLDER = "sweeps"


class Entry(Struct, frozen=True):
    """One line."""

    task: str
    at: str
    host: str = ""
    run: str = ""
    """Empty where the task failed."""
    failure: str = ""


class Ledger:
    """One sweep. One process at a time works on it."""

    def __init__(self, archive: Archive, sweep: str) -> None:
        self.archive = archive
        self.sweep = sweep
        self.folder = archive.folder / FOLDER / sweep
        self.plan = read_json(self.folder / "plan.json", Plan)
        self._by_id = {task.id: task for task in self.plan.tasks}
        self._file = os.open(self.folder / "ledger.jsonl", os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._file)
            raise UsageError(f"another process is working on sweep {sweep} right now") from error
        self._last: dict[str, Entry] = {}
        self._read()

    @classmethod
    def begin(cls, archive: Archive, plan: Plan) -> Self:
        """A new sweep.

        Raises:
            StorageError: the archive can't be written.
        """
        now = datetime.now(UTC)
        sweep = f"{plan.spec.name}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        write_json(archive.folder / FOLDER / sweep / "plan.json", plan)
        return cls(archive, sweep)

    @classmethod
    def resume(cls, archive: Archive, sweep: str) -> Self:
        """Go on with a sweep: the one named, or the last that isn't done.

        Raises:
            UnknownRunError: there is none.
            UsageError: another process is working on it.
            CorruptFileError: its files are broken.
        """
        there = sweeps(archive)
        if sweep != "last":
            if sweep not in there:
                raise UnknownRunError(f"{archive.folder} holds no sweep {sweep!r}")
            return cls(archive, sweep)
        for name in reversed(there):
            ledger = cls(archive, name)
            if ledger.missing():
                return ledger
            ledger.close()
        raise UnknownRunError(f"{archive.folder} holds no sweep that is not done")

    def missing(self) -> tuple[Task, ...]:
        """The tasks of which the archive has no complete run."""
        have = set(self.archive.ids())
        return tuple(
            task
            for task in self.plan.tasks
            if (entry := self._last.get(task.id)) is None or entry.run not in have
        )

    def entries(self) -> tuple[tuple[Task, Entry], ...]:
        """What has become of each task that came back, in the order of the plan."""
        return tuple((t, self._last[t.id]) for t in self.plan.tasks if t.id in self._last)

    def keep(self, task: Task, run: Run, host: str) -> bool:
        """Put what ``task`` measured into the archive; False if it had come back before.

        Raises:
            StorageError: the archive can't be written.
            UsageError: it holds another run of that id.
        """
        before = self._last.get(task.id)
        if before is not None and before.run in set(self.archive.ids()):
            return False
        self._append(Entry(task.id, _now(), host=host, run=run.id))
        self.archive.keep(run)
        return True

    def fail(self, task: Task, failure: str, host: str = "") -> None:
        """Take down why ``task`` has no run. It counts as missing.

        Raises:
            StorageError: the archive can't be written.
        """
        self._append(Entry(task.id, _now(), host=host, failure=failure))

    def close(self) -> None:
        """Let others work on it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _append(self, entry: Entry) -> None:
        try:
            os.write(self._file, msgspec.json.encode(entry) + b"\n")
            os.fsync(self._file)
        except OSError as error:
            raise storage_error(self.folder / "ledger.jsonl", error) from error
        self._last[entry.task] = entry

    def _read(self) -> None:
        path = self.folder / "ledger.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        whole = sum(len(line) for line in lines if line.endswith(b"\n"))
        # A line that was cut off by a kill says nothing; the next must not be glued to it.
        os.ftruncate(self._file, whole)
        for number, line in enumerate(lines, 1):
            if line.endswith(b"\n"):
                try:
                    entry = msgspec.json.decode(line, type=Entry)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise CorruptFileError(f"{path}:{number}: {error}") from error
                if entry.task in self._by_id:
                    self._last[entry.task] = entry


def sweeps(archive: Archive) -> list[str]:
    """Names of the sweeps in ``archive``, oldest first."""
    found: Iterable[Path] = (archive.folder / FOLDER).glob("*/plan.json")
    return [p.parent.name for p in sorted(found, key=lambda p: p.stat().st_mtime_ns)]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
