"""Every page that veperf makes, as a browser shows it."""

import shutil

import pytest

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") or shutil.which("chromium-browser")),
        reason="no Chromium on this machine",
    ),
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
    "../site/compare.html",
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


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280])
def test_every_page_asks_for_nothing_fits_and_can_be_read(browser, folder, name, width, scheme):
    """No request but its own, a small script, no sideways scrolling; contrast AA; no cut text."""
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
    script = page.evaluate("document.querySelector('body > script').textContent")
    page.close()

    assert len(script.encode()) < 30_000
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
