"""The trend notebook, run as papermill runs it."""

from pathlib import Path

import nbformat
import pytest

from tests.support.archives import archive_of, stepped
from tests.support.pages import without_own_script
from veperf.core.errors import NotebookError
from veperf.report.html.notebook_page import notebook_to_html
from veperf.report.pages.notebook_parameters import JsonValue
from veperf.report.pages.notebook_runner import run_notebook

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "trend.ipynb"


@pytest.mark.slow
def test_the_notebook_shows_every_trend(tmp_path: Path):
    """Small pictures of all, the one that moved first, closely too; a page can be made of it."""
    archive_of(tmp_path / "runs", stepped(40, step_at=20))
    parameters: dict[str, JsonValue] = {
        "archive": str(tmp_path / "runs"),
        "machine": "box-4c",
        "last": 39,
    }

    done = run_notebook(NOTEBOOK, tmp_path / "out.ipynb", parameters, timeout_s=120)

    outputs = [
        output.data
        for cell in nbformat.read(done, as_version=4).cells
        for output in cell.get("outputs", ())
        if "data" in output
    ]
    pictures = next(
        data["text/html"] for data in outputs if "vp-cards" in data.get("text/html", "")
    )
    assert pictures.index("demo/a") < pictures.index("demo/b")
    assert 2 == pictures.count("<svg")
    assert any("demo/a: CPU time of 39 runs" in d["text/plain"] for d in outputs)
    page = notebook_to_html(done, "index.html", "Trends").decode()
    assert "demo/b" in page
    assert "<script" not in without_own_script(page)


@pytest.mark.slow
def test_the_notebook_on_an_empty_archive(tmp_path: Path):
    """No run yet is no error, and is said; an order that does not exist is one."""
    done = run_notebook(NOTEBOOK, tmp_path / "o.ipynb", {"archive": str(tmp_path)}, timeout_s=120)

    assert "No complete run" in done.read_text()
    with pytest.raises(NotebookError, match="by shift or name"):
        run_notebook(
            NOTEBOOK,
            tmp_path / "o.ipynb",
            {"archive": str(tmp_path), "sort": "size"},
            timeout_s=120,
        )
