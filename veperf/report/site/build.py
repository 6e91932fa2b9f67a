"""Write the site: pages that have not changed are left as they are."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from veperf.archive.storage.base import Storage
from veperf.archive.storage.location import Location
from veperf.archive.storage.open import place_of
from veperf.archive.store import Archive
from veperf.archive.summary import Summary, summarise
from veperf.archive.trend import Trend, trends
from veperf.core.errors import CorruptFileError
from veperf.report.html import markup
from veperf.report.html.navigation import Sibling
from veperf.report.html.page import page
from veperf.report.site.benchmarks import benchmark_of, details, overview, regressions
from veperf.report.site.runs import A_PAGE, listing
from veperf.report.site.verdicts import Judged, judge_runs

INDEX = "index.html"
FOLDER = "site"
_RUNS, _BENCHMARKS, _REGRESSIONS = "Runs", "Benchmarks", "Regressions"


def build(
    archive: Archive, targets: Path, baselines: Path, known_misses: Collection[str] = ()
) -> Location:
    """Bring the site of ``archive`` up to date; return where its first page is.

    It lies in the archive itself: ``index.html``, and all other pages in ``site/``. ``targets`` is
    the folder of targets.json, ``baselines`` that of recorded baselines.

    Raises:
        CorruptFileError: targets or baselines are broken.
        UnknownTargetError: ``known_misses`` names a target that does not exist.
        StorageError: the archive can't be written.
    """
    summary = summarise(archive)
    folder = archive.storage.at(FOLDER)
    archive.storage.require_writable()
    judged = judge_runs(archive, summary, folder, targets, baselines, known_misses)
    pages = dict(_pages(archive, summary, judged))
    there = [name for name in _names(folder) if name.endswith(".html")]
    folder.delete([name for name in there if f"{FOLDER}/{name}" not in pages])
    for name, html in pages.items():
        _write(archive.storage, name, html.encode())
    return place_of(archive.storage, INDEX)


def _pages(
    archive: Archive, summary: Summary, judged: Mapping[str, Judged]
) -> Iterator[tuple[str, str]]:
    """Each page's path in the archive, and what stands in it."""
    reported = archive.storage.folders(INDEX)
    reports = {run.id: f"{run.id}/{INDEX}" for run in summary.runs if run.id in reported}
    above = {run: f"../{path}" for run, path in reports.items()}
    runs = summary.runs[::-1]
    parts = [runs[i : i + A_PAGE] for i in range(0, max(1, len(runs)), A_PAGE)]
    for number, part in enumerate(parts):
        name = _runs_page(number)
        shown = listing(part, judged, above if number else reports)
        body = shown + _others(number, len(parts))
        yield name, page(_RUNS, body, _menu(top=not number), INDEX if not number else "")
    found = [one for machine in _machines(summary) for one in trends(summary, machine=machine)]
    files = _files(found)
    beside = _menu(top=False)
    yield (
        f"{FOLDER}/benchmarks.html",
        page(_BENCHMARKS, overview(found, files), beside, "benchmarks.html"),
    )
    yield (
        f"{FOLDER}/regressions.html",
        page(_REGRESSIONS, regressions(found, files), beside, "regressions.html"),
    )
    for benchmark, name in files.items():
        own = [one for one in found if benchmark_of(one.case) == benchmark]
        own.sort(key=lambda one: (one.machine, one.case, one.metric))
        yield f"{FOLDER}/{name}", page(benchmark, details(own, above), beside, name)


def _menu(*, top: bool) -> list[Sibling]:
    """The way to the three main pages, from the archive's folder or from that of the site."""
    up, beside = ("", f"{FOLDER}/") if top else ("../", "")
    return [
        Sibling(f"{up}{INDEX}", _RUNS),
        Sibling(f"{beside}benchmarks.html", _BENCHMARKS),
        Sibling(f"{beside}regressions.html", _REGRESSIONS),
    ]


def _machines(summary: Summary) -> Iterable[str]:
    """Those with figures."""
    places = sorted(set(summary.table["run"].to_pylist()))
    return dict.fromkeys(summary.runs[place].machine for place in places)


def _files(found: Iterable[Trend]) -> dict[str, str]:
    """A file for each benchmark, named after it; where that is no name, or not its own, a hash."""
    files: dict[str, str] = {}
    for benchmark in sorted({benchmark_of(one.case) for one in found}):
        name = "benchmark-" + benchmark.replace("/", "-")
        if not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", name) or f"{name}.html" in files.values():
            name = f"benchmark-{sha256(benchmark.encode()).hexdigest()[:16]}"
        files[benchmark] = f"{name}.html"
    return files


def _runs_page(number: int) -> str:
    return f"{FOLDER}/runs-{number + 1}.html" if number else INDEX


def _others(number: int, total: int) -> str:
    """Links to the other pages of runs."""
    if total == 1:
        return ""
    addresses = [
        (_runs_page(i) if not number else f"../{_runs_page(i)}", i + 1) for i in range(total)
    ]
    items = "".join(
        f"<li>{markup.link(str(shown), address if shown != number + 1 else '')}</li>"
        for address, shown in addresses
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
