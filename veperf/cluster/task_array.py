"""Tasks of a sweep by number: what a Slurm array, a CI matrix or an indexed job runs.

A sweep is planned once, into an archive that all hosts reach; ``plan_document`` has what an engine
needs to know of it. Each job then runs tasks by their numbers, and needs no connection to anything
but the archive. A task is locked while it runs: whoever starts it meanwhile waits, and finds it
done. One that failed or was killed is run again by running its number again.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from veperf.archive.cli_hints import command_hint
from veperf.archive.store import Archive
from veperf.cluster.installation import describe_installation, installation_differences
from veperf.cluster.spec import SweepSpec, load_spec
from veperf.cluster.sweep_journal import (
    SweepJournal,
    read_sweep_plan,
    resolve_sweep,
    sweep_names,
)
from veperf.cluster.sweep_plan import (
    ABJob,
    SweepPlan,
    SweepTask,
    format_task_numbers,
    hash_spec,
)
from veperf.cluster.task_worker import TaskResult, decode_task_result, measure_task
from veperf.core.errors import DataError, MeasureError, UnknownRunError, UsageError

PLAN_FORMAT = 1


def plan_document(archive: Archive, sweep: str, plan: SweepPlan) -> dict[str, object]:
    """Return what an engine needs to know of ``sweep``, as values for JSON.

    ``tasks`` is a list for a matrix, a row a task; ``array`` and ``classes`` have the numbers of
    all tasks, and of those of each machine class, as Slurm takes them.
    """
    by_class: defaultdict[str, list[int]] = defaultdict(list)
    for number, task in enumerate(plan.tasks):
        by_class[task.machine_class].append(number)
    return {
        "format": PLAN_FORMAT,
        "sweep": sweep,
        "hash": plan.spec_hash,
        "archive": archive.location,
        "count": len(plan.tasks),
        "array": format_task_numbers(range(len(plan.tasks))),
        "classes": {name: format_task_numbers(numbers) for name, numbers in by_class.items()},
        "tasks": [_task_row(number, task) for number, task in enumerate(plan.tasks)],
    }


def _task_row(number: int, task: SweepTask) -> dict[str, object]:
    job = task.job
    if isinstance(job, ABJob):
        benchmark, ref, base = " ".join(job.patterns), job.head.name, job.base.name
    else:
        benchmark, ref, base = job.pattern, job.ref.name if job.ref else "", ""
    return {
        "task": number,
        "name": task.description,
        "benchmark": benchmark,
        "ref": ref,
        "base": base,
        "machine_class": task.machine_class,
        "repeat": task.repeat + 1,
    }


def find_planned_sweep(
    archive: Archive, spec_file: Path | None, name: str | None
) -> tuple[str, SweepPlan]:
    """Return a sweep that was planned before, and its plan.

    Args:
        archive: where it was planned.
        spec_file: its specification; None where it is enough that the archive has it.
        name: of the sweep, or its start; None for the last one of a specification of that name.

    Raises:
        UnknownRunError: there is no such sweep.
        UsageError: the specification is no longer the one that was planned.
    """
    spec = None if spec_file is None else load_spec(spec_file)
    if name is not None:
        sweep = resolve_sweep(archive, name)
        plan = read_sweep_plan(archive, sweep)
    else:
        assert spec is not None, "one of both is needed"
        sweep, plan = _last_plan(archive, spec, str(spec_file))
    if spec is not None and hash_spec(spec) != plan.spec_hash:
        again = command_hint("sweep", str(spec_file), "--plan", "json", archive=archive.storage)
        raise UsageError(
            f"{spec_file} is not what {sweep} was planned from: its hash is {hash_spec(spec)}, "
            f"that of the plan {plan.spec_hash}; {again} plans it anew"
        )
    return sweep, plan


def _last_plan(archive: Archive, spec: SweepSpec, where: str) -> tuple[str, SweepPlan]:
    for sweep in reversed(sweep_names(archive)):
        if sweep.startswith(f"{spec.name}-"):
            plan = read_sweep_plan(archive, sweep)
            if plan.spec.name == spec.name:
                return sweep, plan
    hint = command_hint("sweep", where, "--plan", "json", archive=archive.storage)
    raise UnknownRunError(
        f"{archive.location} holds no plan of a sweep named {spec.name!r}; {hint} makes one"
    )


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """The outcome of a task that was to be run here."""

    number: int
    description: str
    result_id: str
    """Empty where it failed."""
    failure: str = ""
    was_done: bool = False
    """Whether the archive had its result already."""

    @property
    def text(self) -> str:
        """A line for people."""
        end = f"failed: {self.failure}" if self.failure else self.result_id
        done = " (was done already)" if self.was_done else ""
        return f"task {self.number}  {self.description}  {end}{done}"


def run_planned_tasks(
    archive: Archive,
    sweep: str,
    plan: SweepPlan,
    numbers: Sequence[int],
    notify: Callable[[str], object],
) -> list[TaskOutcome]:
    """Run tasks of ``sweep`` on this host, one after the other, unless they are done.

    A failure is recorded, and does not keep the others from being run.

    Raises:
        MeasureError: this host has not the installation that the sweep was planned with.
        StorageError: the archive can't be written.
    """
    here = describe_installation()
    if plan.installation is not None:
        differences = list(installation_differences(here, plan.installation))
        if differences:
            text = "; ".join(differences).replace(", here ", ", planned with ")
            raise MeasureError(f"{here.host} does not fit the plan of {sweep}: {text}")
    archive.storage.require_writable()
    outcomes = []
    for number in numbers:
        task = plan.tasks[number]
        notify(f"task {number}  {task.description}  on {here.host}")
        with SweepJournal(archive, sweep, only=task) as journal:
            was_done = task.id in journal.state.done
            if not was_done:
                run_task_here(journal, task, here.host)
            entry = journal.state.entries[task.id]
        outcome = TaskOutcome(
            number, task.description, entry.result_id, entry.failure, was_done=was_done
        )
        notify(outcome.text)
        outcomes.append(outcome)
    return outcomes


def run_task_here(
    journal: SweepJournal,
    task: SweepTask,
    host: str,
    notify: Callable[[str], None] = lambda _: None,
) -> TaskResult | str:
    """Run ``task`` here, as soon as nothing else is measured, and record what came of it.

    Returns:
        Its result, or the reason why it failed.

    Raises:
        StorageError: the archive can't be written.
    """
    try:
        text = measure_task(task, lambda: False, notify)
        assert text is not None, "nobody cancels it"
        result = decode_task_result(text, task, host)
        journal.add_result(task, result, host)
    except (MeasureError, DataError, UsageError) as error:
        journal.add_failure(task, str(error))
        return str(error)
    return result
