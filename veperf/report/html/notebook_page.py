"""Conversion of an executed notebook to a single self-contained HTML page.

Imports nbconvert: import this module only where a page is made.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

from nbconvert.exporters.templateexporter import TemplateExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from traitlets.config import Config

from veperf.core.escape import as_html
from veperf.report.html.empty_sections import empty_sections
from veperf.report.html.fragment import component_css, page_css
from veperf.report.html.page import Sibling, navigation
from veperf.report.html.sanitise import sanitise
from veperf.report.html.script import script_element, script_source
from veperf.report.pages.notebook_file import read_notebook

_TEMPLATE = "template"
# A page that runs its own script alone can't show scripts, widgets and LaTeX: their text is shown.
_MIME_TYPES = (
    "text/html",
    "image/svg+xml",
    "text/markdown",
    "image/png",
    "image/jpeg",
    "text/plain",
)


def notebook_to_html(
    notebook: Path, file: str, title: str, siblings: Sequence[Sibling] = ()
) -> bytes:
    """Return the executed ``notebook`` as the page ``file``.

    The same outputs give the same bytes. Inputs are folded away at the end. Whatever is in the
    outputs, the page runs no script but its own and fetches nothing. ``siblings`` are the pages
    that it links to at its top, including itself.

    Raises:
        UsageError: ``notebook`` is not a notebook.
    """
    node = read_notebook(notebook)
    for index in empty_sections([_html_output(cell) for cell in node.cells]):
        cell = node.cells[index]
        cell["source" if cell.cell_type == "markdown" else "outputs"] = ""
    body = "".join(filter(None, map(_html_output, node.cells)))
    page, _ = _exporter().from_notebook_node(
        node,
        {
            "title": title,
            "css": f"{component_css()}\n{page_css()}",
            "navigation": navigation(siblings, file),
            "script": script_element(body),
            "script_source": script_source(body),
        },
    )
    return page.encode()


def _html_output(cell: NotebookNode) -> str | None:
    """Return the outputs of a cell that are HTML; None of Markdown."""
    if cell.cell_type == "markdown":
        return None
    outputs = cell.get("outputs", ())
    return "".join(str(output.get("data", {}).get("text/html", "")) for output in outputs)


@cache
def _exporter() -> TemplateExporter:
    """Return the exporter with its template, which takes long to compile."""
    with as_file(files("veperf.report") / _TEMPLATE) as template:
        exporter = TemplateExporter(  # type: ignore[no-untyped-call]  # nbconvert's is untyped
            template_name=_TEMPLATE,
            template_file="index.html.j2",
            extra_template_basedirs=[str(template.parent)],
            config=Config(
                NbConvertBase={"display_data_priority": list(_MIME_TYPES)},
                # Each would validate the whole notebook, and change nothing.
                TemplateExporter={"default_preprocessors": []},
            ),
            filters=_filters(),
        )
        _ = exporter.template  # reads the file
    return exporter


def _filters() -> dict[str, Callable[[str], str]]:
    return {
        "plain": as_html,
        "safe_html": sanitise,
        "markdown": lambda source: sanitise(_markdown(source)),
    }


def _markdown(source: str) -> str:
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return str(MarkdownWithMath(renderer=renderer).render(source))
