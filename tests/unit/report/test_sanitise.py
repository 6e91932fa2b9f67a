"""HTML of unknown origin."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veperf.report.html.sanitise import sanitise


@pytest.mark.parametrize(
    ("given_html", "expected"),
    [
        ("<p onclick=x()>a</p>", "<p>a</p>"),
        ("<script>alert(1)</script>b", "b"),
        ("<SCRIPT SRC=//x>alert(1)</SCRIPT >b", "b"),
        ("<style>*{}</style><b>c</b>", "<b>c</b>"),
        ("<img src=http://x/y.png alt=d>", '<img alt="d">'),
        ("<img src='data:image/png;base64,AAAA'>", '<img src="data:image/png;base64,AAAA">'),
        ("<img src='data:image/svg+xml;base64,AAAA'>", "<img>"),
        ("<iframe src=x>inner</iframe>e", "e"),
        ("<link rel=stylesheet href=x><meta http-equiv=refresh><base href=x>f", "f"),
        ("<a href=' java\nscript:alert(1)'>g</a>", "<a>g</a>"),
        ("<a href='run.json'>g</a>", '<a href="run.json">g</a>'),
        ("<p style='background:url(//x)'>h</p>", "<p>h</p>"),
        ("<p style='color:red'>h</p>", '<p style="color:red">h</p>'),
        ("<svg><path fill='url(//x#y)' d='M0 0'/></svg>", '<svg><path d="M0 0"/></svg>'),
        ("<svg><use href='//x#y'/><use href='#z'/></svg>", '<svg><use/><use href="#z"/></svg>'),
        ("<svg viewBox='0 0 1 1'></svg>", '<svg viewBox="0 0 1 1"></svg>'),
        ("</div></main><b>i", "<b>i</b>"),
        ("<form action=x><input name=y>j</form>", "j"),
        ("<svg><foreignObject><p>k</p></foreignObject></svg>", "<svg></svg>"),
        ("<!--<script>-->l&lt;m", "l&lt;m"),
    ],
)
def test_nothing_that_acts_or_is_fetched_passes(given_html, expected):
    """Scripts, handlers, frames, foreign addresses and stray end tags are gone, the rest stays."""
    assert expected == sanitise(given_html)


class _Balance(HTMLParser):
    def __init__(self):
        super().__init__()
        self.depth = 0

    def handle_starttag(self, tag, attrs):
        self.depth += tag not in ("br", "hr", "img", "wbr", "col")

    def handle_endtag(self, tag):
        self.depth -= 1
        assert self.depth >= 0

    def handle_startendtag(self, tag, attrs):
        pass


_TAGS = ("div", "b", "svg", "script", "p", "title", "textarea", "pre")
_PIECES = st.sampled_from(
    [f"<{slash}{t}>" for t in _TAGS for slash in ("", "/")]
    + ["<g/>", "<br/>", "<b", ">", "x", "&", '"', "<!--", "-->", "<![CDATA[", "]]>"]
)


@given(st.lists(_PIECES, max_size=30).map("".join))
def test_the_result_is_balanced_and_final(html):
    """Every element is closed within the result, and a second pass changes nothing."""
    once = sanitise(html)
    balance = _Balance()
    balance.feed(once)
    balance.close()

    assert 0 == balance.depth
    assert once == sanitise(once)


@pytest.mark.parametrize(
    ("links", "passes"),
    [("a.html#b||../c.html", True), ("a.html|javascript:alert(1)", False), ("data:x", False)],
)
def test_the_links_of_marks_are_as_harmless_as_other_links(links, passes):
    """One that runs or contains something drops them all."""
    html = f'<svg viewBox="0 0 1 1"><path data-marks="a|b" data-links="{links}" d="M0 0h0"/></svg>'

    assert passes == ("data-links" in sanitise(html))
    assert "data-marks" in sanitise(html)
