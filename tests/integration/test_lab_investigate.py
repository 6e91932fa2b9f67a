"""The notebook that goes from a verdict down to samples."""

import os
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from tests.support.helpers import baselines_in, plausible_run, with_load
from veperf.archive.store import Archive
from veperf.core.run import Failure
from veperf.report.pages.notebook_runner import run_notebook

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def _results(notebook: Path) -> list[NotebookNode]:
    cells = nbformat.read(notebook, as_version=4).cells
    return [o.data for cell in cells for o in cell.get("outputs", ()) if "data" in o]


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """A good run and a bad one, their baselines beside them."""
    folder: Path = tmp_path_factory.mktemp("project")
    baselines_in(folder)
    store = Archive(folder / "reports")
    store.save(plausible_run())
    slower = {"transaction/decode": 1.4}
    failing = {"transaction/encode": Failure("raised", "ValueError: planted <b>", "trace")}
    later = "2026-11-24T06:00:00+00:00"
    bad = plausible_run(seed=2, slower=slower, failing=failing, created=later)
    store.save(with_load(bad))
    return folder / "reports"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("benchmark", "text"),
    [
        ("", "ValueError: planted <b>"),
        ("transaction/load", "No flamegraph: transaction/load is a load"),
    ],
)
def test_the_investigation_runs_for_every_kind_of_case(archive: Path, tmp_path, benchmark, text):
    """By default the worst of the last run, which failed; by name a load."""
    parameters = {
        "benchmark": benchmark,
        "archive": str(archive),
        "baselines": str(archive.parent / "baselines"),
    }

    done = run_notebook(
        NOTEBOOKS / "investigate.ipynb", tmp_path / "out.ipynb", parameters, timeout_s=120
    )

    assert text in done.read_text(encoding="utf-8")
    figures = [data for data in _results(done) if 'class="vp-figure"' in data.get("text/html", "")]
    assert 2 == len(figures)
    assert not any("image/png" in data for data in figures)
    assert os.fspath(archive) not in "".join(str(data) for data in _results(done))
