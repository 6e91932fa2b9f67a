"""The result of a task, a run or a comparison, on its way from the worker to the archive."""

from typing import TypeAlias

from msgspec.structs import replace

from veperf.archive.comparisons import ab_ids, save_ab
from veperf.archive.files import decode_json
from veperf.archive.manifest import is_run_id
from veperf.archive.store import Archive
from veperf.cluster.sweep_plan import ABJob, SweepPlan, SweepTask
from veperf.core.ab_records import AB_FORMAT, ABRun
from veperf.core.errors import CorruptFileError
from veperf.core.run import RUN_FORMAT, Run

TaskResult: TypeAlias = Run | ABRun


def decode_task_result(text: str, task: SweepTask, host: str) -> TaskResult:
    """Decode the result that ``host`` sent for ``task``.

    Raises:
        CorruptFileError: it is no valid result of the task.
        NewerFormatError: a later veperf made it.
    """
    source, data = f"the result from {host}", text.encode()
    result: TaskResult
    if isinstance(task.job, ABJob):
        run = decode_json(data, source, ABRun, newest_format=AB_FORMAT)
        result = _with_requested_names(run, task.job, task.machine_class, source)
    else:
        result = decode_json(data, source, Run, newest_format=RUN_FORMAT)
    if not is_run_id(result.id):
        raise CorruptFileError(f"{source} has an invalid id, {result.id!r}")
    return result


def save_task_result(archive: Archive, result: TaskResult) -> None:
    """Save ``result`` in the archive.

    Raises:
        StorageError: that can't be written.
        UsageError: it holds one of that id.
    """
    if isinstance(result, ABRun):
        save_ab(archive.storage, result)
    else:
        archive.save(result)


def archived_ids(archive: Archive, plan: SweepPlan) -> set[str]:
    """Return the ids of all results in the archive of the kind that ``plan`` makes."""
    return set(archive.ids() if plan.spec.ab is None else ab_ids(archive.storage))


def _with_requested_names(run: ABRun, job: ABJob, machine_class: str, source: str) -> ABRun:
    """Return ``run`` with the names in the request; the worker was given commits only."""
    sides = [(run.base, job.base), (run.new, job.head)]
    for side, ref in sides:
        if side.revision.commit != ref.commit:
            raise CorruptFileError(
                f"{source} is of commit {side.revision.commit[:12]!r}, not of {ref.commit[:12]!r}"
            )
    base, new = (replace(side, name=ref.name) for side, ref in sides)
    machine = replace(run.machine, name=machine_class or run.machine.name)
    return replace(run, base=base, new=new, machine=machine)
