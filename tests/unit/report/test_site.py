"""The archive as a web site."""

import re
import shutil
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from urllib.parse import unquote

import pytest
from msgspec.structs import replace

from tests.support.helpers import HOSTILE, TARGETS
from tests.support.pages import without_own_script
from tests.support.runs import MACHINE, timed_run
from veperf.archive.baselines import save_baseline
from veperf.archive.run_filter import EVERY_RUN, RunFilter
from veperf.archive.storage.lock import Notify, ignore_notice
from veperf.archive.store import Archive
from veperf.core.errors import UnknownTargetError
from veperf.core.run import Run
from veperf.report.site.build import build_site
from veperf.verdicts.baseline import make_baseline

STEP = 15


def _run(index: int, *, factor: float = 1.0, machine: str = MACHINE.name) -> Run:
    dice = Random(index)
    created = f"2026-10-{index // 24 + 1:02}T{index % 24:02}:00:00+00:00"
    hash_ns, other_ns = (
        [level * dice.normalvariate(1, 0.005) for _ in range(6)] for level in (400 * factor, 9e3)
    )
    run = timed_run(
        {"shop/hash": hash_ns, "shop/sell[items=10]": other_ns},
        targets={"shop/hash": "transaction/hash_compute"},
        id=f"202610{index // 24 + 1:02}-{index % 24:02}0000-abc-{machine[:3]}",
        created=created,
        machine=replace(MACHINE, name=machine),
    )
    return replace(run, revision=replace(run.revision, commit=f"{index:040x}"))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Thirty runs; the hash became 10 % slower after fifteen of them."""
    actual = Archive(tmp_path / "reports")
    for index in range(2 * STEP):
        actual.save(_run(index, factor=1.1 if index >= STEP else 1.0))
    return actual


@pytest.fixture
def update(archive: Archive, tmp_path: Path) -> Callable[..., Path]:
    """Brings the site up to date, against a baseline recorded from the fourth run."""
    baselines = tmp_path / "baselines"
    baselines.mkdir()
    shutil.copy(TARGETS / "targets.json", baselines)
    save_baseline(baselines, make_baseline(_run(3), "shop"))

    def call(
        *known_misses: str, notify: Notify = ignore_notice, run_filter: RunFilter = EVERY_RUN
    ) -> Path:
        page = build_site(archive, baselines, baselines, known_misses, None, notify, run_filter)
        return Path(page)

    return call


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []

    def handle_starttag(self, tag, attrs):
        actual = dict(attrs)
        self.tags.add(tag)
        self.ids += [actual["id"]] if actual.get("id") else []
        self.links += [actual["href"]] if tag == "a" else []
        self.headings += [int(tag[1])] if re.fullmatch(r"h\d", tag) else []


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _all(index: Path) -> list[Path]:
    return [index, *sorted((index.parent / "site").glob("*.html"))]


def _listed(page: Path) -> str:
    """Return the list of runs, without what stands above it."""
    return page.read_text(encoding="utf-8").rpartition("<h2>All runs</h2>")[2]


def test_every_link_leads_somewhere(update):
    """To a file that is there and an element in it; from any place, as all are relative."""
    for path in _all(update()):
        page = _read(path)
        assert page.links
        for link in page.links:
            file, _, anchor = link.partition("#")
            target = path.parent / unquote(file) if file else path
            assert target.is_file(), f"{path.name}: {link}"
            assert not anchor or anchor in _read(target).ids


def test_the_pages_are_as_strict_as_reports(update):
    """No script but its own, nothing from outside, unique ids, headings in order, a policy."""
    for path in _all(update()):
        page, html = _read(path), without_own_script(path.read_text(encoding="utf-8"))
        assert not {"link", "iframe", "img", "object"} & page.tags
        assert not re.search(r"https?://|url\(|@import", html)
        assert "default-src 'none'" in html
        assert len(page.ids) == len(set(page.ids))
        assert 1 == page.headings[0] == page.headings.count(1)
        assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False))


def test_runs_are_listed_newest_first_with_verdict_and_largest_change(update, archive):
    """Each with its commit; the slower ones say by how much; all lead to what is known of them.

    What is the same of all is said once.
    """
    newest = archive.ids()[-1]
    (archive.folder / newest).mkdir(exist_ok=True)
    (archive.folder / newest / "index.html").write_text("a report")
    head, *rows = _listed(update()).split("<tr>")[1:]

    assert archive.ids()[::-1] == [re.findall(r"<small>(\d+-\d+-abc-box)<", row)[0] for row in rows]
    assert f'<a href="{newest}/index.html">2026-10-02 05:00 UTC</a>' in rows[0]
    assert all('<a href="site/compare.html#run-2' in row for row in rows[1:])
    assert "Machine class" not in head
    assert "machine class box-4c" in _listed(archive.folder / "index.html")
    assert re.search(r"(?:9|10)\.\d\u202f% slower: shop/hash<", rows[0])
    assert "slower" not in rows[-1]


def test_a_planted_regression_is_on_its_page(update):
    """With size, day and the two commits between which it lies; the steady case is not there."""
    html = (update().parent / "site" / "regressions.html").read_text(encoding="utf-8")
    (worse,) = html.split("<h2>")[1:]

    assert "Slower or worse" in worse
    assert 1 == worse.count("shop/hash</a>")
    assert re.search(r"(?:9|10)\.\d\u202f% slower", worse)
    assert f"{STEP - 1:040x}"[:10] + ".." + f"{STEP:040x}"[:10] in worse
    assert "shop/sell" not in html


def test_what_has_not_changed_is_not_written(update, archive):
    """Not judged again, not written again; a new run changes what it is in, and nothing else."""
    update()
    before = {path: path.stat().st_mtime_ns for path in _all(archive.folder / "index.html")}
    kept = archive.folder / "site" / "verdicts" / "2026.json"
    written = kept.stat().st_mtime_ns
    update()

    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert written == kept.stat().st_mtime_ns
    archive.save(_run(40, factor=1.1))
    index = update()
    assert "31 runs" in index.read_text(encoding="utf-8")


def test_machines_are_never_mixed(update, archive):
    """Each class has its own trends, under its own name."""
    for index in range(30, 33):
        archive.save(_run(index, factor=3.0, machine="other-8c"))
    folder = update().parent / "site"
    page = (folder / "benchmark-shop-hash.html").read_text(encoding="utf-8")

    assert {"30 runs on box-4c", "3 runs on other-8c"} == set(
        re.findall(r"\d+ runs on [\w-]+", page)
    )
    assert "other-8c" not in (folder / "regressions.html").read_text(encoding="utf-8")


def test_more_runs_than_fit_go_on_on_further_pages(update, archive, monkeypatch):
    """Every run is on one of them, each leads to its neighbours, and full ones stay as they are."""
    monkeypatch.setattr("veperf.report.site.build.A_PAGE", 8)
    pages = [path for path in _all(update()) if path.name.startswith(("index", "runs-"))]
    actual = [id for path in pages for id in archive.ids() if f"<small>{id}" in _listed(path)]

    assert 3 == len(pages)
    assert sorted(archive.ids()) == sorted(actual)
    assert {"site/runs-2.html", "site/runs-1.html"} <= {*_read(pages[0]).links}
    assert {"../index.html", "runs-2.html"} <= {*_read(pages[1]).links}
    assert {"../index.html", "runs-1.html"} <= {*_read(pages[2]).links}
    before = [path.stat().st_mtime_ns for path in pages]
    archive.save(_run(40, factor=1.1))
    update()
    after = [path.stat().st_mtime_ns for path in pages]
    assert [True, False, False] == [a != b for a, b in zip(before, after, strict=True)]


@pytest.mark.parametrize("damage", ["cut", "link"])
def test_runs_that_cannot_be_read_are_on_the_first_page(
    archive: Archive, update: Callable[..., Path], tmp_path: Path, damage: str
):
    """And said aloud: whoever looks at the site would else take it for the whole archive."""
    lost = archive.folder / archive.ids()[4]
    if damage == "cut":
        (lost / "run.json").write_bytes(b"{")
    else:
        lost.rename(tmp_path / "elsewhere")
        lost.symlink_to(tmp_path / "elsewhere")
    notices: list[str] = []

    index = update(notify=notices.append)

    assert "1 run left out that can't be read" in unescape(index.read_text(encoding="utf-8"))
    (notice,) = notices
    assert notice.startswith("left out: ")
    assert lost.name in notice


def test_an_archive_without_runs_has_a_site_that_says_so(tmp_path):
    """And tells what to do."""
    (tmp_path / "none").mkdir()
    index = Path(build_site(Archive(tmp_path / "none"), TARGETS, tmp_path))

    assert "veperf run" in index.read_text(encoding="utf-8")
    assert all(_read(path).links for path in _all(index))


def test_known_misses_are_asked_for_by_name(update):
    """One that is not published is refused; others change the verdicts."""
    with pytest.raises(UnknownTargetError, match="shop/nothing"):
        update("shop/nothing")

    assert update("transaction/hash_compute").is_file()


def test_hostile_and_broken_runs_do_no_harm(update, archive):
    """Texts stay text; a run that can't be read is left out; kept verdicts may be rubbish."""
    run = timed_run({f"evil/{HOSTILE}": [1.0] * 6}, id="20261201-000000-evil")
    archive.save(replace(run, machine=replace(MACHINE, name=HOSTILE, cpu_model=HOSTILE)))
    archive.save(_run(41))
    (archive.folder / _run(41).id / "run.json").write_text("{}")
    (archive.folder / "site" / "verdicts").mkdir(parents=True)
    (archive.folder / "site" / "verdicts" / "2026.json").write_text("[1, 2")
    (archive.folder / "site" / "pages.json").write_text("[1, 2")

    for path in _all(update()):
        html = without_own_script(path.read_text(encoding="utf-8"))
        assert not re.search(r"<script|<img|[\x00\x1b\u202a-\u202e]", html)
        assert re.fullmatch(r"[A-Za-z0-9_.-]+", path.name)


def test_a_site_of_some_runs_keeps_the_verdicts_on_the_others(update, archive, monkeypatch):
    """Runs are chosen by machine; those that are left out are not judged again afterwards."""
    archive.save(_run(30, machine="other-8c"))
    update()
    monkeypatch.setattr("veperf.report.site.verdicts.JUDGED", 1)

    only = update(run_filter=RunFilter(machine="other-8c")).read_text(encoding="utf-8")
    whole = _listed(update())

    assert "-oth<" in only
    assert "-abc-box<" not in only
    assert "not judged" not in whole
    assert 31 == len(re.findall(r"<small>\d+-\d+-abc-", whole))


def test_the_newest_runs_are_judged(update, archive, monkeypatch):
    """Of many; those that come later too, and pages with others say so. A verdict is kept."""
    monkeypatch.setattr("veperf.report.site.build.A_PAGE", 5)
    monkeypatch.setattr("veperf.report.site.verdicts.JUDGED", 20)
    notices: list[str] = []

    update(notify=notices.append)
    archive.save(_run(40))
    first = update(notify=notices.append).read_text(encoding="utf-8")
    update(notify=notices.append)
    oldest, newer = (
        (archive.folder / "site" / f"runs-{n}.html").read_text(encoding="utf-8") for n in (1, 3)
    )

    assert ["10 earlier runs not judged"] * 2 == [n.partition(":")[0] for n in notices]
    assert "10 earlier runs not judged" in first
    assert "5 runs of this page not judged" in oldest
    assert "not judged" not in newer
