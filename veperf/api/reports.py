"""TODO."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from veperf.api.context import Folder, archive_at, baselines_folder, judge_run, recorded_baselines
from veperf.api.results import Comparison, RunLike, RunResult
from veperf.api.runs import resolve_run
from veperf.archive.storage.location import Location
from veperf.archive.store import LAST
from veperf.core import paths

if TYPE_CHECKING:
    from veperf.formats.exported_values import Written
    from veperf.report.investigation.view import Investigation
    from veperf.report.view import ReportView


def compare(base: "RunLike", new: "RunLike", archive: Folder = None) -> "Comparison":
    """Screen the run ``new`` against ``base``: results, names as ``load`` takes, or files.

    Raises:
        VeperfError: as ``load``.
    """
    from veperf.verdicts.screen import compare_runs

    a, b = resolve_run(base, archive), resolve_run(new, archive)
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
    return export_result(
        run, format, archive=archive, baselines=baselines, known_misses=known_misses
    ).data


def export_result(
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
    from veperf.formats.writers import named, write

    named(format)  # a wrong name is refused before anything is read
    found, folder = resolve_run(run, archive), baselines_folder(baselines)
    return write(
        found,
        format,
        lambda: judge_run(found, folder, recorded_baselines(found, folder), known_misses),
    )


def report_view(
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
    from veperf.report.case_history import history
    from veperf.report.view import ReportView

    run, folder = result.run, baselines_folder(baselines)
    recorded = recorded_baselines(run, folder)
    store = result.archive
    view = ReportView(
        run,
        judge_run(run, folder, recorded, known_misses),
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
    from veperf.report.investigation.focus import focus_on
    from veperf.report.investigation.view import Investigation

    found, folder = resolve_run(run, archive), baselines_folder(baselines)
    recorded = recorded_baselines(found, folder)
    verdict = judge_run(found, folder, recorded, known_misses)
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

    folder = baselines_folder(baselines)
    return build(archive_at(archive), paths.targets(folder), folder, known_misses)
