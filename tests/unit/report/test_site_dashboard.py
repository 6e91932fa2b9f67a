"""The site's first page says where each machine class stands; another holds two runs together."""

import re
from html import unescape
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from tests.support.helpers import TARGETS
from tests.support.runs import MACHINE, timed_run
from veperf.archive.acknowledgements import write_acknowledgement
from veperf.archive.run_summary import RunFacts
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.archive.trend import machine_trends
from veperf.core.run import Run
from veperf.report.commit_links import parse_commit_url
from veperf.report.site.build import build_site
from veperf.report.site.compare import ComparedRuns, compare_page, compared_runs
from veperf.report.site.links import SiteLinks
from veperf.report.site.regressions import open_regressions
from veperf.stats.drift import Drift

COMMITS = parse_commit_url("https://git.example.org/shop/commit/{commit}")
STEP, RUNS = 12, 24


def _run(index: int, factor: float, machine: str = MACHINE.name) -> Run:
    dice = Random(index)
    times = [400 * factor * dice.normalvariate(1, 0.004) for _ in range(6)]
    run = timed_run(
        {"shop/hash": times},
        targets={"shop/hash": "transaction/hash_compute"},
        id=f"202610{index + 1:02}-000000-{machine}",
        created=f"2026-10-{index + 1:02}T00:00:00+00:00",
        machine=replace(MACHINE, name=machine),
    )
    return replace(run, revision=replace(run.revision, commit=f"{index + 1:040x}"))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Runs of which the later half is 20 % slower, and one on another machine class."""
    archive = Archive(tmp_path / "reports")
    for index in range(RUNS):
        archive.save(_run(index, 1.2 if index >= STEP else 1.0))
    archive.save(_run(RUNS, 1.0, "other-8c"))
    return archive


def _build(archive: Archive) -> dict[str, str]:
    """Return the pages of the site by their names."""
    build_site(archive, TARGETS, archive.folder / "none", commits=COMMITS)
    files = [archive.folder / "index.html", *(archive.folder / "site").glob("*.html")]
    return {file.stem: unescape(file.read_text(encoding="utf-8")) for file in files}


def _now(pages: dict[str, str]) -> str:
    return pages["index"].partition("<h2>Now</h2>")[2].partition("<h2>All runs</h2>")[0]


def test_a_regression_is_on_the_first_page_until_it_is_acknowledged(archive: Archive):
    """With the commits that it lies between; then the reason is on the page of regressions."""
    head = _now(_build(archive))
    write_acknowledgement(archive.storage, archive.load(f"202610{RUNS:02}"), "shop/hash", "is due")
    pages = _build(archive)
    old, new = f"{STEP:040x}", f"{STEP + 1:040x}"

    assert "New regressions" in head
    assert re.search(r"(?:19|20)\.\d\u202f% slower", head)
    assert f'href="https://git.example.org/shop/compare/{old}...{new}"' in head
    assert "New regressions" not in _now(pages)
    assert "is due" in pages["regressions"].partition("Acknowledged, or made good since")[2]
    assert "is due" in pages["benchmark-shop-hash"]


def test_a_regression_that_was_made_good_is_none(archive: Archive):
    """Its level is history: nobody needs to acknowledge it."""
    for index in range(RUNS, RUNS + 7):
        archive.save(_run(index, 0.97))
    for index in range(1, 6):
        archive.save(replace(_run(index, 0.97), id=f"202611{index:02}-000000-box"))
    trends = machine_trends(load_summary(archive), machine=MACHINE.name)

    assert [1.2, 0.8] == [pytest.approx(c.worse, abs=0.03) for c in trends[0].change_points]
    assert [] == open_regressions(trends)


def test_each_machine_class_has_its_last_run_and_its_margins(archive: Archive):
    """The one with the last run first; the target's answer is that of the run's report."""
    machines = re.findall(
        r'<th scope=row data-name="Machine class">([\w-]+)', _now(_build(archive))
    )
    margins = _now(_build(archive)).partition("Nearest to their limits")[2]

    assert ["other-8c", MACHINE.name] == machines
    assert 2 == margins.count("transaction/hash_compute")
    assert "below its limit" in margins


def test_nothing_is_said_of_what_there_is_none_of(tmp_path: Path):
    """A single run without targets has no regressions, drifts or margins."""
    archive = Archive(tmp_path / "reports")
    archive.save(timed_run({"shop/hash": [400.0] * 6}, id="20261001-000000-box"))
    head = _now(_build(archive))

    assert "The last run" in head
    assert "<h3>" not in head


def test_two_runs_are_held_together_by_their_medians(archive: Archive):
    """The last of a machine class and the one before it, and the command that judges them."""
    archive.save(_run(RUNS + 1, 2.4))
    page = _build(archive)["compare"]
    old, new = f"202610{RUNS:02}-000000-box-4c", f"202610{RUNS + 2:02}-000000-box-4c"
    (change,) = re.findall(r'data-name="Difference">([^<]+)<', page)

    assert f"veperf compare {old} {new}" in page
    assert "No verdict" in page
    assert 100 == pytest.approx(float(change.removeprefix("+").removesuffix("\u202f%")), abs=2)
    assert 'class="vp-badge' not in page
    assert len(archive.ids()) == page.count("<li>2026")


def test_the_page_of_two_runs_has_as_many_runs_as_fit(archive: Archive, monkeypatch):
    """The last ones; the caption says of how many."""
    monkeypatch.setattr("veperf.report.site.compare._MOST_VALUES", 4)
    page = compare_page(compared_runs(load_summary(archive)), SiteLinks())

    assert f"The last 4 of {RUNS + 1} runs" in page
    assert 4 == page.count("<li>2026")


def test_the_page_of_two_runs_stays_small():
    """With 150 cases of long names in all the runs that there is room for."""
    names = tuple(f"shop/a_long_name_of_a_benchmark[size={n}]" for n in range(150))
    run = RunFacts("20261001-000000-abcdef0-12345678", 0, "", "class", "", "", "", False, 0)
    count = 6_000 // len(names)
    values = dict.fromkeys(names, 123.456)
    texts = dict.fromkeys(names, "123.456 ns")
    compared = ComparedRuns((run,) * count, (texts,) * count, (values,) * count, names, count)

    assert len(compare_page(compared, SiteLinks()).encode()) < 150_000


def test_a_drift_is_on_the_first_page_until_it_is_acknowledged(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
):
    """Then the reason is on the page of regressions."""
    drift = Drift(index=STEP, count=STEP, ratio=1.2, low=1.1, high=1.3)
    monkeypatch.setattr(
        "veperf.archive.trend.find_drift",
        lambda values, index: drift if len(values) == RUNS else None,
    )
    before = _build(archive)
    run = archive.load(f"202610{RUNS:02}")
    write_acknowledgement(archive.storage, run, "shop/hash", "more orders", drift=True)
    after = _build(archive)

    assert "Slowly getting worse" in _now(before)
    assert "--drift" in before["regressions"]
    assert "Slowly getting worse" not in _now(after)
    assert "more orders" in after["regressions"]
    assert "--drift" not in after["regressions"]
    assert "more orders" in after["benchmark-shop-hash"]


def test_a_single_run_leads_nowhere_that_there_is_nothing(tmp_path: Path):
    """Two are needed for a page that has rows of runs."""
    archive = Archive(tmp_path / "reports")
    archive.save(_run(0, 1.0))

    assert not any("compare.html#" in html for html in _build(archive).values())
