"""What ``import veperf`` offers of many machines: sweeps of runs, and comparisons on a fleet."""

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from veperf.abtest.fleet import FleetResult
from veperf.archive.open import open_archive
from veperf.archive.store import LAST, Archive
from veperf.cluster import sweep as steps
from veperf.cluster.ledger import Ledger
from veperf.cluster.scheduler import check_scheduler
from veperf.cluster.spec import AB, Spec
from veperf.cluster.sweep_result import SweepResult
from veperf.core.errors import UsageError
from veperf.stats.look_schedule import LOOKS

if TYPE_CHECKING:
    from veperf.cluster.sweep import Result

Folder = str | Path | None


def sweep(
    spec: Spec | str | Path,
    *,
    scheduler: str | None = None,
    wait_s: float = steps.WAIT_S,
    archive: Folder = None,
) -> "Result":
    """Make the many runs or comparisons that ``spec`` asks for, on the workers of a dask scheduler.

    Args:
        spec: a ``veperf.cluster.Spec``, or a TOML file; see ``veperf sweep --help``.
        scheduler: its address; without, a cluster of one worker is started on this machine.
        wait_s: for machine classes that have no worker, when nothing else is left to do.
        archive: as in ``run``; what is interrupted goes on with ``resume_sweep``.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    check_scheduler(scheduler)
    given = Path(spec) if isinstance(spec, str) else spec
    return steps.go_on(steps.begin(given, _archive(archive)), scheduler, wait_s)


def resume_sweep(
    sweep: str = LAST,
    *,
    scheduler: str | None = None,
    wait_s: float = steps.WAIT_S,
    archive: Folder = None,
) -> "Result":
    """Go on with a sweep that was interrupted: the last that isn't done, or the one named.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    check_scheduler(scheduler)
    return steps.go_on(Ledger.resume(_archive(archive), sweep), scheduler, wait_s)


def load_sweep(sweep: str = LAST, archive: Folder = None) -> "Result":
    """What has become of a sweep: the last one, or the one named; it may be at work.

    Raises:
        UnknownRunError, CorruptFileError: what they say.
    """
    return steps.look(_archive(archive), sweep)


def ab_fleet(
    base: str,
    *select: str,
    head: str | None = None,
    machine_classes: Sequence[str] = (),
    scheduler: str | None = None,
    modules: Sequence[str] = (),
    max_pairs: int = LOOKS[-1],
    fail_percent: float = 5.0,
    time_budget_s: float | None = None,
    timeout_s: float = 60.0,
    seed: int | None = None,
    wait_s: float = steps.WAIT_S,
    archive: Folder = None,
) -> FleetResult:
    """Find out on each of ``machine_classes`` whether the code got slower since ``base``.

    The same as ``ab`` on a worker of each class, with the error of a single comparison divided
    among them. The repository is that of the current folder, and its commits must be in those that
    the workers were started in. What is interrupted goes on with ``resume_sweep``.

    Args:
        base: a commit, branch or tag.
        select: suites, benchmarks or globs; all when there is none.
        head: the new code's commit; what is checked out, if it is all committed, when not given.
        machine_classes: tags of workers; any one worker where there is none.
        scheduler: address of a dask scheduler; without, a worker is started on this machine.
        modules: as in ``ab``, and so are the rest.
        max_pairs: after so many a benchmark is inconclusive.
        fail_percent: a slowdown that is surely more than this fails, a smaller one warns.
        time_budget_s: of each comparison.
        timeout_s: for one benchmark in one process.
        seed: of the order of measuring; drawn when not given.
        wait_s: for machine classes that have no worker, when nothing else is left to do.
        archive: folder or URL of the archive.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    budget = "" if time_budget_s is None else f"{time_budget_s:f}s"
    spec = Spec(
        "fleet",
        benchmarks=select,
        machine_classes=tuple(machine_classes),
        seed=secrets.randbits(32) if seed is None else seed,
        timeout_s=timeout_s,
        modules=tuple(modules),
        ab=AB(base, head, fail_percent, max_pairs, budget),
    )
    found = sweep(spec, scheduler=scheduler, wait_s=wait_s, archive=archive)
    assert isinstance(found, FleetResult), "the specification has [ab]"
    return found


def load_fleet(sweep: str = LAST, archive: Folder = None) -> FleetResult:
    """A comparison on machine classes: the last one, or the one named; it may be at work.

    Raises:
        UsageError: that sweep made runs.
        UnknownRunError, CorruptFileError: what they say.
    """
    place = _archive(archive)
    found = steps.look(place, steps.last_fleet(place) if sweep == LAST else sweep)
    if isinstance(found, SweepResult):
        raise UsageError(f"sweep {found.sweep} made runs, which `load_sweep` shows")
    return found


def _archive(folder: Folder) -> Archive:
    return open_archive(folder)
