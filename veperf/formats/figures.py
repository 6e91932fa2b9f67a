"""Numbers and lines in files of other tools: JSON values, figures in text, terminal output."""

import math
import re
from collections.abc import Iterable

_ESCAPE = re.compile(r"\x1b\[[0-9;?]{0,30}[A-Za-z]")
_NUMBER = re.compile(
    r"[+-]?(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:[eE][+-]?\d{1,3})?", re.ASCII
)

_HEADING = re.compile(r"(#{1,6}) {1,9}(\S(?:.{0,98}\S)?)\s*")


def json_number(value: object) -> float | None:
    """Return a JSON number as a float, infinite beyond any; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf


def text_number(text: str) -> float:
    """Return the number that ``text`` is, with or without thousands separators; NaN if none."""
    plain = text.strip().replace(",", "")
    return float(plain) if _NUMBER.fullmatch(plain) else math.nan


class Headings:
    """The headings above a line of Markdown, in which somebody has put the reports of loads."""

    def __init__(self, lines: Iterable[str]) -> None:
        """Look through all ``lines``: a heading that is the only one of its level is the title."""
        self._is_code = False
        self._path: list[tuple[int, str]] = []
        self._title_level = 0
        levels = [match[1] for line in lines if (match := self._match(line))]
        if levels and levels.count(min(levels)) == 1:
            self._title_level = len(min(levels))
        self._is_code = False

    @property
    def text(self) -> str:
        """The headings, from the outermost on, without the title; empty where there is none."""
        return " / ".join(text for level, text in self._path if level > self._title_level)

    def take(self, line: str) -> None:
        """Take the next line."""
        if match := self._match(line):
            level = len(match[1])
            self._path = [entry for entry in self._path if entry[0] < level]
            self._path.append((level, match[2]))

    def _match(self, line: str) -> re.Match[str] | None:
        if line.startswith("```"):
            self._is_code = not self._is_code
        return None if self._is_code else _HEADING.fullmatch(line)


def without_colours(text: str) -> str:
    """Return terminal output without colours, and what else a terminal is told."""
    return _ESCAPE.sub("", text) if "\x1b" in text else text


def plain_line(line: str) -> str:
    """Return a line of terminal output without colours, and without what was overwritten in it."""
    line = without_colours(line)
    return line.rstrip("\r").rpartition("\r")[2] if "\r" in line else line
