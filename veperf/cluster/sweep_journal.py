"""What has become of a sweep's tasks, as it is on disk.

::

    <archive>/sweeps/<sweep id>/
      plan.json              the specification and its tasks
      tasks/<task id>.json   what became of a task so far; written whole, over what was there

A task is done when the archive holds, whole, what its file names.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import Struct

from veperf.archive.cli_hints import command
from veperf.archive.storage.base import Storage
from veperf.archive.storage.json_files import read_document
from veperf.archive.storage.ordered_map import in_order
from veperf.archive.store import LAST, Archive
from veperf.cluster.plan import Pairs, Plan, Task
from veperf.cluster.task_result import kept_ids
from veperf.core.errors import CorruptFileError, UnknownRunError

FOLDER = "sweeps"
PLAN = "plan.json"
TASKS = "tasks"


class Entry(Struct, frozen=True):
    """The latest of one task."""

    task: str
    at: str
    host: str = ""
    found: str = ""
    """Id of its run or comparison; empty where it failed."""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A sweep at one moment."""

    sweep: str
    plan: Plan
    entries: Mapping[str, Entry]
    """By task."""
    done: frozenset[str]
    """Tasks of which the archive holds what they found."""

    @property
    def missing(self) -> tuple[Task, ...]:
        """The tasks that are not done."""
        return tuple(task for task in self.plan.tasks if task.id not in self.done)


def sweeps(archive: Archive) -> list[str]:
    """Names of the sweeps in ``archive``, oldest first."""
    found = archive.storage.at(FOLDER).folders(PLAN)
    return sorted(found, key=lambda name: (found[name][PLAN], name))


def named(archive: Archive, name: str) -> str:
    """The sweep that ``name`` means: ``last``, one's name, or the unambiguous beginning of one.

    Raises:
        UnknownRunError: there is none, or more than one.
    """
    there = sweeps(archive)
    if name == LAST:
        hits = there[-1:]
    else:
        hits = [name] if name in there else [s for s in there if name and s.startswith(name)]
    if len(hits) != 1:
        what = f"could be any of {', '.join(hits[:5])}" if hits else "is none of them"
        how = command("sweep", "SPEC", archive=archive.storage)
        raise UnknownRunError(
            f"{archive.location} holds {len(there)} sweeps, and {name!r} {what}; {how} makes one "
            "and prints its name, and so does `veperf ab --scheduler`"
        )
    return hits[0]


def sweep_folder(archive: Archive, sweep: str) -> Storage:
    """Where ``sweep`` is kept."""
    return archive.storage.at(f"{FOLDER}/{sweep}")


def read_plan(archive: Archive, sweep: str) -> Plan:
    """What ``sweep`` is to do.

    Raises:
        CorruptFileError: its file is broken.
        StorageError: there is no way to it.
    """
    folder = sweep_folder(archive, sweep)
    plan = read_document(folder, PLAN, Plan)
    kinds = {isinstance(task.job, Pairs) for task in plan.tasks}
    if kinds != {plan.spec.ab is not None} or len({t.id for t in plan.tasks}) < len(plan.tasks):
        raise CorruptFileError(f"the tasks in {folder.where(PLAN)} are not those of its `spec`")
    return plan


def read_record(archive: Archive, sweep: str) -> Record:
    """What has become of ``sweep`` so far.

    Raises:
        CorruptFileError: its files are broken.
        StorageError: there is no way to them.
    """
    plan = read_plan(archive, sweep)
    tasks = sweep_folder(archive, sweep).at(TASKS)
    there = set(tasks.names()) if tasks.exists() else set()
    known = [task for task in plan.tasks if task_file(task.id) in there]
    read = in_order(tasks.at_once, lambda task: _entry(tasks, task), known)
    entries = {entry.task: entry for entry in read}
    kept = kept_ids(archive, plan)
    done = frozenset(task for task, entry in entries.items() if entry.found in kept)
    return Record(sweep, plan, entries, done)


def task_file(task: str) -> str:
    """The file of ``task`` among those of its sweep."""
    return f"{task}.json"


def _entry(tasks: Storage, task: Task) -> Entry:
    name = task_file(task.id)
    entry = read_document(tasks, name, Entry)
    if entry.task != task.id:
        raise CorruptFileError(f"{tasks.where(name)} is about task {entry.task!r}")
    return entry
