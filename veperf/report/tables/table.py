"""A table apart from how it is written down, and tables as plain text and Markdown."""

import textwrap
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from veperf.core.escape import as_markdown, one_line
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


_WIDEST = 60


def columns(*names: str) -> tuple[tuple[str, Align], ...]:
    """Return columns of these names, aligned to the right where a name begins with ``>``."""
    return tuple((name.lstrip(">"), "right" if name.startswith(">") else "left") for name in names)


_CLEAR_NAME = 32
_LEAST_NAME = 16
_LEAST_HEAD = 8


def text_table(content: Table, width: int | None = None, optional: Collection[str] = ()) -> str:
    """Return ``content`` as plain text in aligned columns.

    Where it is wider than ``width``, heads and the names of rows are cut, and columns that are
    ``optional`` left out, the last first; what is still wider then stays so.
    """
    columns, rows = content.columns, [[*map(_text_cell, row)] for row in content.rows]
    rows = [[_cut(text, _WIDEST) for text in row] for row in rows]
    needed = [max([0, *(len(row[i]) for row in rows)]) for i in range(len(columns))]
    widths = [max(len(name), least) for (name, _), least in zip(columns, needed, strict=True)]
    gaps = 2 * len(widths) - 2
    if width is not None and (excess := sum(widths) + gaps - width) > 0:
        for i in sorted(range(len(widths)), key=lambda i: needed[i] - widths[i]):
            cut = min(excess, max(0, widths[i] - max(needed[i], _LEAST_HEAD)))
            widths[i], excess = widths[i] - cut, excess - cut
        named = content.row_header
        extra = [i for i, (name, _) in enumerate(columns) if name in optional and i != named]
        cut = min(excess, max(0, widths[named] - (_CLEAR_NAME if extra else _LEAST_NAME)))
        widths[named], excess = widths[named] - cut, excess - cut
        if excess and extra:
            return text_table(drop_column(content, extra[-1]), width, optional)
        rows = [[*map(_cut_start, row, widths)] for row in rows]
    rule = "─" * (sum(widths) + gaps)
    head = _line([*map(_cut_start, [name for name, _ in columns], widths)], columns, widths)
    return "\n".join([head, rule, *(_line(row, columns, widths) for row in rows)])


def wrap_line(text: str, width: int | None = None) -> str:
    """Return a line of text, wrapped to ``width`` if that is given, later lines indented."""
    if width is None:
        return text
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    return textwrap.fill(
        text,
        width,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def aligned_text(pairs: Sequence[tuple[str, str]]) -> str:
    """Return terms and their descriptions as plain text, the descriptions aligned."""
    widest = max(len(term) for term, _ in pairs)
    return "\n".join(f"{term.ljust(widest)}  {text}" for term, text in pairs)


def _text_cell(cell: Cell) -> str:
    mark = cell.mark.label if cell.mark else ""
    return " ".join(filter(None, (mark, one_line(cell.text)))) or MISSING


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _cut_start(text: str, longest: int) -> str:
    """Return the end of ``text``: what differs of names of one suite."""
    return text if len(text) <= longest else f"…{text[len(text) - longest + 1 :]}"


def _line(texts: list[str], columns: Sequence[tuple[str, Align]], widths: list[int]) -> str:
    padded = [
        text.rjust(width) if align == "right" else text.ljust(width)
        for text, (_, align), width in zip(texts, columns, widths, strict=True)
    ]
    return "  ".join(padded).rstrip()
