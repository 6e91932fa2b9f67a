"""The site's page of two runs: which two, its reader chooses by radio buttons or by an address."""

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.helpers import HOSTILE, TARGETS
from tests.support.runs import MACHINE, timed_run
from veperf.archive.store import Archive
from veperf.core.text import MINUS, MISSING
from veperf.report.site.build import build_site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") or shutil.which("chromium-browser")),
        reason="no Chromium on this machine",
    ),
]

LEVELS = (400.0, 500.0, 1_000.0, 700.0)
IDS = [f"2026100{number}-000000-box" for number in range(1, len(LEVELS) + 1)]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of four runs, of which one has no second benchmark, and one is hostile."""
    archive = Archive(tmp_path_factory.mktemp("project") / "reports")
    for id, level in zip(IDS, LEVELS, strict=True):
        others = {} if level == 700 else {f"shop/{HOSTILE}": [level * 1e6] * 6}
        run = timed_run({"shop/hash": [level] * 6, **others}, id=id)
        archive.save(replace(run, machine=replace(MACHINE, cpu_model=HOSTILE)))
    build_site(archive, TARGETS, archive.folder / "none")
    return (Path(archive.folder) / "site" / "compare.html").as_uri()


@pytest.fixture
def page(browser, address: str):
    """The page, opened; it must raise nothing."""
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    yield page
    assert [] == errors
    page.close()


def _row(page, name: str = "shop/hash") -> list[str]:
    cells = page.locator(".vp-compare > .vp-scroll tr", has_text=name).locator("td")
    return [text.replace("\u202f", " ") for text in cells.all_inner_texts()]


def test_any_two_runs_are_chosen_by_two_clicks(page):
    """The medians, their difference, the command and the address follow."""
    assert ["1.000 µs", "700.0 ns", f"{MINUS}30.0 %"] == _row(page)

    page.get_by_label(f"Before: run {IDS[0]}").check()
    page.get_by_label(f"After: run {IDS[1]}").check()

    assert ["400.0 ns", "500.0 ns", "+25.0 %"] == _row(page)
    assert f"veperf compare {IDS[0]} {IDS[1]}" in page.locator(".vp-compare > p").inner_text()
    assert page.url.endswith(f"#{IDS[0]}..{IDS[1]}")
    page.reload()
    assert ["400.0 ns", "500.0 ns", "+25.0 %"] == _row(page)


def test_a_link_to_a_run_holds_it_against_the_one_before(page, address: str):
    """As the list of runs has it for runs without a report; what is no run changes nothing."""
    page.goto(f"{address}#run-{IDS[1]}")
    assert ["400.0 ns", "500.0 ns", "+25.0 %"] == _row(page)
    page.goto(f"{address}#run-%E0%A4%A")
    page.goto(f"{address}#nothing..else")
    assert ["400.0 ns", "500.0 ns", "+25.0 %"] == _row(page)


def test_what_a_run_lacks_has_no_difference(page):
    """A dash; and names from elsewhere stay text."""
    row = page.locator(".vp-compare > .vp-scroll tbody tr").nth(0)

    assert [MISSING] * 2 == row.locator("td").all_inner_texts()[1:]
    assert 0 == page.locator("main img").count()


def test_the_choice_is_made_by_keyboard(page):
    """Arrow keys go through a column of radio buttons, as everywhere."""
    page.get_by_label(f"After: run {IDS[3]}").focus()
    page.keyboard.press("ArrowDown")

    assert page.get_by_label(f"After: run {IDS[2]}").is_checked()
    assert "±0.0 %" == _row(page)[2]
