"""A sweep from its specification to what it found."""

from pathlib import Path
from typing import TypeAlias

from veperf.abtest.fleet import FleetResult
from veperf.archive.cli_hints import command
from veperf.archive.store import Archive
from veperf.cluster.checkout import resolver
from veperf.cluster.ledger import Ledger
from veperf.cluster.plan import make_plan
from veperf.cluster.progress import NoWorkerError, for_here
from veperf.cluster.run import conduct
from veperf.cluster.scheduler import cluster
from veperf.cluster.spec import Spec, checked, load_spec, patterns
from veperf.cluster.sweep_journal import Record, named, read_plan, read_record, sweeps
from veperf.cluster.sweep_result import SweepResult, fleet_of, result_of, write_page
from veperf.core.errors import UnknownRunError
from veperf.runner.execute import benchmarks

Result: TypeAlias = SweepResult | FleetResult

WAIT_S = 600.0
"""So long are machine classes waited for that have no worker, when nothing else is left to do."""


def begin(spec: Spec | Path, archive: Archive) -> Ledger:
    """A new sweep of what ``spec`` asks for.

    Raises:
        UsageError: it asks for a benchmark or a commit that is not there.
        CorruptFileError: the file is no specification.
        StorageError: the archive can't be written.
    """
    wanted = load_spec(spec) if isinstance(spec, Path) else checked(spec)
    if not wanted.refs and wanted.ab is None:
        benchmarks(patterns(wanted), wanted.modules)  # another commit may have others
    return Ledger.begin(archive, make_plan(wanted, resolver(wanted)))


def go_on(ledger: Ledger, scheduler: str | None, wait_s: float = WAIT_S) -> Result:
    """Have everything done that is not; comparisons get a page beside the sweep.

    Args:
        ledger: of the sweep.
        scheduler: its address; a cluster of one worker on this machine where there is none.
        wait_s: for machine classes without a worker; their tasks count as failed then.

    Raises:
        UsageError: dask.distributed is not installed.
        MeasureError: there is no scheduler.
        StorageError: the archive can't be written.
    """
    with ledger, cluster(scheduler, ledger.plan) as connect, for_here(ledger, wait_s) as watcher:
        try:
            conduct(ledger, connect, watcher)
        except NoWorkerError as error:
            _give_up(ledger, str(error))
        except KeyboardInterrupt as stop:
            left = len(ledger.missing())
            how = command("sweep", "--resume", ledger.sweep, archive=ledger.archive.storage)
            stop.add_note(
                f"{len(ledger.plan.tasks) - left} of {len(ledger.plan.tasks)} tasks are done; "
                f"{how} goes on"
            )
            raise
        found = _found(ledger.archive, ledger.record)
        if isinstance(found, FleetResult):
            write_page(ledger.archive, found)
        return found


def look(archive: Archive, name: str) -> Result:
    """What has become so far of the sweep that ``name`` means.

    Raises:
        UnknownRunError: there is none, or more than one.
        CorruptFileError: its files are broken.
    """
    return _found(archive, read_record(archive, named(archive, name)))


def last_fleet(archive: Archive) -> str:
    """The name of the last sweep of comparisons.

    Raises:
        UnknownRunError: there is none.
        CorruptFileError: the plan of a sweep is broken.
    """
    for name in reversed(sweeps(archive)):
        if read_plan(archive, name).spec.ab is not None:
            return name
    how = command("ab", "--scheduler", "ADDRESS", archive=archive.storage)
    raise UnknownRunError(
        f"{archive.location} holds no comparison on machine classes; {how} makes one"
    )


def _found(archive: Archive, record: Record) -> Result:
    if record.plan.spec.ab is None:
        return result_of(record)
    return fleet_of(archive, record)


def _give_up(ledger: Ledger, why: str) -> None:
    """Take down ``why`` for each task that has not been seen to fail."""
    entries = ledger.record.entries
    for task in ledger.missing():
        if task.id not in entries or not entries[task.id].failure:
            ledger.fail(task, why)
