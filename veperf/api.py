"""What ``import veperf`` offers: functions that return results which show themselves.

Results are thin wrappers around the data of ``veperf.model``: DataFrames for work, and a rich repr
as text, HTML and markdown for the eye.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from veperf import model, paths
from veperf.archive.baselines import load_baselines, load_targets
from veperf.archive.storage.location import Location
from veperf.archive.storage.opening import local_folder, place_of
from veperf.archive.storage.protocol import Storage
from veperf.archive.store import LAST, Archive
from veperf.archive.writer import RunWriter
from veperf.errors import UnknownBenchmarkError, UnknownRunError, UsageError
from veperf.opening import open_archive

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from veperf.judge.side_by_side import UnitTable
    from veperf.report.closeup.view import Investigation
    from veperf.report.view import ReportView
    from veperf.writers.written import Written

Folder = str | Path | None


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
        VeperfError: of any kind; see ``veperf.errors``.
    """
    from veperf import session

    writer = session.begin(
        select,
        profile=profile,
        archive=_archive(archive),
        baselines=_baselines(baselines),
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
    arrivals: model.Arrivals = "poisson",
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
        VeperfError: of any kind; see ``veperf.errors``.
    """
    from veperf import session
    from veperf.cluster.ground import Where, ground
    from veperf.live import for_load
    from veperf.progress import Silent

    texts = {name: str(value) for name, value in (params or {}).items()}
    if shards:
        session.check_shards(benchmark, texts, modules)
    with ground(Where(scheduler, target, target_class), shards) as given:
        writer = session.begin_load(
            benchmark,
            texts,
            model.LoadPlan(1, seconds, warmup_s, arrivals=arrivals, shards=shards),
            archive=_archive(archive),
            baselines=_baselines(baselines),
            seed=seed,
            timeout_s=timeout_s,
            modules=modules,
            machine=given.machine if given else None,
        )
        with for_load() if progress else Silent() as shown:
            done = session.finish(writer, shown, given)
    return RunResult(done, writer.files)


def resume(run: str = LAST, *, archive: Folder = None, progress: bool = True) -> "RunResult":
    """Go on with a run that was interrupted: the last one, or the one named.

    Raises:
        VeperfError: of any kind; see ``veperf.errors``.
    """
    return _finish(_archive(archive).resume(run), progress)


def load(run: str = LAST, archive: Folder = None) -> "RunResult":
    """A complete run from the archive: ``last``, an id, or the beginning of one.

    Raises:
        UnknownRunError, IncompleteRunError, CorruptFileError, NewerFormatError: what they say.
    """
    store = _archive(archive)
    found = store.load(run)
    return RunResult(found, store.at(found.id))


def read(path: str | Path, *, format: str = "") -> "RunResult":
    """The run in another tool's file (or criterion's folder), not kept in the archive.

    Args:
        path: the file; what can be read, and how it is told apart, see ``veperf.interop``.
        format: one of ``veperf.interop.NAMES``; found out when not given.

    Raises:
        UsageError: there is no such format.
        DataError: the file is broken, or holds nothing that can be read.
    """
    from veperf.interop.formats import read_path
    from veperf.interop.go_targets import aim, go_benchmarks

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
    from veperf.interop.formats import read_path
    from veperf.interop.go_targets import aim, go_benchmarks

    found = [
        one for path in paths for one in read_path(Path(path), format=format, by=by, title=name)
    ]
    listed = go_benchmarks(_baselines(baselines))
    return tuple(keep(aim(one.run, listed), archive) for one in found)


def keep(run: model.Run, archive: Folder = None) -> "RunResult":
    """Write a run that is whole already to the archive.

    Raises:
        StorageError: that can't be written.
        UsageError: it holds a run of that id.
    """
    store = _archive(archive)
    store.keep(run)
    return RunResult(run, store.at(run.id))


def runs(archive: Folder = None) -> "pd.DataFrame":
    """The complete runs in the archive, a row each, oldest first."""
    return _archive(archive).frame()


def query(sql: str, archive: Folder = None) -> "pd.DataFrame":
    """Ask the archive's samples in SQL (DuckDB; the table is ``samples``).

    Raises:
        UsageError: DuckDB refuses the query.
        UnknownRunError: the archive holds no complete run.
    """
    return _archive(archive).query(sql)


def benchmarks(modules: Sequence[str] = ()) -> "pd.DataFrame":
    """What can be measured, a row a case: id, level, what, targets."""
    from veperf import session
    from veperf.report import frames

    return frames.benchmarks(session.benchmarks(modules=modules))


def compare(base: "RunLike", new: "RunLike", archive: Folder = None) -> "Comparison":
    """Screen the run ``new`` against ``base``: results, names as ``load`` takes, or files.

    Raises:
        VeperfError: as ``load``.
    """
    from veperf.judge.screen import compare_runs

    a, b = find(base, archive), find(new, archive)
    return Comparison(a, b, compare_runs(a, b))


def export(
    run: "RunLike",
    format: str,
    *,
    archive: Folder = None,
    baselines: Folder = None,
    known_misses: Collection[str] = (),
) -> str | bytes:
    """A run, or the verdict on it, as another tool reads it: text, or bytes for ``parquet``.

    Args:
        run: a result, a name as ``load`` takes, or a file, so that formats can be converted.
        format: one of ``veperf.writers.NAMES``.
        archive: as in ``run``.
        baselines: for formats that show the verdict, as in ``RunResult.verdict``.
        known_misses: likewise.

    Raises:
        UsageError: there is no such format, or it can hold nothing of the run.
        VeperfError: as ``load`` and ``RunResult.verdict``.
    """
    return written(
        run, format, archive=archive, baselines=baselines, known_misses=known_misses
    ).data


def written(
    run: "RunLike",
    format: str,
    *,
    archive: Folder = None,
    baselines: Folder = None,
    known_misses: Collection[str] = (),
) -> "Written":
    """As ``export``, with what there is to say about what could not be written.

    Raises:
        VeperfError: as ``export``.
    """
    from veperf.writers.formats import named, write

    named(format)  # a wrong name is refused before anything is read
    found, folder = find(run, archive), _baselines(baselines)
    return write(
        found, format, lambda: _judged(found, folder, _recorded(found, folder), known_misses)
    )


def present(
    result: "RunResult",
    baselines: Folder = None,
    known_misses: Collection[str] = (),
    *,
    suite: str = "",
    pages: Mapping[str, str] | None = None,
) -> "ReportView":
    """The parts of a report about ``result``, each of which shows itself in a notebook.

    Args:
        result: of ``run``, ``load`` and the like.
        baselines: as in ``run``.
        known_misses: targets that are known to be missed, and so fail nothing.
        suite: what to present of it; all when not given.
        pages: the file of each suite's page, where such pages lie beside this one.

    Raises:
        UsageError: the run has no case of that suite.
        DataError, UnknownTargetError: as ``RunResult.verdict``.
    """
    from veperf.report.history import history
    from veperf.report.view import ReportView

    run, folder = result.run, _baselines(baselines)
    recorded = _recorded(run, folder)
    store = result.archive
    view = ReportView(
        run,
        _judged(run, folder, recorded, known_misses),
        recorded,
        history(store, run) if store else {},
        pages or {},
        store.at(run.id) if store else None,
    )
    return view.of_suite(suite) if suite else view


def investigate(
    benchmark: str = "",
    run: "RunLike" = LAST,
    *,
    metric: str = "",
    archive: Folder = None,
    baselines: Folder = None,
    known_misses: Collection[str] = (),
) -> "Investigation":
    """One benchmark of a run, from its verdict down to processes, samples and the machine.

    Args:
        benchmark: a case of the run; the one that its verdict says the worst of when not given.
        run: a result, a name as ``load`` takes, or a file.
        metric: of the case; the one that its verdict says the worst of when not given.
        archive: as in ``run``.
        baselines: likewise.
        known_misses: targets that are known to be missed, and so are not the worst.

    Raises:
        UnknownBenchmarkError: the run has no such case.
        UsageError: the case has no such metric.
        VeperfError: as ``load`` and ``RunResult.verdict``.
    """
    from veperf.report.closeup.focus import focus_on
    from veperf.report.closeup.view import Investigation

    found, folder = find(run, archive), _baselines(baselines)
    recorded = _recorded(found, folder)
    verdict = _judged(found, folder, recorded, known_misses)
    return Investigation(found, verdict, focus_on(found, verdict, benchmark, metric), recorded)


def site(
    archive: Folder = None, baselines: Folder = None, known_misses: Collection[str] = ()
) -> Location:
    """Bring the archive's web site up to date, and return its first page.

    Args:
        archive: as in ``run``; the pages lie in it.
        baselines: as in ``run``.
        known_misses: targets that are known to be missed, and so fail no run.

    Raises:
        DataError: a file of targets or baselines is broken.
        UnknownTargetError: ``known_misses`` names one that does not exist.
        StorageError: the archive can't be written.
    """
    from veperf.report.site.build import build

    folder = _baselines(baselines)
    return build(_archive(archive), paths.targets(folder), folder, known_misses)


@dataclass(frozen=True, slots=True, repr=False)
class RunResult:
    """A run, with what people do to one."""

    run: model.Run
    kept: Storage | Path
    """Its folder."""

    @property
    def place(self) -> Location:
        """Its folder: a path, or a URL as text."""
        return place_of(self.kept)

    @property
    def folder(self) -> Path:
        """The same of an archive on this machine.

        Raises:
            UsageError: it is elsewhere.
        """
        return local_folder(self.kept)

    @property
    def archive(self) -> Archive | None:
        """The archive that holds it; None where it is from elsewhere."""
        place = self.place
        if isinstance(place, Path):
            above, name = str(place.parent), place.name
        else:
            above, _, name = place.rpartition("/")
        store = open_archive(above) if name == self.run.id else None
        return store if store and store.is_complete(name) else None

    def samples(self) -> "pd.DataFrame":
        """One row a sample, times in ns of one operation."""
        from veperf.archive.tables import samples_table

        frame: pd.DataFrame = samples_table(self.run).to_pandas()
        return frame

    def values(self) -> "pd.DataFrame":
        """One row a process and metric: the robust value by which the case is judged."""
        import pandas as pd

        from veperf.judge.series import series_of

        rows = [
            {"case": s.case, "metric": s.metric, "unit": s.unit, "process": i, "value": float(v)}
            for s in series_of(self.run).values()
            for i, v in enumerate(s.values)
        ]
        return pd.DataFrame(rows, columns=["case", "metric", "unit", "process", "value"])

    def summary(self) -> "pd.DataFrame":
        """One row a case and metric: median and spread of the per-process values, wall times."""
        import numpy as np
        import pandas as pd

        from veperf.judge.series import series_of

        rows = [
            {
                "case": s.case,
                "metric": s.metric,
                "unit": s.unit,
                "value": float(np.median(s.values)) if s.n else None,
                "low": float(s.values.min()) if s.n else None,
                "high": float(s.values.max()) if s.n else None,
                "processes": s.n,
                "clock": s.clock,
                "loops": s.loops,
                "wall_median": s.wall_median,
                "wall_p99": s.wall_p99,
                "failed": s.failed,
            }
            for s in series_of(self.run).values()
        ]
        return pd.DataFrame(rows).set_index("case")

    def figure(self, case: str, metric: str = "time", ax: "Axes | None" = None) -> "Figure":
        """The value of each process, and the interval of their median.

        Raises:
            UnknownBenchmarkError: the run has no such case, or none with such a metric.
        """
        from veperf.judge.series import series_of
        from veperf.report import figures

        found = series_of(self.run)
        if (case, metric) not in found:
            raise UnknownBenchmarkError(f"run {self.run.id} has no {metric!r} of {case!r}")
        return figures.values(found[case, metric], ax=ax)

    def verdict(
        self, baselines: Folder = None, known_misses: Collection[str] = ()
    ) -> "VerdictResult":
        """Judge the run against the published targets and the machine's recorded baseline.

        Raises:
            DataError: a file of targets or baselines is broken.
            UnknownTargetError: ``known_misses`` names one that does not exist.
        """
        folder = _baselines(baselines)
        recorded = _recorded(self.run, folder)
        return VerdictResult(_judged(self.run, folder, recorded, known_misses))

    def __repr__(self) -> str:
        from veperf.report import text

        return text.run(self.run)

    def _repr_html_(self) -> str:
        from veperf.report import blocks

        return blocks.run(self.run)

    def _repr_markdown_(self) -> str:
        from veperf.report import markdown

        return markdown.run(self.run)


@dataclass(frozen=True, slots=True, repr=False)
class VerdictResult:
    """A verdict, with its tables."""

    verdict: model.Verdict

    def targets(self) -> "pd.DataFrame":
        """One row a target of the suites that were measured."""
        import pandas as pd

        rows = []
        for one in self.verdict.targets:
            row = _plain(one)
            target: Mapping[str, Any] = row.pop("target")
            rows.append({"target": target["id"], "limit": target["limit"]} | row)
            rows[-1]["unit"] = target["unit"]
        return pd.DataFrame(rows)

    def changes(self) -> "pd.DataFrame":
        """One row a case and metric that was compared with the baseline."""
        import pandas as pd

        return pd.DataFrame([_plain(change) for change in self.verdict.changes])

    def figure(self, ax: "Axes | None" = None) -> "Figure":
        """How much of its limit each target uses."""
        from veperf.report import figures

        return figures.targets(self.verdict.targets, ax=ax)

    def exit_code(self, *, strict: bool = False) -> int:
        """What ``veperf ci`` ends with."""
        from veperf.judge.verdict import exit_code

        return exit_code(self.verdict, strict=strict)

    def __repr__(self) -> str:
        from veperf.report import text

        return text.verdict(self.verdict)

    def _repr_html_(self) -> str:
        from veperf.report import blocks

        return blocks.verdict(self.verdict)

    def _repr_markdown_(self) -> str:
        from veperf.report import markdown

        return markdown.verdict(self.verdict)


@dataclass(frozen=True, slots=True, repr=False)
class Comparison:
    """Two runs side by side."""

    base: model.Run
    new: model.Run
    changes: tuple[model.Change, ...]

    def tables(self) -> "tuple[UnitTable, ...]":
        """Medians, intervals and tests by benchstat's rules, a table a suite and unit."""
        from veperf.judge.side_by_side import side_by_side

        return side_by_side(self.base, self.new)

    def frame(self) -> "pd.DataFrame":
        """One row a case and metric."""
        import pandas as pd

        return pd.DataFrame([_plain(change) for change in self.changes])

    def figure(self, ax: "Axes | None" = None) -> "Figure":
        """The size of each change with its interval, the worst on top."""
        from veperf.report import figures

        return figures.changes(self.changes, ax=ax)

    def figure_samples(self, case: str = "", ax: "Axes | None" = None) -> "Figure":
        """Both runs' values of ``case``, by default the one that most needs attention.

        Raises:
            UnknownBenchmarkError: it is not in both runs.
        """
        from veperf.judge.series import series_of
        from veperf.report import figures, tables

        old, new = series_of(self.base), series_of(self.new)
        for change in sorted(self.changes, key=lambda c: tables.change_mark(c).urgency):
            key = change.case, change.metric
            if case in ("", change.case) and key in old and key in new:
                return figures.values(new[key], old[key], ax=ax)
        raise UnknownBenchmarkError(f"the two runs have no {case or 'benchmark'!r} in common")

    def __repr__(self) -> str:
        from veperf.report import text

        return text.changes(self.changes)

    def _repr_html_(self) -> str:
        from veperf.report import blocks

        return blocks.changes(self.changes)

    def _repr_markdown_(self) -> str:
        from veperf.report import markdown

        return markdown.changes(self.changes)


RunLike = RunResult | model.Run | str | Path


def _finish(writer: RunWriter, progress: bool) -> RunResult:
    from veperf import session
    from veperf.durations import earlier_seconds
    from veperf.progress import Silent, for_here

    earlier = earlier_seconds(Archive(writer.archive), writer.run)
    with for_here(writer.run, earlier) if progress else Silent() as shown:
        done = session.finish(writer, shown)
    return RunResult(done, writer.files)


def _archive(folder: Folder) -> Archive:
    return open_archive(folder)


def _baselines(folder: Folder) -> Path:
    return Path(folder) if folder else paths.baselines()


def _recorded(run: model.Run, folder: Path) -> tuple[model.Baseline, ...]:
    return load_baselines(folder, sorted({case.suite for case in run.cases}))


def _judged(
    run: model.Run,
    folder: Path,
    recorded: Sequence[model.Baseline],
    known_misses: Collection[str],
) -> model.Verdict:
    from veperf.judge.verdict import verdict as judge_verdict

    return judge_verdict(run, load_targets(paths.targets(folder)), recorded, known_misses)


def find(given: RunLike, archive: Folder = None) -> model.Run:
    """The run that ``given`` is or names: a result, a run, a name as ``load`` takes, or a file.

    Raises:
        VeperfError: as ``load`` and ``read``.
    """
    match given:
        case RunResult():
            return given.run
        case model.Run():
            return given
        case Path():
            return read(given).run
        case str():
            return _named(given, archive)
    raise UsageError(
        f"a run, a result, a run's name or a file is wanted, not {type(given).__name__}"
    )


def _named(given: str, archive: Folder) -> model.Run:
    """The run of that name; else of the file. A file in the current folder comes first."""
    from veperf.interop.source import is_file, is_folder

    path = Path(given)
    if is_file(path):
        return read(path).run
    try:
        return load(given, archive).run
    except UnknownRunError:
        if given and is_folder(path):
            return read(path).run
        raise


def _plain(struct: msgspec.Struct) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(struct)
    return found
