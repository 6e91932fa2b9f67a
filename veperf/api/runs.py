"""TODO."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from veperf.api.context import Folder, archive_at, baselines_folder
from veperf.api.results import RunLike, RunResult
from veperf.archive.store import LAST, Archive
from veperf.archive.writer import RunWriter
from veperf.core.errors import UnknownRunError, UsageError
from veperf.core.load import Arrivals, LoadPlan
from veperf.core.run import Run

if TYPE_CHECKING:
    import pandas as pd


def run(
    *select: str,
    profile: str = "quick",
    archive: Folder = None,
    baselines: Folder = None,
    seed: int | None = None,
    timeout_s: float = 60.0,
    modules: Sequence[str] = (),
    memory: bool = False,
    progress: bool = True,
) -> "RunResult":
    """Measure in fresh worker processes and keep the run in the archive.

    Args:
        select: suites (``transaction``), benchmarks (``transaction/execution``) or globs; all
            when there is none.
        profile: ``quick``, ``standard`` or ``thorough``: 6, 12 or 24 passes.
        archive: folder or URL of the archive; the project's ``reports`` when not given.
        baselines: folder of targets and baselines; the project's ``data/baselines``.
        seed: of the order in which cases are measured; drawn when not given.
        timeout_s: for one case in one pass.
        modules: more modules with benchmarks.
        memory: measure memory, too, in 3 processes more.
        progress: show how far it is.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    from veperf.runner import execute

    writer = execute.begin(
        select,
        profile=profile,
        archive=archive_at(archive),
        baselines=baselines_folder(baselines),
        seed=seed,
        timeout_s=timeout_s,
        modules=modules,
        memory=memory,
    )
    return _finish(writer, progress)


def run_load(
    benchmark: str = "transaction/load",
    params: Mapping[str, float | str] | None = None,
    *,
    seconds: float = 10.0,
    warmup_s: float = 2.0,
    arrivals: Arrivals = "poisson",
    archive: Folder = None,
    baselines: Folder = None,
    seed: int | None = None,
    timeout_s: float = 60.0,
    modules: Sequence[str] = (),
    shards: int = 0,
    scheduler: str | None = None,
    target: str | None = None,
    target_class: str = "",
    progress: bool = True,
) -> "RunResult":
    """Put one load on a system, in a fresh worker process, and keep the run in the archive.

    The memory that takes does not grow with its length. With ``progress``, Ctrl-C (or interrupting
    the kernel) ends the load and keeps what was measured so far; a second one drops it.

    With ``shards``, the system has a process of its own, and the load comes from so many others.

    Args:
        benchmark: of level load.
        params: those to be other than the benchmark's defaults, such as ``{"rate": 8_000}``.
        seconds: how long, after the warm-up.
        warmup_s: seconds that come before, and are in no figure.
        arrivals: ``poisson``, as from many clients, or ``constant``, evenly spaced.
        archive: as in ``run``, and so are the rest.
        baselines: folder of targets and baselines.
        seed: of the arrivals.
        timeout_s: after which a worker that says nothing is given up.
        modules: more modules with benchmarks.
        shards: processes that put the load on; 0 where the system's own does it.
        scheduler: of dask: shards and target are on workers of it, one each, and not here.
        target: the address of a ``veperf serve`` to put it on, its token in VEPERF_LOAD_TOKEN.
        target_class: the machine class of the scheduler's worker that is to be the target.
        progress: show how it goes.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    from veperf.cluster.load_placement import Where, ground
    from veperf.progress.display import Silent
    from veperf.progress.load import for_load
    from veperf.runner import execute

    texts = {name: str(value) for name, value in (params or {}).items()}
    if shards:
        execute.check_shards(benchmark, texts, modules)
    with ground(Where(scheduler, target, target_class), shards) as given:
        writer = execute.begin_load(
            benchmark,
            texts,
            LoadPlan(1, seconds, warmup_s, arrivals=arrivals, shards=shards),
            archive=archive_at(archive),
            baselines=baselines_folder(baselines),
            seed=seed,
            timeout_s=timeout_s,
            modules=modules,
            machine=given.machine if given else None,
        )
        with for_load() if progress else Silent() as shown:
            done = execute.finish(writer, shown, given)
    return RunResult(done, writer.files)


def resume(run: str = LAST, *, archive: Folder = None, progress: bool = True) -> "RunResult":
    """Go on with a run that was interrupted: the last one, or the one named.

    Raises:
        VeperfError: of any kind; see ``veperf.core.errors``.
    """
    return _finish(archive_at(archive).resume(run), progress)


def load(run: str = LAST, archive: Folder = None) -> "RunResult":
    """A complete run from the archive: ``last``, an id, or the beginning of one.

    Raises:
        UnknownRunError, IncompleteRunError, CorruptFileError, NewerFormatError: what they say.
    """
    store = archive_at(archive)
    found = store.load(run)
    return RunResult(found, store.at(found.id))


def read(path: str | Path, *, format: str = "") -> "RunResult":
    """The run in another tool's file (or criterion's folder), not kept in the archive.

    Args:
        path: the file; what can be read, and how it is told apart, see ``veperf.formats``.
        format: one of ``veperf.formats.NAMES``; found out when not given.

    Raises:
        UsageError: there is no such format.
        DataError: the file is broken, or holds nothing that can be read.
    """
    from veperf.formats.go_targets import aim, go_benchmarks
    from veperf.formats.readers import read_path

    (found,) = read_path(Path(path), format=format)
    return RunResult(aim(found.run, go_benchmarks()), Path(path).parent)


def import_runs(
    *paths: str | Path,
    format: str = "",
    by: str = "",
    name: str = "",
    archive: Folder = None,
    baselines: Folder = None,
) -> "tuple[RunResult, ...]":
    """Keep the runs in other tools' files in the archive, as though they had been measured here.

    Args:
        paths: the files, each as in ``read``.
        format: of all of them; found out when not given.
        by: a configuration key of Go files, such as ``commit``, by which runs are told apart.
        name: becomes part of the runs' ids.
        archive: as in ``run``.
        baselines: folder with a ``go_benchmarks.json``, which says what Go benchmarks answer what
            targets; veperf's own, about VirtEngine, when there is none.

    Raises:
        UsageError, DataError: as ``read``; then nothing is kept.
        StorageError: the archive can't be written.
    """
    from veperf.formats.go_targets import aim, go_benchmarks
    from veperf.formats.readers import read_path

    found = [
        one for path in paths for one in read_path(Path(path), format=format, by=by, title=name)
    ]
    listed = go_benchmarks(baselines_folder(baselines))
    return tuple(save_run(aim(one.run, listed), archive) for one in found)


def save_run(run: Run, archive: Folder = None) -> "RunResult":
    """Write a run that is whole already to the archive.

    Raises:
        StorageError: that can't be written.
        UsageError: it holds a run of that id.
    """
    store = archive_at(archive)
    store.keep(run)
    return RunResult(run, store.at(run.id))


def runs(archive: Folder = None) -> "pd.DataFrame":
    """The complete runs in the archive, a row each, oldest first."""
    return archive_at(archive).frame()


def query(sql: str, archive: Folder = None) -> "pd.DataFrame":
    """Ask the archive's samples in SQL (DuckDB; the table is ``samples``).

    Raises:
        UsageError: DuckDB refuses the query.
        UnknownRunError: the archive holds no complete run.
    """
    return archive_at(archive).query(sql)


def benchmarks(modules: Sequence[str] = ()) -> "pd.DataFrame":
    """What can be measured, a row a case: id, level, what, targets."""
    from veperf.report.tables import frames
    from veperf.runner import execute

    return frames.benchmarks(execute.benchmarks(modules=modules))


def _finish(writer: RunWriter, progress: bool) -> RunResult:
    from veperf.progress.display import Silent, for_here
    from veperf.runner import execute
    from veperf.runner.durations import earlier_seconds

    earlier = earlier_seconds(Archive(writer.archive), writer.run)
    with for_here(writer.run, earlier) if progress else Silent() as shown:
        done = execute.finish(writer, shown)
    return RunResult(done, writer.files)


def resolve_run(given: RunLike, archive: Folder = None) -> Run:
    """The run that ``given`` is or names: a result, a run, a name as ``load`` takes, or a file.

    Raises:
        VeperfError: as ``load`` and ``read``.
    """
    match given:
        case RunResult():
            return given.run
        case Run():
            return given
        case Path():
            return read(given).run
        case str():
            return _named(given, archive)
    raise UsageError(
        f"a run, a result, a run's name or a file is wanted, not {type(given).__name__}"
    )


def _named(given: str, archive: Folder) -> Run:
    """The run of that name; else of the file. A file in the current folder comes first."""
    from veperf.formats.source import is_file, is_folder

    path = Path(given)
    if is_file(path):
        return read(path).run
    try:
        return load(given, archive).run
    except UnknownRunError:
        if given and is_folder(path):
            return read(path).run
        raise
