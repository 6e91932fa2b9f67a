"""Every page that veperf makes, as a browser shows it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from msgspec.structs import replace

from tests.support.ab_runs import change
from tests.support.fleets import at, fleet, lacking
from tests.support.helpers import TARGETS, baselines_in, plausible_run, with_load
from tests.support.runs import timed_run
from veperf.abtest.fleet_result import FleetResult
from veperf.archive.store import Archive
from veperf.core.case import MEMORY_METRICS, Level
from veperf.core.run import Failure, Run
from veperf.core.verdict import ChangeStatus, Severity
from veperf.report.pages.render import render_report
from veperf.report.site.build import build_site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--no-first-run",
]
TRACE = Failure("raised", "ValueError: " + "long" * 60, "Traceback\n" + "  wide line " * 60)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


PAGES = [
    "index.html",
    "transaction.html",
    "operation_memory.html",
    "regression.html",
    "../index.html",
    "../site/benchmarks.html",
    "../site/regressions.html",
    "../site/benchmark-shop-hash.html",
    "../fleet.html",
]
# What has text of its own, where it is seen: its colour, and the first paper under it that is not
# seen through. Text that was cut off is wider or higher than its box, which hides the rest.
_TEXTS = """() => {
  const seen = c => { const m = c.match(/[\\d.]+/g); return m.length < 4 || +m[3] > 0.99 };
  const paper = e => {
    for (; e; e = e.parentElement) {
      const c = getComputedStyle(e).backgroundColor;
      if (seen(c)) return c;
    }
    return 'rgb(255, 255, 255)';
  };
  return [...document.querySelectorAll('body *')]
    .filter(e => e.checkVisibility() && [...e.childNodes].some(
      n => n.nodeType === 3 && n.data.trim()))
    .map(e => {
      const style = getComputedStyle(e), hides = style.overflowX === 'hidden';
      return [e.tagName + ': ' + e.textContent.trim().slice(0, 40),
        e instanceof SVGElement ? style.fill : style.color, paper(e),
        hides && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)];
    });
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The folder of a run with a bit of everything and long words; a site around its report."""
    project = tmp_path_factory.mktemp("project")
    baselines = baselines_in(project)
    archive = Archive(project / "reports")
    for index in range(24):
        archive.save(_earlier(index))
    plain = plausible_run(
        slower={"transaction/decode": 1.4, "transaction/sign": 1.08},
        failing={"transaction/encode": TRACE},
    )
    run = with_load(_with_memory(plain), invalid=[(1, 5_000), (0, 10_000)])
    archive.save(run)
    build_site(archive, TARGETS, baselines)
    render_report(run, archive.folder / run.id, baselines)
    build_site(archive, TARGETS, baselines)
    (project / "reports" / "fleet.html").write_text(_fleet().page())
    return archive.folder / run.id


def _fleet() -> FleetResult:
    """A bit of everything on more machine classes than there is room for, one of a long name."""
    slower = change("shop/hash", ChangeStatus.SLOWER, ratio=1.3, severity=Severity.FAIL)
    faster = change("shop/hash", ChangeStatus.FASTER, ratio=0.8)
    every = [change(f"shop/{'long' * 9}_{status.name}", status) for status in ChangeStatus]
    broken = replace(change("shop/pay", ChangeStatus.ERROR), failure=TRACE)
    some = [at(f"class-{n}", change("shop/hash", ChangeStatus.OK), *every) for n in range(7)]
    return fleet(
        at("l" * 64, slower, broken), at("small", faster), *some, lacking("gpu", "why " * 40)
    )


def _earlier(index: int) -> Run:
    """One of a series whose second half is slower."""
    dice = Random(index)
    level = 400 if index < 12 else 480
    return timed_run(
        {"shop/hash": [level * dice.normalvariate(1, 0.005) for _ in range(6)]},
        id=f"202610{index + 1:02}-000000-abc1234",
        created=f"2026-10-{index + 1:02}T00:00:00+00:00",
    )


def _with_memory(run: Run) -> Run:
    """``run`` with what its operations hold and allocate, as though it had been measured."""
    held = {metric.name: 1_000.0 * (n + 1) for n, metric in enumerate(MEMORY_METRICS)}
    return replace(
        run,
        cases=tuple(
            replace(c, metrics=(*c.metrics, *MEMORY_METRICS)) if c.level is not Level.LOAD else c
            for c in run.cases
        ),
        passes=tuple(
            replace(
                pass_,
                results=tuple(
                    r if r.failure else replace(r, figures=r.figures | held) for r in pass_.results
                ),
            )
            for pass_ in run.passes
        ),
    )


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator[object]:
    """Chromium with an empty profile."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as p:
        profile = tmp_path_factory.mktemp("profile")
        context = p.chromium.launch_persistent_context(
            str(profile), executable_path=CHROMIUM, args=FLAGS
        )
        yield context
        context.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_every_page_asks_for_nothing_fits_and_can_be_read(browser, folder, name, width, scheme):
    """No request but its own, no message, no sideways scrolling; contrast AA; no text cut off."""
    file = (folder / name).resolve()
    page = browser.new_page()
    requests: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.goto(file.as_uri())
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    folded = page.evaluate("document.documentElement.scrollWidth")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    unfolded = page.evaluate("document.documentElement.scrollWidth")
    texts = page.evaluate(_TEXTS)
    page.close()

    assert [file.as_uri()] == requests
    assert [] == messages
    assert max(folded, unfolded) <= width
    assert {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 19, 24)"}[scheme] == background
    assert len(texts) > 10
    assert [] == [(text, ink, on) for text, ink, on, _ in texts if _contrast(ink, on) < 4.5]
    assert [] == [text for text, _, _, cut in texts if cut]


def _contrast(ink: str, other: str) -> float:
    """As WCAG 2 defines it."""
    low, high = sorted(map(_luminance, (ink, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("name", PAGES)
def test_pictures_have_a_size_and_words_for_them(browser, folder, name):
    """Every picture is drawn, within the page, and says what it shows or is hidden."""
    page = browser.new_page()
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto((folder / name).resolve().as_uri())
    actual = page.evaluate(
        "[...document.querySelectorAll('main svg')].filter(s => s.checkVisibility())"
        ".map(s => [s.getAttribute('aria-label') || s.getAttribute('aria-hidden'),"
        " s.getBoundingClientRect().toJSON()])"
    )
    page.close()

    assert actual or "index" in name or "regressions" in name
    assert all(label for label, _ in actual)
    assert all(box["width"] > 50 and box["height"] > 10 for _, box in actual)
    assert all(box["right"] <= 390 for _, box in actual)


def test_the_pages_are_walked_by_keyboard(browser, folder):
    """From the top of the report the first stops are the other pages, and Enter goes there."""
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    stops = []
    for _ in range(3):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.textContent.trim()"))
    with page.expect_navigation():
        page.keyboard.press("Enter")
    address = page.url
    page.close()

    assert ["All runs", "transaction"] == [stops[0], stops[2].split()[0]]
    assert address == (folder / "transaction.html").as_uri()
