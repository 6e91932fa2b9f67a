"""A sweep that is at work: what comes back of its tasks goes to the archive, and is taken down."""

import secrets
from datetime import UTC, datetime
from typing import Self

from veperf.archive.storage.json_files import write_document
from veperf.archive.store import LAST, Archive
from veperf.cluster.plan import Plan, Task
from veperf.cluster.sweep_journal import (
    PLAN,
    TASKS,
    Entry,
    Record,
    named,
    read_record,
    sweep_folder,
    sweeps,
    task_file,
)
from veperf.cluster.task_result import Found, keep
from veperf.core.errors import UnknownRunError, UsageError


class Ledger:
    """One sweep. One process at a time works on it."""

    def __init__(self, archive: Archive, sweep: str) -> None:
        self.archive = archive
        self.sweep = sweep
        folder = sweep_folder(archive, sweep)
        lock = folder.try_lock()
        if lock is None:
            raise UsageError(f"another process is working on sweep {sweep} right now")
        self._lock = lock
        self._tasks = folder.at(TASKS)
        try:
            found = read_record(archive, sweep)
        except BaseException:
            self.close()
            raise
        self.plan = found.plan
        self._entries = dict(found.entries)
        self._done = set(found.done)

    @classmethod
    def begin(cls, archive: Archive, plan: Plan) -> Self:
        """A new sweep.

        Raises:
            StorageError: the archive can't be written.
        """
        now = datetime.now(UTC)
        sweep = f"{plan.spec.name}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
        write_document(sweep_folder(archive, sweep), PLAN, plan)
        return cls(archive, sweep)

    @classmethod
    def resume(cls, archive: Archive, sweep: str) -> Self:
        """Go on with a sweep: the one named, or the last that isn't done.

        Raises:
            UnknownRunError: there is none.
            UsageError: another process is working on it.
            CorruptFileError: its files are broken.
        """
        if sweep != LAST:
            return cls(archive, named(archive, sweep))
        for name in reversed(sweeps(archive)):
            if read_record(archive, name).missing:
                return cls(archive, name)
        raise UnknownRunError(f"{archive.location} holds no sweep that is not done")

    @property
    def record(self) -> Record:
        """What has become of its tasks so far."""
        return Record(self.sweep, self.plan, dict(self._entries), frozenset(self._done))

    def missing(self) -> tuple[Task, ...]:
        """The tasks of which the archive does not hold what they find."""
        return self.record.missing

    def keep(self, task: Task, found: Found, host: str) -> bool:
        """Put what ``task`` found into the archive; False if it had come back before.

        It is taken down first: whoever is killed between the two leaves a task that is not done,
        and nothing that is counted twice.

        Raises:
            StorageError: the archive can't be written, or another process has the sweep by now.
            UsageError: it holds something else of that id.
        """
        if task.id in self._done:
            return False
        self._write(Entry(task.id, _now(), host=host, found=found.id))
        keep(self.archive, found)
        self._done.add(task.id)
        return True

    def fail(self, task: Task, failure: str) -> None:
        """Take down why ``task`` found nothing, unless it did before. It counts as missing.

        Raises:
            StorageError: the archive can't be written.
        """
        if task.id not in self._done:
            self._write(Entry(task.id, _now(), failure=failure))

    def close(self) -> None:
        """Let others work on it."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _write(self, entry: Entry) -> None:
        self._lock.check()
        write_document(self._tasks, task_file(entry.task), entry)
        self._entries[entry.task] = entry


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
