"""The notebook about one comparison runs on what the archive has: pairs, or two runs."""

from pathlib import Path

import nbformat
import pytest

from tests.support.ab_runs import ab_run, change
from tests.support.helpers import plausible_run
from veperf.archive.comparisons import save_ab
from veperf.archive.store import Archive
from veperf.core.verdict import ChangeStatus, Severity
from veperf.report.pages.notebook_parameters import JsonValue
from veperf.report.pages.notebook_runner import run_notebook

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "regression.ipynb"
OLD, NEW = plausible_run(seed=1), plausible_run(seed=2, slower={"transaction/decode": 1.5})
SLOW = change("mine/slow", ChangeStatus.SLOWER, ratio=1.1, severity=Severity.FAIL)


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("archive")
    save_ab(folder, ab_run(change("mine/good", ChangeStatus.OK), SLOW))
    for run in (OLD, NEW):
        Archive(folder).save(run)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameters", "texts", "drawn"),
    [
        ({}, ["mine/slow", "10.0\u202f% slower"], "mine/slow"),
        ({"ab": "2026", "case": "mine/good"}, ["mine/slow"], "mine/good"),
        ({"base": OLD.id, "new": NEW.id}, ["transaction/decode"], "transaction/decode"),
    ],
)
def test_a_comparison_is_shown_in_depth(
    archive: Path, tmp_path: Path, parameters: dict[str, JsonValue], texts: list[str], drawn: str
):
    """Result and table say what was found; the figures are of the case that was asked for."""
    done = run_notebook(
        NOTEBOOK, tmp_path / "out.ipynb", parameters | {"archive": str(archive)}, timeout_s=120
    )
    outputs = [
        output.data
        for cell in nbformat.read(done, as_version=4).cells
        for output in cell.get("outputs", ())
        if "data" in output
    ]
    text = "\n".join(data["text/plain"] for data in outputs)
    pictures = [data["text/html"] for data in outputs if "<svg" in data.get("text/html", "")]

    assert all(words in text for words in texts)
    assert len(pictures) >= 2
    assert drawn in "".join(pictures)
