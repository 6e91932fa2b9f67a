"""Building of the site: pages that have not changed are neither made nor written again."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec

from veperf.archive.baselines import load_targets
from veperf.archive.manifest import LEFT_OUT
from veperf.archive.run_filter import EVERY_RUN, RunFilter
from veperf.archive.run_summary import RunFacts
from veperf.archive.storage.location import Location
from veperf.archive.storage.lock import Notify, ignore_notice
from veperf.archive.storage.open import path_or_url
from veperf.archive.store import Archive
from veperf.archive.summary import ArchiveSummary, load_summary
from veperf.archive.summary_tables import column_values
from veperf.archive.trend import Trend, machine_trends
from veperf.core.errors import UnknownBenchmarkError
from veperf.core.policy import GatePolicy, find_policy
from veperf.core.text import plural
from veperf.core.version import __version__
from veperf.report.html import markup
from veperf.report.html.page import Sibling, html_page
from veperf.report.site.benchmarks import (
    benchmark_details,
    benchmark_of,
    benchmarks_overview,
    regressions_html,
)
from veperf.report.site.pages import SitePages
from veperf.report.site.runs import A_PAGE, runs_listing
from veperf.report.site.verdicts import RunVerdict, judge_runs, verdict_rules
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
    run_filter: RunFilter = EVERY_RUN,
) -> Location:
    """Bring the site of ``archive`` up to date; return its first page.

    It is in the archive itself: ``index.html``, and all other pages in ``site/``. ``targets`` is
    the folder of targets.json, ``baselines`` that of recorded baselines. It has the runs that pass
    ``run_filter``. ``notify`` is called with why each run is left out that can't be read, and with
    how many are still to be judged; the first page says so, too.

    Raises:
        CorruptFileError: targets or baselines are broken.
        UnknownTargetError: ``known_misses`` names a target that does not exist.
        StorageError: the archive can't be written.
    """
    whole = load_summary(archive)
    summary = whole.select(run_filter)
    for reason in summary.left_out.values():
        notify(f"{LEFT_OUT}{reason}")
    archive.storage.require_writable()
    gate = find_policy() if policy is None else policy
    published = load_targets(targets)
    rules = verdict_rules(published, known_misses, gate)
    reported = archive.storage.folders(INDEX)
    reports = {run: f"{run}/{INDEX}" for run in summary.ids if run in reported}
    pages = SitePages(archive.storage, FOLDER)
    state = _fingerprint(
        summary.ids, column_values(summary.facts, "completed_ns"), reports, summary.left_out, rules
    )
    if pages.is_current(state):
        return path_or_url(archive.storage, INDEX)
    site = archive.storage.at(FOLDER)
    verdicts, waiting = judge_runs(archive, whole, summary, site, baselines, published, rules, gate)
    notes = left_out_notes(summary.left_out, path_or_url(archive.storage))
    if waiting:
        notes.append(
            f"{plural(waiting, 'run')} not judged yet, the oldest: `veperf site` goes on with them"
        )
        notify(notes[-1])
    for page in _run_pages(summary.runs, verdicts, reports, notes):
        pages.write(page.name, page.html, page.fingerprint)
    for name, html in _benchmark_pages(summary, reports):
        pages.write(name, partial(str, html))
    pages.finish("" if waiting else state)
    return path_or_url(archive.storage, INDEX)


def _fingerprint(*parts: object) -> str:
    """Return a hash of what a page is made of, and of what all pages share."""
    shared = html_page("", "", _menu(top=True), "")
    return sha256(msgspec.json.encode([__version__, shared, *parts])).hexdigest()


@dataclass(frozen=True, slots=True)
class _RunPage:
    """A page with some of the runs."""

    name: str
    runs: Sequence[RunFacts]
    """Oldest first."""
    verdicts: Mapping[str, RunVerdict]
    reports: Mapping[str, str]
    notes: Sequence[str]
    others: Mapping[str, str]
    """Addresses of other pages of runs, by what they are called."""

    @property
    def fingerprint(self) -> str:
        """A hash of what it is made of."""
        rows = [(run, self.verdicts.get(run.id), self.reports.get(run.id)) for run in self.runs]
        return _fingerprint(rows, self.notes, self.others)

    def html(self) -> str:
        """Return the page."""
        is_top = self.name == INDEX
        reports = self.reports if is_top else _from_site(self.reports)
        body = "".join(map(markup.paragraph, self.notes))
        body += runs_listing(self.runs[::-1], self.verdicts, reports) + _links(self.others)
        return html_page(_RUNS, body, _menu(top=is_top), INDEX if is_top else "")


def _run_pages(
    runs: Sequence[RunFacts],
    verdicts: Mapping[str, RunVerdict],
    reports: Mapping[str, str],
    notes: Sequence[str],
) -> Iterator[_RunPage]:
    """Yield the pages of runs: the newest on the first one, others counted from the oldest.

    So a page that is full does not change when there are more runs.
    """
    full = max(0, len(runs) // A_PAGE - 1)
    for number in range(full):
        others = {
            "newest": f"../{INDEX}",
            "newer": _runs_page(number + 1) if number + 1 < full else f"../{INDEX}",
            "older": _runs_page(number - 1) if number else "",
            "oldest": _runs_page(0) if number else "",
        }
        part = runs[number * A_PAGE : (number + 1) * A_PAGE]
        yield _RunPage(f"{FOLDER}/{_runs_page(number)}", part, verdicts, reports, (), others)
    others = {
        "older": f"{FOLDER}/{_runs_page(full - 1)}" if full else "",
        "oldest": f"{FOLDER}/{_runs_page(0)}" if full > 1 else "",
    }
    yield _RunPage(INDEX, runs[full * A_PAGE :], verdicts, reports, notes, others)


def _benchmark_pages(
    summary: ArchiveSummary, reports: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield name and content of each page on benchmarks."""
    trends: list[Trend] = []
    for machine in summary.machines:
        with suppress(UnknownBenchmarkError):  # its runs have no figures
            trends += machine_trends(summary, machine=machine)
    files = _files(trends)
    menu = _menu(top=False)
    reports_from_site = _from_site(reports)
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


def _from_site(reports: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses of reports as seen from the pages in the site's folder."""
    return {run: f"../{path}" for run, path in reports.items()}


def _menu(*, top: bool) -> list[Sibling]:
    """Return links to the three main pages, from the archive's folder or from the site's."""
    up, beside = ("", f"{FOLDER}/") if top else ("../", "")
    return [
        Sibling(f"{up}{INDEX}", _RUNS),
        Sibling(f"{beside}benchmarks.html", _BENCHMARKS),
        Sibling(f"{beside}regressions.html", _REGRESSIONS),
    ]


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
    return f"runs-{number + 1}.html"


def _links(others: Mapping[str, str]) -> str:
    """Return links to other pages of runs."""
    items = "".join(
        f"<li>{markup.hyperlink(f'{name.capitalize()} runs', address)}</li>"
        for name, address in others.items()
        if address
    )
    return items and f'<nav class="vp-more" aria-label="More runs"><ul>{items}</ul></nav>'
