"""Run a sweep, from its specification to its results."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from veperf.abtest import git
from veperf.abtest.fleet_result import FleetResult
from veperf.archive.cli_hints import command_hint
from veperf.archive.store import Archive
from veperf.cluster.installation import describe_installation
from veperf.cluster.progress import NoWorkerError, SweepLines, sweep_progress
from veperf.cluster.scheduler import connect_client
from veperf.cluster.session import SchedulerLostError, SchedulerSession
from veperf.cluster.spec import SweepSpec, load_spec, spec_patterns, validate_spec
from veperf.cluster.sweep_journal import (
    SweepJournal,
    SweepState,
    read_sweep_plan,
    read_sweep_state,
    resolve_sweep,
    sweep_names,
)
from veperf.cluster.sweep_plan import SweepPlan, plan_sweep
from veperf.cluster.sweep_result import (
    SweepResult,
    fleet_result_of,
    sweep_result_of,
    write_fleet_page,
)
from veperf.cluster.task_array import run_task_here
from veperf.cluster.task_worker import TaskWork, run_task
from veperf.core.errors import MeasureError, UnknownRunError, UsageError
from veperf.core.log_suppression import suppress_logging
from veperf.core.options import SweepOptions
from veperf.core.project import project_modules
from veperf.core.registry import select_cases
from veperf.measure.machine import describe_revision

if TYPE_CHECKING:
    from distributed import Client

SweepOutcome: TypeAlias = SweepResult | FleetResult

_RETRY_S = 1.0


def make_plan(spec: SweepSpec | Path) -> SweepPlan:
    """Return the plan of a sweep of ``spec``, with what is installed here.

    Raises:
        UsageError: it names a benchmark or a commit that does not exist.
        CorruptFileError: the file is no specification.
    """
    spec = load_spec(spec) if isinstance(spec, Path) else validate_spec(spec)
    if not spec.refs and spec.ab is None:
        # Another commit may have others.
        select_cases(spec_patterns(spec), project_modules(spec.modules))
    plan = plan_sweep(spec, _commit_resolver(spec))
    return msgspec.structs.replace(plan, installation=describe_installation())


def _commit_resolver(spec: SweepSpec) -> Callable[[str], str]:
    """Return a function from a ref to the full id of the commit that it means at this moment.

    They are of the checkout that the current folder is in, as for ``veperf ab``. The function
    raises a UsageError where there is no such checkout, or no such commit.

    Raises:
        UsageError: there is no such checkout, or the comparison is with the working tree, which has
            uncommitted changes.
    """
    if spec.ab is None:
        return lambda ref: git.resolve_commit(git.find_repository(), ref)
    top = git.find_repository()
    if spec.ab.head is None and describe_revision(top).dirty:
        raise UsageError(
            f"{top} has uncommitted changes, which no other host has: commit them, or name the new "
            "code (`--head REF`, or `head` in a specification)"
        )
    return lambda ref: git.resolve_commit(top, ref)


def continue_sweep(
    journal: SweepJournal, scheduler: str | None, wait_s: float = SweepOptions.wait_s
) -> SweepOutcome:
    """Run all tasks that are not done; comparisons get a page beside the sweep.

    Args:
        journal: of the sweep.
        scheduler: its address; tasks run on this machine, one after the other, where there is none.
        wait_s: for machine classes without a worker; their tasks count as failed then.

    Raises:
        MeasureError: there is no scheduler.
        StorageError: the archive can't be written.
    """
    with journal, sweep_progress(journal, wait_s) as progress:
        try:
            if scheduler is None:
                _run_tasks_here(journal, progress)
            else:
                with suppress_logging("distributed"):
                    run_tasks(journal, partial(connect_client, scheduler), progress)
        except NoWorkerError as error:
            _fail_missing(journal, str(error))
        except KeyboardInterrupt as interrupt:
            total = len(journal.plan.tasks)
            interrupt.add_note(
                f"{total - len(journal.missing())} of {total} tasks are done; "
                f"{_resume_command(journal, scheduler)} goes on"
            )
            raise
        outcome = _outcome(journal.archive, journal.state)
        if isinstance(outcome, FleetResult):
            write_fleet_page(journal.archive, outcome)
        return outcome


def _run_tasks_here(journal: SweepJournal, progress: SweepLines) -> None:
    host = socket.gethostname()
    for task in journal.missing():
        outcome = run_task_here(journal, task, host, partial(progress.task_running, task.id, host))
        if isinstance(outcome, str):
            progress.task_failed(task, outcome)
        else:
            progress.task_done(task, host, outcome)


def run_tasks(
    journal: SweepJournal,
    connect: "Callable[[], Client]",
    progress: SweepLines,
    *,
    patience_s: float = 60.0,
    work: TaskWork = run_task,
) -> int:
    """Run the missing tasks of a sweep; return how many failed for good.

    A task whose worker is lost runs again on another of its class; when the scheduler is lost,
    ``connect`` is tried for ``patience_s`` seconds, and what is missing is handed over again.

    Raises:
        MeasureError: there is no scheduler.
        StorageError: the archive can't be written.
    """
    failed: set[str] = set()
    while missing := [task for task in journal.missing() if task.id not in failed]:
        client = _connect(connect, progress, patience_s, _resume_command(journal, "ADDRESS"))
        try:
            SchedulerSession(client, journal, progress, work).run(missing, failed)
        except SchedulerLostError:
            progress.say("the scheduler is gone; runs that came back are kept")
            time.sleep(_RETRY_S)
        finally:
            with suppress(OSError, TimeoutError):  # the connection may be broken
                client.close()
    return len(failed)


def read_sweep(archive: Archive, name: str) -> SweepOutcome:
    """Return the results so far of the sweep that ``name`` means.

    Raises:
        UnknownRunError: there is none, or more than one.
        CorruptFileError: its files are broken.
    """
    return _outcome(archive, read_sweep_state(archive, resolve_sweep(archive, name)))


def last_fleet_name(archive: Archive) -> str:
    """Return the name of the last sweep of comparisons.

    Raises:
        UnknownRunError: there is none.
        CorruptFileError: the plan of a sweep is broken.
    """
    for name in reversed(sweep_names(archive)):
        if read_sweep_plan(archive, name).spec.ab is not None:
            return name
    example = command_hint("ab", "--scheduler", "ADDRESS", archive=archive.storage)
    raise UnknownRunError(
        f"{archive.location} holds no comparison on machine classes; {example} makes one"
    )


def _connect(
    connect: "Callable[[], Client]", progress: SweepLines, patience_s: float, resume: str
) -> "Client":
    start = time.monotonic()
    while True:
        try:
            return connect()
        except (OSError, MeasureError) as error:
            if time.monotonic() - start > patience_s:
                raise MeasureError(
                    f"no scheduler for {patience_s:.0f} s ({error}); {resume} goes on from here"
                ) from error
            progress.say(f"{error}; trying again")
        time.sleep(_RETRY_S)


def _outcome(archive: Archive, state: SweepState) -> SweepOutcome:
    if state.plan.spec.ab is None:
        return sweep_result_of(state)
    return fleet_result_of(archive, state)


def _fail_missing(journal: SweepJournal, reason: str) -> None:
    """Record ``reason`` for each missing task that has no failure yet."""
    entries = journal.state.entries
    for task in journal.missing():
        if task.id not in entries or not entries[task.id].failure:
            journal.add_failure(task, reason)


def _resume_command(journal: SweepJournal, scheduler: str | None) -> str:
    where = ("--local",) if scheduler is None else ("--scheduler", scheduler)
    return command_hint("sweep", "--resume", journal.sweep, *where, archive=journal.archive.storage)
