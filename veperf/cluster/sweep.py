"""Run a sweep, from its specification to its results."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from veperf.abtest.fleet_result import FleetResult
from veperf.archive.cli_hints import command_hint
from veperf.archive.store import Archive
from veperf.cluster.checkout import commit_resolver
from veperf.cluster.progress import NoWorkerError, sweep_progress
from veperf.cluster.scheduler import client_factory
from veperf.cluster.session import RetryPolicy, SchedulerLostError, SchedulerSession, SweepProgress
from veperf.cluster.spec import SweepSpec, load_spec, spec_patterns, validate_spec
from veperf.cluster.sweep_journal import (
    SweepJournal,
    SweepState,
    read_sweep_plan,
    read_sweep_state,
    resolve_sweep,
    sweep_names,
)
from veperf.cluster.sweep_plan import plan_sweep
from veperf.cluster.sweep_result import (
    SweepResult,
    fleet_result_of,
    sweep_result_of,
    write_fleet_page,
)
from veperf.cluster.task_worker import TaskWork, run_task
from veperf.core.errors import MeasureError, UnknownRunError
from veperf.core.options import SweepOptions
from veperf.core.project import project_modules
from veperf.core.registry import select_cases

if TYPE_CHECKING:
    from distributed import Client

SweepOutcome: TypeAlias = SweepResult | FleetResult

_RETRY_S = 1.0


def begin_sweep(spec: SweepSpec | Path, archive: Archive) -> SweepJournal:
    """Create a new sweep of ``spec``.

    Raises:
        UsageError: it names a benchmark or a commit that does not exist.
        CorruptFileError: the file is no specification.
        StorageError: the archive can't be written.
    """
    spec = load_spec(spec) if isinstance(spec, Path) else validate_spec(spec)
    if not spec.refs and spec.ab is None:
        # Another commit may have others.
        select_cases(spec_patterns(spec), project_modules(spec.modules))
    return SweepJournal.create(archive, plan_sweep(spec, commit_resolver(spec)))


def continue_sweep(
    journal: SweepJournal, scheduler: str | None, wait_s: float = SweepOptions.wait_s
) -> SweepOutcome:
    """Run all tasks that are not done; comparisons get a page beside the sweep.

    Args:
        journal: of the sweep.
        scheduler: its address; a cluster of one worker on this machine where there is none.
        wait_s: for machine classes without a worker; their tasks count as failed then.

    Raises:
        UsageError: dask.distributed is not installed.
        MeasureError: there is no scheduler.
        StorageError: the archive can't be written.
    """
    with (
        journal,
        client_factory(scheduler, journal.plan) as connect,
        sweep_progress(journal, wait_s) as progress,
    ):
        try:
            run_tasks(journal, connect, progress)
        except NoWorkerError as error:
            _fail_missing(journal, str(error))
        except KeyboardInterrupt as interrupt:
            total = len(journal.plan.tasks)
            interrupt.add_note(
                f"{total - len(journal.missing())} of {total} tasks are done; "
                f"{_resume_command(journal)} goes on"
            )
            raise
        outcome = _outcome(journal.archive, journal.state)
        if isinstance(outcome, FleetResult):
            write_fleet_page(journal.archive, outcome)
        return outcome


def run_tasks(
    journal: SweepJournal,
    connect: "Callable[[], Client]",
    progress: SweepProgress,
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
    policy = RetryPolicy()
    while missing := [task for task in journal.missing() if task.id not in policy.failed]:
        client = _connect(connect, progress, patience_s, _resume_command(journal))
        try:
            SchedulerSession(client, journal, progress, work, policy).run(missing)
        except SchedulerLostError:
            progress.say("the scheduler is gone; runs that came back are kept")
            time.sleep(_RETRY_S)
        finally:
            with suppress(OSError, TimeoutError):  # the connection may be broken
                client.close()
    return len(policy.failed)


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
    connect: "Callable[[], Client]", progress: SweepProgress, patience_s: float, resume: str
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


def _resume_command(journal: SweepJournal) -> str:
    return command_hint("sweep", "--resume", journal.sweep, archive=journal.archive.storage)
