"""Sanitising of HTML from a notebook's outputs: no scripts, nothing that is fetched.

Only the elements and attributes listed here pass, everything else is dropped: an
unknown element loses its tags and keeps its text, a harmful one is dropped with its content. The
page's content security policy would stop most of it too; this does not rely on that.
"""

import re
from html import escape
from html.parser import HTMLParser

# Ruff prefers lists, which its formatter would give a line for each of the 150 names.
# ruff: noqa: SIM905
_VOID = frozenset("br hr img wbr col".split())
_SVG = frozenset(
    "svg g defs use path rect circle ellipse line polyline polygon text tspan title desc".split()
)
_HTML = frozenset(
    "a abbr article aside b blockquote caption code colgroup dd del details dfn div dl dt em "
    "figcaption figure h1 h2 h3 h4 h5 h6 i ins kbd li mark ol p pre q s samp section small "
    "span strong sub summary sup table tbody td tfoot th thead tr tt u ul var".split()
)
_HARMFUL = frozenset(
    "script style iframe object applet template noscript foreignobject textarea select".split()
)
_ATTRIBUTES = frozenset(
    "alt class colspan cx cy d dx dy fill fill-opacity height id lang offset opacity open points "
    "r role rowspan rx ry scope stroke stroke-dasharray stroke-linecap stroke-linejoin "
    "stroke-opacity stroke-width style tabindex text-anchor title transform viewbox width x x1 x2 "
    "y y1 y2 data-changes data-counts data-high data-level data-levels data-low data-marks "
    "data-median data-metric data-minutes data-name data-names data-start data-unit "
    "data-values".split()
)
# Used for styles, and for SVG's fill and stroke.
_REACHES_OUT = re.compile(r"url\s*\(|image|expression|position\s*:|[\\@<]", re.IGNORECASE)
_STYLING = frozenset("style fill stroke".split())
_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+")
_ADDRESS = re.compile(r"(?:https?|mailto):", re.IGNORECASE)
_SCHEME = re.compile(r"[^/?#]*:")


def sanitise(html: str) -> str:
    """Return ``html`` with every element closed and nothing in it that runs or is fetched."""
    writer = _Writer()
    writer.feed(html)
    writer.close()
    return writer.html()


class _Writer(HTMLParser):
    """Collects what is allowed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._harmful = ""
        self._depth = 0

    def html(self) -> str:
        """Return all that is allowed, with open elements closed."""
        return "".join([*self._parts, *(f"</{tag}>" for tag in reversed(self._open))])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, attrs, closed=False)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._start(tag, attrs, closed=tag in _SVG)

    def handle_endtag(self, tag: str) -> None:
        if self._harmful:
            if tag == self._harmful:
                self._depth -= 1
                self._harmful = self._harmful if self._depth else ""
        elif tag in self._open:
            while True:
                last = self._open.pop()
                self._parts.append(f"</{last}>")
                if last == tag:
                    break

    def handle_data(self, data: str) -> None:
        if not self._harmful:
            self._parts.append(escape(data, quote=False))

    def _start(self, tag: str, attrs: list[tuple[str, str | None]], *, closed: bool) -> None:
        if self._harmful:
            self._depth += tag == self._harmful and not closed
        elif tag in _HARMFUL:
            self._harmful, self._depth = tag, 1
        elif tag in _VOID | _SVG | _HTML:
            attributes = "".join(_attribute(tag, name, value or "") for name, value in attrs)
            self._parts.append(f"<{tag}{attributes}{'/' if closed else ''}>")
            if tag not in _VOID and not closed:
                self._open.append(tag)


def _attribute(tag: str, name: str, value: str) -> str:
    """Return the attribute with a space before it, or an empty string."""
    if name in _STYLING:
        passes = not _REACHES_OUT.search(value)
    elif name == "href":
        passes = value.startswith("#") if tag in _SVG else _is_harmless_link(value)
    elif name == "data-links":
        passes = all(map(_is_harmless_link, value.split("|")))
    elif name == "src":
        passes = tag == "img" and _IMAGE.fullmatch(value) is not None
    else:
        passes = name in _ATTRIBUTES or name.startswith("aria-")
    # The parser lowers the case, but outside browsers this attribute needs it.
    attribute = "viewBox" if name == "viewbox" else name
    return f' {attribute}="{escape(value)}"' if passes else ""


def _is_harmless_link(value: str) -> bool:
    target = re.sub(r"[\x00-\x20]", "", value)
    return _ADDRESS.match(target) is not None or _SCHEME.match(target) is None
