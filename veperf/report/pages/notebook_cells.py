"""A report's notebook rendered without a kernel: the texts of its cells, and the parts they show.

It takes milliseconds, where a kernel takes seconds to start; and the notebook stays the one place
that says what is on a page, in which order.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, json

from veperf.core.escape import as_html
from veperf.report.html.empty_sections import empty_sections
from veperf.report.view import ReportView

_PART = re.compile(r"view\.([a-z]+)")
_HEADING = re.compile(r"(#{1,6}) (.+)")


class _Cell(Struct):
    cell_type: str
    source: list[str] | str = ""

    @property
    def text(self) -> str:
        return "".join(self.source).strip()


class _Notebook(Struct):
    cells: list[_Cell]


def render_cells(notebook: Path, view: ReportView) -> str:
    """Return the cells of ``notebook`` as HTML, without its title.

    Of the code cells, those that are a part of ``view`` show it; the others, which load the run,
    do nothing.
    """
    return "".join(_render(json.decode(notebook.read_bytes(), type=_Notebook).cells, view))


def _render(cells: list[_Cell], view: ReportView) -> Iterator[str]:
    outputs = [None if cell.cell_type == "markdown" else _html_output(cell, view) for cell in cells]
    empty = empty_sections(outputs)
    for index, (cell, html) in enumerate(zip(cells, outputs, strict=True)):
        if index in empty:
            continue
        if html is None:
            yield from map(_block, re.split(r"\n\s*\n", cell.text))
        elif html:
            yield f'<div class="vp-output"><div class="vp">{html}</div></div>'


def _html_output(cell: _Cell, view: ReportView) -> str:
    """Return the part of ``view`` that a cell shows; empty where it shows none."""
    part = _PART.fullmatch(cell.text)
    html: str = getattr(view, part[1]).html if part else ""
    return html


def _block(text: str) -> str:
    """Return a heading or a paragraph: all that the texts of reports' notebooks consist of."""
    if heading := _HEADING.fullmatch(text):
        level = len(heading[1])
        return f"<h{level}>{as_html(heading[2])}</h{level}>" if level > 1 else ""
    return f"<p>{as_html(' '.join(text.split()))}</p>"
