"""The style of everything that veperf shows as HTML."""

import re
from functools import cache
from importlib.resources import files


@cache
def component_css() -> str:
    """The rules for the parts of a report, all under the class ``vp``."""
    return _read("parts.css")


@cache
def page_css() -> str:
    """The rules for the page around them."""
    return _read("page.css")


def standalone(part: str) -> str:
    """``part`` with its style, for a notebook's cell; a page of ours has the style already."""
    return f'<div class="vp"><style>{component_css()}</style>{part}</div>'


def _read(name: str) -> str:
    text = (files("veperf.report") / "template" / name).read_text(encoding="utf-8")
    bare = re.sub(r"/\*.*?\*/\n?", "", text, flags=re.DOTALL)
    # Every page has it, so blanks count.
    return re.sub(r" *([{};,]) *", r"\1", re.sub(r'(?<!"): +', ":", bare))
