"""Building of the site: pages that have not changed are not written again."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from veperf.archive.manifest import LEFT_OUT
from veperf.archive.storage.base import Storage
from veperf.archive.storage.location import Location
from veperf.archive.storage.lock import Notify, ignore_notice
from veperf.archive.storage.open import path_or_url
from veperf.archive.store import Archive
from veperf.archive.summary import ArchiveSummary, load_summary
from veperf.archive.trend import Trend, machine_trends
from veperf.core.errors import CorruptFileError
from veperf.core.policy import GatePolicy
from veperf.report.html import markup
from veperf.report.html.page import Sibling, html_page
from veperf.report.site.benchmarks import (
    benchmark_details,
    benchmark_of,
    benchmarks_overview,
    regressions_html,
)
from veperf.report.site.runs import A_PAGE, runs_listing
from veperf.report.site.verdicts import RunVerdict, judge_runs
from veperf.report.trends import left_out_notes

INDEX = "index.html"
FOLDER = "site"
_RUNS, _BENCHMARKS, _REGRESSIONS = "Runs", "Benchmarks", "Regressions"


def build_site(
    archive: Archive,
    targets: Path,
    baselines: Path,
    known_misses: Collection[str] = (),
    policy: GatePolicy | None = None,
    notify: Notify = ignore_notice,
) -> Location:
    """Bring the site of ``archive`` up to date; return its first page.

    It is in the archive itself: ``index.html``, and all other pages in ``site/``. ``targets`` is
    the folder of targets.json, ``baselines`` that of recorded baselines. ``notify`` is called with
    why each run is left out that can't be read; the first page says so, too.

    Raises:
        CorruptFileError: targets or baselines are broken.
        UnknownTargetError: ``known_misses`` names a target that does not exist.
        StorageError: the archive can't be written.
    """
    summary = load_summary(archive)
    for reason in summary.left_out.values():
        notify(f"{LEFT_OUT}{reason}")
    folder = archive.storage.at(FOLDER)
    archive.storage.require_writable()
    verdicts = judge_runs(archive, summary, folder, targets, baselines, known_misses, policy)
    pages = dict(_pages(archive, summary, verdicts))
    existing = [name for name in _names(folder) if name.endswith(".html")]
    folder.delete([name for name in existing if f"{FOLDER}/{name}" not in pages])
    for name, html in pages.items():
        _write(archive.storage, name, html.encode())
    return path_or_url(archive.storage, INDEX)


def _pages(
    archive: Archive, summary: ArchiveSummary, verdicts: Mapping[str, RunVerdict]
) -> Iterator[tuple[str, str]]:
    """Yield each page's path in the archive, and its content."""
    reported = archive.storage.folders(INDEX)
    reports = {run.id: f"{run.id}/{INDEX}" for run in summary.runs if run.id in reported}
    reports_from_site = {run: f"../{path}" for run, path in reports.items()}
    runs = summary.runs[::-1]
    parts = [runs[i : i + A_PAGE] for i in range(0, max(1, len(runs)), A_PAGE)]
    for number, part in enumerate(parts):
        name = _runs_page(number)
        table = runs_listing(part, verdicts, reports_from_site if number else reports)
        body = table + _others(number, len(parts))
        if not number:
            notes = left_out_notes(summary.left_out, path_or_url(archive.storage))
            body = "".join(map(markup.paragraph, notes)) + body
        yield name, html_page(_RUNS, body, _menu(top=not number), INDEX if not number else "")
    trends = [
        trend
        for machine in _machines(summary)
        for trend in machine_trends(summary, machine=machine)
    ]
    files = _files(trends)
    menu = _menu(top=False)
    yield (
        f"{FOLDER}/benchmarks.html",
        html_page(_BENCHMARKS, benchmarks_overview(trends, files), menu, "benchmarks.html"),
    )
    yield (
        f"{FOLDER}/regressions.html",
        html_page(_REGRESSIONS, regressions_html(trends, files), menu, "regressions.html"),
    )
    for benchmark, name in files.items():
        own_trends = [trend for trend in trends if benchmark_of(trend.case) == benchmark]
        own_trends.sort(key=lambda trend: (trend.machine, trend.case, trend.metric))
        yield (
            f"{FOLDER}/{name}",
            html_page(benchmark, benchmark_details(own_trends, reports_from_site), menu, name),
        )


def _menu(*, top: bool) -> list[Sibling]:
    """Return links to the three main pages, from the archive's folder or from the site's."""
    up, beside = ("", f"{FOLDER}/") if top else ("../", "")
    return [
        Sibling(f"{up}{INDEX}", _RUNS),
        Sibling(f"{beside}benchmarks.html", _BENCHMARKS),
        Sibling(f"{beside}regressions.html", _REGRESSIONS),
    ]


def _machines(summary: ArchiveSummary) -> Iterable[str]:
    """Return the machines that have figures."""
    places = sorted(set(summary.table["run"].to_pylist()))
    return dict.fromkeys(summary.runs[place].machine for place in places)


def _files(trends: Iterable[Trend]) -> dict[str, str]:
    """Return a file name for each benchmark: its own where valid and unique, else a hash."""
    files: dict[str, str] = {}
    for benchmark in sorted({benchmark_of(trend.case) for trend in trends}):
        name = "benchmark-" + benchmark.replace("/", "-")
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", name) or f"{name}.html" in files.values():
            name = f"benchmark-{sha256(benchmark.encode()).hexdigest()[:16]}"
        files[benchmark] = f"{name}.html"
    return files


def _runs_page(number: int) -> str:
    return f"{FOLDER}/runs-{number + 1}.html" if number else INDEX


def _others(number: int, total: int) -> str:
    """Return links to the other pages of runs."""
    if total == 1:
        return ""
    addresses = [
        (_runs_page(i) if not number else f"../{_runs_page(i)}", i + 1) for i in range(total)
    ]
    items = "".join(
        f"<li>{markup.hyperlink(str(number_), address if number_ != number + 1 else '')}</li>"
        for address, number_ in addresses
    )
    return f'<nav class="vp-more" aria-label="More runs"><ul>{items}</ul></nav>'


def _names(folder: Storage) -> list[str]:
    try:
        return folder.names()
    except CorruptFileError:
        return []


def _write(archive: Storage, name: str, content: bytes) -> None:
    try:
        if archive.read(name) == content:
            return
    except CorruptFileError:
        pass
    archive.write(name, content)
