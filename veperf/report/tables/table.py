"""A table apart from how it is written down, and tables as plain text and Markdown."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from veperf.core.escape import as_markdown, one_line
from veperf.core.terminal import split_words, terminal_width, wrap_line, wrap_words
from veperf.core.text import MISSING
from veperf.report.tables.status import Mark

Align = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class Cell:
    """The content of one cell of a table."""

    text: str
    note: str = ""
    """Smaller print below the text."""
    mark: Mark | None = None
    picture: str = ""
    """Trusted SVG, for HTML only."""
    case: str = ""
    """The case that the cell names, to be linked to."""
    address: str = ""
    """The link's address, where the cell names no case."""
    level: str = ""
    """The level of the case that the cell names, to filter by."""
    anchor: str = ""
    """The element's id, unique on its page."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under named columns; ``row_header`` is the index of the column that names the row."""

    caption: str
    columns: tuple[tuple[str, Align], ...]
    rows: tuple[tuple[Cell, ...], ...]
    row_header: int = 1


def drop_columns(content: Table, *names: str) -> Table:
    """Return ``content`` without the columns of these ``names``."""
    return _of_columns(content, [i for i, (n, _) in enumerate(content.columns) if n not in names])


def drop_column(content: Table, index: int) -> Table:
    """Return ``content`` without the column at ``index``."""
    return _of_columns(content, [i for i in range(len(content.columns)) if i != index])


def without_empty_columns(content: Table) -> Table:
    """Return ``content`` without the columns of which no cell says anything."""
    filled = [
        i
        for i in range(len(content.columns))
        if i == content.row_header or any(_says_anything(row[i]) for row in content.rows)
    ]
    return _of_columns(content, filled)


def _says_anything(cell: Cell) -> bool:
    return cell.text not in ("", MISSING) or bool(cell.note or cell.mark or cell.picture)


def _of_columns(content: Table, indices: Sequence[int]) -> Table:
    return Table(
        content.caption,
        tuple(content.columns[i] for i in indices),
        tuple(tuple(row[i] for i in indices) for row in content.rows),
        row_header=indices.index(content.row_header),
    )


def markdown_table(content: Table) -> str:
    """Return ``content`` as a Markdown pipe table, below its caption in bold if it has one."""
    return "\n".join([markdown_head(content), *map(markdown_row, content.rows)])


def markdown_head(content: Table, escape: Callable[[str], str] = as_markdown) -> str:
    """Return caption, head and rule of a Markdown pipe table."""
    names = [escape(short_line(name)) for name, _ in content.columns]
    head = "| " + " | ".join(names) + " |"
    rule = "|" + "|".join(" ---: " if a == "right" else " --- " for _, a in content.columns) + "|"
    caption = bold(escape(short_line(content.caption)))
    return "\n".join([*([caption, ""] if caption else []), head, rule])


def bold(text: str) -> str:
    """Return Markdown in bold; nothing of what is blank, which would be a rule across the page."""
    return f"**{text.strip()}**" if text.strip() else ""


def markdown_row(row: Sequence[Cell], escape: Callable[[str], str] = as_markdown) -> str:
    """Return a row of a Markdown pipe table."""
    return "| " + " | ".join(_markdown_cell(cell, escape) for cell in row) + " |"


def _markdown_cell(cell: Cell, escape: Callable[[str], str]) -> str:
    mark = cell.mark.label if cell.mark else ""
    text = " ".join(filter(None, (mark, escape(short_line(cell.text))))) or MISSING
    return f"{text}<br>{escape(short_line(cell.note))}" if cell.note else text


_LONGEST = 300


def short_line(text: str, longest: int = _LONGEST) -> str:
    """Return ``text`` made visible, on a line of at most ``longest`` characters."""
    return _cut(one_line(text[: longest + 1]), longest)


def columns(*names: str) -> tuple[tuple[str, Align], ...]:
    """Return columns of these names, aligned to the right where a name begins with ``>``."""
    return tuple((name.lstrip(">"), "right" if name.startswith(">") else "left") for name in names)


_LEAST_PROSE = 24
"""Columns of text are no narrower; they are left out instead."""
_HEAD_PARTS = re.compile(r"[^ _/-]*[_/-]|[^ _/-]+")


def text_table(content: Table, width: int | None = None, first_out: Sequence[str] = ()) -> str:
    """Return ``content`` as plain text in aligned columns, for a terminal if there is one.

    Where it is wider than ``width``, which is by default the terminal's, text is wrapped between
    words, then columns are left out: those that ``first_out`` names, in that order, then from the
    right, never the one that names the row. A last line says which. No name is cut; one that
    is wider than the terminal stays so. Without a terminal all is whole.
    """
    width = terminal_width() if width is None else width
    if width is None:
        return "\n".join(_lines(content, None))
    kept, left_out = content, list[str]()
    while len(kept.columns) > 1 and _width(_fitted_widths(kept, width)) > width:
        index = _least_important(kept, first_out)
        left_out.insert(0, kept.columns[index][0])
        kept = drop_column(kept, index)
    lines = _lines(kept, width)
    if names := [name for name in dict.fromkeys(left_out) if name]:
        lines.append(wrap_line(f"(too narrow for: {', '.join(names)})", width))
    return "\n".join(lines)


def _lines(content: Table, width: int | None) -> list[str]:
    """Return head, rule and rows, each cell wrapped to its column where there is a ``width``."""
    heads = [name for name, _ in content.columns]
    rows = [[*map(_text_cell, row)] for row in content.rows]
    if width is None:
        widths = _natural_widths(content)
        wrapped_head, wrapped = [[name] for name in heads], [[[text] for text in r] for r in rows]
    else:
        widths = _fitted_widths(content, width)
        wrapped_head = [_wrap_head(name, least) for name, least in zip(heads, widths, strict=True)]
        wrapped = [[wrap_words(t, w) for t, w in zip(row, widths, strict=True)] for row in rows]
    head = _block(wrapped_head, content.columns, widths)
    body = [line for row in wrapped for line in _block(row, content.columns, widths)]
    return [*head, "─" * _width(widths), *body]


def _natural_widths(content: Table) -> list[int]:
    heads = (len(name) for name, _ in content.columns)
    return [max(head, _longest(texts)) for head, texts in zip(heads, _texts(content), strict=True)]


def _texts(content: Table) -> Iterator[list[str]]:
    """Yield the texts of each column."""
    return ([_text_cell(row[i]) for row in content.rows] for i in range(len(content.columns)))


def _longest(texts: Iterable[str]) -> int:
    return max(map(len, texts), default=0)


def _fitted_widths(content: Table, width: int) -> list[int]:
    """Return the width of each column: heads give way first, then the widest columns of text."""
    whole_texts, least_widths = [], []
    for i, texts in enumerate(_texts(content)):
        name, align = content.columns[i]
        head, needed = _longest(_HEAD_PARTS.findall(name)), _longest(texts)
        whole_texts.append(max(head, needed))
        if align == "left" and i != content.row_header:
            words = {word for text in texts for word in split_words(text)}
            needed = min(needed, max(_LEAST_PROSE, _longest(words)))
        least_widths.append(max(head, needed))
    widths = _natural_widths(content)
    for bounds in (whole_texts, least_widths):
        while (excess := _width(widths) - width) > 0:
            slack = [now - least for now, least in zip(widths, bounds, strict=True)]
            if not any(slack):
                break
            widest = max(range(len(widths)), key=lambda i: (slack[i] > 0, widths[i]))
            widths[widest] -= min(excess, slack[widest])
    return widths


def _width(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * len(widths) - 2


def _least_important(content: Table, first_out: Sequence[str]) -> int:
    """Return the column to leave out next."""
    places = [i for i in range(len(content.columns)) if i != content.row_header]
    named = [i for n in first_out for i in reversed(places) if content.columns[i][0] == n]
    return named[0] if named else places[-1]


def _wrap_head(name: str, width: int) -> list[str]:
    """Return the name of a column in lines, broken behind - / and _ where words are too long."""
    lines = [""]
    for word in name.split(" "):
        parts = [word] if len(word) <= width else _HEAD_PARTS.findall(word)
        for number, part in enumerate(parts):
            joint = "" if number or not lines[-1] else " "
            if lines[-1] and len(lines[-1] + joint + part) > width:
                lines.append(part)
            else:
                lines[-1] += joint + part
    return lines


def aligned_text(pairs: Sequence[tuple[str, str]]) -> str:
    """Return terms and their descriptions as plain text, the descriptions aligned."""
    widest = max(len(term) for term, _ in pairs)
    return "\n".join(f"{term.ljust(widest)}  {text}" for term, text in pairs)


def _text_cell(cell: Cell) -> str:
    mark = cell.mark.label if cell.mark else ""
    return " ".join(filter(None, (mark, short_line(cell.text)))) or MISSING


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _block(
    cells: Sequence[Sequence[str]], columns: Sequence[tuple[str, Align]], widths: Sequence[int]
) -> list[str]:
    """Return the lines of a row, whose cells have one or several."""
    return [_line(texts, columns, widths) for texts in zip_longest(*cells, fillvalue="")]


def _line(texts: Sequence[str], columns: Sequence[tuple[str, Align]], widths: Sequence[int]) -> str:
    padded = [
        text.rjust(width) if align == "right" else text.ljust(width)
        for text, (_, align), width in zip(texts, columns, widths, strict=True)
    ]
    return "  ".join(padded).rstrip()
