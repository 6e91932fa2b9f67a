"""The width of the terminal, and prose that is wrapped to it.

What goes to a pipe or a file is whole: no line is wrapped and no column left out, so that what
reads it gets everything. ``COLUMNS`` in the environment sets a width for a pipe as well.
"""

import os
import re
import shutil
import sys
from typing import IO

_ATOM = re.compile(r"(?:`[^`]*`|[^ \t\n])+")
"""A word, or a command between backticks with what touches it."""
_COMMAND = "$ "
"""What a line that is a command begins with."""


def terminal_width(stream: IO[str] | None = None) -> int | None:
    """Return the columns of the terminal that ``stream`` writes to, standard output by default.

    ``COLUMNS`` comes first. None where there is neither, and everything is to be whole.
    """
    columns = os.environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdecimal() and int(columns):
        return int(columns)
    out = sys.stdout if stream is None else stream
    return shutil.get_terminal_size().columns if out.isatty() else None


def split_words(text: str) -> list[str]:
    """Return the words of ``text``, between which a line may end: not within a command."""
    return _ATOM.findall(text)


def wrap_words(text: str, width: int, indent: str = "") -> list[str]:
    """Return ``text`` in lines of at most ``width``, but for what has no place to end a line.

    Lines after the first begin with ``indent``. A narrow blank holds a number and its unit
    together.
    """
    lines: list[str] = []
    line = text[: len(text) - len(text.lstrip(" "))]
    begins = True
    for word in split_words(text):
        if begins or len(line) + 1 + len(word) <= width:
            line += word if begins else f" {word}"
        else:
            lines.append(line)
            line = indent + word
        begins = False
    return [*lines, line]


def wrap_line(text: str, width: int | None = None) -> str:
    """Return a line of text, wrapped to ``width`` if that is given, later lines indented.

    A command on a line of its own, which begins with "$ ", stays whole.
    """
    if width is None or len(text) <= width or text.lstrip(" ").startswith(_COMMAND):
        return text
    indent = " " * (len(text) - len(text.lstrip(" ")) + 2)
    return "\n".join(wrap_words(text, width, indent))


def wrap_lines(text: str, width: int | None) -> str:
    """Return ``text`` with each of its lines wrapped to ``width`` if that is given."""
    if width is None:
        return text
    return "\n".join(wrap_line(line, width) for line in text.split("\n"))
