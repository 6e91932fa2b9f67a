"""The script of the pages, used as people use it: by pointer and by keyboard."""

import csv
import io
import re
import shutil
from pathlib import Path
from random import Random
from statistics import median

import pytest
from msgspec.structs import replace

from tests.support.helpers import (
    TARGETS,
    baselines_in,
    hostile_run,
    judged,
    plausible_baselines,
    plausible_run,
    with_load,
)
from tests.support.pages import without_own_script
from tests.support.runs import timed_run
from veperf.archive.store import Archive
from veperf.core.run import Run
from veperf.core.text import TIMES
from veperf.report.charts import load_charts
from veperf.report.charts.changes import changes_chart
from veperf.report.charts.limits_chart import limits_chart
from veperf.report.charts.stages import waterfall_chart
from veperf.report.html.markup import html_table
from veperf.report.html.page import html_page
from veperf.report.load_summary import load_summaries
from veperf.report.pages.render import render_report
from veperf.report.site.build import build_site
from veperf.report.tables.table import Cell, Table, columns
from veperf.stats.process_values import series_of

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") or shutil.which("chromium-browser")),
        reason="no Chromium on this machine",
    ),
]

SIZES = (10, 100, 1_000, 10_000)
CASES = [
    f"shop/{name}{size}" for name in ("hash", "sign") for size in ("", *map("[n={}]".format, SIZES))
]


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Archive:
    """Twelve runs of ten cases of two benchmarks, the report of the last, and the site."""
    project = tmp_path_factory.mktemp("shop")
    baselines = baselines_in(project)
    archive = Archive(project / "reports")
    for index in range(12):
        archive.save(_run(index))
    (archive.folder / "index.html").write_text("")
    run = archive.load()
    render_report(run, archive.folder / run.id, baselines, with_notebooks=False)
    build_site(archive, TARGETS, baselines)
    return archive


def _run(index: int) -> Run:
    dice = Random(index)
    return timed_run(
        {
            case: [(place + 1) * 400 * dice.normalvariate(1, 0.01) for _ in range(6)]
            for place, case in enumerate(CASES)
        },
        id=f"202610{index + 1:02}-000000-abc1234",
        created=f"2026-10-{index + 1:02}T00:00:00+00:00",
    )


@pytest.fixture
def page(browser, archive):
    """The first page of the report, whose messages are errors."""
    page = browser.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.goto((archive.folder / _run(11).id / "index.html").as_uri())
    yield page
    page.close()
    assert [] == messages


def _names(page) -> list[str]:
    """The benchmarks of the rows that are seen."""
    names: list[str] = page.evaluate(
        "[...document.querySelectorAll('.vp-scroll tbody tr')].filter(r => r.checkVisibility())"
        ".map(r => r.querySelector('th a').textContent)"
    )
    return names


def test_cases_of_a_benchmark_are_one_row_until_they_are_asked_for(page):
    """A button by the keyboard shows them; a filter finds them folded, and folds them again."""
    assert ["shop/hash", "shop/sign"] == _names(page)
    page.get_by_role("button", name="4 more cases of shop/hash").focus()
    page.keyboard.press("Enter")
    assert [*CASES[:5], "shop/sign"] == _names(page)
    page.keyboard.press("Enter")

    page.get_by_label("Filter by text").fill("n=1000 SIGN")
    assert ["shop/sign[n=1000]", "shop/sign[n=10000]"] == _names(page)
    assert "2 of 10" == page.locator(".vp-count").inner_text()
    page.keyboard.press("Escape")
    assert ["shop/hash", "shop/sign"] == _names(page)


def test_a_link_leads_to_what_a_filter_hides(page):
    """The filter is let go, and what it hid is in sight."""
    row = page.locator("main tr[id]").first
    page.get_by_label("Filter by text").fill("nothing has this")
    assert not row.is_visible()

    page.evaluate("id => { location.hash = encodeURIComponent(id) }", row.get_attribute("id"))
    row.wait_for()
    assert "" == page.get_by_label("Filter by text").input_value()


def test_a_head_sorts_up_then_down_then_as_it_was(page):
    """By size, not by digits; `aria-sort` says which."""
    value = page.get_by_role("button", name="Value")
    value.click()
    assert CASES == _names(page)
    value.press("Enter")
    assert CASES[::-1] == _names(page)
    assert 1 == page.locator('th[aria-sort="descending"]').count()
    value.press("Enter")
    assert ["shop/hash", "shop/sign"] == _names(page)
    assert 0 == page.locator("th[aria-sort]").count()


@pytest.mark.parametrize(("format", "read"), [("CSV", csv.reader), ("Markdown", None)])
def test_a_copy_has_every_row_in_the_order_that_is_seen(page, format, read):
    """Folded cases among them; notes stand behind their values."""
    page.evaluate("navigator.clipboard.writeText = async text => { window.copied = text }")
    page.get_by_role("button", name=f"Copy {format}: Every case of shop").click()
    text = page.evaluate("window.copied")

    if read:
        head, *rows = read(io.StringIO(text, newline=""))
    else:
        head, _, *rows = [line[2:-2].split(" | ") for line in text.splitlines()]
    assert ["Benchmark", "Value"] == head[:2]
    assert CASES == [row[0].replace("\\", "") for row in rows]
    assert all("ns" in row[1] or "µs" in row[1] for row in rows)


def test_a_link_to_a_row_leads_to_it_also_where_it_is_folded(page, browser):
    """Rows are walked by arrows from their table; the address of one opens what hides it."""
    page.get_by_role("button", name="4 more cases of shop/hash").click()
    page.locator(".vp-scroll").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    address = page.url
    other = browser.new_page()
    other.goto(address)
    marked = other.locator("tr.vp-here")

    assert "shop/hash[n=10]" == marked.locator("th a").first.inner_text()
    assert marked.is_visible()
    other.close()


def test_contents_lead_to_every_section_and_stay_in_sight(page):
    """By Enter and Tab; Escape closes them."""
    summary = page.locator(".vp-toc summary")
    headings = page.locator("main h2").all_inner_texts()
    summary.press("Enter")
    links = page.locator(".vp-toc .vp-h2 a").all_inner_texts()
    page.keyboard.press("Escape")
    assert not page.locator(".vp-toc nav").is_visible()
    summary.press("Enter")
    page.locator(".vp-toc .vp-h2 a").last.press("Enter")

    assert headings == links
    assert 0 <= page.locator("main h2").last.bounding_box()["y"] < 800
    assert page.locator(".vp-tool").bounding_box()["y"] >= 0


def test_a_dot_says_its_run_and_leads_there(page, archive):
    """Of a trend: date, commit, value and interval, by arrows as by pointer."""
    page.goto((archive.folder / "site" / "benchmark-shop-hash.html").as_uri())
    chart, tip = page.locator("main svg.vp-strip").first, page.locator(".vp-tip")
    page.keyboard.press("Tab")
    chart.focus()
    page.keyboard.press("End")
    by_keys = tip.inner_text()
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    ring = page.evaluate(
        "(() => { const p = document.querySelector('path.vp-dots'), s = p.ownerSVGElement;"
        "const m = [...p.getAttribute('d').matchAll(/M([\\d.]+) ([\\d.]+)/g)].at(-1);"
        "const at = new DOMPoint(+m[1], +m[2]).matrixTransform(s.getScreenCTM());"
        "return [at.x, at.y] })()"
    )
    page.mouse.move(*ring)

    assert by_keys == tip.inner_text()
    assert by_keys.startswith("2026-10-12")
    assert "ns (" in by_keys
    with page.expect_navigation():
        page.mouse.click(*ring)
    assert page.url.endswith(f"{_run(11).id}/index.html")


@pytest.fixture
def trend_page(page, archive):
    """The site's page of the first benchmark, and the chart of its twelve runs."""
    page.goto((archive.folder / "site" / "benchmark-shop-hash.html").as_uri())
    page.wait_for_function("document.querySelector('svg.vp-live .vp-axis')")
    return page


def _dots(page) -> int:
    """The runs that the first chart shows."""
    number: int = page.evaluate(
        "document.querySelector('svg.vp-live .vp-dots').getAttribute('d').split('M').length - 1"
    )
    return number


def test_a_trend_is_zoomed_by_dragging_and_shows_all_again(trend_page):
    """The dragged stretch has the runs that were in it; a button and Escape show all."""
    chart = trend_page.locator("svg.vp-live").first
    box = chart.bounding_box()
    assert 12 == _dots(trend_page)

    trend_page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60)
    trend_page.mouse.down()
    trend_page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 60, steps=4)
    assert trend_page.locator(".vp-brush").is_visible()
    trend_page.mouse.up()

    zoomed = _dots(trend_page)
    assert 3 <= zoomed <= 4
    assert f"{zoomed} of 12 runs" == trend_page.locator(".vp-plot .vp-count").first.inner_text()
    trend_page.get_by_role("button", name="All runs").first.click()
    assert 12 == _dots(trend_page)
    assert 0 == trend_page.locator(".vp-brush").count()


def test_a_trend_is_zoomed_by_keys(trend_page):
    """A range by Shift and arrows, then Enter; plus and minus around a run; all by Escape."""
    chart, tip = trend_page.locator("svg.vp-live").first, trend_page.locator(".vp-tip")
    trend_page.keyboard.press("Tab")
    chart.focus()
    for key in ("End", "ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft"):
        trend_page.keyboard.press(key)
    trend_page.keyboard.press("Enter")
    assert 4 == _dots(trend_page)
    assert tip.inner_text().startswith("2026-10-08")
    trend_page.keyboard.press("End")
    assert tip.inner_text().startswith("2026-10-11")

    trend_page.keyboard.press("Escape")
    assert 12 == _dots(trend_page)
    trend_page.keyboard.press("+")
    assert 12 > _dots(trend_page)
    trend_page.keyboard.press("-")
    trend_page.keyboard.press("-")
    assert 12 == _dots(trend_page)


def test_a_trend_has_a_log_scale_and_places_by_date(trend_page):
    """The axis says which; pressed again, both are as before."""
    before = trend_page.locator("svg.vp-live .vp-dots").first.get_attribute("d")
    for name in ("Log scale", "By date"):
        button = trend_page.get_by_role("button", name=name).first
        button.press("Enter")
        assert "true" == button.get_attribute("aria-pressed")
    shown = trend_page.locator("svg.vp-live text").all_text_contents()
    assert "time, logarithmic" in shown
    assert "2026-10-01" in shown
    assert before != trend_page.locator("svg.vp-live .vp-dots").first.get_attribute("d")
    for name in ("Log scale", "By date"):
        trend_page.get_by_role("button", name=name).first.press("Enter")
    assert before == trend_page.locator("svg.vp-live .vp-dots").first.get_attribute("d")


def test_every_value_of_a_trend_can_be_read_and_copied(trend_page, archive):
    """Numbers in the unit of the trend, the latest run first, its report linked."""
    trend_page.evaluate("navigator.clipboard.writeText = async text => { window.copied = text }")
    trend_page.get_by_text("Every value of 12 runs").first.press("Enter")
    name = "Copy CSV: Every value of 12 runs"
    trend_page.get_by_role("button", name=name).first.click()
    head, *rows = csv.reader(io.StringIO(trend_page.evaluate("window.copied"), newline=""))
    expected = [median(process_values(_run(index))) for index in reversed(range(12))]

    assert ["Run", "Value, ns", "Low, ns", "High, ns", "Processes"] == head
    assert expected == pytest.approx([float(row[1]) for row in rows], rel=1e-4)
    assert all(float(low) < float(value) < float(high) for _, value, low, high, _ in rows)
    assert ["6"] * 12 == [row[4] for row in rows]
    with trend_page.expect_navigation():
        trend_page.locator(".vp-tall a").first.click()
    assert _run(11).id in trend_page.url


def process_values(run: Run) -> list[float]:
    """What the processes of ``run`` measured of the first case."""
    series: list[float] = series_of(run)[CASES[0], "time"].cpu.tolist()
    return series


def test_a_trend_without_script_is_a_picture(browser, archive, tmp_path):
    """With a dot a run, and nothing that only a script could answer."""
    html = (archive.folder / "site" / "benchmark-shop-hash.html").read_text(encoding="utf-8")
    (tmp_path / "plain.html").write_text(without_own_script(html), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "plain.html").as_uri())
    dots = page.locator("main svg .vp-dots").first.get_attribute("d")
    buttons = page.locator("button").count()
    page.close()

    assert 12 == dots.count("M")
    assert 0 == buttons


def test_a_row_that_is_walked_to_tells_its_picture(page):
    """A sparkline in a table is no stop of its own: its row's keys walk its runs."""
    page.locator(".vp-scroll").focus()
    page.keyboard.press("ArrowDown")
    tip = page.locator(".vp-tip")
    now = tip.inner_text()
    page.keyboard.press("ArrowLeft")

    assert now.startswith("this run: ")
    assert tip.inner_text().startswith("1 run earlier: ")
    assert "ns" in tip.inner_text()
    assert 0 == page.locator("td svg[tabindex]").count()


def test_a_dot_of_a_strip_says_its_process_and_value(page, archive):
    """As near to the value as the picture is drawn."""
    page.goto((archive.folder / _run(11).id / "shop.html").as_uri())
    page.keyboard.press("Tab")
    page.locator("main svg.vp-strip").first.focus()
    text = page.locator(".vp-tip").inner_text()

    value = float(text.split(": ")[1].split("\u202f")[0])
    first = 400 * Random(11).normalvariate(1, 0.01)
    assert text.startswith("this run, process 1 of 6: ")
    assert value == pytest.approx(first, abs=0.05)
    assert "; median " in text


def _tips(browser, tmp_path, body: str) -> list[str]:
    """What the marks of all charts in ``body`` say, as arrow keys walk them."""
    (tmp_path / "charts.html").write_text(html_page("Charts", body, (), ""), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "charts.html").as_uri())
    texts = []
    page.keyboard.press("Tab")
    for chart in page.locator("main svg.vp-strip").all():
        chart.focus()
        page.keyboard.press("Home")
        while (text := page.locator(".vp-tip").inner_text()) not in texts:
            texts.append(text)
            page.keyboard.press("ArrowRight")
    page.close()
    return texts


def test_every_mark_of_every_chart_says_what_it_is(browser, tmp_path):
    """Loads, limits, changes, curves and stages: by name, value and interval, each mark once."""
    run = with_load(plausible_run(slower={"transaction/decode": 1.4}), invalid=[(1, 5_000)])
    judgement = judged(run, plausible_baselines())
    loads = load_summaries(run)
    search = next(load for load in loads if load.is_search)
    curve = sorted((load for load in loads if load.rate), key=lambda load: load.rate or 0)
    charts = {
        "trials": load_charts.trials_chart(search, None, "t"),
        "rates": load_charts.latency_by_rate_chart(curve, {}, "r"),
        "shares": load_charts.percentiles_chart(curve[0].latencies, {}, "p"),
        "histogram": load_charts.latency_histogram(curve[0].latencies, {}, "h"),
        "limits": limits_chart(judgement.targets, "l"),
        "changes": changes_chart(judgement.changes),
        "stages": waterfall_chart({"hash": 3.0, "sign": 7.0}, "w"),
    }
    tips = {name: _tips(browser, tmp_path, chart) for name, chart in charts.items()}

    assert any(
        re.match(r"process 1: offered .* achieved .* p99 .*: met", t) for t in tips["trials"]
    )
    assert any(re.match(r"offered .*, achieved .*: p95 .*ms, \d process", t) for t in tips["rates"])
    assert any(text.startswith("void load") for text in tips["rates"])
    assert any(text.startswith("99 % of all within ") for text in tips["shares"])
    assert any(" to " in text and text.endswith("%") for text in tips["histogram"])
    limit = rf"\(.*\), at (most|least) .*: .*{TIMES}; "
    assert any(re.search(limit, text) for text in tips["limits"])
    assert any(re.match(r"transaction/decode: .* slower \(.*\); .* → ", t) for t in tips["changes"])
    assert ["hash: 3.00\u202fµs · 30\u202f%", "sign: 7.00\u202fµs · 70\u202f%"] == [
        re.sub(r"\.0(?=\u202f%)", "", text) for text in tips["stages"] if "total" not in text
    ]


def test_without_script_the_page_is_whole(browser, archive, tmp_path):
    """Every row is seen, and nothing that only a script could answer."""
    html = (archive.folder / _run(11).id / "index.html").read_text(encoding="utf-8")
    (tmp_path / "plain.html").write_text(without_own_script(html), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "plain.html").as_uri())

    assert CASES == _names(page)
    assert 0 == page.locator("button, input, select").count()
    page.close()


def test_hostile_names_stay_text_and_other_scripts_do_not_run(browser, tmp_path):
    """In rows, links, tips and copies; a script that got onto the page anyway is refused."""
    evil = "<img src=x onerror=alert(1)>"
    content = Table(
        evil,
        columns("Name", evil),
        tuple((Cell(f"{evil}{n}"), Cell(f"={n}")) for n in range(8)),
        row_header=0,
    )
    html = html_page(evil, html_table(content) + "<script>document.title = 'run'</script>", (), "")
    (tmp_path / "evil.html").write_text(html)
    page = browser.new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    page.goto((tmp_path / "evil.html").as_uri())
    page.get_by_role("button", name="Name").click()
    page.get_by_label("Filter by text").fill("onerror")
    page.locator(".vp-scroll").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    assert 0 == page.locator("main img").count()
    assert "run" != page.title()
    assert [] == dialogs
    assert 8 == page.locator(".vp-scroll tbody tr:visible").count()
    page.close()


def test_a_hostile_report_is_worked_with(browser, tmp_path):
    """Its names are full of markup and of what ends an address."""
    run = replace(hostile_run(), id="20261123-hostile", source="go test")
    Archive(tmp_path).save(run)
    render_report(run, tmp_path / run.id, with_notebooks=False)
    for path in sorted((tmp_path / run.id).glob("*.html")):
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
        page.goto(Path(path).as_uri())
        for button in page.locator(".vp-sort:visible").all():
            button.click()
        assert 0 == page.locator("main img").count()
        assert [] == errors
        page.close()
