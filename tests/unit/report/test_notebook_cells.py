"""Notebooks rendered without a kernel."""

import re
from html import unescape

import nbformat
import pytest

from tests.support.helpers import judged, plausible_baselines, plausible_run
from veperf.core import paths
from veperf.core.registry import SUITES
from veperf.report.html.notebook_page import _markdown
from veperf.report.pages.notebook_cells import render_cells
from veperf.report.pages.page_list import report_pages
from veperf.report.view import ReportView

# Where a suite has no notebook of its own, `suite` is its.
NOTEBOOKS = sorted(
    name
    for name in {page.notebook for page in report_pages(plausible_run())}
    | {"run_memory", "suite", *SUITES}
    if (paths.notebooks_folder() / f"{name}.ipynb").exists()
)


def _normal(html: str) -> str:
    return "".join(unescape(re.sub(r' id="[^"]*"', "", html)).split())


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_nothing_of_a_reports_notebook_is_left_out_but_empty_sections(name: str):
    """Its texts are as nbconvert renders them, less the title, and every part is there.

    A heading over nothing but "there is none" is a section too many, and so is that sentence.
    """
    notebook = paths.notebooks_folder() / f"{name}.ipynb"
    baselines = plausible_baselines()
    run = plausible_run(slower={"transaction/decode": 1.5})
    view = ReportView(run, judged(run, baselines), baselines)
    cells = nbformat.read(notebook, as_version=4).cells
    html = render_cells(notebook, view)

    sections: list[tuple[str, list[str]]] = []
    for cell in cells:
        if cell.cell_type == "markdown":
            text = re.sub(r"<h1.*?</h1>", "", _normal(_markdown(cell.source)))
            sections.append((text, []))
        elif cell.source.startswith("view."):
            sections[-1][1].append(getattr(view, cell.source.removeprefix("view.")).html)
    empty = [all("vp-nothing" in part for part in parts) for _, parts in sections]
    parts = [part for _, group in sections for part in group]
    left_out = [part for part in parts if part not in html]
    assert [not nothing for nothing in empty] == [text in _normal(html) for text, _ in sections]
    assert [part for part in parts if "vp-nothing" in part] == left_out
    assert len(parts) - len(left_out) == html.count('<div class="vp-output">')
    assert len(cells) == len(parts) + len(sections) + 2  # parameters, and what loads the run
