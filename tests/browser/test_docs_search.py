"""The documentation's site in a browser: its search works, and asks nobody else."""

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator

import pytest

from tests.support.docs_site import build_docs

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (shutil.which("chromium") or shutil.which("chromium-browser")),
        reason="needs a Chromium",
    ),
]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    """Where the site is served."""
    handler = functools.partial(_Quiet, directory=build_docs(tmp_path_factory.mktemp("docs")))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_search_finds_a_word(width: int, address: str, browser):
    """In a browser that asks nobody else, at the width of a telephone and of a desk."""
    page = browser.new_page()
    page.set_viewport_size({"width": width, "height": 900})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/index.html")
    if width == 390:
        page.locator("label[for=__search].md-header__button").click()
    page.locator(".md-search__input").fill("Hodges-Lehmann")
    page.locator(".md-search-result__item a").first.wait_for()
    assert "Hodges" in page.locator(".md-search-result__list").inner_text()
    # Once the overlay has moved to its place.
    page.wait_for_function(f"document.documentElement.scrollWidth <= {width}")
    page.close()

    assert [] == [url for url in asked if not url.startswith(address)]
