"""Trends as a finger zooms them, and those whose runs are all of one day."""

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.archives import archive_of
from tests.support.runs import timed_run
from veperf.archive.store import Archive
from veperf.archive.summary import load_summary
from veperf.archive.trend import Trend, case_trend
from veperf.core.run import Revision
from veperf.report.charts.trend_chart import trend_chart
from veperf.report.html.page import html_page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") or shutil.which("chromium-browser")),
        reason="no Chromium on this machine",
    ),
]

RUNS = 12
# How many runs the chart draws.
_DOTS = "document.querySelector('svg.vp-live .vp-dots').getAttribute('d').split('M').length - 1"


@pytest.fixture(scope="module")
def trend(tmp_path_factory) -> Trend:
    """Twelve runs, one an hour, of commits of their own."""
    folder: Path = tmp_path_factory.mktemp("archive")
    archive_of(folder, [_run(hour) for hour in range(RUNS)])
    return case_trend(load_summary(Archive(folder)), "shop/hash")


def _run(hour: int):
    run = timed_run(
        {"shop/hash": [400.0 + hour, 401.0, 402.0]},
        id=f"20261001-{hour:02}0000-{hour:07x}",
        created=f"2026-10-01T{hour:02}:00:00+00:00",
    )
    return replace(run, revision=Revision(f"{hour:040x}"[::-1], "main", dirty=False))


@pytest.fixture
def page(browser, trend, tmp_path):
    """The chart of all runs on a page of its own, on a phone's screen."""
    html = html_page("Day", trend_chart(trend, all_runs=True), (), "")
    (tmp_path / "day.html").write_text(html, encoding="utf-8")
    page = browser.new_page()
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto((tmp_path / "day.html").as_uri())
    page.wait_for_function("document.querySelector('svg.vp-live .vp-axis')")
    yield page
    page.close()


def _drag(page, *, to_right: float, down: float) -> None:
    """Drag a finger from the middle of the chart, as far as shares of its width and pixels say."""
    box = page.locator("svg.vp-live").bounding_box()
    x, y = box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.5
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    steps = 8
    for step in range(steps + 1):
        share = step / steps
        at = {"x": x + box["width"] * to_right * share, "y": y + down * share}
        kind = "touchMove" if step else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [at]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_finger_brushes_across_and_scrolls_down(page):
    """Across the chart it zooms to what it passed over; up and down it moves the page alone."""
    page.evaluate("document.body.style.minHeight = '4000px'")
    _drag(page, to_right=0.0, down=-150)
    assert RUNS == page.evaluate(_DOTS)
    assert 0 == page.locator(".vp-brush").count()

    page.evaluate("scrollTo(0, 0)")
    _drag(page, to_right=0.3, down=0)
    assert 3 <= page.evaluate(_DOTS) < RUNS
    assert 0 == page.locator(".vp-brush").count()


def test_runs_of_one_day_are_told_apart(page, trend):
    """By their commits, with the script and without it; by the hour where places are times."""
    commits = {run.commit[:9] for run in trend.runs}
    names = page.locator("svg.vp-live text").all_text_contents()
    assert 2 <= len([name for name in names if name[:9] in commits])
    assert "2026-10-01" not in names
    assert "2026-10-01<" not in trend_chart(trend)

    page.get_by_role("button", name="By date").click()
    names = page.locator("svg.vp-live text").all_text_contents()
    assert {"00:00", "11:00"} <= set(names)
