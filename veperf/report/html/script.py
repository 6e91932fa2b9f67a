"""The script of every page: inline, known by its hash, and the only one that its policy runs.

It adds to a page that is whole without it, so that where scripts are forbidden nothing is missing.
It is written in plain modern JavaScript, and makes no markup of texts. A page contains the parts
that it has a use for.
"""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

_SHARED = ("quantities.js", "tables.js", "marks.js")
_CASES = ("fold.js", "filter.js")
_TRENDS = ("plot.js", "trends.js")
_COMMENT = re.compile(r"^\s*(?:/\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
_LINE_END_COMMENT = re.compile(r"(?<=[;{,]) // [^\n\"'`/]*$", re.MULTILINE)
_INDENT = re.compile(r"^\s+", re.MULTILINE)
# Where a line has one of these, its blanks may be part of a text or a pattern.
_MEANT = re.compile(r"['`/\\]")
_BLANKS = re.compile(r" *([=,{}():;?&|<>*]+) *")
# Every statement ends in a semicolon or a brace, so that these lines go on or are whole.
_LINE_ENDS = re.compile(r"(?<=[;{},(\[])\n|\n(?=[)}\].])")


@cache
def live_functions() -> str:
    """Return the functions of the script that work on any element, such as a notebook's widget.

    ``enliven(element)`` does all that they do; nothing runs by itself.
    """
    return _source((*_SHARED, "fold.js", *_TRENDS))


def page_script(body: str) -> str:
    """Return the script of a page with ``body``, which makes live what is in its main part.

    A page of trends has these zoomed, and others their cases folded and filtered.
    """
    parts = _TRENDS if "data-values=" in body else _CASES
    comparison = ("compare.js",) if "vp-compare" in body else ()
    return f'"use strict";(()=>{{\n{_source((*_SHARED, *parts, *comparison, "page.js"))}}})();'


@cache
def _source(names: tuple[str, ...]) -> str:
    """Return the files without the comments and blanks that every page would contain."""
    folder = files("veperf.report") / "template"
    text = "".join((folder / name).read_text(encoding="utf-8") for name in names)
    lines = _INDENT.sub("", _LINE_END_COMMENT.sub("", _COMMENT.sub("", text))).splitlines()
    return _LINE_ENDS.sub("", "".join(f"{_without_blanks(line)}\n" for line in lines))


def _without_blanks(line: str) -> str:
    if _MEANT.search(line):
        return line
    parts = line.split('"')
    parts[::2] = [_BLANKS.sub(r"\1", code) for code in parts[::2]]
    return '"'.join(parts)


def script_source(body: str) -> str:
    """Return the source expression of a page's script for a content security policy, by its hash.

    Source: Content Security Policy Level 3, section 2.3.1 ("hash-source").
    """
    return f"'sha256-{b64encode(sha256(page_script(body).encode()).digest()).decode()}'"


def script_element(body: str) -> str:
    """Return the element for the end of a page's body."""
    return f"<script>{page_script(body)}</script>"
