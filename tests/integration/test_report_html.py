"""Pages made of notebooks."""

import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from tests.support.pages import without_own_script
from veperf.report.html.notebook_page import notebook_to_html

SVG = '<svg viewBox="0 0 9 9"><path d="M0 0h9" onload="x()"/></svg>'


def _notebook(tmp_path: Path) -> Path:
    outputs = [
        new_output("stream", name="stdout", text="\x1b[31mred\x1b[0m <script>alert(1)</script>\n"),
        new_output("stream", name="stderr", text="<b>warning</b>"),
        new_output("error", ename="E", evalue="v", traceback=["\x1b[0;31m<i>trace</i>\x1b[0m"]),
        new_output("display_data", {"text/html": "<b>fine</b><script src=//x></script>"}),
        new_output("display_data", {"image/svg+xml": SVG, "text/plain": "svg"}),
        new_output("display_data", {"image/png": "AAAA", "text/plain": "a <plot>"}),
        new_output("display_data", {"image/png": '"><script>1</script>'}),
        new_output("display_data", {"application/javascript": "alert(1)", "text/plain": "js"}),
        new_output("display_data", {"text/latex": "$x$", "text/plain": "latex"}),
        new_output("execute_result", {"text/plain": "<repr>"}, execution_count=1),
    ]
    cells = [
        new_markdown_cell("# Title\n<script>alert(1)</script>\n\n[go](javascript:alert(1))"),
        new_code_cell("print('<in>')", outputs=outputs, execution_count=1),
        new_code_cell("hushed = 1", execution_count=2),
    ]
    path = tmp_path / "n.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    return path


@pytest.fixture
def page(tmp_path: Path) -> str:
    return notebook_to_html(_notebook(tmp_path), "n.html", "A <title>").decode()


def test_a_page_holds_no_script_but_its_own_and_forbids_others(page):
    """Scripts, handlers and addresses are gone from every kind of output; the policy is strict."""
    assert not re.search(
        r"<script|<iframe|<link|\son\w+=|javascript:|//x", without_own_script(page)
    )
    assert "default-src 'none'; script-src 'sha256-" in page
    assert "'; style-src 'unsafe-inline'; img-src data:" in page
    assert "<title>A &lt;title&gt;</title>" in page
    assert not re.search(r"(?:src|href)=\"(?!data:image/|#)", page)


def test_every_output_is_shown_as_what_it_is(page):
    """Streams, errors and plain text escaped, HTML and SVG as they are, images with their text."""
    for text in (
        "red &lt;script&gt;alert(1)&lt;/script&gt;",
        "&lt;b&gt;warning&lt;/b&gt;",
        '<pre class="vp-error">&lt;i&gt;trace&lt;/i&gt;</pre>',
        "<b>fine</b>",
        '<svg viewBox="0 0 9 9"><path d="M0 0h9"/></svg>',
        '<img src="data:image/png;base64,AAAA" alt="a &lt;plot&gt;">',
        "<pre>js</pre>",
        "<pre>latex</pre>",
        "<pre>&lt;repr&gt;</pre>",
        "<h1>Title</h1>",
    ):
        assert text in page


def test_the_code_is_folded_at_the_end(page):
    """Every cell's source is there, in one closed fold behind all outputs."""
    fold = page[page.index('<details class="vp-code">') :]

    assert "&lt;in&gt;" in fold
    assert "hushed" in fold
    assert "hushed" not in page[: page.index('<details class="vp-code">')]
    assert "<details open" not in page


def test_the_same_notebook_gives_the_same_bytes(tmp_path):
    """No time, no random id."""
    notebook = _notebook(tmp_path)
    first = notebook_to_html(notebook, "1.html", "t")
    two = notebook_to_html(notebook, "2.html", "t")

    assert first == two
