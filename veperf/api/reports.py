"""Reports, comparisons and exports of runs; ``import veperf`` offers them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from veperf.abtest.git import find_remote
from veperf.api.results import (
    Folder,
    PolicyLike,
    RunLike,
    RunResult,
    baselines_folder,
    judge_against,
    load_recorded_baselines,
)
from veperf.api.runs import resolve_run
from veperf.archive.completion_order import LAST
from veperf.archive.run_filter import filter_of
from veperf.archive.storage.location import Location
from veperf.archive.store import Archive, open_archive
from veperf.core.direction import reader_notes
from veperf.core.option_fields import as_names, keyword_options
from veperf.core.options import SitePageOptions
from veperf.core.policy import resolve_policy
from veperf.core.project import find_project
from veperf.progress.output import print_status
from veperf.report.commit_links import (
    NO_COMMITS,
    CommitLinks,
    parse_commit_url,
    remote_commit_links,
)
from veperf.report.report_links import NO_REPORT, ReportLinks

if TYPE_CHECKING:
    from veperf.formats.exported import ExportedFile
    from veperf.report.investigation.view import Investigation
    from veperf.report.view import ReportView


def export(
    run: RunLike,
    format: str,
    *,
    archive: Folder = None,
    baselines: Folder = None,
    known_misses: Collection[str] = (),
    policy: PolicyLike = None,
) -> str | bytes:
    """Export a run, or the verdict on it, for another tool: text, or bytes for ``parquet``.

    >>> veperf.export("last", "csv")

    Args:
        run: a result, a name as ``load`` takes, or a file, so that formats can be converted.
        format: one of ``veperf.formats.writers.NAMES``.
        archive: as in ``run``.
        baselines: for formats that show the verdict, as in ``RunResult.verdict``.
        known_misses: likewise.
        policy: likewise.

    Raises:
        UsageError: there is no such format, or it can hold nothing of the run.
        VeperfError: as ``load`` and ``RunResult.verdict``.
    """
    return export_result(
        run,
        format,
        archive=archive,
        baselines=baselines,
        known_misses=known_misses,
        policy=policy,
    ).data


def export_result(
    run: RunLike,
    format: str,
    *,
    archive: Folder = None,
    baselines: Folder = None,
    known_misses: Collection[str] = (),
    policy: PolicyLike = None,
    links: ReportLinks = NO_REPORT,
) -> "ExportedFile":
    """Export as ``export`` does, with the notes of the run's reader and of the format's writer.

    ``links`` are the addresses that Markdown links to.

    Raises:
        VeperfError: as ``export``.
    """
    from veperf.formats.writers import output_format, write_run

    output_format(format)  # a wrong name is refused before anything is read
    resolved, folder = resolve_run(run, archive), baselines_folder(baselines)
    exported = write_run(
        resolved,
        format,
        lambda: judge_against(
            resolved, folder, load_recorded_baselines(resolved, folder), known_misses, policy
        ),
        links,
    )
    return replace(
        exported,
        notes=(*filter(None, [resolved.reading]), *reader_notes(resolved), *exported.notes),
    )


def report_view(
    result: RunResult,
    baselines: Folder = None,
    known_misses: Collection[str] = (),
    policy: PolicyLike = None,
    *,
    suite: str = "",
    comparisons: Sequence[str] = (),
    pages: Mapping[str, str] | None = None,
) -> "ReportView":
    """Return the parts of a report about ``result``, each of which shows itself in a notebook.

    >>> view = veperf.report_view(veperf.load("last"))
    >>> view.headline
    >>> view.benchmarks

    Args:
        result: of ``run``, ``load`` and the like.
        baselines: as in ``run``.
        known_misses: targets that are known to be missed, and so fail nothing.
        policy: of the gate, or its file or table; that of the project when not given.
        suite: what to present of it; all when not given.
        comparisons: ids of A/B comparisons in its archive, which decide with it.
        pages: the file of each suite's page, where such pages lie beside this one.

    Raises:
        UsageError: the run has no case of that suite.
        DataError, UnknownTargetError: as ``RunResult.verdict``.
        UnknownRunError: there is no such comparison.
    """
    from veperf.abtest.run import load_ab
    from veperf.report.case_history import read_case_history
    from veperf.report.view import ReportView
    from veperf.verdicts.verdict import with_comparisons

    run, folder = result.run, baselines_folder(baselines)
    recorded = load_recorded_baselines(run, folder)
    store = result.archive
    gate = resolve_policy(policy)
    place = store.location if store else None
    beside = [replace(load_ab(name, place), policy=gate).decision for name in comparisons]
    view = ReportView(
        run,
        with_comparisons(judge_against(run, folder, recorded, known_misses, gate), beside, gate),
        recorded,
        read_case_history(store, run) if store else {},
        pages or {},
        store.at(run.id) if store else None,
    )
    return view.of_suite(suite) if suite else view


def investigate(
    benchmark: str = "",
    run: RunLike = LAST,
    *,
    metric: str = "",
    archive: Folder = None,
    baselines: Folder = None,
    known_misses: Collection[str] = (),
    policy: PolicyLike = None,
) -> "Investigation":
    """Look at one benchmark of a run, from its verdict down to processes, samples and the machine.

    >>> looked_at = veperf.investigate()                  # the worst of the last run
    >>> looked_at = veperf.investigate("transaction/hash_compute", "last")
    >>> looked_at.samples()

    Args:
        benchmark: a case of the run; the one that its verdict says the worst of when not given.
        run: a result, a name as ``load`` takes, or a file.
        metric: of the case; the one that its verdict says the worst of when not given.
        archive: as in ``run``.
        baselines: likewise.
        known_misses: targets that are known to be missed, and so are not the worst.
        policy: of the gate, or its file or table; that of the project when not given.

    Raises:
        UnknownBenchmarkError: the run has no such case.
        UsageError: the case has no such metric.
        VeperfError: as ``load`` and ``RunResult.verdict``.
    """
    from veperf.report.investigation.focus import focus_on
    from veperf.report.investigation.view import Investigation

    resolved, folder = resolve_run(run, archive), baselines_folder(baselines)
    recorded = load_recorded_baselines(resolved, folder)
    verdict = judge_against(resolved, folder, recorded, known_misses, policy)
    return Investigation(
        resolved, verdict, focus_on(resolved, verdict, benchmark, metric), recorded
    )


@keyword_options
def site(
    archive: Folder = None,
    baselines: Folder = None,
    known_misses: Collection[str] = (),
    policy: PolicyLike = None,
    *,
    options: SitePageOptions,
) -> Location:
    """Bring the archive's web site up to date, and return its first page.

    >>> veperf.site(limit=100)

    Args:
        archive: as in ``run``; the pages lie in it.
        baselines: as in ``run``.
        known_misses: targets that are known to be missed, and so fail no run.
        policy: of the gate, or its file or table; that of the project when not given.
        options: which runs it has, and where commits are; each field is a keyword as well.

    Raises:
        DataError: a file of targets or baselines is broken.
        UnknownTargetError: ``known_misses`` names one that does not exist.
        UsageError: an option can't be read.
        StorageError: the archive can't be written.
    """
    from veperf.report.site.build import build_site

    folder, store = baselines_folder(baselines), open_archive(archive)
    return build_site(
        store,
        folder,
        folder,
        as_names(known_misses),
        resolve_policy(policy),
        print_status,
        filter_of(options),
        _commit_links(options.commit_url, store),
    )


def _commit_links(template: str, archive: Archive) -> CommitLinks:
    """Return where commits are shown: as said, as the project says, or by its remote.

    The remote is of the project's own runs: another archive may have those of another repository.
    """
    project = find_project()
    if configured := template or project.options.commit_url:
        return parse_commit_url(configured)
    is_own = archive.storage.is_same(open_archive(None).storage)
    return remote_commit_links(find_remote(project.root)) if is_own else NO_COMMITS
