"""What a task found, a run or a comparison: on its way from the worker to the archive."""

from typing import TypeAlias

from msgspec.structs import replace

from veperf.archive.comparisons import ab_ids, save_ab
from veperf.archive.files import decode_json
from veperf.archive.manifest import is_name
from veperf.archive.store import Archive
from veperf.cluster.plan import Pairs, Plan, Task
from veperf.core.ab import AB_FORMAT, ABRun
from veperf.core.errors import CorruptFileError
from veperf.core.run import RUN_FORMAT, Run

Found: TypeAlias = Run | ABRun


def decoded(text: str, task: Task, host: str) -> Found:
    """What ``host`` sent back for ``task``.

    Raises:
        CorruptFileError: it is no such thing.
        NewerFormatError: a later veperf made it.
    """
    where, data = f"what came from {host}", text.encode()
    found: Found
    if isinstance(task.job, Pairs):
        run = decode_json(data, where, ABRun, newest_format=AB_FORMAT)
        found = _as_asked(run, task.job, task.machine_class, where)
    else:
        found = decode_json(data, where, Run, newest_format=RUN_FORMAT)
    if not is_name(found.id):
        raise CorruptFileError(f"{where} has the id {found.id!r}, which can't be one")
    return found


def keep(archive: Archive, found: Found) -> None:
    """Put ``found`` into the archive.

    Raises:
        StorageError: that can't be written.
        UsageError: it holds one of that id.
    """
    if isinstance(found, ABRun):
        save_ab(archive.storage, found)
    else:
        archive.keep(found)


def kept_ids(archive: Archive, plan: Plan) -> set[str]:
    """Ids of all that the archive holds of the kind that ``plan`` makes."""
    return set(archive.ids() if plan.spec.ab is None else ab_ids(archive.storage))


def _as_asked(found: ABRun, job: Pairs, machine_class: str, where: str) -> ABRun:
    """``found`` with the names by which it was asked for; the worker was told commits only."""
    sides = [(found.base, job.base), (found.new, job.head)]
    for side, ref in sides:
        if side.revision.commit != ref.commit:
            raise CorruptFileError(
                f"{where} is of commit {side.revision.commit[:12]!r}, not of {ref.commit[:12]!r}"
            )
    base, new = (replace(side, name=ref.name) for side, ref in sides)
    machine = replace(found.machine, name=machine_class or found.machine.name)
    return replace(found, base=base, new=new, machine=machine)
