"""A sweep from its specification to its runs."""

from pathlib import Path

from veperf.archive import Archive
from veperf.cluster.code import resolve
from veperf.cluster.conduct import conduct
from veperf.cluster.ledger import Ledger
from veperf.cluster.local import cluster
from veperf.cluster.plan import make_plan
from veperf.cluster.result import SweepResult, result_of
from veperf.cluster.spec import Spec, load_spec, patterns
from veperf.cluster.watch import for_here
from veperf.session import benchmarks


def begin(spec: Spec | Path, archive: Archive) -> Ledger:
    """A new sweep of what ``spec`` asks for.

    Raises:
        UsageError: it asks for a benchmark or a commit that is not there.
        CorruptFileError: the file is no specification.
        StorageError: the archive can't be written.
    """
    wanted = load_spec(spec) if isinstance(spec, Path) else spec
    if not wanted.refs:
        benchmarks(patterns(wanted), wanted.modules)  # another commit may have others
    return Ledger.begin(archive, make_plan(wanted, resolve))


def go_on(ledger: Ledger, scheduler: str | None) -> SweepResult:
    """Have everything measured that has no run yet.

    Args:
        ledger: of the sweep.
        scheduler: its address; a cluster of one worker on this machine where there is none.

    Raises:
        UsageError: dask.distributed is not installed.
        MeasureError: there is no scheduler.
        StorageError: the archive can't be written.
    """
    with ledger, cluster(scheduler, ledger.plan) as connect, for_here(ledger) as watcher:
        try:
            conduct(ledger, connect, watcher)
        except KeyboardInterrupt as stop:
            left = len(ledger.missing())
            stop.add_note(
                f"{len(ledger.plan.tasks) - left} of {len(ledger.plan.tasks)} tasks are done; "
                f"`veperf sweep --resume {ledger.sweep}` goes on"
            )
            raise
        return result_of(ledger)
