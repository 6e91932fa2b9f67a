"""Sweeps of many runs, and comparisons on a fleet of machines, on the workers of a cluster."""

import secrets
from collections.abc import Callable
from pathlib import Path

from veperf.abtest.fleet_result import FleetResult
from veperf.api.results import Folder
from veperf.archive.completion_order import LAST
from veperf.archive.store import open_archive
from veperf.cluster import sweep as cluster_sweep
from veperf.cluster import task_array
from veperf.cluster.scheduler import check_scheduler
from veperf.cluster.spec import ABSpec, SweepSpec
from veperf.cluster.sweep import SweepOutcome
from veperf.cluster.sweep_journal import SweepJournal, write_sweep_plan
from veperf.cluster.sweep_plan import parse_task_numbers
from veperf.cluster.sweep_result import SweepResult, write_fleet_page
from veperf.cluster.task_array import TaskOutcome
from veperf.core.errors import UsageError
from veperf.core.option_fields import flat_names, keyword_options, select_options, values_of
from veperf.core.options import FleetOptions, SweepOptions


@keyword_options
def sweep(
    spec: SweepSpec | str | Path, *, options: SweepOptions, archive: Folder = None
) -> SweepOutcome:
    """Make the many runs or comparisons that ``spec`` asks for, on the workers of a dask scheduler.

    Args:
        spec: a ``veperf.cluster.spec.SweepSpec``, or a TOML file; see ``veperf sweep --help``.
        options: where to make them; each field is a keyword as well. Without a scheduler they are
            made on this machine, one after the other.
        archive: as in ``run``; what is interrupted goes on with ``resume_sweep``.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    check_scheduler(options.scheduler)
    source = Path(spec) if isinstance(spec, str) else spec
    plan = cluster_sweep.make_plan(source)
    journal = SweepJournal.create(open_archive(archive), plan)
    return cluster_sweep.continue_sweep(journal, options.scheduler, options.wait_s)


@keyword_options
def resume_sweep(
    sweep: str = LAST, *, options: SweepOptions, archive: Folder = None
) -> SweepOutcome:
    """Go on with a sweep that was interrupted: the last that isn't done, or the one named.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    check_scheduler(options.scheduler)
    journal = SweepJournal.resume(open_archive(archive), sweep)
    return cluster_sweep.continue_sweep(journal, options.scheduler, options.wait_s)


def plan_sweep_tasks(spec: SweepSpec | str | Path, *, archive: Folder = None) -> dict[str, object]:
    """Plan a sweep whose tasks are run by number, by ``run_sweep_tasks`` on any host.

    Returns:
        What an engine needs to know, as ``veperf sweep SPEC --plan json`` prints it: the name of
        the ``sweep``, the ``count`` of tasks, and a row for each of the ``tasks``.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    store = open_archive(archive)
    plan = cluster_sweep.make_plan(Path(spec) if isinstance(spec, str) else spec)
    return task_array.plan_document(store, write_sweep_plan(store, plan), plan)


def run_sweep_tasks(
    tasks: str,
    spec: str | Path | None = None,
    *,
    sweep: str | None = None,
    archive: Folder = None,
    notify: Callable[[str], object] = print,
) -> list[TaskOutcome]:
    """Run tasks of a planned sweep on this machine, unless they are done.

    Args:
        tasks: their numbers, such as ``3`` or ``0-4,7``.
        spec: the file that was planned, to be sure that it is the same.
        sweep: its name, or the start of it; the last one of ``spec`` when not given.
        archive: the one in which it was planned.
        notify: takes a line as each task begins and ends.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    store = open_archive(archive)
    source = None if spec is None else Path(spec)
    name = LAST if source is None and sweep is None else sweep
    resolved, plan = task_array.find_planned_sweep(store, source, name)
    numbers = parse_task_numbers(tasks, len(plan.tasks))
    return task_array.run_planned_tasks(store, resolved, plan, numbers, notify)


def collect_sweep(sweep: str = LAST, archive: Folder = None) -> SweepOutcome:
    """Return the results of a sweep whose tasks were run by number; comparisons get their page.

    Raises:
        UnknownRunError, CorruptFileError, StorageError: what they say.
    """
    store = open_archive(archive)
    outcome = cluster_sweep.read_sweep(store, sweep)
    if isinstance(outcome, FleetResult):
        write_fleet_page(store, outcome)
    return outcome


def load_sweep(sweep: str = LAST, archive: Folder = None) -> SweepOutcome:
    """Return the state of a sweep: the last one, or the one named; it may still be going on.

    Raises:
        UnknownRunError, CorruptFileError: what they say.
    """
    return cluster_sweep.read_sweep(open_archive(archive), sweep)


@keyword_options
def ab_fleet(
    base: str,
    *select: str,
    options: FleetOptions,
    head: str | None = None,
    archive: Folder = None,
) -> FleetResult:
    """Find out on each of several machine classes whether the code got slower since ``base``.

    The same as ``ab`` on a worker of each class, with the error of a single comparison divided
    among them. The repository is that of the current folder, and its commits must be in those that
    the workers were started in. What is interrupted goes on with ``resume_sweep``.

    Args:
        base: a commit, branch or tag.
        select: suites, benchmarks or globs; all when there is none.
        options: how and where to compare; each field is a keyword as well. Without machine classes
            any one worker compares; without a scheduler this machine does.
        head: the new code's commit; what is checked out, if it is all committed, when not given.
        archive: folder or URL of the archive.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    sides = select_options(ABSpec, values_of(options) | {"base": base, "head": head})
    seed = secrets.randbits(32) if options.seed is None else options.seed
    settings = {"name": "fleet", "benchmarks": flat_names(select), "seed": seed, "ab": sides}
    settings["time_budget_s"] = None  # which is that of the comparisons
    spec = select_options(SweepSpec, values_of(options) | settings)
    where = select_options(SweepOptions, values_of(options))
    result = sweep(spec, options=where, archive=archive)
    assert isinstance(result, FleetResult), "the specification has [ab]"
    return result


def load_fleet(sweep: str = LAST, archive: Folder = None) -> FleetResult:
    """Load a comparison on machine classes: the last one, or the one named; it may be going on.

    Raises:
        UsageError: that sweep made runs.
        UnknownRunError, CorruptFileError: what they say.
    """
    store = open_archive(archive)
    name = cluster_sweep.last_fleet_name(store) if sweep == LAST else sweep
    result = cluster_sweep.read_sweep(store, name)
    if isinstance(result, SweepResult):
        raise UsageError(f"sweep {result.sweep} made runs, which `load_sweep` shows")
    return result
