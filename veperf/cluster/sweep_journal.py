"""The journal of a sweep: its plan and the outcome of each task, on disk.

::

    <archive>/sweeps/<sweep id>/
      plan.json              the specification and its tasks
      tasks/<task id>.json   the latest outcome of a task; replaced as a whole

A task is done when the archive holds the complete result that its file names.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from msgspec import Struct, field

from veperf.archive.cli_hints import command_hint
from veperf.archive.comparisons import ab_ids, save_ab
from veperf.archive.completion_order import LAST, next_stamp, read_stamps
from veperf.archive.storage.base import Lock, Storage, read_stored_json, write_stored_json
from veperf.archive.storage.ordered_map import ordered_map
from veperf.archive.store import Archive
from veperf.cluster.sweep_plan import ABJob, SweepPlan, SweepTask, upgrade_plan
from veperf.cluster.task_worker import TaskResult
from veperf.core.ab_records import ABRun
from veperf.core.errors import CorruptFileError, UnknownRunError, UsageError

FOLDER = "sweeps"
PLAN = "plan.json"
TASKS = "tasks"


class TaskEntry(Struct, frozen=True):
    """The latest outcome of a task."""

    task: str
    at: str
    host: str = ""
    result_id: str = field(default="", name="found")
    """Id of its run or comparison; empty where it failed."""
    failure: str = ""
    machine: str = ""
    """Name of the kind of machine that measured it."""


@dataclass(frozen=True, slots=True)
class SweepState:
    """A sweep at one moment."""

    sweep: str
    plan: SweepPlan
    entries: Mapping[str, TaskEntry]
    """By task id."""
    done: frozenset[str]
    """Ids of tasks whose results are in the archive."""

    @property
    def missing(self) -> tuple[SweepTask, ...]:
        """The tasks that are not done."""
        return tuple(task for task in self.plan.tasks if task.id not in self.done)


def sweep_names(archive: Archive) -> list[str]:
    """Return the names of the sweeps in ``archive``, oldest first."""
    stamps = read_stamps(archive.storage.at(FOLDER), PLAN)
    return sorted(stamps, key=lambda name: (stamps[name], name))


def resolve_sweep(archive: Archive, name: str) -> str:
    """Return the sweep that ``name`` means: ``last``, a name, or the unambiguous start of one.

    Raises:
        UnknownRunError: there is none, or more than one, or no archive.
    """
    names = sweep_names(archive)
    if not names:  # in an archive that is there
        archive.require_exists()
    if name == LAST:
        matches = names[-1:]
    else:
        matches = [name] if name in names else [s for s in names if name and s.startswith(name)]
    if len(matches) != 1:
        fault = f"could be any of {', '.join(matches[:5])}" if matches else "is none of them"
        example = command_hint("sweep", "SPEC", archive=archive.storage)
        raise UnknownRunError(
            f"{archive.location} holds {len(names)} sweeps, and {name!r} {fault}; {example} makes "
            "one and prints its name, and so does `veperf ab --scheduler`"
        )
    return matches[0]


def sweep_folder(archive: Archive, sweep: str) -> Storage:
    """Return the folder of ``sweep``."""
    return archive.storage.at(f"{FOLDER}/{sweep}")


def write_sweep_plan(archive: Archive, plan: SweepPlan) -> str:
    """Write the plan of a new sweep, and return the name of the sweep.

    Raises:
        StorageError: the archive can't be written.
    """
    now = datetime.now(UTC)
    sweep = f"{plan.spec.name}-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    stamp = next_stamp(archive.storage)
    write_stored_json(sweep_folder(archive, sweep), PLAN, plan, stamp_ns=stamp)
    return sweep


def read_sweep_plan(archive: Archive, sweep: str) -> SweepPlan:
    """Read the plan of ``sweep``.

    Raises:
        CorruptFileError: its file is broken.
        StorageError: it can't be read.
    """
    folder = sweep_folder(archive, sweep)
    try:
        plan = read_stored_json(folder, PLAN, SweepPlan)
    except CorruptFileError as error:
        try:
            plan = upgrade_plan(read_stored_json(folder, PLAN, dict))
        except (LookupError, TypeError, AttributeError, ValueError):
            raise error from None
    kinds = {isinstance(task.job, ABJob) for task in plan.tasks}
    if kinds != {plan.spec.ab is not None} or len({t.id for t in plan.tasks}) < len(plan.tasks):
        raise CorruptFileError(f"the tasks in {folder.where(PLAN)} are not those of its `spec`")
    return plan


def read_sweep_state(archive: Archive, sweep: str, only: SweepTask | None = None) -> SweepState:
    """Read the state of ``sweep``, or of one of its tasks.

    Raises:
        CorruptFileError: its files are broken.
        StorageError: they can't be read.
    """
    plan = read_sweep_plan(archive, sweep)
    folder = sweep_folder(archive, sweep).at(TASKS)
    files = set(folder.names()) if folder.exists() else set()
    chosen = plan.tasks if only is None else (only,)
    tasks = [task for task in chosen if task_file(task.id) in files]
    read = ordered_map(folder.concurrency, lambda task: _read_entry(folder, task), tasks)
    entries = {entry.task: entry for entry in read}
    archived = _archived_ids(archive, plan)
    done = frozenset(task for task, entry in entries.items() if entry.result_id in archived)
    return SweepState(sweep, plan, entries, done)


def task_file(task: str) -> str:
    """Return the name of the file of ``task`` in its sweep's folder."""
    return f"{task}.json"


def _read_entry(folder: Storage, task: SweepTask) -> TaskEntry:
    name = task_file(task.id)
    entry = read_stored_json(folder, name, TaskEntry)
    if entry.task != task.id:
        raise CorruptFileError(f"{folder.where(name)} is about task {entry.task!r}")
    return entry


class SweepJournal:
    """The journal of a sweep that is at work; it locks the sweep against other processes.

    With ``only`` it is that of one task, and locks this alone: one that begins the same task waits
    until it is closed.
    """

    def __init__(self, archive: Archive, sweep: str, only: SweepTask | None = None) -> None:
        self.archive = archive
        self.sweep = sweep
        self._tasks = sweep_folder(archive, sweep).at(TASKS)
        self._lock = self._acquire(only)
        try:
            state = read_sweep_state(archive, sweep, only)
        except BaseException:
            self.close()
            raise
        self.plan = state.plan
        self._entries = dict(state.entries)
        self._done = set(state.done)

    def _acquire(self, only: SweepTask | None) -> Lock:
        if only is not None:
            own = self._tasks.at(only.id)
            return own.try_lock() or own.lock()
        lock = sweep_folder(self.archive, self.sweep).try_lock()
        if lock is None:
            raise UsageError(f"another process is working on sweep {self.sweep} right now")
        return lock

    @classmethod
    def create(cls, archive: Archive, plan: SweepPlan) -> Self:
        """Create a new sweep.

        Raises:
            StorageError: the archive can't be written.
        """
        return cls(archive, write_sweep_plan(archive, plan))

    @classmethod
    def resume(cls, archive: Archive, sweep: str) -> Self:
        """Resume a sweep: the one named, or the last that isn't done.

        Raises:
            UnknownRunError: there is none.
            UsageError: another process is working on it.
            CorruptFileError: its files are broken.
        """
        if sweep != LAST:
            return cls(archive, resolve_sweep(archive, sweep))
        for name in reversed(sweep_names(archive)):
            if read_sweep_state(archive, name).missing:
                return cls(archive, name)
        archive.require_exists()
        raise UnknownRunError(f"{archive.location} holds no sweep that is not done")

    @property
    def state(self) -> SweepState:
        """Its state at this moment."""
        return SweepState(self.sweep, self.plan, dict(self._entries), frozenset(self._done))

    def missing(self) -> tuple[SweepTask, ...]:
        """Return the tasks whose results are not in the archive."""
        return self.state.missing

    def add_result(self, task: SweepTask, result: TaskResult, host: str) -> bool:
        """Save the result of ``task`` in the archive; return False if it is there already.

        The journal is written first: a crash between the two leaves a task that is not done, and
        nothing that is counted twice.

        Raises:
            StorageError: the archive can't be written, or another process has the sweep by now.
            UsageError: it holds something else of that id.
        """
        if task.id in self._done:
            return False
        machine = result.machine.name
        self._write(TaskEntry(task.id, _now(), host=host, result_id=result.id, machine=machine))
        _save_result(self.archive, result)
        self._done.add(task.id)
        return True

    def add_failure(self, task: SweepTask, failure: str) -> None:
        """Record the failure of ``task``, unless it is done. The task counts as missing.

        Raises:
            StorageError: the archive can't be written.
        """
        if task.id not in self._done:
            self._write(TaskEntry(task.id, _now(), failure=failure))

    def close(self) -> None:
        """Release the sweep to other processes."""
        self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _write(self, entry: TaskEntry) -> None:
        self._lock.check()
        write_stored_json(self._tasks, task_file(entry.task), entry)
        self._entries[entry.task] = entry


def _save_result(archive: Archive, result: TaskResult) -> None:
    """Save ``result`` in the archive.

    Raises:
        StorageError: that can't be written.
        UsageError: it holds one of that id.
    """
    if isinstance(result, ABRun):
        save_ab(archive.storage, result)
    else:
        archive.save(result)


def _archived_ids(archive: Archive, plan: SweepPlan) -> set[str]:
    """Return the ids of all results in the archive of the kind that ``plan`` makes."""
    return set(archive.ids() if plan.spec.ab is None else ab_ids(archive.storage))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
