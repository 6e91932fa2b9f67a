"""The report as a browser shows it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import baselines_in, plausible_run, with_load
from veperf.archive import Archive
from veperf.model import Failure
from veperf.report.render import render

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


@pytest.fixture(scope="module")
def page_file(tmp_path_factory) -> Path:
    """The report of a run with a bit of everything, and long words."""
    folder = tmp_path_factory.mktemp("project")
    baselines = baselines_in(folder)
    plain = plausible_run(
        slower={"transaction/decode": 1.4, "transaction/sign": 1.08},
        failing={"transaction/encode": TRACE},
    )
    run = with_load(plain, invalid=[(1, 5_000), (0, 10_000)])
    Archive(folder / "reports").begin(run).complete()
    return render(run, folder / "reports" / run.id, baselines)


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 800, 1280])
def test_the_page_asks_for_nothing_and_fits(browser, page_file, width, scheme):
    """Not one request but its own, nothing in the console, no sideways scrolling."""
    page = browser.new_page()
    requests: list[str] = []
    messages: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.goto(page_file.as_uri())
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    folded = page.evaluate("document.documentElement.scrollWidth")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    unfolded = page.evaluate("document.documentElement.scrollWidth")
    page.close()

    assert [page_file.as_uri()] == requests
    assert [] == messages
    assert max(folded, unfolded) <= width
    assert {"light": "rgb(255, 255, 255)", "dark": "rgb(15, 19, 24)"}[scheme] == background


def test_pictures_have_a_size_and_words_for_them(browser, page_file):
    """Every picture is drawn, within the page, and says what it shows."""
    page = browser.new_page()
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(page_file.as_uri())
    found = page.evaluate(
        "[...document.querySelectorAll('main svg')].filter(s => s.checkVisibility())"
        ".map(s => [s.getAttribute('aria-label'), s.getBoundingClientRect().toJSON()])"
    )
    page.close()

    assert len(found) > 10
    assert all(label for label, _ in found)
    assert all(box["width"] > 50 and box["height"] > 10 for _, box in found)
    assert all(box["right"] <= 390 for _, box in found)
