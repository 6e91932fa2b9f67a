"""Numbers and lines in files of other tools: JSON values, figures in text, terminal output."""

import math
import re

_ESCAPE = re.compile(r"\x1b\[[0-9;?]{0,30}[A-Za-z]")
_NUMBER = re.compile(
    r"[+-]?(?:\d{1,300}(?:\.\d{0,300})?|\.\d{1,300})(?:[eE][+-]?\d{1,3})?", re.ASCII
)


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


def plain_line(line: str) -> str:
    """Return a line of terminal output without colours, and without what was overwritten in it."""
    if "\x1b" in line:
        line = _ESCAPE.sub("", line)
    return line.rstrip("\r").rpartition("\r")[2] if "\r" in line else line
