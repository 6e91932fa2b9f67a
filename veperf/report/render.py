"""A run's report: the notebook executed about it, and the page made of that."""

import os
from collections.abc import Sequence
from pathlib import Path

from veperf import paths
from veperf.model import Run
from veperf.report.html import notebook_to_html
from veperf.report.parameters import JSON
from veperf.report.runner import execute
from veperf.workloads.suites import SUITES

ANY_SUITE = "run.ipynb"
PAGE = "index.html"
_TIMEOUT_S = 300.0


def render(
    run: Run, folder: Path, baselines: Path | None = None, known_misses: Sequence[str] = ()
) -> Path:
    """Write the report of ``run`` into its ``folder`` in the archive, and return the page.

    ``folder`` then holds the executed notebook too, which runs again where it lies: the paths in
    it are relative to it. ``baselines`` is the folder of targets and recorded baselines, the
    project's own when not given.

    Raises:
        KernelError, NotebookError: the notebook could not be run.
        StorageError: ``folder`` can't be written.
    """
    parameters: dict[str, JSON] = {
        "run": run.id,
        "archive": os.path.relpath(folder.parent, folder),
        "baselines": os.path.relpath(baselines, folder) if baselines else "",
        "known_misses": list(known_misses),
    }
    suites = list(dict.fromkeys(case.suite for case in run.cases))
    source = _notebook(suites)
    notebook = execute(source, folder / source.name, parameters, timeout_s=_TIMEOUT_S)
    return notebook_to_html(notebook, folder / PAGE, f"{', '.join(suites)} {run.id} · veperf")


def _notebook(suites: Sequence[str]) -> Path:
    """The suite's own notebook where there is one, else the one for any."""
    own = suites[0] if len(suites) == 1 and suites[0] in SUITES else ""
    path = paths.notebooks() / f"{own}.ipynb"
    return path if own and path.exists() else paths.notebooks() / ANY_SUITE
