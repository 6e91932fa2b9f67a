"""The script of every page: inline, known by its hash, and the only one that its policy runs.

It adds to a page that is whole without it, so that where scripts are forbidden nothing is missing.
It is written in plain modern JavaScript, and makes no markup of texts.
"""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

_PARTS = ("quantities.js", "tables.js", "marks.js", "page.js")
_COMMENT = re.compile(r"^\s*(?:/\*.*?\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
_INDENT = re.compile(r"^\s+", re.MULTILINE)


@cache
def page_script() -> str:
    """Return the script, without the comments and indents that every page would contain."""
    folder = files("veperf.report") / "template"
    source = "".join((folder / name).read_text(encoding="utf-8") for name in _PARTS)
    body = _INDENT.sub("", _COMMENT.sub("", source))
    return f'"use strict";(()=>{{\n{body}}})();'


@cache
def script_source() -> str:
    """Return the script's source expression for a content security policy, by its hash.

    Source: Content Security Policy Level 3, section 2.3.1 ("hash-source").
    """
    return f"'sha256-{b64encode(sha256(page_script().encode()).digest()).decode()}'"


def script_element() -> str:
    """Return the element for the end of a page's body."""
    return f"<script>{page_script()}</script>"
