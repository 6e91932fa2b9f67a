"""Functions that measure, load and list runs; ``import veperf`` offers them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from veperf.api.earlier_runs import earlier_seconds
from veperf.api.results import (
    Comparison,
    Folder,
    PolicyLike,
    RunLike,
    RunResult,
    baselines_folder,
)
from veperf.archive.cli_hints import command_hint
from veperf.archive.completion_order import LAST
from veperf.archive.store import Archive, open_archive
from veperf.archive.writer import RunWriter
from veperf.core.case import Better
from veperf.core.direction import require_units, with_directions
from veperf.core.errors import NoSuchFileError, UnknownRunError, UsageError
from veperf.core.option_fields import flat_names, keyword_options
from veperf.core.options import (
    CompareOptions,
    ListOptions,
    LoadOptions,
    RunOptions,
)
from veperf.core.policy import resolve_policy
from veperf.core.registry import select_cases
from veperf.core.run import Run
from veperf.formats.imported import clean_name
from veperf.formats.source import is_existing_folder, is_readable_file
from veperf.formats.virtengine import load_go_benchmarks, with_listing
from veperf.progress.display import NoProgress, run_progress
from veperf.progress.load import load_progress
from veperf.progress.output import is_in_notebook, print_status

if TYPE_CHECKING:
    from pandas import DataFrame


@keyword_options
def run(
    *select: str | Sequence[str],
    options: RunOptions,
    archive: Folder = None,
    baselines: Folder = None,
    progress: bool = True,
) -> RunResult:
    """Measure in fresh worker processes and keep the run in the archive.

    >>> result = veperf.run("transaction/hash_compute", processes=10)
    >>> result = veperf.run("transaction", "bidding/price_calc", time_budget_s="90s")
    >>> result.verdict()

    Args:
        select: suites (``transaction``), benchmarks (``transaction/execution``) or globs, or lists
            of them; all when there is none.
        options: how to measure; each field is a keyword as well.
        archive: folder or URL of the archive; the project's ``reports`` when not given.
        baselines: folder of targets and baselines; the project's ``data/baselines``.
        progress: show how far it is.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    from veperf.runner import run_lifecycle

    writer = run_lifecycle.begin_run(
        flat_names(select),
        options=options,
        archive=open_archive(archive),
        baselines=baselines_folder(baselines),
    )
    return _finish(writer, progress, baselines)


@keyword_options
def run_load(
    benchmark: str = "transaction/load",
    params: Mapping[str, float | str] | None = None,
    *,
    options: LoadOptions,
    archive: Folder = None,
    baselines: Folder = None,
    progress: bool = True,
) -> RunResult:
    """Put one load on a system, in a fresh worker process, and keep the run in the archive.

    >>> veperf.run_load("transaction/load", {"rate": 2_000}, seconds="30s")

    The memory that takes does not grow with its length. With ``progress``, Ctrl-C (or interrupting
    the kernel) ends the load and keeps what was measured so far; a second one drops it.

    With ``shards``, the system has a process of its own, and the load comes from so many others.

    Args:
        benchmark: id of a load benchmark.
        params: values that override the benchmark's defaults, such as ``{"rate": 8_000}``.
        options: the load and where it comes from; each field is a keyword as well. A worker that
            says nothing for ``timeout_s`` is given up.
        archive: as in ``run``.
        baselines: folder of targets and baselines.
        progress: show how it goes.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    from veperf.cluster.load_placement import PlacementRequest, place_load
    from veperf.runner import run_lifecycle

    texts = {name: str(value) for name, value in (params or {}).items()}
    if options.shards:
        run_lifecycle.check_shards(benchmark, texts, options.all_modules)
    request = PlacementRequest(options.scheduler, options.target, options.target_class)
    with place_load(request, options.shards) as placement:
        writer = run_lifecycle.begin_load(
            benchmark,
            texts,
            options=options,
            archive=open_archive(archive),
            baselines=baselines_folder(baselines),
            machine=placement.machine if placement else None,
        )
        with load_progress() if progress else NoProgress() as display:
            finished = run_lifecycle.finish_run(writer, display, placement)
    return RunResult(finished, writer.files)


def resume(run: str = LAST, *, archive: Folder = None, progress: bool = True) -> RunResult:
    """Go on with a run that was interrupted: the last one, or the one named.

    >>> veperf.resume()

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    return _finish(open_archive(archive).resume(run), progress)


def load(
    run: str = LAST,
    archive: Folder = None,
    *,
    better: Mapping[str, Better] | None = None,
    same_machine: bool = False,
) -> RunResult:
    """Load a complete run from the archive: ``last``, an id, or the beginning of one.

    >>> last = veperf.load("last")
    >>> last.summary()
    >>> last.samples().groupby("case")["cpu_ns"].median()

    Args:
        run: which one.
        archive: as in ``run``.
        better: of another tool's run, ``higher`` or ``lower`` by unit, as in ``read``.
        same_machine: another tool's run was made on the machine of its baseline, under the same
            conditions.

    Raises:
        UnknownRunError, IncompleteRunError, CorruptFileError, NewerFormatError: what they say.
        UsageError: nothing is measured in a unit of ``better``.
    """
    store = open_archive(archive)
    try:
        loaded = store.load(run)
    except UnknownRunError as error:
        if is_readable_file(Path(run)):
            how = command_hint("import", run, archive=archive)
            raise UnknownRunError(f"{error}; it is a file, which {how} keeps as a run") from error
        raise
    require_units([loaded], better or {})
    directed = with_directions(loaded, better or {})
    directed = replace(directed, same_machine=same_machine or loaded.same_machine)
    return RunResult(directed, store.at(loaded.id))


def read(
    path: str | Path, *, format: str = "", better: Mapping[str, Better] | None = None
) -> RunResult:
    """Read the run in another tool's file (or folder of results), without keeping it.

    >>> veperf.read("bench.txt").summary()                # go test -bench, found out by its content
    >>> veperf.read("times.csv", better={"items/s": "higher"})

    Args:
        path: the file; what can be read, and how it is told apart, see ``veperf.formats``.
        format: one of ``veperf.formats.NAMES``; found out when not given.
        better: ``higher`` or ``lower`` by unit, where neither the file nor the unit says it.

    Raises:
        UsageError: there is no such format or unit.
        DataError: the file is broken, or holds nothing that can be read.
    """
    from veperf.formats.readers import read_runs_from

    imports = read_runs_from(Path(path), format=format)
    if len(imports) != 1:
        labels = ", ".join(imported.label for imported in imports[:10])
        raise UsageError(f"{path} holds {len(imports)} runs, of which one must be named: {labels}")
    imported = imports[0]
    require_units([imported.run], better or {})
    run = with_directions(imported.run, better or {})
    return RunResult(with_listing(run, load_go_benchmarks()), Path(path).parent)


def import_runs(
    *paths: str | Path,
    format: str = "",
    by: str = "",
    name: str = "",
    better: Mapping[str, Better] | None = None,
    archive: Folder = None,
    baselines: Folder = None,
) -> "tuple[RunResult, ...]":
    """Keep the runs in other tools' files in the archive, as though they had been measured here.

    >>> veperf.import_runs("bench.txt", name="nightly")

    Args:
        paths: the files, each as in ``read``.
        format: of all of them; found out when not given.
        by: a configuration key of Go files, such as ``commit``, by which runs are told apart.
        name: becomes part of the runs' ids.
        better: ``higher`` or ``lower`` by unit, as in ``read``.
        archive: as in ``run``.
        baselines: folder with a ``go_benchmarks.json``, which says what Go benchmarks answer what
            targets; veperf's own, about VirtEngine, when there is none.

    Raises:
        UsageError, DataError: as ``read``; then nothing is kept.
        StorageError: the archive can't be written.
    """
    from veperf.formats.readers import read_runs_from

    imports = [
        imported.run
        for path in paths
        for imported in read_runs_from(Path(path), format=format, by=by, title=name)
    ]
    require_units(imports, better or {})
    listed = load_go_benchmarks(baselines_folder(baselines))
    runs = [with_listing(with_directions(run, better or {}), listed) for run in imports]
    return tuple(save_run(run, archive) for run in runs)


def save_run(run: Run, archive: Folder = None) -> RunResult:
    """Write a run that is whole already to the archive.

    Raises:
        StorageError: that can't be written.
        UsageError: it holds a run of that id.
    """
    store = open_archive(archive)
    store.save(run)
    return RunResult(run, store.at(run.id))


def query(sql: str, archive: Folder = None) -> "DataFrame":
    """Query the archive's samples in SQL (DuckDB; the table is ``samples``).

    >>> veperf.query('SELECT "case", median(cpu_ns) AS cpu_ns FROM samples GROUP BY ALL')

    Raises:
        UsageError: DuckDB refuses the query.
        UnknownRunError: the archive holds no complete run.
    """
    from veperf.core.unit_frame import UnitFrame

    return UnitFrame(open_archive(archive).query(sql))


@keyword_options
def benchmarks(*select: str | Sequence[str], options: ListOptions) -> "DataFrame":
    """List what can be measured, a row a case: id, level, what, targets.

    >>> veperf.benchmarks()
    >>> veperf.benchmarks("transaction", levels=["micro"])

    Args:
        select: suites, benchmarks or globs, or lists of them; all when there is none.
        options: which of them; each field is a keyword as well.

    Raises:
        UsageError: nothing is selected, or a module can't be imported.
    """
    from veperf.report.tables import frames

    return frames.benchmarks_frame(
        select_cases(
            flat_names(select),
            options.all_modules,
            levels=options.levels,
            expression=options.expression,
        )
    )


def _finish(writer: RunWriter, progress: bool, baselines: Folder = None) -> RunResult:
    from veperf.report.pages.preliminary import PreliminaryPage
    from veperf.runner import run_lifecycle

    folder = baselines_folder(baselines)
    page = PreliminaryPage(writer.archive, writer.run, folder, notify=print_status)
    if progress and page.file is not None and not is_in_notebook():
        print_status(f"overview, from the first pass on: {page.file}")
    earlier = earlier_seconds(Archive(writer.archive), writer.run)
    budget = run_lifecycle.plan_budget(writer.run, earlier)
    if progress and budget is not None:
        print_status(budget.describe_plan())
    at_once = run_lifecycle.memory_at_once(writer.run.config, budget)
    display = (
        run_progress(writer.run, earlier, memory_at_once=at_once) if progress else NoProgress()
    )
    with display:
        limits = run_lifecycle.time_limits(writer.run.cases, folder)
        finished = run_lifecycle.finish_run(writer, display, None, budget, page.write, limits)
    return RunResult(finished, writer.files)


def resolve_run(source: RunLike, archive: Folder = None) -> Run:
    """Return the run that ``source`` is or names: a result, a run, a name for ``load``, or a file.

    Raises:
        VeperfError: as ``load`` and ``read``.
    """
    match source:
        case RunResult():
            return source.run
        case Run():
            return source
        case Path():
            return read(source).run
        case str():
            return _named(source, archive)
    raise UsageError(
        f"expected a run, a result, a run's name or a file, not {type(source).__name__}"
    )


def _named(name: str, archive: Folder) -> Run:
    """The run of that name; else of the file. A file in the current folder comes first."""
    path = Path(name)
    if is_readable_file(path):
        return read(path).run
    try:
        return load(name, archive).run
    except UnknownRunError as error:
        if name and is_existing_folder(path):
            return read(path).run
        if path.suffix or len(path.parts) > 1:
            raise NoSuchFileError(f"no such file: {clean_name(name)}; {error}") from error
        raise UnknownRunError(f"{error}; there is no file of that name either") from error


@keyword_options
def compare(
    base: RunLike,
    new: RunLike,
    archive: Folder = None,
    *,
    options: CompareOptions,
    policy: PolicyLike = None,
) -> Comparison:
    """Screen the run ``new`` against ``base``: results, names as ``load`` takes, or files.

    >>> comparison = veperf.compare("20261120", "last")
    >>> comparison.frame()
    >>> comparison.figure()

    Args:
        base: the run before.
        new: the run after.
        archive: folder or URL of the archive with runs that are named.
        options: the rules; each field is a keyword as well.
        policy: of the gate, or its file or table; that of the project when not given.

    Raises:
        VeperfError: as ``load``.
    """
    from veperf.verdicts.verdict import screen_runs

    gate = resolve_policy(policy)
    if options.fail_over is not None:
        gate = gate.with_options({"fail_over": options.fail_over}, {"fail_over": "--fail-over"})
    a, b = resolve_run(base, archive), resolve_run(new, archive)
    return Comparison(a, b, screen_runs(a, b, options, gate), gate)
