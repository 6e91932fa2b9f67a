"""A report's notebook rendered without a kernel: the texts of its cells, and the parts they show.

It takes milliseconds, where a kernel takes seconds to start; and the notebook stays the one place
that says what is on a page, in which order.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct, json

from veperf.core.escape import as_html
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
    for cell in cells:
        if cell.cell_type == "markdown":
            yield from map(_block, re.split(r"\n\s*\n", cell.text))
        elif part := _PART.fullmatch(cell.text):
            html = getattr(view, part[1]).html
            yield f'<div class="vp-output"><div class="vp">{html}</div></div>'


def _block(text: str) -> str:
    """Return a heading or a paragraph: all that the texts of reports' notebooks consist of."""
    if heading := _HEADING.fullmatch(text):
        level = len(heading[1])
        return f"<h{level}>{as_html(heading[2])}</h{level}>" if level > 1 else ""
    return f"<p>{as_html(' '.join(text.split()))}</p>"
