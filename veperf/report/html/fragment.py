"""Parts of a report in HTML and in plain text, and their style."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@cache
def component_css() -> str:
    """Return the style of the parts of a report, all under the class ``vp``."""
    return _read("parts.css")


@cache
def live_css() -> str:
    """Return the style of what the script adds, on a page and in a notebook's widget."""
    return _read("live.css")


@cache
def page_css() -> str:
    """Return the style of the page around them, and of what its script adds."""
    return f"{_read('page.css')}\n{live_css()}"


def standalone(part: str) -> str:
    """Return ``part`` with its style, for a notebook's cell; pages have the style already."""
    return f'<div class="vp"><style>{component_css()}</style>{part}</div>'


def _read(name: str) -> str:
    text = (files("veperf.report") / "template" / name).read_text(encoding="utf-8")
    bare = re.sub(r"/\*.*?\*/\n?", "", text, flags=re.DOTALL)
    # Every page contains the style, so blanks count.
    return re.sub(r" *([{};,]) *", r"\1", re.sub(r'(?<!"): +', ":", bare))


@dataclass(frozen=True, slots=True, repr=False)
class Fragment:
    """A part of a report in HTML, for a page, and in plain text, for a console."""

    html: str
    """Safe to put into a page: text from elsewhere is escaped."""
    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return standalone(self.html)
