"""Building of the site: pages that have not changed are neither made nor written again."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from pathlib import Path

import msgspec

from veperf.archive.acknowledgements import read_acknowledgements
from veperf.archive.baselines import load_targets
from veperf.archive.manifest import LEFT_OUT
from veperf.archive.missing_runs import progress_lines
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
from veperf.report.commit_links import NO_COMMITS, CommitLinks
from veperf.report.html import markup
from veperf.report.html.page import Sibling, html_page
from veperf.report.site.benchmarks import benchmark_details, benchmarks_overview
from veperf.report.site.compare import compare_page, compared_runs
from veperf.report.site.dashboard import dashboard, machine_statuses
from veperf.report.site.links import SiteLinks, benchmark_of
from veperf.report.site.pages import SitePages
from veperf.report.site.regressions import regressions_html
from veperf.report.site.runs import A_PAGE, runs_listing
from veperf.report.site.verdicts import (
    WHO_IS_JUDGED,
    RunVerdict,
    earlier_unjudged,
    judge_runs,
    verdict_rules,
)
from veperf.report.trends import left_out_notes

INDEX = "index.html"
FOLDER = "site"
_COMPARE = f"{FOLDER}/compare.html"
_RUNS, _BENCHMARKS, _REGRESSIONS = "Runs", "Benchmarks", "Regressions"


def build_site(
    archive: Archive,
    targets: Path,
    baselines: Path,
    known_misses: Collection[str] = (),
    policy: GatePolicy | None = None,
    notify: Notify = ignore_notice,
    run_filter: RunFilter = EVERY_RUN,
    commits: CommitLinks = NO_COMMITS,
) -> Location:
    """Bring the site of ``archive`` up to date; return its first page.

    It is in the archive itself: ``index.html``, and all other pages in ``site/``. ``targets`` is
    the folder of targets.json, ``baselines`` that of recorded baselines. It has the runs that pass
    ``run_filter``, and leads to ``commits``. ``notify`` is called with why each run is left out
    that can't be read, and with how many are not judged; the first page says so, too. It is also
    called with how far it is, where there is much to read or to judge.

    Raises:
        CorruptFileError: targets or baselines are broken.
        UnknownTargetError: ``known_misses`` names a target that does not exist.
        StorageError: the archive can't be written.
    """
    whole = load_summary(archive, progress_lines(notify, "read", 1_000))
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
    acknowledgements = read_acknowledgements(archive.storage)
    for reason in acknowledgements.left_out:
        notify(f"{LEFT_OUT}{reason}")
    state = _fingerprint(
        *(summary.ids, column_values(summary.facts, "completed_ns"), reports, summary.left_out),
        *(rules, published, acknowledgements, commits),
    )
    if pages.is_current(state):
        return path_or_url(archive.storage, INDEX)
    site = archive.storage.at(FOLDER)
    verdicts = judge_runs(
        archive,
        whole,
        summary,
        site,
        pages.files,
        baselines,
        published,
        rules,
        gate,
        progress_lines(notify, "judged", 100),
    )
    notes = left_out_notes(summary.left_out, path_or_url(archive.storage))
    if unjudged := earlier_unjudged(summary.ids, verdicts):
        notes.append(f"{plural(unjudged, 'earlier run')} not judged: {WHO_IS_JUDGED}")
        notify(notes[-1])
    trends = acknowledgements.apply(_trends(summary))
    compared = compared_runs(summary)
    files = {benchmark: f"{FOLDER}/{name}" for benchmark, name in _files(trends).items()}
    links = SiteLinks(reports, files, _COMPARE, compared.ids, commits)
    statuses = machine_statuses(archive, summary, published, rules.known_misses)
    head = dashboard(statuses, trends, verdicts, links)
    for page in _run_pages(summary.runs, verdicts, links, notes, head):
        pages.write(page.name, page.html, page.fingerprint)
    inner = links.inside(FOLDER)
    for name, html in _benchmark_pages(trends, inner):
        pages.write(name, partial(str, html))
    html = html_page("Compare", compare_page(compared, inner), _menu(top=False), "compare.html")
    pages.write(_COMPARE, partial(str, html))
    pages.finish(state)
    return path_or_url(archive.storage, INDEX)


def _fingerprint(*parts: object) -> str:
    """Return a hash of what a page is made of, and of what all pages share."""
    return sha256(msgspec.json.encode([__version__, _frame(), *parts])).hexdigest()


@cache
def _frame() -> str:
    """Return a page without content."""
    return html_page("", "", _menu(top=True), "")


@dataclass(frozen=True, slots=True)
class _RunPage:
    """A page with some of the runs."""

    name: str
    runs: Sequence[RunFacts]
    """Oldest first."""
    verdicts: Mapping[str, RunVerdict]
    links: SiteLinks
    notes: Sequence[str]
    head: str
    """HTML above the list."""
    others: Mapping[str, str]
    """Addresses of other pages of runs, by what they are called."""

    @property
    def fingerprint(self) -> str:
        """A hash of what it is made of."""
        rows = [(run, self.verdicts.get(run.id), self.links.run(run.id)) for run in self.runs]
        return _fingerprint(rows, self.notes, self.head, self.others, self.links.commits)

    def html(self) -> str:
        """Return the page."""
        is_top = self.name == INDEX
        links = self.links if is_top else self.links.inside(FOLDER)
        notes = [*self.notes]
        unjudged = sum(run.id not in self.verdicts for run in self.runs)
        if unjudged and not is_top:
            notes.append(f"{plural(unjudged, 'run')} of this page not judged: {WHO_IS_JUDGED}")
        body = "".join(map(markup.paragraph, notes)) + self.head
        body += runs_listing(self.runs[::-1], self.verdicts, links) + _links(self.others)
        return html_page(_RUNS, body, _menu(top=is_top), INDEX if is_top else "")


def _run_pages(
    runs: Sequence[RunFacts],
    verdicts: Mapping[str, RunVerdict],
    links: SiteLinks,
    notes: Sequence[str],
    head: str,
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
        yield _RunPage(f"{FOLDER}/{_runs_page(number)}", part, verdicts, links, (), "", others)
    others = {
        "older": f"{FOLDER}/{_runs_page(full - 1)}" if full else "",
        "oldest": f"{FOLDER}/{_runs_page(0)}" if full > 1 else "",
    }
    yield _RunPage(INDEX, runs[full * A_PAGE :], verdicts, links, notes, head, others)


def _trends(summary: ArchiveSummary) -> list[Trend]:
    """Return the trends of all machine classes."""
    trends: list[Trend] = []
    for machine in summary.machines:
        with suppress(UnknownBenchmarkError):  # its runs have no figures
            trends += machine_trends(summary, machine=machine)
    return trends


def _benchmark_pages(trends: Sequence[Trend], links: SiteLinks) -> Iterator[tuple[str, str]]:
    """Yield name and content of each page on benchmarks; ``links`` are as seen from the site."""
    menu = _menu(top=False)
    yield (
        f"{FOLDER}/benchmarks.html",
        html_page(_BENCHMARKS, benchmarks_overview(trends, links), menu, "benchmarks.html"),
    )
    yield (
        f"{FOLDER}/regressions.html",
        html_page(_REGRESSIONS, regressions_html(trends, links), menu, "regressions.html"),
    )
    for benchmark, name in links.pages.items():
        own_trends = [trend for trend in trends if benchmark_of(trend.case) == benchmark]
        own_trends.sort(key=lambda trend: (trend.machine, trend.case, trend.metric))
        html = html_page(benchmark, benchmark_details(own_trends, links), menu, name)
        yield f"{FOLDER}/{name}", html


def _menu(*, top: bool) -> list[Sibling]:
    """Return links to the main pages, from the archive's folder or from the site's."""
    up, beside = ("", f"{FOLDER}/") if top else ("../", "")
    return [
        Sibling(f"{up}{INDEX}", _RUNS),
        Sibling(f"{beside}benchmarks.html", _BENCHMARKS),
        Sibling(f"{beside}regressions.html", _REGRESSIONS),
        Sibling(f"{beside}compare.html", "Compare"),
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
