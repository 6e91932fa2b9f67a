"""Texts of charts: their width, before anything is laid out, and places where they fit.

A browser's font is not known here. Widths are those of DejaVu Sans, one of the widest fonts that a
page is shown in, so that what fits by them fits in the others.
"""

import math
import unicodedata
from collections.abc import Sequence

from veperf.core.escape import as_html, one_line
from veperf.core.text import MINUS, TIMES

FONT_SIZE = 11
"""Size of the text of charts, in the units of their pictures."""
LINE = 12
"""Distance between the middles of two labels, one above the other."""
GAP = 4
"""Room between two labels side by side."""

# Widths as shares of the font size (DejaVu Sans 2.37, its horizontal metrics), rounded up.
_NARROW, _USUAL, _CAPITAL, _WIDE, _FULL = 0.42, 0.65, 0.8, 1.0, 1.1
_ROUNDING = 1e-9
_NARROW_LETTERS = frozenset("iIjltfr.,:;|!'/\\()[]- \u202f")
_WIDE_LETTERS = frozenset(f"mMWw%@#&…—+±^=<>~∞→{MINUS}{TIMES}")


def text_width(text: str) -> float:
    """Return how wide ``text`` is in a chart, in the units of its picture: rather more than less.

    Marks that combine with the letter before them, and what has no width, count like letters.
    """
    return FONT_SIZE * sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    if letter in _NARROW_LETTERS:
        return _NARROW
    if letter in _WIDE_LETTERS:
        return _WIDE
    if letter.isascii():
        return _CAPITAL if letter.isupper() else _USUAL
    return _FULL if unicodedata.east_asian_width(letter) in "WFA" else _CAPITAL


def fit_end(text: str, width: float) -> str:
    """Return ``text`` if ``width`` has room for it, else its end behind an ellipsis."""
    if text_width(text) <= width:
        return text
    room = width / FONT_SIZE - _letter_width("…") - _ROUNDING
    kept = 0
    for letter in reversed(text):
        room -= _letter_width(letter)
        if room < 0:
            break
        kept += 1
    return f"…{text[len(text) - kept :]}"


def fit_start(text: str, width: float) -> str:
    """Return ``text`` if ``width`` has room for it, else its start before an ellipsis."""
    return fit_end(text[::-1], width)[::-1]


def spread_names(names: Sequence[tuple[float, str]], right: float) -> list[float]:
    """Return the middles of ``names`` side by side, moved so that they neither overlap nor leave.

    First to the right, away from each other, then back from the edge at ``right``.
    """
    middles = [place for place, _ in names]
    halves = [text_width(name) / 2 for _, name in names]
    order = sorted(range(len(middles)), key=lambda i: middles[i])
    free = 0.0
    for index in order:
        middles[index] = max(middles[index], free + halves[index])
        free = middles[index] + halves[index] + GAP
    edge = right
    for index in reversed(order):
        middles[index] = min(middles[index], edge - halves[index])
        edge = middles[index] - halves[index] - GAP
    return middles


def spread_lines(places: Sequence[float], low: float, high: float) -> list[float]:
    """Return ``places`` of labels one above the other, moved so that they don't overlap.

    They stay between ``low`` and ``high`` where there is room for all.
    """
    moved = list(places)
    order = sorted(range(len(moved)), key=lambda i: moved[i])
    last = low - LINE
    for index in order:
        moved[index] = last = max(moved[index], last + LINE)
    edge = high + LINE
    for index in reversed(order):
        moved[index] = edge = min(moved[index], edge - LINE)
    return moved


def data_attribute(name: str, entries: Sequence[str]) -> str:
    """Return an attribute with ``entries``, bars between them; nothing where all are empty."""
    if not any(entries):
        return ""
    joined = "|".join(one_line(entry).replace("|", "/") for entry in entries)
    return f' data-{name}="{as_html(joined)}"'


def is_drawable(*values: float | None) -> bool:
    """Return whether all of ``values`` are there and finite."""
    return all(value is not None and math.isfinite(value) for value in values)
