"""Escaping of untrusted text for terminals, HTML and Markdown.

Ids, messages, tracebacks and paths may hold anything: markup, terminal colours, characters that
turn the reading direction round or take no room at all. These are made visible, never interpreted.
"""

import html
import re
import unicodedata

# Escape sequences of terminals: CSI sequences (colours, cursor), OSC sequences (titles, links), and
# two-character escapes.
_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\^_]")

# Control, format (bidi, zero width), surrogate, private use, line and paragraph separators.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})

# Between numbers and units, so in most texts; isprintable() counts any blank but one as none.
_NARROW_BLANK = "\u202f"

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~@&$])")

_BY_ITSELF = re.compile(r"@|#(?=\d)|GH(?=-\d)|:(?=//)|www(?=\.)", re.IGNORECASE)


def make_visible(text: str, *, keep: str = "\n\t") -> str:
    r"""Return ``text`` without terminal sequences and with invisible characters escaped.

    A control character becomes its escape, such as ``\u202e``; those in ``keep`` stay.
    """
    if text.replace(_NARROW_BLANK, "").isprintable():
        return text
    return "".join(
        _escaped(c) if c not in keep and unicodedata.category(c) in _INVISIBLE else c
        for c in _ANSI.sub("", text)
    )


def as_html(text: str) -> str:
    """Return ``text`` as HTML that shows it, in an element or in a quoted attribute."""
    return html.escape(make_visible(text))


def as_markdown(text: str) -> str:
    """Return ``text`` as one line of GitHub-flavoured Markdown that shows it, in a table too."""
    return defuse(_MARKDOWN.sub(r"\\\1", one_line(text)))


def defuse(text: str) -> str:
    """Return ``text`` of Markdown or HTML that mentions nobody and links to nothing by itself.

    Neither a backslash nor HTML's escapes stop GitHub from taking @name for a mention, #1 and GH-1
    for an issue, and an address for a link.
    """
    return _BY_ITSELF.sub("\\g<0>\u200b", text)


def one_line(text: str) -> str:
    """Return ``text`` made visible, its white space run together into single blanks."""
    if text.isprintable() and "  " not in text:
        return text.strip(" ")
    # str.split() would take the narrow blanks between a number and its unit for white space.
    return re.sub(r"[ \t\r\n]+", " ", make_visible(text, keep="\n\t\r")).strip()


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
