"""Sections of a notebook that have nothing to show, which a page leaves out.

In a notebook their cells say so: whoever has run a cell waits for an answer. On a page a heading
over such a sentence is a section too many.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from veperf.report.html.markup import NOTHING


def empty_sections(cell_outputs: Sequence[str | None]) -> set[int]:
    """Return the indices of the cells of empty sections.

    ``cell_outputs`` has a text for each cell: None of Markdown, which begins a section; else what
    the cell displays as HTML, empty where that is nothing. A section is empty where all that its
    cells display says that there is nothing.
    """
    empty: set[int] = set()
    for first, end in _sections(cell_outputs):
        displays = [html for html in cell_outputs[first + 1 : end] if html]
        if displays and all(f'class="{NOTHING}"' in html for html in displays):
            empty.update(range(first, end))
    return empty


def _sections(cell_outputs: Sequence[str | None]) -> Iterator[tuple[int, int]]:
    """Yield the first index and the end of each section."""
    begins = [index for index, html in enumerate(cell_outputs) if html is None]
    yield from pairwise([*begins, len(cell_outputs)])
